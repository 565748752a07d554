import { once } from 'node:events'

/** What a mover is told, as JSON in its first argument. */
export interface MoverTask {
  readonly brokers: readonly string[]
  readonly topicPrefix: string
  /** Without the prefix. */
  readonly topic: string
  readonly group: string
  /** High watermark of each partition: the mover ends when all of it is committed. */
  readonly ends: readonly number[]
  /** Batch of the product, where it is not its own default. */
  readonly maxRecords?: number
  /** Rows of a write of the bare loop. */
  readonly sliceRows: number
  readonly influx?: { readonly url: string; readonly database: string }
  readonly cassandra?: {
    readonly hosts: readonly string[]
    readonly datacenter: string
    readonly keyspace: string
  }
}

/** What a mover did; `close` ends its connections after the parent has measured. */
export interface Moved {
  readonly rows: number
  readonly more?: Readonly<Record<string, unknown>>
  readonly close: () => Promise<void>
}

export interface MoverAnswer {
  /** Rows written, as the mover counts. */
  readonly rows: number
  /** CPU of starting Node and loading the modules. */
  readonly startCpuMs: number
  /** Anything else that the part wants to know. */
  readonly more?: Readonly<Record<string, unknown>>
}

const cpuMs = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}

/** Runs the work of a child process: prints one JSON line when all is committed, and stays until the parent has read its /proc files. */
export async function runMover(work: (task: MoverTask) => Promise<Moved>): Promise<void> {
  const startCpuMs = cpuMs()
  const task = JSON.parse(process.argv[2] ?? '') as MoverTask
  const { close, ...moved } = await work(task)
  const answer: MoverAnswer = { ...moved, startCpuMs }
  console.log(JSON.stringify(answer))
  process.stdin.resume()
  await once(process.stdin, 'end')
  await close()
}
