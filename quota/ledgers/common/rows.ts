import { Credits, EpochMicros, ProviderId } from '../../../core/brands.ts'
import type { OutboxEntry } from '../../../core/ports/ledger.ts'
import type { SlotRow, SlotState } from '../../policy/slots.ts'
import { unpack } from './packing.ts'

/** A row as the driver of any database gives it. */
type Row = Readonly<Record<string, unknown>>

/** An answer with its body. @param isPacked the column `packed`, as the database has a truth */
export function entryOf(row: Row, isPacked: boolean): OutboxEntry {
  const publishedAt = row['published_at']
  return {
    answerId: String(row['answer_id']),
    provider: ProviderId(String(row['provider'])),
    dataset: String(row['dataset']),
    slot: String(row['slot']),
    runId: String(row['run_id']),
    receivedAt: EpochMicros(Number(row['received_at'])),
    httpStatus: Number(row['http_status']),
    context: String(row['context']),
    credits: Credits(Number(row['credits'])),
    publishedAt: publishedAt === null ? null : EpochMicros(Number(publishedAt)),
    revision: Number(row['revision']),
    body: unpack(row['body'] as Uint8Array, isPacked),
  }
}

export const slotRow = (row: Row): SlotRow => ({
  slot: String(row['slot']),
  state: String(row['state']) as SlotState,
  attempts: Number(row['attempts']),
  scope: String(row['scope']),
  reservationId: String(row['reservation_id']),
  reservedAt: Number(row['reserved_at']) as EpochMicros,
  deadline: Number(row['deadline']) as EpochMicros,
  answerId: row['answer_id'] === null ? null : String(row['answer_id']),
  updatedAt: Number(row['updated_at']) as EpochMicros,
})
