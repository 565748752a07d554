import { systemClock } from '../host/clock.ts'
import type { Clock } from '../core/ports/clock.ts'
import type { Action } from './commands/command.ts'
import { type Config, loadConfig } from './config/load.ts'
import type { SettingName } from './config/settings.ts'
import { createLog, errorFields } from './log.ts'
import { createMask } from './mask.ts'
import { fromError, type Result } from './result.ts'

export interface ActionCall {
  readonly action: Action
  readonly args: readonly string[]
  readonly options: Readonly<Record<string, unknown>>
  readonly json: boolean
  readonly overrides: Partial<Record<SettingName, unknown>>
}

/** Reads the settings, runs the action and turns whatever happens into a result without a secret in it. */
export async function runAction(call: ActionCall): Promise<Result> {
  let config: Config
  try {
    config = loadConfig(process.env, call.overrides)
  } catch (error) {
    return fromError(error)
  }
  const secretValues = Object.values(config.secrets)
  const log = createLog(config.logLevel, secretValues)
  const stop = stopOnSignals()
  try {
    const print = (line: string): void => void (call.json || process.stdout.write(`${line}\n`))
    const clock = await openClock(config)
    return await call.action(
      { config, log, clock, signal: stop.signal, json: call.json, print },
      call.args,
      call.options,
    )
  } catch (error) {
    log.debug(errorFields(error), 'the command failed')
    const mask = createMask(secretValues)
    const result = fromError(stop.signal.aborted ? stop.signal.reason : error)
    return {
      ...result,
      text: mask(result.text),
      json: JSON.parse(mask(JSON.stringify(result.json))) as Result['json'],
    }
  } finally {
    stop.dispose()
  }
}

/** The host's clock, or the virtual one of a simulation. */
async function openClock(config: Config): Promise<Clock> {
  if (config.sandboxClockFile === undefined) return systemClock
  const { openClockFile } = await import('../sandbox/clock-file.ts')
  return openClockFile(config.sandboxClockFile)
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
