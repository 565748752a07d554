import { bareConsume } from './bare-consume.ts'
import { barePost } from './bare-post.ts'
import { runMover } from './mover.ts'
import { parseQuote } from './plain-quote.ts'
import { narrowLine } from './quote-line.ts'

/** The bare loop with two fields a line: less than the product stores, for information. */
await runMover(task => {
  const url = `${task.influx?.url}/api/v2/write?bucket=${task.influx?.database}&precision=us`
  return bareConsume(task, messages =>
    barePost(url, messages.map(m => narrowLine(parseQuote(m.value))).join('\n')),
  )
})
