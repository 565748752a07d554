import type { Ledger } from '../../core/ports/ledger.ts'
import type { Broker } from '../../core/ports/broker.ts'
import { addMs, DAY, HOUR, toIso } from '../../core/time.ts'
import { toIsoMicros } from '../../dashboards/web/times.ts'
import { type AuditReport, auditWhileWriting } from '../audit/audit.ts'
import { auditPorts } from '../audit/ports.ts'
import type { AuditReader } from '../audit/read-rows.ts'
import { parseDuration } from '../duration.ts'
import { openReader } from '../reader.ts'
import type { Result } from '../result.ts'
import { settledSource } from '../settled-source.ts'
import { openBroker, openLedger } from '../stores.ts'
import { using } from '../using.ts'
import { type Action, type Context, type Define, sourceOption, withSource } from './command.ts'

const mostShown = 20

function text(report: AuditReport, since: string): string {
  const { rows, differences } = report
  const head = `${report.answers} answers since ${since}: ${rows.answers} rows mapped (${report.distinct} distinct), ${rows.topic} in the topic, ${rows.store} in the store, ${report.pending} on their way, ${report.unmapped} answers in the dead letters${beside(report)}`
  if (differences.length === 0)
    return `${head}\nRows in = rows out: ${report.groups} groups of provider, asset and hour have equal counts and hashes; ${report.bars} bars and the latest prices are those of the rows.`
  const shown = differences.slice(0, mostShown).map(d => `  ${d.kind} in the ${d.in}: ${d.id} (${d.group})`)
  const more = differences.length > mostShown ? [`  and ${differences.length - mostShown} more`] : []
  return [
    head,
    `NOT equal: ${differences.length} differences in ${report.badGroups.length} of ${report.groups} groups`,
    ...shown,
    ...more,
  ].join('\n')
}

/** What there is beside prices; nothing to say where there is none. */
function beside({ market, workedOut, consensus }: AuditReport): string {
  const made = market.answers > 0 ? `; ${market.answers} figures and gaps of the answers` : ''
  const worked =
    workedOut.topic > 0 ? `; ${workedOut.topic} records worked out, ${consensus} consensus prices again` : ''
  return `${made}${worked}`
}

const run: Action = (context, _args, options) =>
  withStores(context, async (ledger, broker, reader): Promise<Result> => {
    const sinceMs =
      options['since'] === undefined
        ? context.config.outboxRetentionHours * HOUR
        : parseDuration(String(options['since']), '--since')
    const now = context.clock.now()
    const from = addMs(now, -Math.min(sinceMs, context.config.outboxRetentionHours * HOUR))
    // An hour more than the housekeeping's turn.
    const judgementsFrom = addMs(now, -context.config.judgementsRetentionDays * DAY + HOUR)
    const ports = { ...auditPorts({ ledger, broker, reader }), judgementsFrom }
    const report = await auditWhileWriting(ports, from, now)
    const ok = report.differences.length === 0
    const json = {
      outcome: ok ? 'collected' : 'failed',
      reason: ok
        ? 'rows in = rows out'
        : `${report.differences.length} differences in ${report.badGroups.length} groups`,
      ok,
      from: toIsoMicros(from),
      to: toIsoMicros(now),
      ...report,
      differences: report.differences.slice(0, 1_000),
    }
    return { exit: ok ? 0 : 1, json, text: text(report, toIso(from)), isReport: true }
  })

async function withStores<T>(
  context: Context,
  work: (ledger: Ledger, broker: Broker, reader: AuditReader) => Promise<T>,
): Promise<T> {
  const source = settledSource(context)
  return using(await openLedger(context.config, source, context.clock), async ledger =>
    using(await openBroker(context.config, source, context.clock), async broker =>
      using(await openReader(source, context.clock), reader => work(ledger, broker, reader)),
    ),
  )
}

export const define: Define = (program, act) => {
  program
    .command('audit')
    .description(
      'rows in = rows out: every accepted answer against the topic, the store and what the page shows',
    )
    .option('--since <duration>', 'how far back; at most as long as raw answers are kept')
    .option(...sourceOption)
    .action(act(run, withSource))
}
