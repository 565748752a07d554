import type { SlotRow } from '../../policy/slots.ts'
import type { Spent } from '../../policy/spending.ts'
import { decodeState } from '../../policy/state.ts'
import type { ScopeRow } from '../common/unit.ts'
import type { Row } from './server.ts'

/** An answer once. */
export const addAnswer = `INSERT INTO outbox(answer_id, provider, dataset, slot, run_id, received_at, http_status, context, credits, size, packed, body)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (answer_id) DO NOTHING`

/** Scopes (each under the version that was read), events and the ledger's row. */
export const writeAll = `WITH s AS (
  INSERT INTO scopes(scope, version, written, state)
  SELECT d.scope, d.version, $1::bigint + 1, d.state FROM unnest($6::text[], $7::bigint[], $8::text[]) AS d(scope, version, state)
  ON CONFLICT (scope) DO UPDATE SET version = excluded.version, written = excluded.written, state = excluded.state
  WHERE scopes.version = excluded.version - 1 RETURNING 1
), e AS (
  INSERT INTO events(sequence, body) SELECT $2::bigint, $9::text WHERE $9::text IS NOT NULL
), l AS (
  UPDATE ledger SET version = $1::bigint + 1, sequence = $2, pending_bytes = $3, frozen = $4, clock = $5
  WHERE one = 1 AND version = $1::bigint RETURNING 1
) SELECT (SELECT count(*) FROM s) AS scopes, (SELECT count(*) FROM l) AS ledgers`

export const upsertSlots = `INSERT INTO slots(slot, state, attempts, scope, reservation_id, reserved_at, deadline, answer_id, updated_at)
SELECT * FROM unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::text[], $9::bigint[])
ON CONFLICT (slot) DO UPDATE SET state = excluded.state, attempts = excluded.attempts, scope = excluded.scope,
  reservation_id = excluded.reservation_id, reserved_at = excluded.reserved_at, deadline = excluded.deadline,
  answer_id = excluded.answer_id, updated_at = excluded.updated_at`

/** What `unnest` makes rows of: a list for each column. */
const columnsOf = <T>(rows: readonly T[], names: readonly (keyof T)[]): unknown[] =>
  names.map(name => rows.map(row => row[name]))

export const slotColumns = (rows: readonly SlotRow[]): unknown[] =>
  // biome-ignore format: in the order of the columns
  columnsOf(rows, [
    'slot', 'state', 'attempts', 'scope', 'reservationId', 'reservedAt', 'deadline', 'answerId', 'updatedAt',
  ])

export const addSpending = `INSERT INTO spending AS s (day, scope, month, spender, dataset, calls, credits)
SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::bigint[], $7::bigint[])
ON CONFLICT (day, scope, month, spender, dataset) DO UPDATE SET calls = s.calls + excluded.calls, credits = s.credits + excluded.credits`

export const spendingColumns = (rows: readonly (Spent & { readonly calls: number })[]): unknown[] =>
  columnsOf(rows, ['day', 'scope', 'month', 'spender', 'dataset', 'calls', 'credits'])

export const scopeRow = (row: Row): ScopeRow => ({
  version: Number(row['version']),
  state: decodeState(String(row['state'])),
})
