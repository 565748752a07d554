import { systemClock } from '../host/clock.ts'
import { CryptosError, toCryptosError } from '../core/errors.ts'
import type { Clock } from '../core/ports/clock.ts'
import type { Action, Context } from './commands/command.ts'
import { type Config, type Environment, type Problem, readConfig, secretTexts } from './config/load.ts'
import { type SettingName, secrets } from './config/settings.ts'
import { createLog, errorFields } from './log.ts'
import { createMask, maskDeep } from './mask.ts'
import { fromError, type Result } from './result.ts'

export interface ActionCall {
  readonly action: Action
  readonly args: readonly string[]
  readonly options: Readonly<Record<string, unknown>>
  readonly json: boolean
  readonly overrides: Partial<Record<SettingName, unknown>>
  /** See `ActOptions`. */
  readonly showsProblems?: boolean
}

/** Reads the settings, runs the action and turns whatever happens into a result without a secret in it. */
export async function runAction(call: ActionCall): Promise<Result> {
  const { config, problems } = readConfig(process.env, call.overrides)
  const secretValues = [...new Set([...secretTexts(config), ...secretsOf(process.env)])]
  for (const value of secretValues) inUse.add(value)
  const [first] = problems
  if (first && !call.showsProblems) return masked(fromError(first.error), secretValues)
  const log = createLog(config.logLevel, secretValues)
  const stop = stopOnSignals()
  try {
    const context = { config, log, signal: stop.signal, json: call.json, ...linesOf(call.json) }
    const found = await clockOf(config, call.showsProblems === true)
    const all = { problems: [...problems, ...found.problems], clock: found.clock }
    return masked(await call.action({ ...context, ...all }, call.args, call.options), secretValues)
  } catch (error) {
    log.debug(errorFields(error), 'the command failed')
    return masked(fromError(stop.signal.aborted ? stop.signal.reason : error), secretValues)
  } finally {
    stop.dispose()
  }
}

/** What is said to people beside the result. */
const linesOf = (json: boolean): Pick<Context, 'print' | 'note'> => ({
  print: line => void (json || process.stdout.write(`${line}\n`)),
  note: line => void (json || process.stderr.write(`${line}\n`)),
})

async function clockOf(
  config: Config,
  showsProblems: boolean,
): Promise<{ readonly clock: Clock; readonly problems: readonly Problem[] }> {
  try {
    return { clock: await openClock(config), problems: [] }
  } catch (error) {
    if (!showsProblems) throw error
    return { clock: systemClock, problems: [{ about: 'setting', error: toCryptosError(error) }] }
  }
}

/** What a provider says may repeat the key that it was sent. */
function masked(result: Result, secretValues: readonly string[]): Result {
  const mask = createMask(secretValues)
  return { ...result, text: mask(result.text), json: maskDeep(result.json, mask) as Result['json'] }
}

/** Secrets that this process has read, from wherever. */
const inUse = new Set<string>()

/** What no line of this process may show, whenever it is written. */
export const secretsInUse = (): string[] => [...new Set([...inUse, ...secretsOf(process.env)])]

/** Secrets of an environment that could not be read as settings, so that the complaint does not show them. */
export const secretsOf = (env: Environment): string[] =>
  Object.values(secrets).flatMap(({ env: name }) => env[name] ?? [])

/** The host's clock, or the virtual one of a simulation. */
async function openClock(config: Config): Promise<Clock> {
  if (config.sandboxClockFile === undefined) return systemClock
  const { openClockFile } = await import('../sandbox/clock-file.ts')
  try {
    return openClockFile(config.sandboxClockFile)
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code
    const sentence = `CRYPTOS_SANDBOX_CLOCK_FILE: ${config.sandboxClockFile} is not a clock file (${why ?? 'unknown'})`
    throw new CryptosError('CRY_CONFIG_INVALID', sentence, { cause })
  }
}

function stopOnSignals(): { readonly signal: AbortSignal; dispose(): void } {
  const controller = new AbortController()
  const onSignal = (name: NodeJS.Signals): void =>
    controller.abort(new DOMException(`stopped by ${name}`, 'AbortError'))
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  return {
    signal: controller.signal,
    dispose: () => void process.off('SIGINT', onSignal).off('SIGTERM', onSignal),
  }
}
