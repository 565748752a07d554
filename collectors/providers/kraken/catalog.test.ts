import { describe, expect, it } from 'vitest'
import { parseIso } from '../../../core/time.ts'
import { openTestSandbox } from '../../../sandbox/testing.ts'
import { parseBody } from '../../parse-body.ts'
import { kraken } from './index.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const receivedAt = parseIso('2026-10-05T08:31:13Z')
const { catalog } = kraken
if (!catalog) throw new Error('no catalog')
const answer = (text: string, status = 200) => ({ status, headers: {}, body: bytes(text), receivedAt })
const pair = (name: string, members: object): string =>
  JSON.stringify({ error: [], result: { [name]: { status: 'online', ...members } } })
const read = (text: string) =>
  catalog.read(bytes(text)).map(e => [e.sourceId, e.symbol, e.currency, e.isActive])

describe('the list of pairs of Kraken', () => {
  it.each([
    ['XXBTZUSD', { wsname: 'XBT/USD', base: 'XXBT', quote: 'ZUSD' }, ['BTC', 'USD', true]],
    ['XDGUSD', { wsname: 'XDG/USD', base: 'XXDG', quote: 'ZUSD' }, ['DOGE', 'USD', true]],
    ['XDGUSD', { wsname: 'XDG/USD', base: 'XDG', quote: 'USD' }, ['DOGE', 'USD', true]],
    ['XETHXXBT', { wsname: 'ETH/XBT', base: 'XETH', quote: 'XXBT' }, ['ETH', 'BTC', true]],
    ['SOLUSDT', { wsname: 'SOL/USDT', base: 'SOL', quote: 'USDT' }, ['SOL', 'USDT', true]],
    [
      'LUNAUSD',
      { wsname: 'LUNA/USD', base: 'LUNA', quote: 'ZUSD', status: 'cancel_only' },
      ['LUNA', 'USD', false],
    ],
  ])('reads %s by its names %j', (name, members, wanted) => {
    expect(read(pair(name, members))).toEqual([[name, ...wanted]])
  })

  it.each([
    ['XXBTZUSD.d', { wsname: 'XBT/USD' }],
    ['XXBTZUSD', {}],
    ['XXBTZUSD', { wsname: 'XBT/EUR' }],
    ['XXBTZUSD', { wsname: ['XBT', 'USD'] }],
  ])('proposes nothing from %s with %j', (name, members) => {
    expect(read(pair(name, members))).toEqual([])
  })

  it('is refused like any answer, and says where a body is wrong', () => {
    expect(catalog.judge(answer('{"error":["EGeneral:Too many requests"]}'))).toMatchObject({
      outcome: 'rate-limited',
    })
    expect(() => catalog.read(bytes('{"error":[],"result":[]}'))).toThrow(/\$\.result/)
  })

  it('names every pair of the table as the twin has it', async () => {
    await using box = await openTestSandbox()
    const { text, status } = await box.get(`/kraken${catalog.request().path}`)
    expect(catalog.judge(answer(text, status))).toMatchObject({ kind: 'answered' })
    const entries = new Map(catalog.read(bytes(text)).map(e => [e.sourceId, e]))
    for (const id of kraken.assets.values())
      expect(entries.get(id), id).toMatchObject({ currency: 'USD', isActive: true })
    expect(entries.get('XDGUSD')?.symbol).toBe('DOGE')
    const one = await box.get(`/kraken${catalog.request().path}?pair=XBTUSD`)
    expect(Object.keys(one.json.result)).toEqual(['XXBTZUSD'])
    expect((await box.get(`/kraken${catalog.request().path}?pair=NO`)).json.error).toHaveLength(1)
  })
})

describe('a row of Kraken that was shifted', () => {
  const ticker = (row: object) => {
    const body = JSON.stringify({ error: [], result: { SOLUSD: row } })
    return parseBody(kraken, bytes(body), { receivedAt, asset: 'solana' })
  }
  const [c, v] = [
    ['152.10', '0.5'],
    ['10.5', '20.5'],
  ]

  it.each([[['152.10']], [['152.10', '1', '0.5']], [[]], ['152.10']])('has no price from c %j', wrong => {
    expect(ticker({ c: wrong, v })).toMatchObject({ outcome: 'payload-invalid' })
  })

  it.each([[['20.5']], [['10.5', '20.5', '30.5']], [[]], ['20.5']])(
    'has no volume from v %j, but a price',
    wrong => {
      const parsed = ticker({ c, v: wrong })
      const [record] = 'records' in parsed ? parsed.records : []
      expect([record?.price, record?.volume24h]).toEqual(['152.10', undefined])
      const good = ticker({ c, v })
      expect('records' in good && good.records[0]?.volume24h).toBe('20.5')
    },
  )
})
