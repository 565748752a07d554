import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { stackServers, uniqueName } from '../../../test/stack/servers.ts'
import { Credits } from '../../../core/brands.ts'
import { VirtualClock } from '../../../core/virtual-clock.ts'
import { scope, slotAt, spec, start } from '../../ledger.fixture.ts'
import { openPostgresLedger } from '../postgres.ts'
import { Server } from './server.ts'

const { url } = stackServers().postgres
const folder = mkdtempSync(join(tmpdir(), 'cryptos-upgrade-'))
afterAll(() => rmSync(folder, { recursive: true }))

const day = 86_400_000_000

it('upgrades a schema of the version before spenders, forgets old days, and refuses one of a newer program', async () => {
  const clock = new VirtualClock(start)
  const schema = uniqueName('upgrade')
  const open = () =>
    openPostgresLedger({ url, schema, clock, time: 'clock', spoolFolder: join(folder, schema) })
  const ask = (reservationId: string, page: number) => ({
    ...{ scope, reservationId, costMax: Credits(2), slot: slotAt(page), now: start },
  })
  const about = { scope, charge: { kind: 'unknown' }, providerDate: null, now: start, why: 'x' } as const
  const old = await open()
  await old.openScope(spec, start)
  await old.reserve(ask('under-way', 1))
  await old.close()
  const server = new Server({ url, schema })
  await server.rows('DROP TABLE spending')
  await server.rows('UPDATE migrations SET version = 1')
  const ledger = await open()
  await ledger.settle({ ...about, reservationId: 'under-way' })
  expect(await ledger.spending(start)).toEqual([])
  const before = start - 70 * day
  await server.rows(`INSERT INTO spending VALUES (${before}, 's', ${before}, 'too old', 'quotes', 1, 1)`)
  await ledger.reserve({ ...ask('new', 2), spender: 'dag/run' })
  await ledger.settle({ ...about, reservationId: 'new' })
  expect(await ledger.spending(start)).toMatchObject([{ spender: 'dag', month: { calls: 1, credits: 2 } }])
  expect(await server.rows('SELECT spender FROM spending')).toEqual([{ spender: 'dag' }])
  await ledger.close()
  expect(await server.rows('SELECT version FROM migrations')).toEqual([{ version: 2 }])
  await server.rows('UPDATE migrations SET version = 3')
  await expect(open()).rejects.toMatchObject({ code: 'CRY_STORE_NEWER' })
  await server.close()
})
