import { readFileSync } from 'node:fs'
import { CryptosError } from '../core/errors.ts'
import type { Clock } from '../core/ports/clock.ts'
import { type PriceSource, recordedSeries, seededWalk } from '../sandbox/prices.ts'
import { type Sandbox, startSandbox } from '../sandbox/server.ts'
import { type Config, nameOf } from './config/load.ts'

/** The prices that the settings ask for. @throws CryptosError CRY_CONFIG_INVALID when the file can not be read */
export function sandboxPrices(config: Config): PriceSource {
  if (config.sandboxPrices === undefined) return seededWalk(config.sandboxSeed)
  try {
    return recordedSeries(readFileSync(config.sandboxPrices, 'utf8'))
  } catch (cause) {
    if (cause instanceof CryptosError) throw cause
    const why = (cause as NodeJS.ErrnoException).code ?? 'unknown'
    throw new CryptosError(
      'CRY_CONFIG_INVALID',
      `${nameOf(config, 'sandboxPrices')}: ${config.sandboxPrices} can not be read (${why})`,
      { cause },
    )
  }
}

/** `up` shows prices for weeks; its judge needs no long memory. */
const keepServed = 2_000

/** The sandbox that runs already, if one is set, else one in this process. */
export async function startSandboxFor(context: {
  config: Config
  clock: Clock
}): Promise<Pick<Sandbox, 'url' | 'close'>> {
  const { config, clock } = context
  if (config.sandboxUrl !== undefined) return { url: config.sandboxUrl, close: async () => undefined }
  return await startSandbox({ port: config.sandboxPort, clock, prices: sandboxPrices(config), keepServed })
}
