import { expect, it } from 'vitest'
import { EpochMicros } from '../../../core/brands.ts'
import type { Moment } from './moment.ts'
import type { Session } from './server.ts'
import { PostgresStore } from './store.ts'

const stamp = { boot: 'server-0', monotonicMs: 0, wallAt: EpochMicros(1) }
const moment: Moment = { stamp, clock: '', offset: 0, timeOf: told => told }

/** A connection that counts how often all scopes, or those written since, were read. */
function connection() {
  const read: unknown[] = []
  const query = (sql: string, values: readonly unknown[]) => {
    expect(sql).toContain('FROM scopes')
    read.push(values[0])
    return Promise.resolve({ rows: [] })
  }
  return { session: { query } as unknown as Session, read }
}

it('trusts its memory at the same version only on the same connection to the same server', async () => {
  const store = new PostgresStore(() => 0)
  const [one, two] = [connection(), connection()]
  const begin = (session: Session, version: number, startedAt: string) =>
    store.begin(
      session,
      { name: 'n', version, sequence: 0, pendingBytes: 0, frozen: null, clock: '' },
      { moment, startedAt, slots: [] },
    )
  await begin(one.session, 7, 'first')
  await begin(one.session, 7, 'first')
  await begin(one.session, 8, 'first')
  expect(one.read).toEqual([0, 7])
  await begin(two.session, 8, 'first')
  expect(two.read).toEqual([0])
  await begin(two.session, 8, 'after a fail-over')
  expect(two.read).toEqual([0, 0])
})
