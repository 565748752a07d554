import { expect } from 'vitest'
import type { EpochMicros } from '../../core/brands.ts'
import type { Outcome } from '../../core/outcomes.ts'
import { HOUR } from '../../core/time.ts'
import type { FaultSpec } from '../../sandbox/faults.ts'
import { sandboxKey } from '../../sandbox/server.ts'
import { isBilled, type PageResult } from '../poll-types.ts'
import { keptValues, openTwinRun, servedValues, type TwinCase, type TwinRun } from './test-twin.ts'

/** A fault and how the page that it met may end; a garbled 200 may be told in three ways, by how good answers of the provider look. */
export interface FaultCase {
  readonly fault: FaultSpec
  readonly ends: readonly Outcome[]
}
const unreadable: readonly Outcome[] = ['transport-error', 'provider-error', 'payload-invalid']
export const faultCases: readonly FaultCase[] = [
  { fault: { kind: 'rate-limited' }, ends: ['rate-limited'] },
  { fault: { kind: 'rate-limited', retryAfterSeconds: 7_300 }, ends: ['rate-limited'] },
  { fault: { kind: 'server-error', charged: false }, ends: ['provider-error'] },
  { fault: { kind: 'server-error', charged: true, status: 503 }, ends: ['provider-error'] },
  { fault: { kind: 'html' }, ends: unreadable },
  { fault: { kind: 'html', charged: true }, ends: unreadable },
  { fault: { kind: 'cut-body' }, ends: ['transport-error'] },
  { fault: { kind: 'cut-body', bytes: 0 }, ends: ['transport-error'] },
  { fault: { kind: 'lost-answer' }, ends: ['transport-error'] },
  { fault: { kind: 'replace-body', body: '{"weather":"fine"}' }, ends: unreadable },
  { fault: { kind: 'replace-body', body: '' }, ends: unreadable },
  { fault: { kind: 'replace-body', body: 'error code: 1015', status: 429 }, ends: ['rate-limited'] },
  {
    fault: { kind: 'replace-body', body: '<html>', status: 403 },
    ends: ['unauthorized', 'rate-limited', 'provider-error'],
  },
  { fault: { kind: 'replace-body', body: 'bad gateway', status: 502 }, ends: ['provider-error'] },
]

const sorted = (texts: readonly string[]): string[] => texts.toSorted((a, b) => (a < b ? -1 : 1))
const sumOf = (results: readonly PageResult[]): number => results.reduce((sum, r) => sum + r.credits, 0)

/** Many sweeps at the dataset's own pace: every price as it was served, every call and credit counted, no limit passed. */
export async function keepsAll(kase: TwinCase, sweeps: number): Promise<void> {
  await using run = await openTwinRun(kase)
  const { meter } = run.sandbox
  for (let n = 0; n < sweeps; n += 1) {
    const pages = await run.sweep()
    expect(pages.filter(p => p.outcome !== 'collected' && p.outcome !== 'partial')).toEqual([])
  }
  const { violations, violationList, counts } = meter.summary()
  expect([violations, violationList]).toEqual([0, []])
  const served = servedValues(kase, run)
  expect(served.length).toBeGreaterThan(0)
  expect(sorted(await keptValues(kase, run))).toEqual(sorted(served))
  expect(counts['requests']).toBe(run.results.length + run.usageCalls())
  if (isBilled(run.source)) expect(sumOf(run.results)).toBe(counts['credits'])
  expect(new Set(meter.entries().map(e => e.keyIn))).toEqual(
    new Set([kase.key === undefined ? 'none' : 'header']),
  )
  expectNowhere(await run.everythingKept(), kase.key)
}

/** One fault: it hit, the page ends as it should, and later the source answers again. */
export async function endsWell(kase: TwinCase, { fault, ends }: FaultCase): Promise<void> {
  await using run = await openTwinRun(kase)
  const { faults: control, meter } = run.sandbox
  const id = control.add({
    ...fault,
    provider: kase.provider.id,
    endpoint: endpointOf(kase, run.clock.now()),
  })
  const [page] = await run.sweep()
  const answeredAt = run.clock.now() - (kase.dataset.kind === 'history' ? kase.dataset.intervalMs * 1_000 : 0)
  expect(control.hits(id), 'the fault hit').toBe(1)
  expect(ends, page?.reason).toContain(page?.outcome)
  expect(page?.records).toBe(0)
  expect(page?.reason).not.toBe('')
  if (fault.kind === 'rate-limited' && fault.retryAfterSeconds !== undefined)
    expect(page?.retryAt ?? 0).toBeGreaterThanOrEqual(answeredAt + fault.retryAfterSeconds * 1_000_000)
  if (isBilled(run.source)) await expectNothingUncounted(run, meter.summary().counts['credits'] ?? 0)
  // Whatever it was, it ends: later the same source answers again.
  run.clock.advance(3 * HOUR)
  const again = await run.sweep()
  expect(again.map(p => p.outcome).filter(o => o !== 'collected' && o !== 'partial')).toEqual([])
  expect(control.hits(id)).toBe(1)
  expectNowhere(await run.everythingKept(), kase.key)
}

/** Only the dataset's own calls are met, not those for the provider's usage. */
function endpointOf({ dataset, assets, currency, page }: TwinCase, now: EpochMicros): string {
  const asked = page ?? { assets: assets.slice(0, dataset.pageSize), currency }
  const range = dataset.history ? { range: { from: now, to: now } } : {}
  return new URL(dataset.request({ ...asked, ...range }).path, 'http://twin').pathname
}

/** The ledger may know more than was charged, never less. */
async function expectNothingUncounted({ poll, source, clock }: TwinRun, charged: number): Promise<void> {
  const status = (await poll.ledger.status(clock.now())).find(s => s.scope === source.scope)
  const month = status?.windows.find(w => w.window === 'month')
  if (month) expect(month.used + month.reserved).toBeGreaterThanOrEqual(charged)
}

/** A key that the provider does not accept. */
export async function refusesKey(kase: TwinCase): Promise<void> {
  await using run = await openTwinRun(kase)
  const pages = await run.sweep()
  expect(new Set(pages.map(p => p.outcome))).toEqual(new Set(['unauthorized']))
  expect(sumOf(pages)).toBe(0)
  const entries = run.sandbox.meter.entries()
  expect(entries.length).toBeGreaterThan(0)
  expect(new Set(entries.map(e => e.keyIn))).toEqual(new Set(['header']))
  expectNowhere(await run.everythingKept(), kase.key)
}

/** The key, and each of its longer parts, in plain, percent, base64 and hex form. */
function expectNowhere(kept: string, key: string | undefined): void {
  if (key === undefined) return
  const parts = [key, ...key.split(/[.:]/).filter(part => part.length >= 12)]
  for (const part of parts)
    for (const form of [
      part,
      encodeURIComponent(part),
      Buffer.from(part).toString('base64'),
      Buffer.from(part).toString('hex'),
    ])
      expect(kept.includes(form), `the key, as ${form.slice(0, 4)}…`).toBe(false)
  if (key === sandboxKey) expect(kept).not.toContain('not-a-secret')
}
