import { Decimal } from 'decimal.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Route } from '../../app/routes.ts'
import { coindesk } from '../../collectors/providers/coindesk/index.ts'
import { sourceOf } from '../../collectors/source.ts'
import type { EpochMicros } from '../../core/brands.ts'
import type { Consensus, FlagKind, Gap, Quote, Serving, SourceFlag } from '../../core/records.ts'
import { addMs, HOUR, MINUTE, parseIso, toIso } from '../../core/time.ts'
import { VirtualClock } from '../../core/virtual-clock.ts'
import type { MeterEntry } from '../../sandbox/meter.ts'
import { startSandbox } from '../../sandbox/server.ts'
import { type Ask, openJudged } from '../support/judged.ts'
import { storedQuotes, table } from '../support/judge.ts'
import { openRig, type Rig } from '../support/rig.ts'
import { scratch } from '../support/scratch.ts'

/** As it was in 2025, but for the day that the label was wrong alone. */
const end = {
  mislabelFrom: '2025-01-28T00:00:00Z',
  freezeFrom: '2025-01-28T06:00:00Z',
  goneFrom: '2025-02-12T00:00:00Z',
}
const [mislabelled, frozen, gone] = [end.mislabelFrom, end.freezeFrom, end.goneFrom].map(parseIso) as [
  EpochMicros,
  EpochMicros,
  EpochMicros,
]
const start = parseIso('2025-01-26T12:00:05Z')
/** As `up` does it, the first choice first. */
const order = ['coindesk', 'kraken', 'coinbase', 'mempool', 'coinpaprika']
const minutesOf = (from: EpochMicros, to: EpochMicros): number => (to - from) / 60_000_000

