import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { Credits, ProviderId } from '../core/brands.ts'
import { parseIso } from '../core/time.ts'
import { VirtualClock } from '../core/virtual-clock.ts'
import { openCollecting } from './collecting.ts'
import { loadConfig } from './config/load.ts'
import { createLog } from './log.ts'
import { sandboxSource } from './source.ts'
import { topics } from './stores.ts'

const folder = mkdtempSync(join(tmpdir(), 'cryptos-collecting-'))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

it('has one publisher for callers that come while the log is being opened: an answer is published once', async () => {
  const clock = new VirtualClock(parseIso('2026-11-21T12:00:00Z'))
  const config = loadConfig({ CRYPTOS_DATA_DIR: folder, CRYPTOS_SOURCE: 'sandbox' })
  const context = { config, clock, log: createLog('silent', []), signal: new AbortController().signal }
  const collecting = await openCollecting(context, sandboxSource(config, 'http://127.0.0.1:9'), ['kraken'])
  const { ledger, ports } = collecting
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
      answerId: `${slot}#1`,
      provider: ProviderId('kraken'),
      dataset: 'quotes',
      slot,
      runId: 'run',
      receivedAt: now,
      httpStatus: 200,
      // No mapping understands it, so it becomes one dead letter for each time it is published.
      body: Buffer.from('{}'),
      context: '{}',
    },
  })
  await Promise.all([ports.publish?.(), ports.publish?.(), ports.publish?.()])
  const broker = await collecting.broker()
  const letters = await Array.fromAsync(broker.read(topics.deadLetters.name, { offset: 0 }))
  await collecting.close()
  expect(letters).toHaveLength(1)
})
