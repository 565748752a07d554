import type { EpochMicros } from '../../core/brands.ts'
import { type AuditPorts, audit } from './audit.ts'
import type { Difference } from './compare.ts'
import { type AuditReport, told } from './report.ts'

/**
 * An audit while others write: an answer that was received before `to` may be settled right after the outbox was read, and be in
 * the topic and the store when those are read. A difference counts only when it is still there at a second look.
 */
export async function auditWhileWriting(
  ports: AuditPorts,
  from: EpochMicros,
  to: EpochMicros,
): Promise<AuditReport> {
  const first = await audit(ports, from, to)
  if (first.differences.length === 0) return first
  const nameOf = (d: Difference): string => `${d.kind} ${d.in} ${d.store ?? ''} ${d.id}`
  const before = new Set(first.differences.map(nameOf))
  const second = await audit(ports, from, to)
  const both = second.differences.filter(d => before.has(nameOf(d)))
  const stores = second.stores.map(store => ({
    ...store,
    differences: both.filter(d => d.store === store.name).length,
  }))
  return { ...second, stores, ...told(both) }
}
