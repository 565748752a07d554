import { randomUUID } from 'node:crypto'
import { providers } from '../../collectors/registry.ts'
import { type EpochMicros, ProviderId } from '../../core/brands.ts'
import { CryptosError } from '../../core/errors.ts'
import { addMs, toIso } from '../../core/time.ts'
import { parseTime, toIsoMicros } from '../../dashboards/web/times.ts'
import { count } from '../plural.ts'
import { providerNamed } from '../provider-named.ts'
import {
  everFrom,
  type Found,
  lookAgain,
  type Published,
  publishAgain,
  type RederivePorts,
  type RederiveRange,
} from '../rederive/rederive.ts'
import { done, fromOutcome, type Result } from '../result.ts'
import { settledSource } from '../settled-source.ts'
import { openBroker, openLedger, topics } from '../stores.ts'
import { using } from '../using.ts'
import { type Action, type Context, type Define, sourceOption, withSource } from './command.ts'

type Options = Readonly<Record<string, unknown>>

/** Calls no provider, so it needs no route, key or sandbox. */
const run: Action = async (context, _args, options) => {
  const { config, clock, log, signal } = context
  const range = rangeOf(context, options)
  const source = settledSource(context)
  return using(await openLedger(config, source, clock), async ledger =>
    using(await openBroker(config, source, clock), async broker => {
      const ports = { ledger, broker, clock, providers, topics, holder: randomUUID(), log, signal }
      const found = await lookAgain(ports, range)
      if (found.answers === 0) return none(context, range, found)
      if (options['dryRun'] === true)
        return done(`${tell(found)}\nNothing was written: without --dry-run they are published again.`, {
          ...jsonOf(found),
          dryRun: true,
        })
      context.note(tell(found))
      return published(found, await publish(context, ports, range, found))
    }),
  )
}

function rangeOf({ clock }: Context, options: Options): RederiveRange {
  const now = clock.now()
  // An answer of this moment counts.
  const to = timeOf('--to', options['to'], now) ?? addMs(now, 1)
  const from = timeOf('--from', options['from'], now) ?? everFrom
  if (from >= to) throw new CryptosError('CRY_USAGE', `--from ${toIso(from)} is not before --to ${toIso(to)}`)
  const name = options['provider']
  if (name === undefined) return { from, to }
  return { from, to, provider: ProviderId(providerNamed(String(name), 'CRY_USAGE').id) }
}

/** As the web API takes times. */
function timeOf(option: string, text: unknown, now: EpochMicros): EpochMicros | undefined {
  if (text === undefined) return undefined
  const given = String(text)
  try {
    return parseTime(option, given, now)
  } catch (cause) {
    const sentence = `${option}: "${given.slice(0, 60)}" is not a time such as 2026-11-21, 2026-11-21T12:00:00Z, now or -6h`
    throw new CryptosError('CRY_USAGE', sentence, { cause })
  }
}

function none({ config }: Context, { provider }: RederiveRange, found: Found): Result {
  const whose = provider === undefined ? '' : ` of ${provider}`
  const waiting = found.waiting === 0 ? '' : ` (${count(found.waiting, 'answer')} not published yet)`
  const text = `No published answer${whose} of that time is kept${waiting}: raw answers are kept for ${config.outboxRetentionHours} hours (CRYPTOS_OUTBOX_RETENTION_HOURS).`
  return done(text, { outcome: 'published', reason: 'no answer was selected', ...jsonOf(found) })
}

async function publish(
  { print }: Context,
  ports: RederivePorts,
  range: RederiveRange,
  found: Found,
): Promise<Published> {
  return await publishAgain(ports, range, found.slices, answers => {
    if (found.slices.length > 1) print(`${answers} of ${found.answers} answers`)
  })
}

function published(found: Found, result: Published): Result {
  const { why, stoppedAt, answers } = result
  const json = { ...jsonOf(found), published: answers, deadLetters: result.deadLetters }
  if (stoppedAt === null) {
    const text = `${count(answers, 'answer')} published again as a new revision; every store takes it as soon as \`up\` or \`process\` runs.`
    return done(text, { outcome: 'published', reason: 'published again', ...json })
  }
  const goOn = `go on with --from ${toIsoMicros(stoppedAt)}`
  const more = { ...json, stoppedAt: toIsoMicros(stoppedAt) }
  return why === 'stopped'
    ? fromOutcome('aborted', `stopped after ${count(answers, 'answer')}; ${goOn}`, more)
    : fromOutcome('in-flight', `${count(answers, 'answer')} wait: another process publishes; ${goOn}`, more)
}

const jsonOf = ({ slices: _, oldestAt, ...found }: Found): Readonly<Record<string, unknown>> => ({
  ...found,
  oldestAt: oldestAt === null ? null : toIsoMicros(oldestAt),
})

function tell(found: Found): string {
  const { answers, rows, changed, added, gone, replaced, deadLetters, oldestAt, waiting } = found
  const since = oldestAt === null ? '' : ` since ${toIso(oldestAt)}`
  const of = [
    `${changed} changed`,
    `${added} not in the topics yet`,
    ...(replaced > 0 ? [`${replaced} replaced by later answers`] : []),
    ...(gone > 0 ? [`${gone} no longer made, which stay in the stores`] : []),
  ]
  const letters = `${count(deadLetters, 'answer')} for the dead letters`
  const wait = waiting === 0 ? '' : `; ${count(waiting, 'answer')} not published yet`
  return `${count(answers, 'answer')}${since}: ${count(rows, 'row')} by the mappings of this version (${of.join(', ')}), ${letters}${wait}.`
}

export const define: Define = (program, act) => {
  program
    .command('rederive')
    .description('make rows anew from the raw answers that are kept, after a corrected mapping; calls nobody')
    .option('--provider <name>', 'only answers of this one')
    .option('--from <time>', 'only answers received since: 2026-11-21, 2026-11-21T12:00:00Z, -6h')
    .option('--to <time>', 'only answers received before')
    .option('--dry-run', 'tell what would change, write nothing')
    .option(...sourceOption)
    .action(act(run, withSource))
}
