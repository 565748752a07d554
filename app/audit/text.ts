import { toIso } from '../../core/time.ts'
import { count } from '../plural.ts'
import type { Difference } from './compare.ts'
import type { Repaired } from './repair.ts'
import type { AuditReport, StoreReport } from './report.ts'

const mostShown = 20

/** The report for people. `repaired` = what was written again before it. */
export function reportText(report: AuditReport, repaired: readonly Repaired[] = []): string {
  const { differences } = report
  const head = [...repaired.map(repairedText), headOf(report)]
  if (report.stores.length > 1) head.push(...report.stores.map(storeText))
  if (differences.length === 0) return [...head, equalText(report)].join('\n')
  const more = differences.length > mostShown ? [`  and ${differences.length - mostShown} more`] : []
  return [
    ...head,
    `NOT equal: ${differences.length} differences in ${report.badGroups.length} of ${report.groups} groups`,
    ...differences.slice(0, mostShown).map(d => differenceText(d, report)),
    ...more,
  ].join('\n')
}

function headOf(report: AuditReport): string {
  const { rows, keptFrom } = report
  const [one] = report.stores
  const stored = report.stores.length === 1 ? `, ${one?.rows ?? 0} in the store` : ''
  const by = keptFrom.by === null ? '' : ` (what came before is no longer kept by ${keptFrom.by})`
  return `${report.answers} answers since ${toIso(keptFrom.from)}${by}: ${rows.answers} rows mapped (${report.distinct} distinct), ${rows.topic} in the topic${stored}, ${report.pending} on their way, ${report.unmapped} answers in the dead letters${beside(report)}`
}

/** What there is beside prices; nothing to say where there is none. */
function beside({ market, workedOut, consensus }: AuditReport): string {
  const made = market.answers > 0 ? `; ${market.answers} figures and gaps of the answers` : ''
  const worked =
    workedOut.topic > 0 ? `; ${workedOut.topic} records worked out, ${consensus} consensus prices again` : ''
  return `${made}${worked}`
}

function storeText(store: StoreReport): string {
  const letters = store.deadLetters === 0 ? '' : `, ${count(store.deadLetters, 'dead letter')}`
  const bars = store.bars === null ? 'no bars of its own' : count(store.bars, 'bar')
  return `  ${store.name}: ${count(store.rows, 'row')}, ${count(store.market, 'figure or gap').replace('gaps', 'gap')}, ${store.workedOut} worked out, ${store.pending} on their way${letters}, ${bars}, ${count(store.differences, 'difference')}`
}

function equalText({ groups, stores, bars }: AuditReport): string {
  const without = stores.filter(store => store.bars === null).map(store => store.name)
  const have = without.length === 0 ? '' : `; ${without.join(' and ')} keep no bars that could be wrong`
  return `Rows in = rows out: ${groups} groups of provider, asset and hour have equal counts and hashes; ${bars} bars and the latest prices are those of the rows${have}.`
}

function differenceText({ kind, in: place, store, id, group }: Difference, { stores }: AuditReport): string {
  const named =
    store === undefined || stores.length === 1 ? '' : place === 'store' ? ` ${store}` : ` of ${store}`
  return `  ${kind} in the ${place}${named}: ${id} (${group})`
}

function repairedText({ store, written, left }: Repaired): string {
  const rest =
    left === 0
      ? ''
      : `; ${count(left, 'difference')} left as they are (nothing is deleted, and no version that is not older is replaced)`
  return `${store}: ${count(written, 'row')} written again${rest}`
}
