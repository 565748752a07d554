import { openCollecting, type Collecting } from '../../app/collecting.ts'
import { auditWhileWriting } from '../../app/audit/while-writing.ts'
import { auditPorts } from '../../app/audit/ports.ts'
import type { AuditReport } from '../../app/audit/report.ts'
import { auditStore } from '../../app/audit/stores.ts'
import { type Config, loadConfig } from '../../app/config/load.ts'
import { createLog } from '../../app/log.ts'
import { openStore } from '../../app/open-store.ts'
import { runProcessing } from '../../app/processing.ts'
import { openReader } from '../../app/reader.ts'
import { type Source, sandboxSource } from '../../app/source.ts'
import { groupOf, storeFiles, topics } from '../../app/stores.ts'
import type { Pace } from '../../collectors/pace.ts'
import type { PollPorts } from '../../collectors/poll-types.ts'
import { EpochMicros } from '../../core/brands.ts'
import { addMs } from '../../core/time.ts'
import type { Clock } from '../../core/ports/clock.ts'
import type { Ledger } from '../../core/ports/ledger.ts'
import { marketTopics } from '../../topics/messages.ts'

/** The ledger decides; the seconds between two calls of a process are real time, which a virtual month does not have. */
export const noPace: Pace = { schedule: (_turn, work) => work(), close: async () => undefined }

/** The whole path in this process, on any clock, against a sandbox: the program's own parts, put together as `up` does. */
export interface Rig {
  readonly config: Config
  readonly source: Source
  readonly files: ReturnType<typeof storeFiles>
  readonly collecting: Collecting
  readonly ports: PollPorts
  /** Publishes what waits and stores all of the topic. */
  drain(): Promise<void>
  /** Of everything that there is; `seen` = the ledger as the audit sees it. */
  audit(seen?: (ledger: Ledger) => Ledger): Promise<AuditReport>
  close(): Promise<void>
}

export async function openRig(options: {
  readonly dataDir: string
  readonly sandboxUrl: string
  readonly clock: Clock
  readonly env?: Readonly<Record<string, string>>
}): Promise<Rig> {
  const { clock } = options
  const config = loadConfig({
    CRYPTOS_DATA_DIR: options.dataDir,
    CRYPTOS_SOURCE: 'sandbox',
    CRYPTOS_SANDBOX_URL: options.sandboxUrl,
    CRYPTOS_BATCH_MAX_AGE_MS: '0',
    ...options.env,
  })
  const log = createLog('silent', [])
  const source = sandboxSource(config, options.sandboxUrl)
  const collecting = await openCollecting(
    { config, clock, log, signal: new AbortController().signal },
    source,
  )
  const ports = { ...collecting.ports, pace: noPace }
  const files = storeFiles(source.folder)
  const drain = async (): Promise<void> => {
    await ports.publish?.()
    await storeAll({ config, source, clock, collecting, log })
  }
  return {
    config,
    source,
    files,
    collecting,
    ports,
    drain,
    audit: (seen = ledger => ledger) =>
      auditAll({ ...collecting, ledger: seen(collecting.ledger) }, source, clock),
    close: () => collecting.close(),
  }
}

interface Storing {
  readonly config: Config
  readonly source: Source
  readonly clock: Clock
  readonly collecting: Collecting
  readonly log: ReturnType<typeof createLog>
}

async function storeAll({ config, source, clock, collecting, log }: Storing): Promise<void> {
  const broker = await collecting.broker()
  const sink = await openStore('sqlite', { config, source, clock })
  const stop = new AbortController()
  const storing = runProcessing({ config, broker, sink, clock, log, onProblem: () => undefined }, stop.signal)
  const isBehind = async (): Promise<boolean> => {
    for (const topic of ['quotes' as const, ...marketTopics]) {
      const committed = new Map((await broker.committed(groupOf(topic))).map(c => [c.partition, c.offset]))
      const states = await broker.partitions(topics[topic].name)
      if (states.some(s => (committed.get(s.partition) ?? 0) < s.end)) return true
    }
    return false
  }
  while (await isBehind()) await new Promise(resolve => setTimeout(resolve, 5))
  stop.abort()
  await storing
  await sink.close()
}

async function auditAll(collecting: Collecting, source: Source, clock: Clock): Promise<AuditReport> {
  const reader = await openReader(source, clock)
  try {
    const stores = [auditStore('sqlite', reader)]
    const ports = auditPorts({ ledger: collecting.ledger, broker: await collecting.broker(), stores })
    return await auditWhileWriting(ports, EpochMicros(86_400_000_000), addMs(clock.now(), 1))
  } finally {
    await reader.close()
  }
}
