import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { quotes } from './records.contract.ts'
import { quoteJson } from './codecs/quote-json.ts'
import { quoteKey, quoteMessage } from './messages.ts'
import { checkSpec } from './place.ts'
import { topicTable, usedTopics } from './table.ts'

describe('topic table', () => {
  it('has the topics of the design under one prefix, and says which are used now', () => {
    const table = topicTable('team-a.')
    expect(usedTopics(table).map(t => t.name)).toEqual([
      'team-a.market.quotes.v1',
      'team-a.quota.events.v1',
      'team-a.dead-letter.v1',
    ])
    expect(Object.values(topicTable()).map(t => t.name)).toEqual([
      'market.quotes.v1',
      'market.trades.v1',
      'market.tickers.v1',
      'market.bars.v1',
      'vwap',
      'quota.events.v1',
      'dead-letter.v1',
    ])
    Object.values(table).forEach(checkSpec)
  })

  it('refuses a prefix that would make a wrong name', () => {
    for (const prefix of ['a b', 'x/y', 'é', 'x'.repeat(65)])
      expect(() => topicTable(prefix)).toThrow(expect.objectContaining({ code: 'CRY_CONFIG_INVALID' }))
  })

  it('makes the message of a quote: its series as key, schema, record id and run id as headers', () => {
    fc.assert(
      fc.property(quotes, quote => {
        const message = quoteMessage('t', quote)
        expect(message.key).toBe(`${quote.provider}|${quote.asset}|${quote.currency}`)
        expect(message.key).toBe(quoteKey(quote))
        expect(message.headers).toEqual({
          schema: 'quote.v1+json',
          'record-id': `${quote.provider}|${quote.asset}|${quote.currency}|${quote.observedAt}`,
          'run-id': quote.runId,
        })
        expect(message.value && quoteJson.decode(message.value)).toEqual(quote)
        expect(message.value!.length).toBeLessThan(topicTable().quotes.maxMessageBytes)
      }),
    )
  })
})
