import { describe, expect, it } from 'vitest'
import { DecimalString } from '../../core/brands.ts'
import { CryptosError } from '../../core/errors.ts'
import { quoteId } from '../../core/records.ts'
import { addMs, DAY, MINUTE } from '../../core/time.ts'
import { audited, fresh, from, now, quote, useAudit } from './world.contract.ts'

useAudit()

describe('an audit of a day', () => {
  it('finds the row of a price that the source says is days old', async () => {
    const stale = quote(addMs(now, -3 * DAY), addMs(now, -MINUTE))
    const world = { answers: [{ id: 'a', made: [stale, fresh] }], topic: [stale, fresh] }
    expect(await audited(world)).toMatchObject({ differences: [], rows: { answers: 2, topic: 2, store: 2 } })
  })

  it('still misses such a row where it is not', async () => {
    const stale = quote(addMs(now, -3 * DAY), addMs(now, -MINUTE))
    const world = { answers: [{ id: 'a', made: [stale] }], topic: [stale], store: [] }
    expect((await audited(world)).differences).toMatchObject([{ kind: 'missing', in: 'store' }])
  })

  it('takes a row that a later answer replaced after its end as replaced, not as missing', async () => {
    const again = quote(fresh.observedAt, addMs(now, 1_000), '2.0')
    const world = { answers: [{ id: 'a', made: [fresh] }], topic: [fresh, again] }
    expect(await audited(world)).toMatchObject({ differences: [], rows: { store: 0 } })
  })

  it('misses a row where only an older one is', async () => {
    const older = quote(fresh.observedAt, addMs(from, -1_000))
    const world = { answers: [{ id: 'a', made: [fresh] }], topic: [fresh], store: [older] }
    expect((await audited(world)).differences).toMatchObject([{ kind: 'missing', in: 'store' }])
  })

  it('finds an answer in the dead letters, whatever its mapping threw or whoever refused its records', async () => {
    const world = {
      answers: [
        { id: 'payload', made: new CryptosError('CRY_PROVIDER_PAYLOAD', 'no') },
        { id: 'context', made: new CryptosError('CRY_RECORD_INVALID', 'no') },
        { id: 'bug', made: new TypeError('no') },
        // As when one of its messages was too large for the topic.
        { id: 'refused', made: [fresh] },
      ],
      letters: ['payload', 'context', 'bug', 'refused'],
    }
    expect(await audited(world)).toMatchObject({ answers: 4, unmapped: 4, differences: [] })
  })

  it('names an answer that was neither published nor put into the dead letters', async () => {
    const made = new CryptosError('CRY_PROVIDER_PAYLOAD', 'no')
    const { differences, unmapped } = await audited({ answers: [{ id: 'gone', made }] })
    expect(unmapped).toBe(1)
    expect(differences).toEqual([
      { kind: 'missing', in: 'dead letters', group: 'coinmarketcap quotes 2026-11-21T12Z', id: 'gone' },
    ])
  })

  it('wants all rows of an answer that was published after it had been in the dead letters', async () => {
    const other = quote(addMs(now, -3 * MINUTE), fresh.receivedAt)
    const world = {
      answers: [{ id: 'a', made: [fresh, other] }],
      letters: ['a'],
      topic: [fresh],
      store: [fresh],
    }
    expect((await audited(world)).differences.map(d => [d.in, d.id])).toEqual([
      ['topic', quoteId(other)],
      ['store', quoteId(other)],
    ])
    expect((await audited({ ...world, topic: [fresh, other], store: [fresh, other] })).differences).toEqual(
      [],
    )
  })

  it('finds a record in the dead letters that the store did not take', async () => {
    const world = { answers: [{ id: 'a', made: [fresh] }], topic: [fresh], store: [], refused: true }
    expect(await audited(world)).toMatchObject({ differences: [], refused: 1, pending: 0 })
  })

  it('names an answer of a settled slot that the outbox does not have', async () => {
    const vanished = [{ answerId: 'kraken/ticker/2026-11-21T11:59:00.000Z/0#1', at: addMs(now, -MINUTE) }]
    expect((await audited({ vanished })).differences).toEqual([
      { kind: 'missing', in: 'outbox', group: 'kraken ticker 2026-11-21T11Z', id: vanished[0]!.answerId },
    ])
  })

  it('names two copies of one record that are not alike', async () => {
    const copy = { ...fresh, price: DecimalString('1.1') }
    const world = { answers: [{ id: 'a', made: [fresh] }], topic: [fresh, copy], store: [fresh] }
    expect((await audited(world)).differences).toMatchObject([
      { kind: 'conflict', in: 'topic', id: quoteId(fresh) },
    ])
  })
})
