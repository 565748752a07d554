import { InfluxDB, Point } from '@influxdata/influxdb-client'
import { bareConsume } from './bare-consume.ts'
import { runMover } from './mover.ts'
import { parseQuote, type PlainQuote } from './plain-quote.ts'
import { exactOf } from './quote-line.ts'

/** A2: the official client as its examples show it: Point objects, its escaping, flush after each slice. */
await runMover(task => {
  const { url = '', database = '' } = task.influx ?? {}
  const api = new InfluxDB({ url, token: '' }).getWriteApi('', database, 'us', {
    ...{ batchSize: task.sliceRows + 1, flushInterval: 0, maxRetries: 0, gzipThreshold: 1e9 },
  })
  return bareConsume(task, async messages => {
    const quotes = messages.map(m => parseQuote(m.value))
    for (const quote of quotes) api.writePoint(pointOf(quote))
    await api.flush()
  })
})

function pointOf(q: PlainQuote): Point {
  const point = new Point('quote')
    .tag('asset', q.asset)
    .tag('currency', q.currency)
    .tag('provider', q.provider)
  point.floatField('price', q.price)
  for (const name of ['marketCap', 'volume24h', 'supply', 'change24h'] as const) {
    const text = q[name]
    if (text !== undefined) point.floatField(name, text)
  }
  return point.booleanField('live', true).stringField('exact', exactOf(q)).timestamp(String(q.observedAt))
}
