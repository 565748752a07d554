import type { EpochMicros } from '../../core/brands.ts'
import type { Broker } from '../../core/ports/broker.ts'
import type { Ledger } from '../../core/ports/ledger.ts'
import { addMs, DAY, HOUR } from '../../core/time.ts'
import { toIsoMicros } from '../../dashboards/web/times.ts'
import type { AuditPorts } from '../audit/audit.ts'
import { auditWhileWriting } from '../audit/while-writing.ts'
import { auditPorts } from '../audit/ports.ts'
import { type Repaired, repair } from '../audit/repair.ts'
import type { AuditReport } from '../audit/report.ts'
import { closeAuditStores, openAuditStores } from '../audit/stores.ts'
import { reportText } from '../audit/text.ts'
import { parseDuration } from '../duration.ts'
import type { Result } from '../result.ts'
import { settledSource } from '../settled-source.ts'
import { storeNamed } from '../store-option.ts'
import { openBroker, openLedger } from '../stores.ts'
import { using } from '../using.ts'
import { type Action, type Context, type Define, sourceOption, withSource } from './command.ts'

const run: Action = (context, _args, options) =>
  withPorts(context, options['sink'], async (stores): Promise<Result> => {
    const { config, clock } = context
    const kept = config.outboxRetentionHours * HOUR
    const sinceMs = options['since'] === undefined ? kept : parseDuration(String(options['since']), '--since')
    const now = clock.now()
    const from = addMs(now, -Math.min(sinceMs, kept))
    const first = await auditWhileWriting(stores, from, now)
    if (options['repair'] !== true) return resultOf(first, now)
    const repaired = await repair(stores, first, now)
    if (repaired.length === 0) return resultOf(first, now, repaired)
    return resultOf(await auditWhileWriting(stores, from, now), now, repaired)
  })

function resultOf(report: AuditReport, to: EpochMicros, repaired?: readonly Repaired[]): Result {
  const { keptFrom, differences, badGroups, ...counts } = report
  const ok = differences.length === 0
  const json = {
    outcome: ok ? 'collected' : 'failed',
    reason: ok ? 'rows in = rows out' : `${differences.length} differences in ${badGroups.length} groups`,
    ok,
    from: toIsoMicros(keptFrom.from),
    to: toIsoMicros(to),
    ...(keptFrom.by === null ? {} : { keptBy: keptFrom.by }),
    ...counts,
    ...(repaired === undefined ? {} : { repaired }),
    badGroups,
    differences: differences.slice(0, 1_000),
  }
  return { exit: ok ? 0 : 1, json, text: reportText(report, repaired), isReport: true }
}

async function withPorts<T>(
  context: Context,
  sinks: unknown,
  work: (ports: AuditPorts) => Promise<T>,
): Promise<T> {
  const { config, clock } = context
  const names = Array.isArray(sinks) ? [...new Set(sinks.map(name => storeNamed(String(name))))] : undefined
  const source = settledSource(context)
  // An hour more than the housekeeping's turn.
  const judgementsFrom = addMs(clock.now(), -config.judgementsRetentionDays * DAY + HOUR)
  const topicRetentionMs = config.quotesRetentionDays * DAY
  const withStores = async (ledger: Ledger, broker: Broker): Promise<T> => {
    const stores = await openAuditStores({ config, source, clock }, names)
    try {
      return await work({ ...auditPorts({ ledger, broker, stores, topicRetentionMs }), judgementsFrom })
    } finally {
      await closeAuditStores(stores)
    }
  }
  return using(await openLedger(config, source, clock), async ledger =>
    using(await openBroker(config, source, clock), broker => withStores(ledger, broker)),
  )
}

export const define: Define = (program, act) => {
  program
    .command('audit')
    .description(
      'rows in = rows out: every accepted answer against the topic, each store and what the page shows',
    )
    .option('--since <duration>', 'how far back; at most as long as raw answers are kept')
    .option(
      '--repair',
      'write again what a store lacks or holds in an older version, then audit again; nothing is deleted',
    )
    .option(
      '--sink <name>',
      'only this store: sqlite, cassandra or influxdb; may be given several times; without it all that CRYPTOS_SINKS or the profile name',
      (name: string, before: readonly string[] = []) => [...before, name],
    )
    .option(...sourceOption)
    .action(act(run, withSource))
}
