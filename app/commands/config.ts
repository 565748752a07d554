import type { Config } from '../config/load.ts'
import { type SettingName, secrets, settings } from '../config/settings.ts'
import { hint } from '../mask.ts'
import { done, fromOutcome } from '../result.ts'
import type { Action, Define } from './command.ts'

/** All settings with secrets masked: safe to paste into a bug report. */
function shown(config: Config): Record<string, unknown> {
  const plain = (Object.keys(settings) as SettingName[]).map(name => [
    settings[name].env,
    config[name] ?? null,
  ])
  const masked = Object.entries(secrets).map(([name, { env }]) => {
    const value = config.secrets[name]
    return [env, value === undefined ? null : hint(value)]
  })
  return Object.fromEntries([...plain, ...masked])
}

const show: Action = async ({ config, problems }) => {
  const values = shown(config)
  const text = Object.entries(values).map(
    ([name, value]) => `${name}=${Array.isArray(value) ? value.join(',') : (value ?? '')}`,
  )
  if (problems.length === 0) return done(text.join('\n'), { settings: values })
  const bad = problems.map(({ about, error }) => ({ about, code: error.code, reason: error.message }))
  const reason = bad.map(b => b.reason).join('; ')
  const lines = [...text, ...bad.map(b => `BAD  ${b.reason}`), 'The default stands above for what is BAD.']
  return {
    ...fromOutcome('misconfigured', reason, { settings: values, problems: bad }),
    text: lines.join('\n'),
    isReport: true,
  }
}

export const define: Define = (program, act) => {
  const config = program.command('config').description('show what is set; secrets are masked')
  config
    .command('show', { isDefault: true })
    .description('every setting with its value')
    .action(act(show, undefined, { showsProblems: true }))
}
