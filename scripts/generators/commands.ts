import { Command, type Help } from 'commander'
import { commandNames, loadCommand } from '../../app/commands/index.ts'
import { page } from './table.ts'

const noAct = () => async (): Promise<void> => undefined

function describe(command: Command, path: string): string[] {
  const help: Help = command.createHelp()
  const usage = `${path} ${command.usage()}`.trim()
  const options = help.visibleOptions(command).filter(o => o.long !== '--help')
  const lines = options.map(
    o =>
      `- \`${o.flags}\` ${o.description}${o.defaultValue === undefined ? '' : ` (default ${String(o.defaultValue)})`}`,
  )
  const args = command.registeredArguments.map(a => `- \`${a.name()}\` ${a.description}`)
  const own = [
    `## ${path}`,
    command.description(),
    `\`\`\`\n${usage}\n\`\`\``,
    [...args, ...lines].join('\n'),
  ].filter(part => part !== '')
  return [...own, ...command.commands.flatMap(sub => describe(sub, `${path} ${sub.name()}`))]
}

/** `docs/reference/commands.md`, from the commands themselves. */
export async function commandReference(): Promise<string> {
  const program = new Command('cryptos')
  for (const name of commandNames) (await loadCommand(name))(program, noAct)
  const parts = program.commands.flatMap(c => describe(c, `cryptos ${c.name()}`))
  const intro =
    'Every command takes `--json`: its result is then one line of JSON, the last on stdout. Logs go to stderr. Exit codes: 0 done, 99 skipped with the reason, 1 failed and worth a retry, 2 wrong configuration or usage.'
  return page('Commands', intro, ...parts)
}
