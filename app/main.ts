import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Command, CommanderError } from 'commander'
import { CryptosError } from '../core/errors.ts'
import { commandNames, loadCommand } from './commands/index.ts'
import type { Act, Action } from './commands/command.ts'
import { suggest } from './config/suggest.ts'
import { endSoon } from './end-soon.ts'
import { createMask, maskDeep } from './mask.ts'
import { runAction, secretsInUse } from './run-action.ts'
import { fromError, type Result } from './result.ts'
import { version } from './version.ts'

/** The program: one command line, and then the end of the process. */
export async function runProgram(argv: readonly string[]): Promise<void> {
  await main(argv)
  endSoon()
}

/** Runs one command line and sets the exit code; the last line of stdout is the result. */
export async function main(argv: readonly string[]): Promise<void> {
  const json = argv.includes('--json')
  endCleanly(json)
  try {
    await parse(argv)
  } catch (error) {
    if (!(error instanceof CommanderError)) return finish(fromError(error), json)
    if (error.exitCode === 0) return
    // Commander has printed the whole help for a line without a command: it is the answer for people.
    const helped = error.code === 'commander.help'
    const sentence = helped ? 'no command is named' : usageSentence(error.message)
    if (!helped || json) finish(fromError(new CryptosError('CRY_USAGE', sentence)), json)
    process.exitCode = 2
  }
}

/** What nobody caught ends the program with a sentence, never with a stack trace; a reader that went away is no error. */
function endCleanly(json: boolean): void {
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
    })
  // Node opens its debugger at this signal, and with it the memory that holds the key, unless somebody else listens.
  process.on('SIGUSR1', () => undefined)
  process.on('uncaughtException', error => {
    const mask = createMask(secretsInUse())
    const result = fromError(error)
    finish({ ...result, text: mask(result.text), json: maskDeep(result.json, mask) as Result['json'] }, json)
    process.exit()
  })
}

/** `error: unknown option '--x'\n(Did you mean --y?)` as one sentence. */
const usageSentence = (message: string): string =>
  message.replace(/^error: /, '').replace(/\n\(Did you mean (.*)\)$/s, '; did you mean $1')

async function parse(argv: readonly string[]): Promise<void> {
  const program = new Command('cryptos')
    .description('Collects crypto prices from rate-limited APIs: never a credit too many, every digit kept.')
    .version(version)
    .option('--json', 'print the result as one line of JSON, the last on stdout')
    .configureHelp({ showGlobalOptions: true })
    .addHelpText('after', footer)
    .exitOverride()
    .configureOutput({ outputError: () => undefined })
    .showSuggestionAfterError()
  const named = argv.find(word => !word.startsWith('-'))
  const wanted = commandNames.filter(name => name === named)
  for (const name of wanted.length > 0 ? wanted : commandNames)
    (await loadCommand(name))(program, act(argv.includes('--json')))
  for (const sub of program.commands) inheritSettings(sub)
  refuseUnknownPart(program, argv)
  await program.parseAsync([...argv], { from: 'user' })
}

/** A group runs its default for a word that it does not know, which then complains about too many arguments. */
function refuseUnknownPart(program: Command, argv: readonly string[]): void {
  const group = program.commands.find(command => command.name() === argv[0])
  const part = argv[1]
  if (!group || group.commands.length === 0 || part === undefined || part.startsWith('-')) return
  const names = [...group.commands.map(command => command.name()), 'help']
  if (names.includes(part)) return
  throw new CryptosError(
    'CRY_USAGE',
    `${group.name()} has no command '${part.slice(0, 60)}'${suggest(part, names)} (${names.join(', ')})`,
  )
}

/** Every subcommand answers to --json and ends by exception, so that usage errors exit with 2. */
function inheritSettings(command: Command): void {
  command.exitOverride().showSuggestionAfterError()
  if (command.commands.length === 0)
    command.option('--json', 'print the result as one line of JSON, the last on stdout')
  for (const sub of command.commands) inheritSettings(sub)
}

const act =
  (json: boolean): Act =>
  (action: Action, overrides, { showsProblems = false } = {}) =>
  async (...given) => {
    const command = given.at(-1) as Command
    const options = command.optsWithGlobals<Record<string, unknown>>()
    const call = { action, args: command.args, options, json, showsProblems }
    finish(await runAction({ ...call, overrides: overrides?.(options) ?? {} }), json)
  }

function finish(result: Result, json: boolean): void {
  process.exitCode = result.exit
  if (json) process.stdout.write(`${JSON.stringify(result.json)}\n`)
  else if (result.text !== '') (isAnswer(result) ? process.stdout : process.stderr).write(`${result.text}\n`)
}

const isAnswer = ({ exit, isReport }: Result): boolean => exit === 0 || exit === 99 || isReport === true

/** The package and a clone have the pages at the same place beside the program. */
const reference = join(import.meta.dirname, '..', 'docs', 'reference', 'configuration.md')

const footer = (): string => `
First steps
  cryptos up                        collect, store and show, all in this one process
  cryptos collect kraken --json     one call now, within the quota; exit code 0, 99, 1 or 2
  cryptos quota status              what each key has used and has left
  cryptos quota what-if --assets 40 --every 60s
                                    whether a plan can carry it, before you try

Exit codes: 0 done · 99 skipped, with the reason · 1 failed, worth a retry · 2 wrong configuration or usage
Settings: cryptos config show${existsSync(reference) ? `; what they mean: ${reference}` : ''}
Keys come from the environment or files only.`
