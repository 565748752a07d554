import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type MarketRecord, marketRecordId } from '../core/records.ts'
import { marketRecordJson } from './codecs/market-record-json.ts'
import { quoteJson } from './codecs/quote-json.ts'
import { marketRecordMessage, quoteKey, quoteMessage } from './messages.ts'
import { quotes } from './records.contract.ts'
import { marketRecords } from './market-records.contract.ts'
import { checkSpec } from './place.ts'
import { topicTable, usedTopics } from './table.ts'

describe('topic table', () => {
  it('has the topics of the design under one prefix, and says which are used now', () => {
    const table = topicTable('team-a.')
    expect(usedTopics(table).map(t => t.name)).toEqual([
      'team-a.market.quotes.v1',
      'team-a.market.metrics.v1',
      'team-a.market.consensus.v1',
      'team-a.source.events.v1',
      'team-a.quota.events.v1',
      'team-a.dead-letter.v1',
    ])
    expect(Object.values(topicTable()).map(t => t.name)).toEqual([
      'market.quotes.v1',
      'market.metrics.v1',
      'market.consensus.v1',
      'source.events.v1',
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

  it('makes the message of every other record: its topic by its kind, its series as key', () => {
    const table = topicTable('team-a.')
    const expected = (r: MarketRecord): readonly [string, string] => {
      if (r.kind === 'metric') return [table.metrics.name, `${r.provider}|${r.name}|${r.currency ?? ''}`]
      if (r.kind === 'consensus' || r.kind === 'serving')
        return [table.consensus.name, `${r.asset}|${r.currency}`]
      return [table.sourceEvents.name, `${r.provider}|${r.asset}|${r.currency}`]
    }
    fc.assert(
      fc.property(marketRecords, record => {
        const message = marketRecordMessage(table, record)
        expect([message.topic, message.key]).toEqual(expected(record))
        expect(message.timestamp).toBe(record.receivedAt)
        expect(message.headers).toEqual({
          schema: 'market-record.v1+json',
          'record-id': marketRecordId(record),
          ...('runId' in record ? { 'run-id': record.runId } : {}),
        })
        expect(message.value && marketRecordJson.decode(message.value)).toEqual(record)
        const spec = Object.values(table).find(t => t.name === message.topic)
        expect(message.value!.length).toBeLessThan(spec!.maxMessageBytes)
      }),
    )
  })
})
