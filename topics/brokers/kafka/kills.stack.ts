import { describe, it } from 'vitest'
import { surviveKills } from './kills.contract.ts'

/** The hundreds are in the soak project. */
const kills = Number(process.env['CRYPTOS_BROKER_KILLS'] ?? 10)

describe('producing to three brokers', () => {
  it(`loses nothing that was acknowledged over ${kills} kills`, { timeout: 1_800_000 }, () =>
    surviveKills(kills),
  )
})
