import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { type Env, type Running, runCryptos } from '../../support/program.ts'

const limitMs = 120_000

/**
 * Everything that was settled is in the topics and in both stores, and nothing is on its way: what the audit says of it. The stores
 * may need a while, also for what nobody served (a consensus that was worked out last): `storing` fills them meanwhile.
 */
export async function expectAllStored(env: Env, storing: Running): Promise<Record<string, unknown>> {
  const until = performance.now() + limitMs
  for (;;) {
    if (storing.child.exitCode !== null) throw new Error(storing.said.stderr)
    const { json } = await runCryptos(['audit', '--since', '24h'], env)
    if (json['ok'] === true && json['pending'] === 0) return json
    if (performance.now() > until) expect(json, JSON.stringify(json)).toMatchObject({ ok: true, pending: 0 })
    await sleep(500)
  }
}
