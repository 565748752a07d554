import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { VirtualClock } from '../../../core/virtual-clock.ts'
import { SqlDb } from '../../../host/sqlite.ts'
import { Credits } from '../../../core/brands.ts'
import { scope, slotAt, spec, start } from '../../ledger.fixture.ts'
import { openSqliteLedger } from '../sqlite.ts'
import { ledgerSchema } from './schema.ts'

const folder = mkdtempSync(join(tmpdir(), 'cryptos-upgrade-'))
afterAll(() => rmSync(folder, { recursive: true }))

const ask = (reservationId: string, page: number, spender?: string) => ({
  ...{ scope, reservationId, costMax: Credits(2), slot: slotAt(page), now: start },
  ...(spender === undefined ? {} : { spender }),
})

describe('a ledger of the version before spenders', () => {
  const clock = new VirtualClock(start)
  const file = join(folder, 'ledger.db')
  const change = (sql: string): unknown => {
    const db = new SqlDb(file, { synchronous: 'FULL' })
    db.exec(sql)
    const version = db.prepare('PRAGMA user_version').get()?.['user_version']
    db.close()
    return version
  }

  it('is upgraded as it is opened, with a permit that is under way', async () => {
    const old = await openSqliteLedger({ file, clock })
    await old.openScope(spec, start)
    await old.reserve(ask('under-way', 1))
    await old.close()
    const former = ledgerSchema.length - 1
    expect(change(`DROP TABLE spending; PRAGMA user_version=${former}`)).toBe(former)
    const ledger = await openSqliteLedger({ file, clock })
    const about = { scope, charge: { kind: 'unknown' }, providerDate: null, now: start, why: 'x' } as const
    await ledger.settle({ ...about, reservationId: 'under-way' })
    expect(await ledger.spending(start)).toEqual([])
    await ledger.reserve(ask('new', 2, 'dag/run'))
    await ledger.settle({ ...about, reservationId: 'new' })
    expect(await ledger.spending(start)).toMatchObject([{ spender: 'dag', month: { calls: 1, credits: 2 } }])
    await ledger.close()
    expect(change('SELECT 1')).toBe(ledgerSchema.length)
  })

  it('forgets days of more than 62 days ago', async () => {
    const ledger = await openSqliteLedger({ file, clock })
    change('UPDATE spending SET day = day - 62 * 86400000000')
    change(
      "INSERT INTO spending SELECT day - 86400000000, scope, month, 'too old', dataset, calls, credits FROM spending",
    )
    await ledger.reserve(ask('newer', 3, 'dag/run 2'))
    const about = { scope, charge: { kind: 'unknown' }, providerDate: null, now: start, why: 'x' } as const
    await ledger.settle({ ...about, reservationId: 'newer' })
    await ledger.close()
    const db = new SqlDb(file, { synchronous: 'NORMAL', readOnly: true })
    expect(db.prepare('SELECT spender, calls FROM spending ORDER BY day').all()).toEqual([
      { spender: 'dag', calls: 1 },
      { spender: 'dag', calls: 1 },
    ])
    db.close()
  })

  it('is refused where a newer program made it', async () => {
    change(`PRAGMA user_version=${ledgerSchema.length + 1}`)
    await expect(openSqliteLedger({ file, clock })).rejects.toMatchObject({ code: 'CRY_STORE_NEWER' })
  })
})
