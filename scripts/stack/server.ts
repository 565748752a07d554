import type { ServerName } from './pins.ts'
import type { Ports } from './ports.ts'
import type { Say } from './fetch.ts'

/** Lines of a server's own configuration that are added or replaced: `{ 'auth-enabled': 'true' }`. */
export type Settings = Readonly<Partial<Record<ServerName, Readonly<Record<string, string>>>>>

/** `{ cassandra: ['-Xmx1536m'] }`. */
export type JvmOptions = Readonly<Partial<Record<'kafka' | 'cassandra', readonly string[]>>>

/** What one stack is: kept in its folder, so that a later `up` starts the same. */
export interface Plan {
  readonly portOffset: number
  readonly brokers: number
  readonly settings: Settings
  /** More options for the JVM of a server, behind its own: the last one counts. */
  readonly jvm?: JvmOptions
  /** How long a server may take until it answers; absent: 90 s. */
  readonly readyLimitMs?: number
  /** More of the environment of Airflow's processes, and so of its tasks. Lies in the folder: no secrets, but files of them. */
  readonly airflowEnv?: Readonly<Record<string, string>>
}

/** Where one server of a stack lives. */
export interface Place extends Plan {
  /** Of the whole stack, absolute. */
  readonly stackFolder: string
  /** Of this server, absolute. */
  readonly folder: string
  readonly ports: Ports
  readonly say: Say
}

export interface Launch {
  readonly file: string
  readonly args: readonly string[]
  readonly env?: NodeJS.ProcessEnv
  readonly uid?: number
  readonly gid?: number
}

/** One process of a stack. `kafka`, `kafka-2` and `kafka-3` are three of them. */
export interface Server {
  readonly name: string
  readonly kind: ServerName
  /** As one says it to a client. */
  readonly address: string
  /** What must be free before it starts. */
  readonly listens: readonly number[]
  /** The signal that stops it in an orderly way. */
  readonly stopSignal: NodeJS.Signals
  /** `NAME=value` in the environment of all its processes, where it has several: they are ended together. */
  readonly mark?: string
  /** Log lines of a start that failed only because the one before has not quite ended. */
  readonly tooEarly?: RegExp
  /** How long it may take at least, where it is slower than the others, and how often it is asked: absent, 50 ms. */
  readonly slow?: { readonly readyLimitMs: number; readonly askEveryMs: number }
  /** Fetches, writes the configuration, makes the data folder; says how it is started. */
  prepare(): Promise<Launch>
  /** Answers by its protocol. */
  ready(): Promise<boolean>
}
