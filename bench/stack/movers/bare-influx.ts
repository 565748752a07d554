import { bareConsume } from './bare-consume.ts'
import { barePost } from './bare-post.ts'
import { runMover } from './mover.ts'
import { parseQuote } from './plain-quote.ts'
import { quoteLine } from './quote-line.ts'

/** A1: JSON.parse, one line of text a row, one POST a slice. */
await runMover(task => {
  const url = `${task.influx?.url}/api/v2/write?bucket=${task.influx?.database}&precision=us`
  return bareConsume(task, messages => {
    const quotes = messages.map(m => parseQuote(m.value))
    return barePost(url, quotes.map(quoteLine).join('\n'))
  })
})
