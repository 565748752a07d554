import cassandra from 'cassandra-driver'
import { bareConsume } from './bare-consume.ts'
import { type MoverTask, runMover } from './mover.ts'
import { parseQuote, type PlainQuote } from './plain-quote.ts'
import {
  addMonth,
  insertLatest,
  insertQuote,
  latestParameters,
  monthParameters,
  partitionKey,
  quoteParameters,
} from './quote-row.ts'

const rowsPerBatch = 50
const inFlight = 16
const prepared = { prepare: true, logged: false } as const

interface Statement {
  readonly query: string
  readonly params: unknown[]
}

/** B2: JSON.parse, rows of one partition in unlogged batches of at most 50, 16 in flight for each slice. */
await runMover(async task => {
  const client = await connect(task.cassandra)
  const named = new Set<string>()
  const moved = await bareConsume(task, messages =>
    inLanes(
      client,
      batchesOf(
        messages.map(m => parseQuote(m.value)),
        named,
      ),
    ),
  )
  const close = async (): Promise<void> => {
    await moved.close()
    await client.shutdown()
  }
  return { ...moved, close }
})

async function connect(to: MoverTask['cassandra']): Promise<cassandra.Client> {
  const consistency = cassandra.types.consistencies.localQuorum
  const client = new cassandra.Client({
    contactPoints: [...(to?.hosts ?? [])],
    localDataCenter: to?.datacenter ?? '',
    keyspace: to?.keyspace ?? '',
    queryOptions: { prepare: true, isIdempotent: true, consistency },
  })
  await client.connect()
  return client
}

/** The rows, the month of a series that is new, and the newest row of each series: what the product writes too. */
function batchesOf(quotes: readonly PlainQuote[], named: Set<string>): readonly Statement[][] {
  const groups = new Map<string, Statement[]>()
  const add = (key: string, statement: Statement): void => {
    const group = groups.get(key)
    if (group) group.push(statement)
    else groups.set(key, [statement])
  }
  const newest = new Map<string, PlainQuote>()
  for (const q of quotes) {
    const key = partitionKey(q)
    add(key, { query: insertQuote, params: quoteParameters(q) })
    // In the order of the log, so the last one is the newest.
    newest.set(key, q)
  }
  for (const [key, q] of newest) {
    add(`latest ${q.provider}`, { query: insertLatest, params: latestParameters(q) })
    if (named.has(key)) continue
    named.add(key)
    add(`series ${q.provider}`, { query: addMonth, params: monthParameters(q) })
  }
  return [...groups.values()].flatMap(chunks)
}

function chunks(rows: readonly Statement[]): Statement[][] {
  const found: Statement[][] = []
  for (let at = 0; at < rows.length; at += rowsPerBatch) found.push(rows.slice(at, at + rowsPerBatch))
  return found
}

async function inLanes(client: cassandra.Client, batches: readonly Statement[][]): Promise<void> {
  let next = 0
  const lane = async (): Promise<void> => {
    for (let rows = batches[next++]; rows; rows = batches[next++]) await write(client, rows)
  }
  await Promise.all(Array.from({ length: inFlight }, lane))
}

async function write(client: cassandra.Client, rows: readonly Statement[]): Promise<void> {
  const [only] = rows
  if (rows.length === 1 && only) await client.execute(only.query, only.params, { prepare: true })
  else await client.batch([...rows], prepared)
}
