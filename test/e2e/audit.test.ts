import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Ledger, Outbox } from '../../core/ports/ledger.ts'
import { type Quote, quoteId } from '../../core/records.ts'
import { addMs, MINUTE, toIso } from '../../core/time.ts'
import { sweep } from '../../app/sweep.ts'
import { type Difference, GoodData, lastDigit, type Planted } from '../support/good-data.ts'
import { storedQuotes } from '../support/judge.ts'

let data: GoodData
/** The row that each plant works on; there is another of its group. */
let row: Quote

beforeAll(async () => {
  data = await GoodData.make('audit')
  row = (await data.series('coinbase', 'ethereum'))[1]!
})

afterAll(() => data.close())

/** One more answer, accepted and not published. */
async function collectUnpublished(dataDir: string): Promise<string> {
  data.advance(MINUTE)
  const rig = await data.rig(dataDir)
  const { publish: _, ...ports } = rig.ports
  const route = rig.collecting.routes.find(r => r.provider.id === 'kraken')!
  const task = { route, dataset: route.provider.datasets[0]!, config: rig.config, period: 'now' } as const
  await sweep(ports, { ...task, signal: new AbortController().signal })
  const [entry, ...more] = await rig.collecting.ledger.outbox.pending(2)
  await rig.close()
  data.advance(1)
  expect(more).toEqual([])
  return entry!.answerId
}

const groupOf = (q: Quote): string => `${q.provider} ${q.asset} ${toIso(q.observedAt).slice(0, 13)}Z`
const one = (kind: string, place: string, q: Quote): Difference[] => [
  { kind, in: place, ...(place === 'store' ? { store: 'sqlite' } : {}), group: groupOf(q), id: quoteId(q) },
]
const series = `SELECT id FROM series WHERE provider = 'coinbase' AND asset = 'ethereum'`
const message = `topic = (SELECT id FROM topic WHERE name = 'market.quotes.v1') AND
  json_extract(CAST(v AS TEXT), '$.provider') = 'coinbase' AND json_extract(CAST(v AS TEXT), '$.asset') = 'ethereum' AND
  json_extract(CAST(v AS TEXT), '$.observedAt') = ?`

