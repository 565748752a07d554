import { openCollecting } from '../collecting.ts'
import { done, fromOutcome } from '../result.ts'
import { settledSource } from '../settled-source.ts'
import { using } from '../using.ts'
import type { Action, Define } from './command.ts'

const run: Action = async context =>
  using(await openCollecting(context, settledSource(context.config)), async ({ ports }) => {
    const result = await ports.publish?.()
    const { pending } = await ports.ledger.outbox.stats()
    if (pending > 0)
      return fromOutcome('in-flight', `${pending} answers still wait: another process publishes`, {
        ...(result as object),
      })
    return done('The outbox is empty: every answer is in the topics.', {
      outcome: 'published',
      ...(result as object),
    })
  })

export const define: Define = (program, act) => {
  program
    .command('publish')
    .description('bring answers that wait in the outbox to the topics')
    .action(act(run))
}
