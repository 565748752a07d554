import { collectOnce } from '../collecting.ts'
import type { Context } from '../commands/command.ts'
import { hasKey, liveSource, type Source } from '../source.ts'

/** Which source `up` takes, and the line that says why. `sandbox` is started by the caller. */
export interface Choice {
  readonly kind: Source['kind']
  readonly why: string
}

/** Outcomes that show that somebody answered, be it with a refusal. */
const answered = new Set([
  'collected',
  'partial',
  'published',
  'already-done',
  'rate-limited',
  'provider-error',
  'quota-exhausted',
  'unauthorized',
  'bad-request',
  'payload-invalid',
])

/** How long `auto` waits for the first live answer. */
const probeDeadlineMs = 4_000

/**
 * As told; with a key always live; else `auto` asks the keyless live sources once, through the ledger like any call.
 * What they answer is collected, not thrown away.
 */
export async function chooseSource(context: Context): Promise<Choice> {
  const { config } = context
  if (config.source === 'live') return { kind: 'live', why: 'live data, as told' }
  if (config.source === 'sandbox') return { kind: 'sandbox', why: 'simulated data, as told' }
  if (hasKey(config)) return { kind: 'live', why: 'live data: a key is set' }
  const probe = {
    ...context,
    config: { ...config, httpConnectTimeoutMs: probeDeadlineMs, httpDeadlineMs: probeDeadlineMs },
  }
  const results = await collectOnce(probe, liveSource(config), { period: 'now' })
  const alive = results.filter(r => answered.has(r.outcome))
  if (alive.length > 0)
    return { kind: 'live', why: `live data: ${alive.map(r => r.provider).join(', ')} answered` }
  return {
    kind: 'sandbox',
    why: `no live source answered (${results[0]?.reason ?? 'none is enabled'}) and no key is set: running on simulated data`,
  }
}
