import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { addMs, DAY, toIso } from '../../core/time.ts'
import { systemClock } from '../../host/clock.ts'
import { cryptos, lastJson } from '../support/program.ts'
import { useSandbox } from '../support/simulated.ts'

const { place, env } = useSandbox('providers')

const dayAgo = (days: number): string => toIso(addMs(systemClock.now(), -days * DAY)).slice(0, 10)

type Views = { providers: { provider: string; isOn: boolean; why: string | null; offSince: string | null }[] }

describe('a source that is closed to the public', () => {
  it.each([
    ['coindesk', '2025-02-12', 'Kraken'],
    ['bitcoinaverage', '2020-01-13', 'Kraken'],
  ])(
    '%s is skipped with live data, with the date and what to use instead, and nobody is called',
    async (name, since, instead) => {
      const said = await cryptos(['collect', name, '--source', 'live', '--json'], {
        CRYPTOS_DATA_DIR: place.file(name),
      })
      const { outcome, reason } = lastJson(said)
      expect([said.code, outcome]).toEqual([99, 'source-disabled'])
      expect(reason).toContain(`off since ${since}`)
      expect(reason).toContain(instead)
      const listed = await cryptos(['providers', '--source', 'live', '--json'], {
        CRYPTOS_DATA_DIR: place.file(name),
      })
      const view = (lastJson(listed) as unknown as Views).providers.find(p => p.provider === name)
      expect(view).toMatchObject({ isOn: false, offSince: since, why: reason })
    },
  )

  it.each(['coindesk', 'bitcoinaverage'])('%s is collected from the sandbox', async name => {
    const said = await cryptos(['collect', name, '--now', '--json'], env(`${name}-sandbox`))
    expect([said.code, lastJson(said)['outcome']]).toEqual([0, 'collected'])
    const listed = lastJson(
      await cryptos(['providers', '--json'], env(`${name}-sandbox`)),
    ) as unknown as Views
    expect(listed.providers.find(p => p.provider === name)).toMatchObject({ isOn: true, why: null })
  })

  it('is asked by whoever says that he has access, and then needs what it needs', async () => {
    const said = await cryptos(['collect', 'bitcoinaverage', '--source', 'live', '--json'], {
      CRYPTOS_DATA_DIR: place.file('mine'),
      CRYPTOS_RETIRED_PROVIDERS: 'bitcoinaverage',
    })
    expect([said.code, lastJson(said)['reason']]).toEqual([
      2,
      'BitcoinAverage needs a key: set BITCOINAVERAGE_API_KEY',
    ])
  })
})

describe('plans of keys', () => {
  it('are named by provider, and a typing error is refused with what there is', async () => {
    const keyed = env('plans', { COINMARKETCAP_API_KEY: 'k'.repeat(32) })
    const said = await cryptos(['collect', 'coinmarketcap', '--json'], {
      ...keyed,
      CRYPTOS_PLANS: 'coinmarketcap=basic-2027',
    })
    expect(said.code).toBe(2)
    expect(lastJson(said)['reason']).toMatch(/no plan basic-2027.*basic-2026/)
  })
})