describe('cryptos audit', () => {
  it('finds good data equal', async () => {
    const { code, json } = await data.audit()
    expect([code, json]).toMatchObject([
      0,
      { ok: true, pending: 0, unmapped: 0, differences: [], badGroups: [] },
    ])
    // 3 sources, 6 assets, 3 turns; 6 histories of 29 whole days.
    expect(json['rows']).toEqual({ answers: 228, topic: 228, store: 228 })
    // 10 figures, 6 gaps (today is no whole day yet); of 6 assets the consensus, the row that shows it, and who serves.
    expect(json['market']).toEqual({ answers: 16, topic: 16, store: 16 })
    expect([json['workedOut'], json['consensus']]).toEqual([{ topic: 18, store: 18 }, 6])
    // What else was served: the figures, and the prices of the day that is not over.
    expect(Number(json['distinct']) + 10 + 6).toBe(data.sandbox.meter.summary().counts['values'])
  })

  it('finds data equal that was published again, each record once more with a larger version', async () => {
    const dataDir = data.copy('again')
    const rig = await data.rig(dataDir)
    const again = await rig.collecting.ledger.outbox.republish(24 * 60 * MINUTE, data.clock.now())
    await rig.drain()
    const report = await rig.audit()
    await rig.close()
    expect(again).toBe(report.answers)
    expect(report).toMatchObject({
      differences: [],
      pending: 0,
      rows: { answers: 228, topic: 456, store: 228 },
    })
    const stored = await storedQuotes(rig.files.series)
    const revisions = stored.filter(q => q.provider !== 'consensus').map(q => q.revision)
    expect(new Set(revisions)).toEqual(new Set([1]))
  })

  it('looks twice while others write: an answer that is settled during the first look is no difference', async () => {
    const rig = await data.rig()
    let looks = 0
    const settledLate = (ledger: Ledger): Ledger => {
      const between: Outbox['between'] = async function* (from, to) {
        looks += 1
        const entries = await Array.fromAsync(ledger.outbox.between(from, to))
        yield* looks === 1 ? entries.slice(0, -1) : entries
      }
      const vanished: Outbox['vanished'] = (from, to) => ledger.outbox.vanished(from, to)
      return { ...ledger, outbox: { ...ledger.outbox, between, vanished } }
    }
    const report = await rig.audit(settledLate)
    await rig.close()
    expect([report.differences, looks]).toEqual([[], 2])
  })

  it('names a row that was deleted from the store', async () => {
    const found = await data.plant('deleted', 'series.db', db =>
      db.prepare(`DELETE FROM quote WHERE series = (${series}) AND observedAt = ?`).run(row.observedAt),
    )
    expectOne(found, one('missing', 'store', row))
  })

  it('names a row of which one digit was changed in the store', async () => {
    const found = await data.plant('changed', 'series.db', db =>
      db
        .prepare(`UPDATE quote SET price = ? WHERE series = (${series}) AND observedAt = ?`)
        .run(lastDigit(row.price), row.observedAt),
    )
    expectOne(found, one('changed', 'store', row))
  })

  it('names a row that nobody served in the store', async () => {
    const extra = { ...row, observedAt: addMs(row.observedAt, 1) }
    const found = await data.plant('extra', 'series.db', db =>
      db
        .prepare(
          `INSERT INTO quote SELECT series, observedAt + 1000, version, price, priceFloat, marketCap, volume24h, supply, change24h,
           receivedAt, flags, label, answer FROM quote WHERE series = (${series}) AND observedAt = ?`,
        )
        .run(row.observedAt),
    )
    expectOne(found, one('extra', 'store', extra))
  })

  it('names a record that was deleted from the topic', async () => {
    const found = await data.plant('topic-deleted', 'log.db', db =>
      db.prepare(`DELETE FROM log WHERE ${message}`).run(row.observedAt),
    )
    expectOne(found, one('missing', 'topic', row))
  })

  it('names a record of which one digit was changed in the topic', async () => {
    const found = await data.plant('topic-changed', 'log.db', db =>
      db
        .prepare(`UPDATE log SET v = CAST(replace(CAST(v AS TEXT), ?, ?) AS BLOB) WHERE ${message}`)
        .run(`"${row.price}"`, `"${lastDigit(row.price)}"`, row.observedAt),
    )
    expectOne(found, one('changed', 'topic', row))
  })

  it('names a record that nobody served in the topic', async () => {
    const extra = { ...row, observedAt: addMs(row.observedAt, 1) }
    const found = await data.plant('topic-extra', 'log.db', db => {
      db.prepare(
        `INSERT INTO log SELECT topic, part, (SELECT max(off) + 1 FROM log AS l WHERE l.topic = log.topic AND l.part = log.part), k,
         CAST(replace(CAST(v AS TEXT), ?, ?) AS BLOB), h, ts FROM log WHERE ${message}`,
      ).run(String(row.observedAt), String(extra.observedAt), row.observedAt)
      db.exec(
        'UPDATE part SET next = (SELECT max(off) + 1 FROM log WHERE log.topic = part.topic AND log.part = part.part) WHERE next > 0',
      )
    })
    expectOne(found, one('extra', 'topic', extra))
  })

  it('names a second copy of a record that is not like the first', async () => {
    const found = await data.plant('topic-twice', 'log.db', db => {
      db.prepare(
        `INSERT INTO log SELECT topic, part, (SELECT max(off) + 1 FROM log AS l WHERE l.topic = log.topic AND l.part = log.part), k,
         CAST(replace(CAST(v AS TEXT), ?, ?) AS BLOB), h, ts FROM log WHERE ${message}`,
      ).run(`"${row.price}"`, `"${lastDigit(row.price)}"`, row.observedAt)
      db.exec(
        'UPDATE part SET next = (SELECT max(off) + 1 FROM log WHERE log.topic = part.topic AND log.part = part.part) WHERE next > 0',
      )
    })
    expectOne(found, one('conflict', 'topic', row))
  })

  it.each([
    { what: 'answer', harm: 'DELETE FROM outbox WHERE answer_id = ?' },
    { what: 'body', harm: 'DELETE FROM bodies WHERE id = (SELECT id FROM outbox WHERE answer_id = ?)' },
  ])(
    'names an answer whose $what vanished before anything of it came into the topic',
    async ({ what, harm }) => {
      const dataDir = data.copy(`vanished-${what}`)
      const answerId = await collectUnpublished(dataDir)
      const found = await data.plantIn(dataDir, 'ledger.db', db => db.prepare(harm).run(answerId))
      expect(found.json['differences']).toMatchObject([{ kind: 'missing', in: 'outbox', id: answerId }])
      expect([found.code, found.json['ok'], found.json['answers']]).toEqual([1, false, 31])
    },
  )

  it('names a bar that is not what its rows make, and one that is gone', async () => {
    const found = await data.plant('bar', 'series.db', db => {
      db.exec(`UPDATE bar SET high = high || '1' WHERE width = 60000 AND series = (${series})
        AND start = ${Math.floor(row.observedAt / 60_000_000)}`)
      db.exec(
        `DELETE FROM bar WHERE width = 60000 AND series = (${series}) AND start = ${Math.floor(row.observedAt / 60_000_000)} + 1`,
      )
    })
    expect((found.json['differences'] as readonly Difference[]).map(d => [d.kind, d.in])).toEqual([
      ['changed', 'bars'],
      ['missing', 'bars'],
    ])
    expect(found.code).toBe(1)
  })

  it('writes again what the store lacks or has in an older version, when it is told to, and tells what it left', async () => {
    const dataDir = data.copy('repaired')
    const of = `series = (${series}) AND observedAt`
    const [other] = (await data.series('coinbase', 'ethereum')).filter(q => q.observedAt !== row.observedAt)
    const found = await data.plantIn(dataDir, 'series.db', db => {
      db.prepare(`DELETE FROM quote WHERE ${of} = ?`).run(row.observedAt)
      db.prepare(`UPDATE quote SET version = version - 1, receivedAt = receivedAt - 1 WHERE ${of} = ?`).run(
        other!.observedAt,
      )
      db.exec(`DELETE FROM market_record WHERE id = (SELECT max(id) FROM market_record WHERE kind = 'gap')`)
    })
    const told = found.json['differences'] as readonly Difference[]
    const kinds = told.filter(d => d.in === 'store').map(d => d.kind)
    expect(kinds.toSorted((a, b) => a.localeCompare(b))).toEqual(['changed', 'missing', 'missing'])
    const { code, json } = await data.audit(dataDir, ['--repair'])
    expect([code, json['ok'], json['differences']]).toEqual([0, true, []])
    expect(json['repaired']).toMatchObject([{ store: 'sqlite', written: 3 }])
    expect((await data.audit(dataDir, ['--repair'])).json['repaired']).toEqual([])
  })

  it('finds rows equal that were rederived, after a dry run that wrote nothing', async () => {
    const dataDir = data.copy('rederived')
    const dry = await data.run(['rederive', '--provider', 'coinbase', '--dry-run'], dataDir)
    expect([dry.code, dry.json]).toMatchObject([
      0,
      { answers: 18, rows: 18, changed: 0, added: 0, gone: 0, dryRun: true },
    ])
    expect((await data.audit(dataDir)).json).toMatchObject({ ok: true, pending: 0 })
    const again = await data.run(['rederive', '--provider', 'coinbase'], dataDir)
    expect([again.code, again.json]).toMatchObject([0, { outcome: 'published', published: 18, changed: 0 }])
    const rig = await data.rig(dataDir)
    await rig.drain()
    const { differences, rows } = await rig.audit()
    await rig.close()
    expect([differences, rows]).toEqual([[], { answers: 228, topic: 246, store: 228 }])
    const stored = await storedQuotes(rig.files.series)
    const again1 = stored.filter(q => q.revision === 1).map(q => q.provider)
    expect([again1.length, new Set(again1)]).toEqual([18, new Set(['coinbase'])])
  })

  it('names a latest price that is not the newest', async () => {
    const found = await data.plant('latest', 'series.db', db =>
      db.exec(
        `UPDATE latest SET observedAt = (SELECT min(observedAt) FROM quote WHERE series = (${series})) WHERE series = (${series})`,
      ),
    )
    expect(found.json['differences']).toMatchObject([{ kind: 'changed', in: 'latest' }])
    expect(found.code).toBe(1)
  })
})

function expectOne(found: Planted, differences: readonly Difference[]): void {
  expect(found.changed).toBeGreaterThan(0)
  // A store whose rows somebody changed has other bars than its rows make.
  const all = found.json['differences'] as readonly Difference[]
  expect(all.filter(d => d.in !== 'bars' && d.in !== 'latest')).toEqual(differences)
  expect(found.json['badGroups']).toEqual(differences.map(d => d.group))
  expect([found.code, found.json['ok']]).toEqual([1, false])
}
