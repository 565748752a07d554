import { toCryptosError } from '../../core/errors.ts'
import { partsOf } from '../config/parts.ts'
import { errorFields } from '../log.ts'
import { openStore } from '../open-store.ts'
import { keepOutbox, keepStore, keepTopics } from '../pipeline/housekeeping.ts'
import { count } from '../plural.ts'
import { done, fromError, type Result } from '../result.ts'
import { settledSource } from '../settled-source.ts'
import type { Source } from '../source.ts'
import { openBroker, openLedger } from '../stores.ts'
import { using } from '../using.ts'
import { type Action, type Context, type Define, sourceOption, withSource } from './command.ts'

/** One place with a retention; `keep` opens it, removes what is too old, closes it and tells how many that were. */
interface Place {
  readonly name: string
  readonly keep: () => Promise<number>
}

function placesOf(context: Context, source: Source): readonly Place[] {
  const { config, clock } = context
  const stores = partsOf(config).stores.map(name => ({
    name,
    keep: async () =>
      using(await openStore(name, { config, source, clock }), sink =>
        keepStore({ ...context, store: sink.market }),
      ),
  }))
  return [
    {
      name: 'outbox',
      keep: async () =>
        using(await openLedger(config, source, clock), ledger => keepOutbox({ ...context, ledger })),
    },
    {
      name: 'topics',
      keep: async () =>
        using(await openBroker(config, source, clock), broker => keepTopics({ ...context, broker })),
    },
    ...stores,
  ]
}

/** Once what `up` does each hour. A place that is away keeps none of the others from their turn. */
const run: Action = async context => {
  const places = placesOf(context, settledSource(context))
  const removed: Record<string, number> = {}
  const failed: Record<string, unknown> = {}
  for (const { name, keep } of places) {
    if (context.signal.aborted) throw context.signal.reason
    try {
      removed[name] = await keep()
    } catch (error) {
      context.log.debug({ place: name, ...errorFields(error) }, 'retention could not be applied')
      failed[name] = error
    }
  }
  return resultOf(removed, failed)
}

function resultOf(
  removed: Readonly<Record<string, number>>,
  failed: Readonly<Record<string, unknown>>,
): Result {
  const [first] = Object.values(failed)
  const whole = Object.entries(removed).map(([name, n]) => `${name} ${n}`)
  const sentence = `Removed what retention no longer keeps: ${whole.join(', ') || 'nothing'}.`
  if (first === undefined) return done(sentence, { ok: true, reason: sentence, removed })
  const failures = Object.fromEntries(
    Object.entries(failed).map(([name, error]) => [name, toCryptosError(error).message]),
  )
  // Another try may mend some of it.
  const worst = Object.values(failed)
    .map(fromError)
    .toSorted((a, b) => a.exit - b.exit)[0]
  const { exit, json, text } = worst ?? fromError(first)
  const names = Object.keys(failed)
  const reason = `${count(names.length, 'place')} could not be kept (${names.join(', ')}): ${String(json['reason'])}`
  return {
    exit,
    json: { ok: false, ...json, reason, removed, failed: failures },
    text: `${sentence}\n${reason}\n${text}`,
  }
}

export const define: Define = (program, act) => {
  program
    .command('housekeeping')
    .description('remove once what retention no longer keeps, as `up` does each hour: outbox, topics, stores')
    .option(...sourceOption)
    .action(act(run, withSource))
}
