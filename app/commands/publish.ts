import { randomUUID } from 'node:crypto'
import { leaseMs, publishPending } from '../../collectors/publish.ts'
import { providers } from '../../collectors/registry.ts'
import { SECOND } from '../../core/time.ts'
import { parseDuration } from '../duration.ts'
import { done, fromOutcome } from '../result.ts'
import { settledSource } from '../settled-source.ts'
import { openBroker, openLedger, topics } from '../stores.ts'
import { using } from '../using.ts'
import { type Action, type Define, sourceOption, withSource } from './command.ts'

/** Calls no provider, so it needs no route, key or sandbox. */
const run: Action = async ({ config, clock, log, signal, note }, _args, options) => {
  const source = settledSource({ config, note })
  return using(await openLedger(config, source, clock), async ledger =>
    using(await openBroker(config, source, clock), async broker => {
      const again = options['again']
      if (again !== undefined)
        await ledger.outbox.republish(parseDuration(String(again), '--again'), clock.now())
      const holder = randomUUID()
      const result = await publishPending({ ledger, broker, clock, providers, topics, holder, log, signal })
      if (signal.aborted)
        return fromOutcome('aborted', 'stopped between two answers; the rest waits', { ...result })
      const { pending } = await ledger.outbox.stats()
      if (pending > 0)
        return fromOutcome(
          'in-flight',
          `${pending} answers still wait: another process publishes, or was killed less than ${leaseMs / SECOND} s ago; try again`,
          { ...result },
        )
      return done('The outbox is empty: every answer is in the topics.', {
        outcome: 'published',
        reason: 'the outbox is empty',
        ...result,
      })
    }),
  )
}

export const define: Define = (program, act) => {
  program
    .command('publish')
    .description('bring answers that wait in the outbox to the topics')
    .option(
      '--again <duration>',
      'also those that were published in the last 24h (or 2h …), as a new revision that replaces what was stored: after a corrected mapping, or a loss in the broker',
    )
    .option(...sourceOption)
    .action(act(run, withSource))
}
