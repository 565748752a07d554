import { describe, expect, it } from 'vitest'
import { parseIso } from '../core/time.ts'
import { parseBody, type ParseOptions } from './parse-body.ts'
import { providers } from './registry.ts'

const receivedAt = parseIso('2026-10-05T08:31:13Z')
const at = 1791189060
const iso = '2026-10-05T08:31:00.000Z'
const coin = (id: number, members: string): string => `{"id":${id},"symbol":"C${id}",${members}}`
const usd = (price: number, more = ''): string =>
  `{"symbol":"USD",${more}"price":${price},"last_updated":"${iso}"}`
const cmc = (data: string): string => `{"status":{"error_code":0},"data":${data}}`
const tick = (value: number): string => `{"VALUE":${value},"VALUE_LAST_UPDATE_TS":${at}}`
const bpi = (rate: string, price: string): string => `{"code":"USD","rate":"${rate}","rate_float":${price}}`

/** Prices by id, then ids that are missing; `[]` for an answer that nobody takes. */
function told(id: string, body: string, options: Partial<ParseOptions> = {}): readonly unknown[] {
  const provider = providers.find(p => p.id === id)
  if (!provider) throw new Error(`no ${id}`)
  const parsed = parseBody(provider, new TextEncoder().encode(body), { receivedAt, ...options })
  if ('outcome' in parsed) return parsed.outcome === 'payload-invalid' ? [] : [parsed.outcome]
  for (const { reason } of parsed.missing) expect(reason).not.toBe('')
  return [
    Object.fromEntries(parsed.records.map(r => [r.sourceId, r.price])),
    parsed.missing.map(m => m.sourceId),
  ]
}

describe('a name that stands twice', () => {
  it.each([
    [
      'coingecko',
      '{"bitcoin":{"usd":81000},"solana":{"usd":150},"bitcoin":{"usd":8100}}',
      'bitcoin',
      'solana',
    ],
    [
      'bitcoinaverage',
      `{"BTCUSD":{"last":81000,"timestamp":${at}},"ETHUSD":{"last":150,"timestamp":${at}},"BTCUSD":{"last":8100,"timestamp":${at}}}`,
      ...['BTC', 'ETH'],
    ],
    [
      'coinmarketcap',
      cmc(
        `{"1":${coin(1, `"quote":{"USD":${usd(81000)}}`)},"2":${coin(2, `"quote":{"USD":${usd(150)}}`)},"1":${coin(1, `"quote":{"USD":${usd(8100)}}`)}}`,
      ),
      ...['1', '2'],
    ],
    [
      'coinmarketcap',
      cmc(
        `{"C1":[${coin(1, `"quote":{"USD":${usd(81000)}}`)}],"C2":[${coin(2, `"quote":{"USD":${usd(150)}}`)}],"C1":[${coin(1, `"quote":{"USD":${usd(8100)}}`)}]}`,
      ),
      ...['1', '2'],
    ],
  ])('in the rows by id of %s is a second price, and no price', (id, body, twice, once) => {
    expect(told(id, body)).toEqual([{ [once]: '150' }, [twice]])
    // As in lists: the same price twice is one.
    expect(told(id, body.replaceAll('8100}', '81000}').replaceAll('8100,', '81000,'))).toEqual([
      { [once]: '150', [twice]: '81000' },
      [],
    ])
  })

  it.each([undefined, 'bitcoin'])('in the ticks of CoinDesk is a second price (asset %s)', asset => {
    const body = `{"Data":{"BTC-USD":${tick(81000)},"BTC-USD":${tick(8100)},"ETH-USD":${tick(150)}}}`
    const options = { dataset: 'tick', ...(asset ? { asset } : {}) }
    expect(told('coindesk', body, options)).toEqual([asset ? {} : { ETH: '150' }, ['BTC']])
  })

  /** Between « and » stands what is there a second time. */
  it.each([
    ['coinbase', `{"price":"81000"«,"price":"3000"»,"volume":"1","time":"${iso}"}`],
    ['mempool', `{"time":${at},"USD":81000«,"USD":3000»}`],
    ['bitcoinaverage', `{"BTCUSD":{"last":81000«,"last":3000»,"timestamp":${at}}}`],
    ['coingecko', '{"bitcoin":{"usd":81000«,"usd":3000»}}'],
    ['coinmarketcap', cmc(`[${coin(1, `"quote":[{"symbol":"USD","price":81000«,"price":3000»}]`)}]`)],
    ['coinmarketcap', cmc(`[${coin(1, `"quote":{"USD":${usd(81000)}«,"USD":${usd(3000)}»}`)}]`)],
    ['coinmarketcap', cmc(`[${coin(1, `"quote":[${usd(81000)}]«,"quote":[${usd(3000)}]»`)}]`)],
    ['coinmarketcap', cmc(`[${coin(1, `«"id":1027,»"quote":[${usd(81000)}]`)}]`)],
    ['coinmarketcap', cmc(`[${coin(1, `"quote":[${usd(81000)}]`)}]«,"data":[]»`)],
    [
      'coindesk',
      `{"time":{"updatedISO":"2026-10-05T08:31:00+00:00"},"bpi":{"USD":${bpi('81,000', '81000')}«,"USD":${bpi('3,000', '3000')}»}}`,
    ],
  ])('in a row of %s leaves no price: %s', (id, text) => {
    const prices = (body: string): readonly unknown[] => Object.values(told(id, body)[0] ?? {})
    expect(prices(text.replace(/«.*»/, ''))).toEqual(['81000'])
    expect(prices(text.replace(/[«»]/g, ''))).toEqual([])
  })
})

describe('quotes of CoinMarketCap in a list', () => {
  const quotes = (...list: string[]): readonly unknown[] =>
    told('coinmarketcap', cmc(`[${coin(1, `"quote":[${list.join()}]`)}]`))

  it.each([
    ['two prices in USD', [usd(81000), usd(8100)], {}],
    ['two equal ones', [usd(81000), usd(81000)], { 1: '81000' }],
    [
      'the dollar and a token of its symbol',
      [usd(8100, '"id":20317,'), usd(81000, '"id":2781,')],
      { 1: '81000' },
    ],
    ['the token alone', [usd(8100, '"id":20317,')], {}],
    ['two dollars', [usd(8100, '"id":2781,'), usd(81000, '"id":2781,')], {}],
  ])('with %s', (_, list, prices) => {
    const [records = {}] = quotes(...list)
    expect(records).toEqual(prices)
  })
})
