import { CryptosError } from '../../core/errors.ts'
import type { StoredMessage } from '../../core/ports/broker.ts'
import { MINUTE, addMs, toIso } from '../../core/time.ts'
import { toIsoMicros } from '../../dashboards/web/times.ts'
import { count as counted } from '../plural.ts'
import { parseDuration } from '../duration.ts'
import { suggest } from '../config/suggest.ts'
import { done } from '../result.ts'
import { settledSource } from '../settled-source.ts'
import { openBroker, topics } from '../stores.ts'
import { usedTopics } from '../../topics/table.ts'
import { using } from '../using.ts'
import { type Action, type Context, type Define, sourceOption, withSource } from './command.ts'

/** Only those that this version writes to: the others are plans. */
const used = usedTopics(topics)
const names: readonly string[] = used.map(t => t.name)

const open = (context: Context) => openBroker(context.config, settledSource(context), context.clock)

const list: Action = async context =>
  using(await open(context), async broker => {
    const states = await Promise.all(
      used.map(async t => ({ topic: t.name, partitions: await broker.partitions(t.name), doc: t.doc })),
    )
    const text = states.map(
      s =>
        `${s.topic.padEnd(20)} ${counted(
          s.partitions.reduce((sum, p) => sum + p.end - p.begin, 0),
          'record',
        )} in ${counted(s.partitions.length, 'partition')}: ${s.doc}`,
    )
    return done(text.join('\n'), { topics: states })
  })

const create: Action = async context =>
  using(await open(context), async () => done('All topics are there.', { created: names }))

/** One line a record: where it is, then its text. */
function printRecord(context: Context, message: StoredMessage): void {
  const value = message.value === null ? null : new TextDecoder().decode(message.value)
  if (!context.json) {
    context.print(
      `${message.partition}/${message.offset} ${toIso(message.timestamp)} ${message.key} ${value ?? '(none)'}`,
    )
    return
  }
  const { partition, offset, key, headers } = message
  process.stdout.write(
    `${JSON.stringify({ topic: message.topic, partition, offset, key, headers, at: toIsoMicros(message.timestamp), value })}\n`,
  )
}

const tail: Action = async (context, [topic = ''], options) => {
  if (!names.includes(topic))
    throw new CryptosError(
      'CRY_USAGE',
      `"${topic.slice(0, 60)}" is not a topic${suggest(topic, names)} (there are ${names.join(', ')})`,
    )
  const sinceMs = parseDuration(String(options['since'] ?? '5m'), '--since')
  return using(await open(context), async broker => {
    let count = 0
    let from = addMs(context.clock.now(), -sinceMs)
    const seen = new Set<string>()
    do {
      for await (const message of broker.read(topic, { time: from })) {
        const place = `${message.partition}/${message.offset}`
        if (seen.has(place)) continue
        seen.add(place)
        count += 1
        printRecord(context, message)
      }
      if (options['follow'] !== true) break
      from = addMs(context.clock.now(), -MINUTE)
      await context.clock.sleep(500, context.signal).catch(() => undefined)
    } while (!context.signal.aborted)
    return done(context.json ? '' : counted(count, 'record'), { topic, records: count })
  })
}

export const define: Define = (program, act) => {
  const group = program.command('topics').description('the topics: list, create, read')
  group
    .command('list', { isDefault: true })
    .description('topics with their partitions and sizes')
    .option(...sourceOption)
    .action(act(list, withSource))
  group
    .command('create')
    .description('make the topics that are missing; deletes nothing')
    .option(...sourceOption)
    .action(act(create, withSource))
  group
    .command('tail')
    .description('print the records of a topic')
    .argument('<topic>', names.join(', '))
    .option('--since <duration>', 'how far back', '5m')
    .option('--follow', 'go on until Ctrl-C')
    .option(...sourceOption)
    .action(act(tail, withSource))
}
