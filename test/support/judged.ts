import { parametersOf } from '../../app/judging.ts'
import { openReader } from '../../app/reader.ts'
import type { Route } from '../../app/routes.ts'
import { topics } from '../../app/stores.ts'
import { type SweepResult, sweep } from '../../app/sweep.ts'
import { EpochMicros } from '../../core/brands.ts'
import type { Broker } from '../../core/ports/broker.ts'
import type { MarketKind, MarketRecordOf } from '../../core/ports/reader.ts'
import { addMs, MINUTE, SECOND } from '../../core/time.ts'
import type { Quote } from '../../core/records.ts'
import type { VirtualClock } from '../../core/virtual-clock.ts'
import { marketRoutes } from '../../dashboards/web/market-api.ts'
import { openDeadLetters } from '../../processors/dead-letters.ts'
import { type JudgeEvent, judgeGroup, runJudge } from '../../processors/judge/run.ts'
import { quoteJson } from '../../topics/codecs/quote-json.ts'
import type { Rig } from './rig.ts'

/** One call of a turn: a route's quotes, in its own currency or another one. */
export interface Ask {
  readonly route: Route
  readonly currency?: string
  /** As the planner says, in place of "now". */
  readonly planned?: boolean
}

/** A rig with the judge at work on its topics, on one virtual clock: turns of whole minutes, each asked at :05 and judged at :03. */
export interface Judged {
  readonly rig: Rig
  readonly clock: VirtualClock
  /** Minutes that the judge told. */
  readonly minutes: readonly EpochMicros[]
  /** Asks, lets the judge take it, and goes over the next minute; returns that minute. Then `restMs` more pass. */
  turn(asks: readonly Ask[], restMs?: number): Promise<EpochMicros>
  /** How the asks of the newest turn ended. */
  readonly ends: readonly SweepResult[]
  /** Everything of a kind that is stored by now, in time order. */
  stored<K extends MarketKind>(kind: K): Promise<readonly MarketRecordOf<K>[]>
  /** Every price that came into the topic, in the order of its coming: also the repetitions that the store keeps as one row. */
  told(): Promise<readonly Quote[]>
  /** An answer of the Web API, from what is stored by now. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into many shapes
  api(path: string, query?: Readonly<Record<string, string>>): Promise<any>
  close(): Promise<void>
}

const signal = new AbortController().signal
const limits = { maxRecords: 500, maxBytes: 4_000_000, maxAgeMs: 0 }
const minuteMicros = MINUTE * 1_000

/** The clock must stand at :05 of a minute. */
export async function openJudged(rig: Rig, clock: VirtualClock): Promise<Judged> {
  const broker = await rig.collecting.broker()
  const stop = new AbortController()
  const minutes: EpochMicros[] = []
  let wake = (): void => undefined
  let trouble: unknown
  const onEvent = (event: JudgeEvent): void => {
    if (event.kind === 'minute') minutes.push(event.at)
    else if (event.kind !== 'rebuilt') trouble = event
    wake()
  }
  const rebuilt = new Promise<void>(resolve => {
    wake = resolve
  })
  const done = runJudge({
    ...{ broker, topics, clock, limits, onEvent, signal: stop.signal },
    parameters: parametersOf(rig.config, rig.source),
    deadLetters: openDeadLetters({ broker, topic: topics.deadLetters.name, clock }),
  })
  done.catch((error: unknown) => {
    trouble = error
  })
  await rebuilt
  wake = () => undefined
  const until = async (isSo: () => boolean | Promise<boolean>): Promise<void> => {
    while (!(await isSo())) {
      if (trouble !== undefined) throw new Error('the judge is in trouble', { cause: trouble })
      await new Promise(resolve => setImmediate(resolve))
    }
  }
  let ends: readonly SweepResult[] = []
  const turn: Judged['turn'] = async (asks, restMs = MINUTE) => {
    ends = await Promise.all(asks.map(ask => askOne(rig, ask)))
    await rig.ports.publish?.()
    await until(async () => !(await isBehind(broker)))
    const minute = EpochMicros((Math.floor(clock.now() / minuteMicros) + 1) * minuteMicros)
    clock.advance((minute - clock.now()) / 1_000 + 3 * SECOND)
    await until(() => minutes.at(-1) === minute)
    await new Promise(resolve => setImmediate(resolve))
    clock.advance(restMs - MINUTE + 2 * SECOND)
    return minute
  }
  return {
    rig,
    clock,
    minutes,
    turn,
    get ends() {
      return ends
    },
    told: async () => {
      const messages = await Array.fromAsync(broker.read(topics.quotes.name, { offset: 0 }))
      const quotes = messages.flatMap(m => (m.value === null ? [] : [quoteJson.decode(m.value)]))
      return quotes.sort((a, b) => a.receivedAt - b.receivedAt)
    },
    stored: kind => storedRecords(rig, clock, kind),
    api: (path, query = {}) => askApi(rig, clock, path, query),
    close: async () => {
      stop.abort()
      await done
    },
  }
}

async function askOne(rig: Rig, { route, currency, planned }: Ask): Promise<SweepResult> {
  const [dataset] = route.provider.datasets.filter(
    d => d.kind === 'quotes' && (d.access ?? accessOf(route)) === accessOf(route),
  )
  if (!dataset) throw new Error(`${route.provider.id} has no quotes`)
  const config = currency === undefined ? rig.config : { ...rig.config, currency }
  // All answers of a turn are published together, as `up` does.
  const { publish: _, ...ports } = rig.ports
  return sweep(ports, { route, dataset, config, signal, ...(planned ? {} : { period: 'now' as const }) })
}

const accessOf = ({ poll }: Route): 'keyed' | 'keyless' => (poll.key ? 'keyed' : 'keyless')

async function isBehind(broker: Broker): Promise<boolean> {
  const committed = new Map(
    (await broker.committed(judgeGroup)).map(c => [`${c.topic}|${c.partition}`, c.offset]),
  )
  for (const { name } of [topics.quotes, topics.sourceEvents])
    for (const { partition, end } of await broker.partitions(name))
      if ((committed.get(`${name}|${partition}`) ?? 0) < end) return true
  return false
}

async function storedRecords<K extends MarketKind>(
  rig: Rig,
  clock: VirtualClock,
  kind: K,
): Promise<readonly MarketRecordOf<K>[]> {
  await rig.drain()
  const reader = await openReader(rig.source, clock)
  try {
    const range = { from: EpochMicros(0), to: addMs(clock.now(), 86_400_000) }
    return await Array.fromAsync(reader.allRecords({ kind, ...range }))
  } finally {
    await reader.close()
  }
}

async function askApi(
  rig: Rig,
  clock: VirtualClock,
  path: string,
  query: Readonly<Record<string, string>>,
): Promise<object> {
  await rig.drain()
  const reader = await openReader(rig.source, clock)
  try {
    const route = marketRoutes[path]
    if (!route) throw new Error(`no route ${path}`)
    const params = new Map(Object.entries(query))
    return await route.answer(params, { market: reader, clock })
  } finally {
    await reader.close()
  }
}
