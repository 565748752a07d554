import { gunzipSync } from 'node:zlib'
import { existsSync, readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { openSqliteReader } from '../../processors/sinks/sqlite/reader.ts'
import { EpochMicros } from '../../core/brands.ts'
import type { Quote } from '../../core/records.ts'
import { decodeState, reservedOf, type ScopeState } from '../../quota/policy/state.ts'
import type { Meter, MeterEntry } from '../../sandbox/meter.ts'
import type { ServedValue } from '../../sandbox/types.ts'

/** What a stored row must be called by what the sandbox says it served. */
export const servedKey = (entry: MeterEntry, value: ServedValue): string =>
  `${entry.provider}|${value.sourceId}|${value.currency}|${value.observedAt ?? entry.at}`

const storedKey = (q: Quote): string => `${q.provider}|${q.sourceId}|${q.currency}|${q.observedAt}`

/** Entries that carried prices to a caller: whole answers of the endpoints that have any. */
export const servedEntries = (meter: Meter): readonly MeterEntry[] =>
  meter.entries().filter(e => e.result === 'served' && e.values.length > 0)

/** Digits of everything that was served whole, by key. @throws where one key was served with two different prices */
export function servedPrices(entries: readonly MeterEntry[]): ReadonlyMap<string, string> {
  const prices = new Map<string, string>()
  for (const entry of entries)
    for (const value of entry.values) {
      const key = servedKey(entry, value)
      const before = prices.get(key)
      if (before !== undefined && before !== value.price)
        throw new Error(`${key} was served as ${before} and as ${value.price}`)
      prices.set(key, value.price)
    }
  return prices
}

/** Every row of the store. */
export async function storedQuotes(file: string): Promise<readonly Quote[]> {
  const reader = await openSqliteReader({ file })
  try {
    const range = { from: EpochMicros(0), to: EpochMicros(Number.MAX_SAFE_INTEGER) }
    return await Array.fromAsync(reader.rows(range))
  } finally {
    await reader.close()
  }
}

/**
 * Digits of all stored prices of providers, by key. What was worked out of them (the consensus) nobody served: the audit checks it.
 * @throws where a key is stored twice
 */
export function storedPrices(quotes: readonly Quote[]): ReadonlyMap<string, string> {
  const collected = quotes.filter(q => q.provider !== 'consensus')
  const prices = new Map(collected.map(q => [storedKey(q), q.price as string]))
  if (prices.size !== collected.length)
    throw new Error(`${collected.length} rows, but ${prices.size} identities`)
  return prices
}

/** The ledger's scopes as they are durable at each reading. */
export function ledgerReader(file: string): { read(): readonly ScopeState[]; close(): void } {
  const db = new DatabaseSync(file, { readOnly: true })
  const select = db.prepare('SELECT state FROM scopes')
  return {
    read: () => select.all().map(row => decodeState(String(row['state']))),
    close: () => db.close(),
  }
}

export function ledgerScopes(file: string): readonly ScopeState[] {
  if (!existsSync(file)) return []
  const reader = ledgerReader(file)
  try {
    return reader.read()
  } finally {
    reader.close()
  }
}

export interface AcceptedAnswer {
  readonly provider: string
  readonly slot: string
  readonly receivedAt: number
  readonly body: string
}

const bytesOf = (row: Readonly<Record<string, unknown>>): Buffer => Buffer.from(row['body'] as Uint8Array)

/** What the ledger took, published or not: read from its file, past the product's own reading. */
export function acceptedAnswers(file: string): readonly AcceptedAnswer[] {
  const db = new DatabaseSync(file, { readOnly: true })
  try {
    const sql =
      'SELECT provider, slot, received_at, body, packed FROM outbox JOIN bodies ON bodies.id = outbox.id'
    return db
      .prepare(sql)
      .all()
      .map(row => ({
        provider: String(row['provider']),
        slot: String(row['slot']),
        receivedAt: Number(row['received_at']),
        body: (row['packed'] === 1 ? gunzipSync(bytesOf(row)) : bytesOf(row)).toString(),
      }))
  } finally {
    db.close()
  }
}

/** Slots of a log of steps (`<process> <slot>` a line), without the calls that belong to none. */
export const slotsOfLog = (file: string): readonly string[] =>
  readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map(line => line.split(' ')[1] ?? '')
    .filter(slot => slot !== '')

/** Slots of which the ledger said that it has the answer, while its file does not have it: what the processes noted as they lived. */
export function lostAnswers(settledLog: string, ledgerFile: string): readonly string[] {
  const there = new Set(acceptedAnswers(ledgerFile).map(answer => answer.slot))
  return slotsOfLog(settledLog).filter(slot => !there.has(slot))
}

/** Whether an accepted answer is what the meter noted here (where the clock stood still between the two). */
export const isAnswerOf = (entry: MeterEntry, answer: AcceptedAnswer): boolean =>
  entry.provider === answer.provider &&
  entry.at === answer.receivedAt &&
  entry.values.every(value => answer.body.includes(value.price))

/** P3: what the ledger takes as used or promised, against what the provider has charged, in the period that holds `at`. */
export function bound(state: ScopeState, meter: Meter, at: EpochMicros, period: 'day' | 'month'): Bound {
  const ours = state[period].settled + reservedOf(state)
  return { ours, theirs: meter.use(state.scope, period, at).credits }
}

export interface Bound {
  readonly ours: number
  readonly theirs: number
}

/** Rows for a table of plain text. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const all = [head, ...rows.map(row => row.map(String))]
  const widths = head.map((_, i) => Math.max(...all.map(row => row[i]?.length ?? 0)))
  const line = (row: readonly string[]): string =>
    row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')
  return all.map(line).join('\n')
}
