import { describe, expect, it } from 'vitest'
import { DecimalString } from '../../core/brands.ts'
import { quoteId } from '../../core/records.ts'
import { addMs, DAY, HOUR, MINUTE } from '../../core/time.ts'
import { auditWhileWriting } from './while-writing.ts'
import { repair } from './repair.ts'
import { reportText } from './text.ts'
import { audited, fresh, from, inWorld, now, quote, useAudit } from './world.contract.ts'

useAudit()

const other = quote(addMs(now, -3 * MINUTE), addMs(now, -MINUTE), '2.0')
const newer = { ...quote(fresh.observedAt, addMs(fresh.receivedAt, 5_000), '1.2'), rawRef: 'b' }
const good = {
  answers: [
    { id: 'a', made: [fresh, other] },
    { id: 'b', made: [newer] },
  ],
  topic: [fresh, newer, other],
}
const rows = [newer, other]

describe('an audit of two stores', () => {
  it('finds both equal, and tells of each by its name', async () => {
    const report = await audited({ ...good, second: { hasBars: false } })
    expect(report).toMatchObject({
      ...{ differences: [], rows: { answers: 3, topic: 3, store: 2 }, pending: 0 },
      stores: [
        { name: 'sqlite', rows: 2, pending: 0, differences: 0 },
        { name: 'second', rows: 2, pending: 0, bars: null, differences: 0 },
      ],
    })
    expect(report.bars).toBe(report.stores[0]!.bars)
    expect(reportText(report)).toContain('second keep no bars that could be wrong')
  })

  it.each([
    ['deleted', [other], [['missing', quoteId(newer)]]],
    [
      'changed by one digit',
      [{ ...newer, price: DecimalString('1.20') }, other],
      [['changed', quoteId(newer)]],
    ],
    ['replaced by an older version', [fresh, other], [['changed', quoteId(newer)]]],
    [
      'an extra one',
      [...rows, { ...other, observedAt: addMs(other.observedAt, 1) }],
      [['extra', quoteId({ ...other, observedAt: addMs(other.observedAt, 1) })]],
    ],
  ] as const)('finds a row that is %s, in the one that it is in', async (_what, planted, found) => {
    const { differences, stores } = await audited({ ...good, store: rows, second: { store: planted } })
    expect(differences.map(d => [d.kind, d.id])).toEqual(found)
    expect(differences.map(d => [d.in, d.store])).toEqual([['store', 'second']])
    expect(stores.map(s => s.differences)).toEqual([0, 1])
    const turned = await audited({ ...good, store: planted, second: { store: rows } })
    expect(turned.differences.map(d => [d.in, d.store])).toEqual([['store', 'sqlite']])
  })

  it.each([true, false])('looks at bars only where a store has its own (%s)', async hasBars => {
    await inWorld({ ...good, second: { hasBars } }, async ports => {
      const [, second] = ports.stores
      Object.assign(second!.reader, { history: async () => ({ stepMs: MINUTE, points: [] }) })
      const { differences } = await auditWhileWriting(ports, from, now)
      const places = new Set(differences.map(d => `${d.kind} ${d.in} ${d.store}`))
      expect([...places]).toEqual(hasBars ? ['missing bars second'] : [])
    })
  })

  it('waits for the one whose group is behind, and not for the other', async () => {
    const behind = await audited({ ...good, second: { store: [newer], behind: 1 } })
    expect(behind).toMatchObject({ differences: [], pending: 1 })
    expect(behind.stores.map(s => s.pending)).toEqual([0, 1])
    const lost = await audited({ ...good, store: [newer], second: { store: rows, behind: 1 } })
    expect(lost.differences.map(d => [d.kind, d.store])).toEqual([['missing', 'sqlite']])
  })

  it('counts the dead letters of each group, and excuses no other store by them', async () => {
    const refused = await audited({ ...good, store: rows, second: { store: [], refused: true } })
    expect(refused.differences).toEqual([])
    expect(refused.stores).toMatchObject([
      { refused: 0, deadLetters: 0 },
      { refused: 2, deadLetters: 3 },
    ])
    const wrong = await audited({ ...good, store: [], second: { store: rows, refused: true } })
    expect(wrong.differences.map(d => [d.kind, d.store])).toEqual([
      ['missing', 'sqlite'],
      ['missing', 'sqlite'],
    ])
  })

  it('wants of a store with a retention by the source time only what it can have', async () => {
    const old = quote(addMs(now, -3 * DAY), addMs(now, -MINUTE))
    const world = { answers: [{ id: 'a', made: [old, fresh] }], topic: [old, fresh] }
    const short = { store: [fresh], observedFrom: addMs(now, -DAY) }
    expect((await audited({ ...world, second: short })).differences).toEqual([])
    const empty = await audited({ ...world, second: { ...short, store: [] } })
    expect(empty.differences.map(d => d.id)).toEqual([quoteId(fresh)])
  })
})

