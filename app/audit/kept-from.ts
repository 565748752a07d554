import type { EpochMicros } from '../../core/brands.ts'
import { addMs, HOUR } from '../../core/time.ts'
import type { AuditPorts } from './audit.ts'
import type { Range } from './read-answers.ts'
import type { KeptFrom } from './report.ts'

/**
 * The earliest moment of the range since when topics and stores still have everything. Of a topic only its retention counts, and only
 * where something was removed: records that are missing within it are missing, whoever removed them.
 */
export async function keptFrom(ports: AuditPorts, { from, to }: Range): Promise<KeptFrom> {
  let kept: KeptFrom = { from, by: null }
  const later = (at: EpochMicros, by: string): void => {
    if (at > kept.from) kept = { from: at < to ? at : to, by }
  }
  for (const { topic, retentionMs } of [ports.quotes, ...ports.market]) {
    if (retentionMs === undefined) continue
    const hasLost = (await ports.broker.partitions(topic)).some(state => state.begin > 0)
    // An hour more than the housekeeping's turn.
    if (hasLost) later(addMs(to, Math.max(-to / 1_000, HOUR - retentionMs)), topic)
  }
  for (const { name, receivedFrom } of ports.stores) if (receivedFrom !== undefined) later(receivedFrom, name)
  return kept
}
