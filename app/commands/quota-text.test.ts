import { describe, expect, it } from 'vitest'
import { ProviderId } from '../../core/brands.ts'
import type { ScopeStatus, WindowStatus } from '../../core/ports/ledger.ts'
import type { QuotaEvent } from '../../core/records.ts'
import { addMs, HOUR, parseIso } from '../../core/time.ts'
import { eventText, scopeText } from './quota-text.ts'

const now = parseIso('2026-11-21T12:00:00Z')
const event = (more: Partial<QuotaEvent>): QuotaEvent => ({
  ...{ kind: 'quota-event', ledger: '7aaaf099-79ef-4858-9d92-49fafacae499', sequence: 7, scope: 'key:1' },
  ...{ provider: ProviderId('coinmarketcap'), at: now, what: 'settled', why: 'answered', credits: 1 },
  ...{ window: 'month', limit: 15_000, used: 1, reserved: 0, resetsAt: addMs(now, HOUR) },
  ...more,
})

describe('an event for people', () => {
  it('tells credits, slot and reason', () => {
    expect(eventText(event({ slot: 'coinmarketcap/quotes/2026-11-21T12:00:00.000Z/0' }))).toBe(
      '2026-11-21T12:00:00.000Z #7 coinmarketcap settled 1 credit for coinmarketcap/quotes/2026-11-21T12:00:00.000Z/0: answered',
    )
    expect(eventText(event({ credits: 0 }))).toContain('settled 0 credits: answered')
  })
  it('leaves out the id of a reservation', () => {
    const why = '0d9c6c1a-3a2b-4d5e-8f90-123456789abc'
    expect(eventText(event({ what: 'reserved', why, credits: 2, slot: 's' }))).toBe(
      '2026-11-21T12:00:00.000Z #7 coinmarketcap reserved 2 credits for s',
    )
  })
  it('counts no credits where none were spent', () => {
    expect(eventText(event({ what: 'frozen', why: 'bill not paid', credits: 0 }))).toMatch(
      /coinmarketcap frozen: bill not paid$/,
    )
    expect(eventText(event({ what: 'opened', why: 'plan keyless', credits: 0 }))).toMatch(
      /opened: without a key$/,
    )
  })
})

describe('a scope for people', () => {
  const window = (name: WindowStatus['window'], limit: number | null): WindowStatus => ({
    ...{ window: name, limit, used: 1, reserved: 0, left: limit === null ? null : limit - 1 },
    resetsAt: addMs(now, HOUR),
  })
  const scope = (plan: string, ...windows: WindowStatus[]): ScopeStatus => ({
    ...{ scope: 'ip:h', provider: ProviderId('kraken'), plan, frozen: null, windows },
    ...{ runsOutAt: null, lastReconciledAt: null, drift: null, jump: false, usageTriedAt: null },
    ...{ pausedUntil: null, pausedWhy: null },
  })
  it('lasts until the reset only where credits are counted', () => {
    expect(scopeText(scope('x', window('minute', 60), window('month', 100)))).toContain(
      'lasts until the reset',
    )
    expect(scopeText(scope('keyless', window('minute', 60), window('month', null)))).not.toContain('lasts')
  })
  it("tells a pause with the provider's word", () => {
    const pausedWhy = 'no call before 2026-11-21T14:00:00.000Z: HTTP 418: banned'
    const paused = { ...scope('keyless'), pausedUntil: addMs(now, 2 * HOUR), pausedWhy }
    expect(scopeText(paused)).toBe(`kraken ip:h (without a key) PAUSED: ${pausedWhy}`)
  })
  it('names the plan plainly', () => {
    expect(scopeText(scope('keyless'))).toBe('kraken ip:h (without a key)')
    expect(scopeText(scope('basic-2026'))).toBe('kraken ip:h (plan basic-2026)')
    expect(scopeText(scope('15000 credits a month'))).toBe('kraken ip:h (plan of 15,000 credits a month)')
  })
})