describe('the end of CoinDesk’s index: pounds that are dollars, one value for two weeks, then nothing', () => {
  const folder = scratch('coindesk-end')
  const clock = new VirtualClock(start)
  const story = { minutes: [] as EpochMicros[], spots: new Map<string, string>() }
  /** When somebody mends it after all. */
  let again = gone
  let told: readonly Quote[] = []
  const asked: MeterEntry[] = []
  let quotes: readonly Quote[] = []
  let flags: readonly SourceFlag[] = []
  let gaps: readonly Gap[] = []
  let consensus: readonly Consensus[] = []
  let serving: readonly Serving[] = []
  let differences: readonly unknown[] = []
  let flagsByApi: Record<string, unknown>[] = []

  beforeAll(async () => {
    let sandbox = await startSandbox({ clock, limits: { coindesk: { end } } })
    const { url, port } = sandbox
    const env = { CRYPTOS_PROVIDERS: order.join(), CRYPTOS_ASSETS: 'bitcoin' }
    const rig = await openRig({ dataDir: folder.file('data'), sandboxUrl: url, clock, env })
    const judged = await openJudged(rig, clock)
    const asks = await asksOf(rig, clock, url)
    const upTo = async (to: EpochMicros, stepMs: number): Promise<void> => {
      // In the long stretches one exchange fewer is enough to tell it.
      const some = asks.filter(({ route }) => stepMs < 14 * MINUTE || route.provider.id !== 'coinbase')
      while (clock.now() < to) story.minutes.push(await judged.turn(some, stepMs))
    }
    const spots = async (phase: string): Promise<void> => {
      for (const currency of ['USD', 'GBP']) {
        const { spot } = await judged.api('/api/v1/spot', { asset: 'btc', currency })
        const { provider, skipped } = spot[0]
        story.spots.set(`${phase} ${currency}`, `${provider} ${JSON.stringify(skipped)}`)
      }
    }
    await upTo(addMs(mislabelled, -30 * MINUTE), 12 * MINUTE)
    await upTo(mislabelled, MINUTE)
    await spots('good')
    await upTo(addMs(mislabelled, HOUR), MINUTE)
    await upTo(addMs(frozen, -10 * MINUTE), 10 * MINUTE)
    await upTo(frozen, MINUTE)
    await spots('mislabelled')
    await upTo(addMs(frozen, 2 * HOUR), 2 * MINUTE)
    await upTo(addMs(gone, -15 * MINUTE), 14 * MINUTE)
    await upTo(gone, MINUTE)
    await spots('frozen')
    await upTo(addMs(gone, 5 * MINUTE), MINUTE)
    await upTo(addMs(gone, 6 * HOUR), 14 * MINUTE)
    await upTo(addMs(clock.now(), 1), MINUTE)
    await spots('gone')
    asked.push(...sandbox.meter.entries())
    await sandbox.close()
    sandbox = await startSandbox({ clock, port })
    again = clock.now()
    await upTo(addMs(again, 30 * MINUTE), MINUTE)
    await spots('again')
    asked.push(...sandbox.meter.entries())
    flags = await judged.stored('source-flag')
    gaps = await judged.stored('gap')
    consensus = await judged.stored('consensus')
    serving = await judged.stored('serving')
    const query = { provider: 'coindesk', currency: 'GBP', from: toIso(mislabelled), to: toIso(frozen) }
    flagsByApi = (await judged.api('/api/v1/flags', { ...query, limit: '5000' })).flags
    quotes = await storedQuotes(rig.files.series)
    told = await judged.told()
    differences = (await rig.audit()).differences
    await judged.close()
    await rig.close()
    await sandbox.close()
  }, 900_000)
  afterAll(() => {
    folder[Symbol.dispose]()
    console.log(
      table(
        ['flag on coindesk', 'rows', 'first', 'minutes after the fault began'],
        raised().map(([name, rows, first, late]) => [name, rows, toIso(first), late]),
      ),
    )
  })

  const of = (currency: string, flag: FlagKind): readonly SourceFlag[] =>
    flags.filter(f => f.currency === currency && f.flag === flag)
  const raised = (): [string, number, EpochMicros, number][] =>
    ['USD', 'GBP'].flatMap(currency =>
      (['wrong-currency', 'frozen-value', 'silent-deprecation', 'outlier'] as const).flatMap(flag => {
        const [first] = of(currency, flag)
        if (!first) return []
        const began = flag === 'wrong-currency' ? mislabelled : frozen
        const late = Math.round(minutesOf(began, first.receivedAt))
        return [[`${currency} ${flag}`, of(currency, flag).length, first.receivedAt, late]] as never
      }),
    )
  const rowsOf = (currency: string): readonly Quote[] =>
    quotes.filter(q => q.provider === 'coindesk' && q.currency === currency)
  const spotAt = (currency: string, from: EpochMicros, to: EpochMicros): readonly Serving[] => {
    const turns = new Set(story.minutes)
    return serving.filter(s => s.currency === currency && s.at > from && s.at <= to && turns.has(s.at))
  }

  it('was really played: by what the index served', () => {
    const values = asked
      .filter(e => e.provider === 'coindesk' && e.result === 'served')
      .flatMap(e => e.values.map(v => ({ ...v, at: e.at })))
    // What was a price in pounds is now one in dollars, to the digit.
    const dollars = new Map(values.filter(v => v.currency === 'USD').map(v => [v.observedAt, v.price]))
    const pounds = rowsOf('GBP').filter(q => q.receivedAt < gone)
    const wrong = pounds.filter(q => q.price === dollars.get(q.observedAt)).map(q => q.observedAt)
    expect(wrong).toEqual(pounds.map(q => q.observedAt).filter(at => at >= mislabelled))
    const still = values.filter(v => v.at >= frozen && v.at < gone)
    expect(new Set(still.map(v => v.price)).size).toBe(1)
    expect(new Set(still.map(v => v.observedAt)).size).toBe(still.length / 2)
    expect(still.length).toBeGreaterThan(1_500)
    expect(asked.filter(e => e.provider === 'coindesk' && e.status === 503).length).toBeGreaterThan(50)
  })

  it('raises no flag before it begins, none on anybody else, and leaves the audit nothing to find', () => {
    expect(flags.filter(f => f.receivedAt < mislabelled)).toEqual([])
    expect(new Set(flags.map(f => f.provider))).toEqual(new Set(['coindesk']))
    expect(differences).toEqual([])
  })

  it('flags pounds that are dollars within minutes, and each row that follows', () => {
    const [first] = of('GBP', 'wrong-currency')
    expect(minutesOf(mislabelled, first!.receivedAt)).toBeLessThan(5)
    expect(first!.evidence).toMatch(/the price seems to be in USD|stands under another currency/)
    const rows = rowsOf('GBP').filter(q => q.receivedAt >= first!.receivedAt && q.receivedAt < gone)
    expect(of('GBP', 'wrong-currency').map(f => f.observedAt)).toEqual(rows.map(q => q.observedAt))
    expect(of('USD', 'wrong-currency')).toEqual([])
    const inTime = flagsByApi.filter(f => f['flag'] === 'wrong-currency')
    expect(inTime).toHaveLength(of('GBP', 'wrong-currency').filter(f => f.observedAt < frozen).length)
  })

  it.each(['USD', 'GBP'])(
    'flags the value in %s that stands still within hours, and for all the weeks',
    cur => {
      const [first] = of(cur, 'frozen-value')
      expect(first!.receivedAt).toBeGreaterThan(frozen)
      expect(minutesOf(frozen, first!.receivedAt)).toBeLessThan(240)
      const rows = rowsOf(cur).filter(q => q.receivedAt >= first!.receivedAt && q.receivedAt < gone)
      expect(of(cur, 'frozen-value').map(f => f.observedAt)).toEqual(rows.map(q => q.observedAt))
      expect(minutesOf(first!.observedAt, of(cur, 'frozen-value').at(-1)!.observedAt)).toBeGreaterThan(
        14 * 1_440,
      )
      const [deprecated] = of(cur, 'silent-deprecation')
      expect(minutesOf(frozen, deprecated!.receivedAt)).toBeLessThan(360)
    },
  )

  it('leaves a gap with the reason for each price that did not come', () => {
    const tries = asked.filter(e => e.provider === 'coindesk' && e.status === 503)
    expect(gaps).toHaveLength(tries.length)
    for (const gap of gaps)
      expect(gap).toMatchObject({
        ...{ provider: 'coindesk', asset: 'bitcoin', state: 'provider-down' },
        reason: 'provider-error: CoinDesk BPI (HTTP 503): Service Unavailable',
      })
    expect(rowsOf('USD').filter(q => q.receivedAt >= gone && q.receivedAt < again)).toEqual([])
  })

  it('is never in the consensus while it is doubted, which is the median of the others', () => {
    const turns = new Set(story.minutes)
    let excluded = 0
    for (const c of consensus.filter(c => turns.has(c.at))) {
      const own = c.sources.find(s => s.provider === 'coindesk')!
      const doubt = c.currency === 'GBP' ? 'wrong-currency' : 'frozen-value'
      const [since] = of(c.currency, doubt)
      const isDoubted = c.at > since!.receivedAt && c.at <= again
      if (isDoubted) excluded += 1
      if (isDoubted) expect(own.excluded, toIso(c.at)).toContain(doubt)
      else if (c.at <= since!.receivedAt) expect(own.excluded, toIso(c.at)).toBeNull()
      const counted = c.sources.filter(s => s.excluded === null).map(s => s.provider)
      expect(new Decimal(c.price).equals(medianOf(newestOf(told, c, counted))), toIso(c.at)).toBe(true)
      expect(counted.length, toIso(c.at)).toBeGreaterThanOrEqual(2)
    }
    expect(excluded).toBeGreaterThan(3_000)
    expect(consensus.filter(c => turns.has(c.at))).toHaveLength(2 * story.minutes.length)
  })

  it('hands the spot price to the next source, says why, and takes it back when the index is well', () => {
    const frozenAt = of('USD', 'frozen-value')[0]!.receivedAt
    const mislabelledAt = of('GBP', 'wrong-currency')[0]!.receivedAt
    for (const s of [...spotAt('USD', start, frozenAt), ...spotAt('GBP', start, mislabelledAt)])
      expect([s.provider, s.skipped], toIso(s.at)).toEqual(['coindesk', []])
    for (const s of spotAt('USD', frozenAt, again)) {
      expect(s.provider, toIso(s.at)).toBe('kraken')
      expect(s.skipped.map(k => k.provider)).toEqual(['coindesk'])
      expect(s.skipped[0]!.why).toMatch(
        /^insane: frozen-value since 2025-01-28|^dead: \d+ calls in vain since 2025-02-12/,
      )
    }
    for (const s of spotAt('GBP', mislabelledAt, again)) {
      expect(s.provider, toIso(s.at)).toBe('mempool')
      // Kraken and Coinbase have no pounds: their silence is no news.
      expect(s.skipped.map(k => k.provider)).toEqual(['coindesk'])
      expect(s.skipped[0]!.why).toMatch(/^insane: wrong-currency since 2025-01-28|^dead: \d+ calls in vain/)
    }
    for (const currency of ['USD', 'GBP']) {
      const back = spotAt(currency, again, addMs(again, HOUR))
      const first = back.find(s => s.provider === 'coindesk')!
      expect(minutesOf(again, first.at)).toBeLessThan(10)
      expect(back.filter(s => s.at >= first.at).map(s => s.provider)).not.toContain('kraken')
    }
    expect(Object.fromEntries(story.spots)).toEqual({
      'good USD': 'coindesk []',
      'good GBP': 'coindesk []',
      'mislabelled USD': 'coindesk []',
      'mislabelled GBP': expect.stringMatching(/^mempool .*insane: wrong-currency since/),
      'frozen USD': expect.stringMatching(/^kraken .*insane: frozen-value since .*silent-deprecation since/),
      'frozen GBP': expect.stringMatching(/^mempool .*insane: .*wrong-currency since/),
      'gone USD': expect.stringMatching(/^kraken .*dead: \d+ calls in vain since .*Service Unavailable/),
      'gone GBP': expect.stringMatching(/^mempool .*dead: \d+ calls in vain since/),
      'again USD': 'coindesk []',
      'again GBP': 'coindesk []',
    })
  })
})

