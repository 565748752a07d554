import type { Command } from 'commander'
import type { Clock } from '../../core/ports/clock.ts'
import type { Config } from '../config/load.ts'
import type { SettingName } from '../config/settings.ts'
import type { Log } from '../log.ts'
import type { Result } from '../result.ts'

/** What every command gets. */
export interface Context {
  readonly config: Config
  readonly log: Log
  readonly clock: Clock
  /** Fires at SIGINT and SIGTERM. */
  readonly signal: AbortSignal
  readonly json: boolean
  /** A line on stdout before the result, for people; nothing with --json. */
  readonly print: (line: string) => void
}

export type Action = (
  context: Context,
  args: readonly string[],
  options: Readonly<Record<string, unknown>>,
) => Promise<Result>

/** Registers an action; settings given on the command line win over environment and file. */
export type Act = (
  action: Action,
  overrides?: (options: Readonly<Record<string, unknown>>) => Partial<Record<SettingName, unknown>>,
) => (...given: unknown[]) => Promise<void>

/** One file of `commands/`: adds itself to the program. */
export type Define = (program: Command, act: Act) => void
