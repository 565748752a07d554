import { describe, it } from 'vitest'
import { surviveKills } from './kills.contract.ts'

const kills = Number(process.env['CRYPTOS_KILLS'] ?? 200)

describe('producing to three brokers', () => {
  it(`loses nothing that was acknowledged over ${kills} kills`, { timeout: kills * 120_000 }, () =>
    surviveKills(kills),
  )
})
