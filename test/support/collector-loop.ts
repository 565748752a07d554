// A collector for the kill loops, made of the program's own parts: it sweeps, publishes and stores without a pause, on the clock file
// that it moves itself from one slot to the next. On stdin: `go` opens the stores and starts; `end` stops when all is stored.
// An argument `dry` ends the loop by itself when the paid provider's quota is used up; `ack-first` plants a ledger that says it has an
// answer before it does, for the judge to find.
import { flushCompileCache } from 'node:module'
import { createInterface } from 'node:readline'
import { openCollecting } from '../../app/collecting.ts'
import { loadConfig } from '../../app/config/load.ts'
import { createLog } from '../../app/log.ts'
import { openStore } from '../../app/open-store.ts'
import { runProcessing } from '../../app/processing.ts'
import { sandboxSource } from '../../app/source.ts'
import { groupOf, topics } from '../../app/stores.ts'
import { datasetsFor } from '../../app/wanted.ts'
import { marketTopics } from '../../topics/messages.ts'
import { type SweepResult, sweep } from '../../app/sweep.ts'
import { loadAxios } from '../../collectors/load-axios.ts'
import type { Pace } from '../../collectors/pace.ts'
import { reconcileUsage } from '../../collectors/usage.ts'
import type { Broker } from '../../core/ports/broker.ts'
import type { Ledger } from '../../core/ports/ledger.ts'
import { announce } from '../../core/steps.ts'
import { addMs, HOUR, MINUTE } from '../../core/time.ts'
import { moveClockFile, openClockFile } from '../../sandbox/clock-file.ts'

/** Minutes until the ledger believes the provider's lower figure: its lag and its TTL. What died unsent is free again then. */
const usageIsSureAfter = 20
const untilDry = process.argv.includes('dry')
const acksFirst = process.argv.includes('ack-first')
const config = loadConfig(process.env)
const clockFile = config.sandboxClockFile ?? ''
/** The ledger decides; the seconds between two calls are real and would only make the loop long. */
const noPace: Pace = { schedule: (_turn, work) => work(), close: async () => undefined }
const say = (line: string): void => void process.stdout.write(`${line}\n`)

async function loop(ending: AbortSignal): Promise<void> {
  const clock = openClockFile(clockFile)
  const log = createLog(config.logLevel, [])
  const signal = new AbortController().signal
  const source = sandboxSource(config, config.sandboxUrl ?? '')
  const collecting = await openCollecting({ config, clock, log, signal }, source)
  const sink = await openStore('sqlite', { config, source, clock })
  const broker = await collecting.broker()
  const stopStoring = new AbortController()
  const storing = runProcessing(
    { config, broker, sink, clock, log, onProblem: (_name, what) => what && say(what) },
    stopStoring.signal,
  )
  say('open')
  const ledger = acksFirst ? ackFirst(collecting.ledger) : collecting.ledger
  const ports = { ...collecting.ports, ledger, pace: noPace }
  const round = async (): Promise<boolean> => {
    await collecting.ledger.reap(clock.now())
    const tasks = collecting.routes.flatMap(route =>
      datasetsFor(route, config).flatMap(dataset => {
        const now = clock.now()
        const task = { route, dataset, config, signal }
        // What a scheduler does: the slots of the last two minutes once more, and the one that is due now.
        return [addMs(now, -2 * MINUTE), addMs(now, -MINUTE), now].map(period =>
          sweep(ports, { ...task, period }),
        )
      }),
    )
    return isDry(await Promise.all(tasks))
  }
  let dryRounds = 0
  for (let count = 0; !ending.aborted; count += 1) {
    const dry = await round()
    if (count === 0) say('turning')
    dryRounds = dry ? dryRounds + 1 : 0
    if (dryRounds > usageIsSureAfter && untilDry) break
    if (count % 5 === 0)
      for (const route of collecting.routes) await reconcileUsage(ports, route.poll, signal)
    moveClockFile(clockFile, { advanceMs: dry && !untilDry ? HOUR : MINUTE })
  }
  await collecting.ports.publish?.()
  await allStored(broker)
  stopStoring.abort()
  await storing
  await sink.close()
  await collecting.close()
}

/** The bug that a kill must bring to light: an answer is acknowledged and its commit comes a moment later. */
function ackFirst(ledger: Ledger): Ledger {
  const settle: Ledger['settle'] = async settlement => {
    setTimeout(() => void ledger.settle(settlement), 20)
    if (settlement.answer) announce('settled', settlement.answer.slot)
  }
  return new Proxy(ledger, {
    get(target, name) {
      if (name === 'settle') return settle
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

const isDry = (results: readonly SweepResult[]): boolean => {
  const paid = results.filter(r => r.provider === 'coinmarketcap').at(-1)
  return paid?.outcome === 'denied-by-quota' && /credits a (day|month)/.test(paid.reason)
}

/** Until the store's group has committed everything; the clock goes on, because batches close by its time. */
async function allStored(broker: Broker): Promise<void> {
  for (;;) {
    if (await isStored(broker)) return
    moveClockFile(clockFile, { advanceMs: 1_000 })
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

async function isStored(broker: Broker): Promise<boolean> {
  for (const topic of ['quotes' as const, ...marketTopics]) {
    const states = await broker.partitions(topics[topic].name)
    const committed = new Map((await broker.committed(groupOf(topic))).map(c => [c.partition, c.offset]))
    if (states.some(s => (committed.get(s.partition) ?? 0) < s.end)) return false
  }
  return true
}

const ending = new AbortController()
const lines = createInterface({ input: process.stdin })
lines.on('close', () => process.exit(3))
lines.on('line', line => {
  if (line === 'end') ending.abort()
  if (line !== 'go') return
  say('going')
  loop(ending.signal).then(
    () => {
      say('done')
      process.exit(0)
    },
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
      process.exit(1)
    },
  )
})
// What is loaded late otherwise; and a killed process leaves no compile cache behind.
await loadAxios()
flushCompileCache()
say('loaded')
