import { CryptosError } from '../../core/errors.ts'
import type { DeadLetter } from '../../core/records.ts'
import { toIso } from '../../core/time.ts'
import { toIsoMicros } from '../../dashboards/web/times.ts'
import { type DeadLetters, openDeadLetters } from '../../processors/dead-letters.ts'
import { count } from '../plural.ts'
import { done } from '../result.ts'
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

export const define: Define = (program, act) => {
  const dlq = program.command('dlq').description('messages that could not be used, kept with their bytes')
  dlq
    .command('list', { isDefault: true })
    .description('what is there, and why')
    .option(...sourceOption)
    .action(act(list, withSource))
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
