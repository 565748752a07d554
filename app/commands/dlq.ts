import { EpochMicros } from '../../core/brands.ts'
import { CryptosError } from '../../core/errors.ts'
import type { DeadLetter } from '../../core/records.ts'
import { addMs, toIso } from '../../core/time.ts'
import { toIsoMicros } from '../../dashboards/web/times.ts'
import { type DeadLetters, openDeadLetters } from '../../processors/dead-letters.ts'
import { countLetters } from '../dead-letter-report.ts'
import { parseDuration } from '../duration.ts'
import { count } from '../plural.ts'
import { done, fromOutcome } from '../result.ts'
import { settledSource } from '../settled-source.ts'
import { openBroker, topics } from '../stores.ts'
import { using } from '../using.ts'
import { type Action, type Context, type Define, sourceOption, withSource } from './command.ts'

const withLetters = async <T>(context: Context, work: (letters: DeadLetters) => Promise<T>): Promise<T> =>
  using(await openBroker(context.config, settledSource(context), context.clock), broker =>
    work(openDeadLetters({ broker, topic: topics.deadLetters.name, clock: context.clock })),
  )

const line = (l: DeadLetter): string => `${l.id}  ${toIso(l.at)}  ${l.code}: ${l.reason}`

/** Where the bytes come from: an answer never was in a topic. */
const originOf = ({ topic, partition, offset, stage, headers }: DeadLetter): string =>
  partition < 0
    ? `answer of ${headers['provider'] ?? 'a provider'} (${headers['answerId'] ?? 'of an unknown slot'}), stage ${stage}`
    : `from ${topic} ${partition}/${offset}, stage ${stage}`

const list: Action = context =>
  withLetters(context, async letters => {
    const found: DeadLetter[] = []
    for await (const letter of letters.list()) found.push(letter)
    const summary = found.map(({ bytes, ...rest }) => ({
      ...rest,
      at: toIsoMicros(rest.at),
      size: Buffer.from(bytes, 'base64').length,
    }))
    return done(found.map(line).join('\n') || 'There are no dead letters.', { letters: summary })
  })

const show: Action = (context, [id = '']) =>
  withLetters(context, async letters => {
    const letter = await letters.show(id)
    if (!letter)
      throw new CryptosError('CRY_USAGE', `there is no dead letter "${id}": cryptos dlq list shows their ids`)
    const body = Buffer.from(letter.bytes, 'base64').toString('utf8')
    return done(`${line(letter)}\n${originOf(letter)}\n${body}`, {
      letter: { ...letter, at: toIsoMicros(letter.at) },
    })
  })

const replay: Action = (context, ids) =>
  withLetters(context, async letters => {
    for (const id of ids) await letters.replay(id)
    return done(`${count(ids.length, 'message')} put back into the topic.`, { replayed: ids })
  })

/** What is new, counted. Exit 1 where there is any: a report that nobody reads is none. */
const report: Action = (context, _args, options) =>
  withLetters(context, async letters => {
    const now = context.clock.now()
    const since = EpochMicros(Math.max(0, addMs(now, -parseDuration(String(options['since']), '--since'))))
    const kinds = await countLetters(letters.list(), since)
    const total = kinds.reduce((sum, kind) => sum + kind.count, 0)
    const counts = kinds.map(({ newestAt, ...kind }) => ({ ...kind, newestAt: toIsoMicros(newestAt) }))
    const json = { since: toIsoMicros(since), at: toIsoMicros(now), letters: total, counts }
    if (total === 0) return done(`No dead letters since ${toIso(since)}.`, { ok: true, ...json })
    const lines = kinds.map(kind => `${kind.count}  ${kind.stage}  ${kind.code}  newest ${kind.id}`)
    const reason = `${count(total, 'dead letter')} since ${toIso(since)}, most of ${kinds[0]?.stage} with ${kinds[0]?.code}`
    const result = fromOutcome('failed', reason, { ok: false, ...json })
    return { ...result, text: `${reason}\n${lines.join('\n')}\n  cryptos dlq show ID`, isReport: true }
  })

export const define: Define = (program, act) => {
  const dlq = program.command('dlq').description('messages that could not be used, kept with their bytes')
  dlq
    .command('list', { isDefault: true })
    .description('what is there, and why')
    .option(...sourceOption)
    .action(act(list, withSource))
  dlq
    .command('report')
    .description('what is new, counted by stage and code; exit code 1 where there is any')
    .option('--since <duration>', 'how far back', '24h')
    .option(...sourceOption)
    .action(act(report, withSource))
  dlq
    .command('show')
    .description('one with its bytes')
    .argument('<id>', 'as `dlq list` shows it')
    .option(...sourceOption)
    .action(act(show, withSource))
  dlq
    .command('replay')
    .description('put the bytes back into their topic, after a fix')
    .argument('<ids...>', 'one or more')
    .option(...sourceOption)
    .action(act(replay, withSource))
}
