import { bareConsume } from './bare-consume.ts'
import { barePost } from './bare-post.ts'
import { runMover } from './mover.ts'
import { parseQuote } from './plain-quote.ts'
import { quoteLine } from './quote-line.ts'

/** A1: JSON.parse, one line of text a row, one POST a slice. */
await runMover(task => {
  const url = `${task.influx?.url}/api/v2/write?bucket=${task.influx?.database}&precision=us`
  return bareConsume(task, messages =>
    barePost(url, messages.map(m => quoteLine(parseQuote(m.value))).join('\n')),
  )
})