describe('the common retention', () => {
  const early = quote(addMs(now, -20 * HOUR), addMs(now, -20 * HOUR))
  const world = {
    answers: [{ id: 'a', made: [fresh] }],
    topic: [early, fresh],
    store: [early, fresh],
  }

  it('begins where a topic lost records to its retention, and says whose', async () => {
    const report = await audited({
      ...world,
      topic: [early, fresh],
      retention: { removed: 1, ms: 13 * HOUR },
    })
    expect(report.keptFrom).toEqual({ from: addMs(now, -12 * HOUR), by: 'market.quotes.v1' })
    expect(report.differences.map(d => d.kind)).toEqual([])
    expect(reportText(report)).toContain('no longer kept by market.quotes.v1')
  })

  it('does not excuse what is missing within the retention', async () => {
    const answers = [{ id: 'a', made: [early, fresh] }]
    const lost = await audited({ ...world, answers, retention: { removed: 1, ms: 7 * DAY } })
    expect(lost.keptFrom).toEqual({ from, by: null })
    expect(lost.differences.map(d => [d.kind, d.in])).toEqual([['missing', 'topic']])
  })

  it('begins where the shortest store does', async () => {
    const receivedFrom = addMs(now, -HOUR)
    const report = await audited({ ...world, second: { store: [fresh], receivedFrom } })
    expect(report).toMatchObject({ differences: [], keptFrom: { from: receivedFrom, by: 'second' } })
  })
})

describe('audit --repair', () => {
  it('writes what one store lacks or holds in an older version, and nothing else', async () => {
    const world = { ...good, store: rows, second: { store: [fresh] } }
    await inWorld(world, async ports => {
      const before = await auditWhileWriting(ports, from, now)
      expect(before.differences.map(d => [d.kind, d.store])).toEqual([
        ['changed', 'second'],
        ['missing', 'second'],
      ])
      expect(await repair(ports, before, now)).toEqual([{ store: 'second', written: 2, left: 0 }])
      expect(await auditWhileWriting(ports, from, now)).toMatchObject({ differences: [] })
    })
  })

  it('leaves an extra row and a changed digit, and says so', async () => {
    const extra = { ...other, observedAt: addMs(other.observedAt, 1) }
    const changed = { ...newer, price: DecimalString('9') }
    await inWorld({ ...good, store: [changed, other, extra] }, async ports => {
      const before = await auditWhileWriting(ports, from, now)
      expect(await repair(ports, before, now)).toEqual([{ store: 'sqlite', written: 0, left: 2 }])
      const after = await auditWhileWriting(ports, from, now)
      expect(after.differences.map(d => d.kind)).toEqual(['changed', 'extra'])
    })
  })

  it('takes from the answers what the topic lacks too', async () => {
    await inWorld({ ...good, topic: [fresh, newer], store: [newer] }, async ports => {
      const report = await auditWhileWriting(ports, from, now)
      const entries = ports.ledger.outbox.between(from, now)
      expect((await Array.fromAsync(entries)).length).toBe(2)
      expect(await repair(ports, report, now)).toEqual([{ store: 'sqlite', written: 1, left: 0 }])
      const after = await auditWhileWriting(ports, from, now)
      expect(after.differences.map(d => [d.kind, d.in])).toEqual([['missing', 'topic']])
    })
  })
})