describe('the asset table', () => {
  it('shows every namesake, and adds none by guessing', async () => {
    const found = await cryptos(
      ['assets', 'find', 'btc', '--provider', 'coinmarketcap', '--json'],
      env('assets'),
    )
    const { candidates } = lastJson(found) as { candidates: { sourceId: string; knownAs: string | null }[] }
    expect(candidates).toHaveLength(13)
    expect(candidates[0]).toMatchObject({ sourceId: '1', knownAs: 'bitcoin' })
    const added = await cryptos(['assets', 'add', 'my-btc', '--symbol', 'BTC', '--json'], env('assets'))
    expect(added.code).toBe(2)
    expect(lastJson(added)['reason']).toMatch(/are called BTC .* choose with --id/)
  })

  it('takes an id that the provider lists, collects it, and refuses one that it does not', async () => {
    const of = env('assets', { CRYPTOS_PROVIDERS: 'coinmarketcap' })
    const listed = lastJson(await cryptos(['assets', 'find', '--top', '20', '--json'], of)) as {
      candidates: { sourceId: string; symbol: string; rank: number }[]
    }
    const fresh = listed.candidates[0]!
    expect(fresh.rank).toBeLessThanOrEqual(20)
    const add = (id: string) =>
      cryptos(
        ['assets', 'add', 'fresh', '--symbol', fresh.symbol, '--id', `coinmarketcap=${id}`, '--json'],
        of,
      )
    const wrong = await add('999999')
    expect([wrong.code, lastJson(wrong)['reason']]).toEqual([
      2,
      expect.stringContaining('does not list 999999'),
    ])
    expect((await add(fresh.sourceId)).code).toBe(0)
    expect(JSON.parse(readFileSync(place.file('assets/assets.json'), 'utf8'))).toMatchObject({
      assets: [{ id: 'fresh', ids: { coinmarketcap: fresh.sourceId } }],
    })
    const swept = await cryptos(
      ['collect', 'coinmarketcap', '--now', '--assets', 'fresh,bitcoin', '--json'],
      of,
    )
    expect(lastJson(swept)).toMatchObject({ outcome: 'collected', records: 2 })
    const top = { ...of, CRYPTOS_TOP_ASSETS: '20' }
    await cryptos(['collect', 'coinmarketcap', '--dataset', 'listings', '--now'], top)
    const tail = await cryptos(['topics', 'tail', 'market.quotes.v1', '--json'], of)
    expect(tail.stdout).toContain('coinmarketcap|fresh|USD')
    expect(tail.stdout).not.toContain(`coinmarketcap:${fresh.sourceId}`)
  })

  it('gives an id one name, and asks no real provider for an id of the sandbox', async () => {
    const of = env('names', { CRYPTOS_PROVIDERS: 'coinmarketcap' })
    const again = await cryptos(['assets', 'add', 'litecoin2', '--symbol', 'LTC', '--json'], of)
    expect([again.code, lastJson(again)['reason']]).toEqual([
      2,
      '2 is litecoin at CoinMarketCap already: collect it under that name',
    ])
    const add = ['assets', 'add', 'made-up', '--symbol', 'SDUST', '--id', 'coinmarketcap=90001']
    expect((await cryptos(add, of)).stdout).toContain('its ids are made up')
    const live = ['collect', 'coinmarketcap', '--source', 'live', '--assets', 'bitcoin,made-up', '--dry-run']
    const dry = await cryptos(live, of)
    expect(dry.stdout).toContain('id=1&')
    expect(dry.stdout).not.toContain('90001')
  })

  it('is checked against the lists', async () => {
    const said = await cryptos(
      ['assets', 'check', '--json'],
      env('check', { CRYPTOS_PROVIDERS: 'coinmarketcap,coinpaprika' }),
    )
    expect(lastJson(said)).toMatchObject({ checked: ['coinmarketcap', 'coinpaprika'], faults: [] })
    expect(said.code).toBe(0)
  })
})

describe('datasets', () => {
  it('are collected by name, and a history only by backfill', async () => {
    const said = await cryptos(
      ['collect', 'coinpaprika', '--dataset', 'global', '--now', '--json'],
      env('datasets'),
    )
    expect(lastJson(said)).toMatchObject({ outcome: 'collected', dataset: 'global' })
    const refused = await cryptos(
      ['collect', 'coinpaprika', '--dataset', 'history', '--json'],
      env('datasets'),
    )
    expect([refused.code, lastJson(refused)['reason']]).toEqual([
      2,
      expect.stringContaining('cryptos backfill'),
    ])
  })

  it('of past prices cost what was told before', async () => {
    // It keeps a year.
    const range = ['--from', dayAgo(62), '--to', dayAgo(31)]
    const ask = ['backfill', 'coinpaprika', ...range, '--assets', 'btc,eth', '--json']
    const told = lastJson(await cryptos([...ask, '--dry-run'], env('history')))
    expect(told).toMatchObject({ calls: 2, credits: 2, isEnough: true })
    expect(lastJson(await cryptos(ask, env('history')))).toMatchObject({
      outcome: 'collected',
      credits: 2,
      records: 62,
    })
    const again = await cryptos(ask, env('history'))
    expect([again.code, lastJson(again)['outcome'], lastJson(again)['credits']]).toEqual([
      99,
      'already-done',
      0,
    ])
  })

  it.each([
    [['--from', '2026-02-01', '--to', '2026-01-01'], /is not before --to/],
    [['--from', 'yesterday'], /"yesterday" is not a day such as/],
    [['--from', '2026-01-01', '--to', '2035-01-01'], /only days that are over/],
    [['--from', '2010-01-01'], /goes back to .* only/],
  ])('of past prices refuse %j with one sentence', async (range, sentence) => {
    const said = await cryptos(['backfill', 'coinpaprika', ...range, '--json'], env('history'))
    expect([said.code, lastJson(said)['reason']]).toEqual([2, expect.stringMatching(sentence)])
  })
})
