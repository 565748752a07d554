import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { quoteId } from '../../core/records.ts'
import { type Difference, GoodData, lastDigit, type Planted } from '../support/good-data.ts'

let data: GoodData
beforeAll(async () => {
  data = await GoodData.make('audit-market')
})
afterAll(() => data.close())

describe('cryptos audit, beside the prices of now', () => {
  it('names rows of weeks ago that were deleted from a history in the store, or changed there', async () => {
    const [gone, other] = await data.series('coindesk', 'ethereum')
    const found = await data.plant('history', 'series.db', db => {
      const of = `series = (SELECT id FROM series WHERE provider = 'coindesk' AND asset = 'ethereum') AND observedAt = ?`
      db.prepare(`DELETE FROM quote WHERE ${of}`).run(gone!.observedAt)
      db.prepare(`UPDATE quote SET price = ? WHERE ${of}`).run(lastDigit(other!.price), other!.observedAt)
    })
    const told = found.json['differences'] as readonly Difference[]
    expect(told.map(d => [d.kind, d.in, d.id])).toEqual([
      ['missing', 'store', quoteId(gone!)],
      ['changed', 'store', quoteId(other!)],
    ])
    expect([found.changed, found.code]).toEqual([2, 1])
  })

  it.each([
    { kind: 'metric', of: 'coinmarketcap', field: 'value', at: 'observedAt' },
    { kind: 'gap', of: 'coindesk', field: 'reason', at: 'expectedAt' },
    { kind: 'consensus', of: 'bitcoin', field: 'price', at: 'at' },
    { kind: 'serving', of: 'bitcoin', field: 'price', at: 'at' },
  ])(
    'names a $kind that was deleted from the store, one that was changed, and one that nobody told',
    async ({ kind, of, field, at }) => {
      const where = `id = (SELECT max(id) FROM market_record WHERE kind = '${kind}' AND id LIKE '%${of}%')`
      const victim = await storedRecord(where)
      const deleted = await data.plant(`${kind}-deleted`, 'series.db', db =>
        db.exec(`DELETE FROM market_record WHERE ${where}`),
      )
      expectInStore(deleted, 'missing', victim.id)
      const changed = await data.plant(`${kind}-changed`, 'series.db', db =>
        db
          .prepare(`UPDATE market_record SET body = json_set(body, '$.${field}', ?) WHERE ${where}`)
          .run(lastDigit(String(victim.body[field]))),
      )
      expectInStore(changed, 'changed', victim.id)
      const moment = Number(victim.body[at]) + 60_000_000
      const id = victim.id.replace(String(victim.body[at]), String(moment))
      expect(id).not.toBe(victim.id)
      const extra = await data.plant(`${kind}-extra`, 'series.db', db =>
        db
          .prepare(
            `INSERT INTO market_record SELECT ?, kind, provider, asset, currency, ?, version, json_set(body, '$.${at}', ?)
             FROM market_record WHERE ${where}`,
          )
          .run(id, moment, moment),
      )
      expectInStore(extra, 'extra', id)
    },
  )
})

async function storedRecord(
  where: string,
): Promise<{ readonly id: string; readonly body: Record<string, unknown> }> {
  const db = new DatabaseSync(data.file('series.db'), { readOnly: true })
  const found = db.prepare(`SELECT id, body FROM market_record WHERE ${where}`).get()!
  db.close()
  return { id: String(found['id']), body: JSON.parse(String(found['body'])) }
}

/** Of a consensus also the row that shows it is told, and that its price is no median. */
function expectInStore(found: Planted, kind: string, id: string): void {
  expect(found.changed).toBe(1)
  const all = found.json['differences'] as readonly Difference[]
  expect(all.filter(d => d.in !== 'consensus')).toMatchObject([{ kind, in: 'store', id }])
  expect([found.code, found.json['ok']]).toEqual([1, false])
}
