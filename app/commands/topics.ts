import { CryptosError } from '../../core/errors.ts'
import type { StoredMessage } from '../../core/ports/broker.ts'
import { MINUTE, addMs, toIso } from '../../core/time.ts'
import { parseDuration } from '../duration.ts'
import { suggest } from '../config/suggest.ts'
import { done } from '../result.ts'
import { settledSource } from '../settled-source.ts'
import { openBroker, topics } from '../stores.ts'
import { using } from '../using.ts'
import type { Action, Context, Define } from './command.ts'

const names = Object.values(topics).map(t => t.name)

const open = (context: Context) => openBroker(context.config, settledSource(context.config), context.clock)

const list: Action = async context =>
  using(await open(context), async broker => {
    const used = Object.values(topics).filter(t => t.used)
    const states = await Promise.all(
      used.map(async t => ({ topic: t.name, partitions: await broker.partitions(t.name), doc: t.doc })),
    )
    const text = states.map(
      s =>
        `${s.topic.padEnd(20)} ${s.partitions.reduce((sum, p) => sum + p.end - p.begin, 0)} records in ${s.partitions.length} partitions: ${s.doc}`,
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
    `${JSON.stringify({ topic: message.topic, partition, offset, key, headers, at: toIso(message.timestamp), value })}\n`,
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
    return done(context.json ? '' : `${count} records`, { topic, records: count })
  })
}

export const define: Define = (program, act) => {
  const group = program.command('topics').description('the topics: list, create, read')
  group
    .command('list', { isDefault: true })
    .description('topics with their partitions and sizes')
    .action(act(list))
  group.command('create').description('make the topics that are missing; deletes nothing').action(act(create))
  group
    .command('tail')
    .description('print the records of a topic')
    .argument('<topic>', names.join(', '))
    .option('--since <duration>', 'how far back', '5m')
    .option('--follow', 'go on until Ctrl-C')
    .action(act(tail))
}
