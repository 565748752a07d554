import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { Credits, ProviderId } from '../core/brands.ts'
import { CryptosError } from '../core/errors.ts'
import type { Broker } from '../core/ports/broker.ts'
import { SECOND, parseIso } from '../core/time.ts'
import { VirtualClock } from '../core/virtual-clock.ts'
import { type Collecting, openCollecting } from './collecting.ts'
import { loadConfig } from './config/load.ts'
import { createLog } from './log.ts'
import { Publishing } from './publishing.ts'
import { sandboxSource } from './source.ts'
import { topics } from './stores.ts'

const folder = mkdtempSync(join(tmpdir(), 'cryptos-publishing-'))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const log = createLog('silent', [])

/** An installation with one answer in its outbox, which no mapping understands: each time it is published it becomes a dead letter. */
async function withAnswer(clock: VirtualClock): Promise<Collecting> {
  const config = loadConfig({ CRYPTOS_DATA_DIR: folder, CRYPTOS_SOURCE: 'sandbox' })
  const context = { config, clock, log, signal: new AbortController().signal }
  const collecting = await openCollecting(context, sandboxSource(config, 'http://127.0.0.1:9'), ['kraken'])
  const { ledger } = collecting
  const scope = collecting.routes[0]!.scope.scope
  const slot = 'kraken/quotes/2026-11-21T12:00:00.000Z/0'
  const now = clock.now()
  await ledger.reserve({ scope, reservationId: 'r', costMax: Credits(0), slot, now })
  await ledger.settle({
    scope,
    reservationId: 'r',
    charge: { kind: 'known', credits: Credits(0) },
    providerDate: null,
    now,
    why: 'answered',
    answer: {
      ...{ answerId: `${slot}#1`, provider: ProviderId('kraken'), dataset: 'quotes', slot, runId: 'run' },
      ...{ receivedAt: now, httpStatus: 200, body: Buffer.from('{}'), context: '{}' },
    },
  })
  return collecting
}

const openClock = (): VirtualClock => new VirtualClock(parseIso('2026-11-21T12:00:00Z'))

it('has one publisher for callers that come while the log is being opened: an answer is published once', async () => {
  const collecting = await withAnswer(openClock())
  const { ports } = collecting
  await Promise.all([ports.publish?.(), ports.publish?.(), ports.publish?.()])
  const broker = await collecting.broker()
  const letters = await Array.fromAsync(broker.read(topics.deadLetters.name, { offset: 0 }))
  await collecting.close()
  expect(letters).toHaveLength(1)
})

it('leaves a server that does not answer when it is told to end, and gives the lease back before its ledger is closed', async () => {
  const clock = openClock()
  const collecting = await withAnswer(clock)
  const { outbox } = collecting.ledger
  const silent = Promise.withResolvers<never>()
  const asked = Promise.withResolvers<void>()
  const broker = {
    produce: () => {
      asked.resolve()
      return silent.promise
    },
    close: async () => silent.reject(new CryptosError('CRY_SERVER_UNREACHABLE', 'closed')),
  } as unknown as Broker
  const ending = new AbortController()
  const publishing = new Publishing({
    ...{ ledger: collecting.ledger, broker: async () => broker, clock, log },
    ...{ signal: ending.signal, isServer: true },
  })
  const told = publishing.publish().catch((error: unknown) => error)
  await asked.promise
  ending.abort()
  expect(await told).toBe(ending.signal.reason)
  expect(await outbox.acquireLease('another', clock.now(), SECOND)).toBe(false)
  await broker.close()
  await publishing.settled()
  expect(await outbox.acquireLease('another', clock.now(), SECOND)).toBe(true)
  expect((await outbox.stats()).pending).toBe(1)
  await collecting.close()
})
