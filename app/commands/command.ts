import type { Command } from 'commander'
import type { Clock } from '../../core/ports/clock.ts'
import type { Config, Problem } from '../config/load.ts'
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
  /** A line on stderr for people, beside the result; nothing with --json. */
  readonly note: (line: string) => void
  /** Settings that can not be used; none but for actions that show them. */
  readonly problems: readonly Problem[]
}

export type Action = (
  context: Context,
  args: readonly string[],
  options: Readonly<Record<string, unknown>>,
) => Promise<Result>

type Overrides = (options: Readonly<Record<string, unknown>>) => Partial<Record<SettingName, unknown>>

export interface ActOptions {
  /** Runs with settings that can not be used too, and tells of them; others are refused then. */
  readonly showsProblems?: boolean
}

/** Registers an action; settings given on the command line win over environment and file. */
export type Act = (
  action: Action,
  overrides?: Overrides,
  options?: ActOptions,
) => (...given: unknown[]) => Promise<void>

/** For every command that reads or writes what is stored. */
export const sourceOption = ['--source <live|sandbox>', 'whose data: real or simulated'] as const
export const withSource: Overrides = options => ({ source: options['source'] })

/** One file of `commands/`: adds itself to the program. */
export type Define = (program: Command, act: Act) => void