/** The index without a key, as it was, in dollars and in pounds, beside the others in what they have. */
async function asksOf(rig: Rig, clock: VirtualClock, url: string): Promise<readonly Ask[]> {
  const keyless = { sandboxBaseUrl: `${url}/coindesk`, origin: 'sandbox' as const }
  const { source, spec } = sourceOf(coindesk, keyless)
  await rig.collecting.ledger.openScope(spec, clock.now())
  const index: Route = { provider: coindesk, poll: source, scope: spec }
  const others = rig.collecting.routes.filter(r => r.provider.id !== 'coindesk')
  const inPounds = [index, ...others.filter(r => r.provider.currencies?.includes('GBP'))]
  return [
    ...[index, ...others].map(route => ({ route })),
    ...inPounds.map(route => ({ route, currency: 'GBP' })),
  ]
}

/** What each of the providers had told last when the consensus was worked out: from the topic, not from the judge's memory. */
function newestOf(told: readonly Quote[], c: Consensus, providers: readonly string[]): readonly Decimal[] {
  return providers.map(provider => {
    const newest = told.findLast(
      q => q.receivedAt <= c.receivedAt && q.provider === provider && q.currency === c.currency,
    )
    if (!newest) throw new Error(`${provider} had nothing at ${toIso(c.at)}`)
    return new Decimal(newest.price)
  })
}

function medianOf(prices: readonly Decimal[]): Decimal {
  const sorted = prices.toSorted((a, b) => a.comparedTo(b))
  const [low, high] = [sorted[(sorted.length - 1) >> 1]!, sorted[sorted.length >> 1]!]
  return low.plus(high).dividedBy(2)
}
