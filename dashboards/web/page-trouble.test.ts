import { describe, expect, it } from 'vitest'
import { ProviderId } from '../../core/brands.ts'
import type { Outcome } from '../../core/outcomes.ts'
import { run } from './fakes.contract.ts'
import { viewRuns } from './views.ts'

/** The page's own modules that need no browser. They are plain JavaScript: imported by address. */
const part = (name: string) => import(new URL(`./public/${name}`, import.meta.url).href)
const { troubleOf } = await part('trouble.js')
const { idOf } = await part('model.js')

type Ran = readonly [provider: string, outcome: Outcome, reason?: string]
const told = (ran: readonly Ran[], isSimulated = false): string | undefined => {
  const runs = ran.map(([provider, outcome, reason = '']) =>
    run({ provider: ProviderId(provider), outcome, reason }),
  )
  return troubleOf(viewRuns(runs).runs, isSimulated)
}
const deaf = (provider: string): Ran => [
  provider,
  'transport-error',
  `no whole answer from api.${provider}.com (ENOTFOUND)`,
]

describe('what is wrong when no source answers', () => {
  it('is told in one sentence, with the network to look at and a way to see prices without it', () => {
    expect(told([deaf('kraken'), deaf('coinbase')])).toBe(
      'No source answers (coinbase, kraken: ENOTFOUND): check the network of this machine, or start “cryptos up --source sandbox” for simulated prices.',
    )
  })

  it('names few, counts the others, and keeps causes apart', () => {
    const all = ['kraken', 'coinbase', 'mempool', 'bitstamp'].map(deaf)
    expect(told([['coinmarketcap', 'unauthorized', 'the key is wrong'], ...all], true)).toBe(
      'No source answers (coinmarketcap: unauthorized; bitstamp, coinbase and 2 more: ENOTFOUND): check the network of this machine.',
    )
    expect(told([['coinmarketcap', 'unauthorized']], true)).toBe(
      'No source answers (coinmarketcap: unauthorized): the last runs, further down, say why.',
    )
    expect(told([['kraken', 'transport-error', 'no whole answer within 20 s']])).toContain(
      '(kraken: no whole answer)',
    )
  })

  it('is nothing while one source works, or none was asked', () => {
    expect(told([])).toBeUndefined()
    expect(told([deaf('kraken'), ['coinbase', 'collected']])).toBeUndefined()
    expect(told([deaf('kraken'), ['coinbase', 'partial']])).toBeUndefined()
    expect(told([['kraken', 'denied-by-quota']])).toBeUndefined()
  })

  it('goes by the newest call of each: a pause after it is no answer, an older answer is past', () => {
    const pause: Ran = ['kraken', 'backing-off', 'the last try failed']
    expect(told([pause, deaf('kraken'), ['kraken', 'collected']])).toContain('(kraken: ENOTFOUND)')
    expect(told([pause, ['kraken', 'collected'], deaf('kraken')])).toBeUndefined()
    expect(told([pause])).toBeUndefined()
    expect(
      told([['kraken', 'unpublished', 'the answer waits in the outbox'], deaf('coinbase')]),
    ).not.toContain('kraken')
  })
})

describe('the id of an asset', () => {
  it('is told where only the list of a provider knows it', () => {
    expect(idOf({ asset: 'coinmarketcap:91001', symbol: 'BTC', name: 'BTC' })).toBe('coinmarketcap:91001')
    expect(idOf({ asset: 'coinmarketcap:91001', symbol: 'BTC', name: 'Sandbox Bitcoin' })).toBe('')
    expect(idOf({ asset: 'xrp', symbol: 'XRP', name: 'XRP' })).toBe('')
  })
})
