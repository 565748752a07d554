import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../app/config/load.ts'
import type { StoreName } from '../../app/config/parts.ts'
import { openStoreReader } from '../../app/open-store.ts'
import { sandboxSource } from '../../app/source.ts'
import { EpochMicros } from '../../core/brands.ts'
import type { Quote } from '../../core/records.ts'
import { addMs, MINUTE, SECOND, toIso } from '../../core/time.ts'
import { systemClock } from '../../host/clock.ts'
import { createClockFile, moveClockFile, openClockFile } from '../../sandbox/clock-file.ts'
import { startSandbox } from '../../sandbox/server.ts'
import { type Env, runCryptos, startCryptos } from '../support/program.ts'
import { scratch } from '../support/scratch.ts'
import { yesterdayNoon } from '../support/yesterday.ts'
import { uniqueName } from './servers.ts'
import { expectAllStored } from './support/all-stored.ts'
import { end, fullEnv, hashOf, servedStores } from './support/world.ts'

const start = addMs(yesterdayNoon, 5 * SECOND)
const providers = ['coinmarketcap', 'kraken', 'coinpaprika'] as const
const minutes = 4

/** A hash of what came of the same minutes, by store: everything but the random names of runs. */
interface Story {
  readonly hashes: Readonly<Record<string, string>>
  readonly rows: number
  readonly credits: number
  readonly audit: Readonly<Record<string, unknown>>
  /** What a scheduler runs beside the collectors, with its exit code. */
  readonly keeping: readonly string[]
}

const always = { from: EpochMicros(0), to: EpochMicros(9e15) }

async function rowsOf(store: StoreName, env: Env): Promise<readonly Quote[]> {
  const config = loadConfig(env)
  const reader = await openStoreReader(store, {
    ...{ config, source: sandboxSource(config, ''), clock: systemClock },
  })
  try {
    return await Array.fromAsync(reader.rows(always))
  } finally {
    await reader.close()
  }
}

/** The same minutes of the same simulated providers, by the program's own commands. */
async function tell(stores: readonly StoreName[], settings: (folder: string) => Env): Promise<Story> {
  using folder = scratch('story')
  const clockFile = folder.file('clock')
  createClockFile(clockFile, start)
  await using sandbox = Object.assign(await startSandbox({ clock: openClockFile(clockFile) }), {
    async [Symbol.asyncDispose]() {
      await sandbox.close()
    },
  })
  const env = {
    ...settings(folder.file('data')),
    ...{ CRYPTOS_SOURCE: 'sandbox', CRYPTOS_SANDBOX_URL: sandbox.url, CRYPTOS_SANDBOX_CLOCK_FILE: clockFile },
  }
  let credits = 0
  for (let minute = 0; minute < minutes; minute += 1) {
    for (const provider of providers) {
      const slot = toIso(addMs(start, minute * MINUTE))
      const { code, json, stderr } = await runCryptos(['collect', provider, '--slot', slot], env)
      expect([0, 99], `${provider} ${slot}: ${JSON.stringify(json)} ${stderr}`).toContain(code)
      credits += Number(json['credits'] ?? 0)
    }
    moveClockFile(clockFile, { advanceMs: MINUTE })
  }
  const { CRYPTOS_SANDBOX_CLOCK_FILE: _, ...realTime } = env
  const storing = startCryptos(['process', '--no-judge'], realTime)
  const audit = await expectAllStored(env, storing)
  expect((await end(storing)).code).toBe(0)
  const keeping = await keepHouse(env)
  const found = await Promise.all(stores.map(async store => [store, await rowsOf(store, env)] as const))
  const hashes = Object.fromEntries(found.map(([store, rows]) => [store, hashOf(rows, ['runId'])]))
  return { hashes, rows: found[0]?.[1].length ?? 0, credits, audit, keeping }
}

async function keepHouse(env: Env): Promise<readonly string[]> {
  const commands = ['housekeeping', 'dlq report --since 1h', 'freshness kraken', 'freshness coinbase']
  const ended: string[] = []
  for (const command of commands) {
    const { code, json } = await runCryptos(command.split(' '), env)
    ended.push(`${command}: ${code}${JSON.stringify(json['failed'] ?? json['stale'] ?? '')}`)
  }
  return ended
}

describe('one story, two profiles', () => {
  it('ends in identical rows, by hash, and costs the same', async () => {
    const embedded = await tell(['sqlite'], folder => ({ CRYPTOS_DATA_DIR: folder }))
    const full = await tell(servedStores, folder => fullEnv(uniqueName('story'), folder))
    console.log(
      `${embedded.rows} rows of ${minutes} minutes of ${providers.join(', ')} for ${embedded.credits} credits: ${JSON.stringify({ ...embedded.hashes, ...full.hashes })}`,
    )
    expect(embedded.rows).toBeGreaterThan(40)
    expect(full.rows).toBe(embedded.rows)
    expect(full.credits).toBe(embedded.credits)
    expect(full.hashes).toEqual({
      cassandra: embedded.hashes['sqlite'],
      influxdb: embedded.hashes['sqlite'],
    })
    expect(full.audit['rows']).toEqual(embedded.audit['rows'])
    expect(full.keeping).toEqual(embedded.keeping)
    expect(full.keeping).toEqual([
      'housekeeping: 0""',
      'dlq report --since 1h: 0""',
      'freshness kraken: 0[]',
      'freshness coinbase: 1["coinbase/quotes"]',
    ])
  })
})
