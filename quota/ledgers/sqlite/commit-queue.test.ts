import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { CryptosError } from '../../../core/errors.ts'
import { SqlDb } from '../../../host/sqlite.ts'
import { CommitQueue } from './commit-queue.ts'

it('forgets what a transaction that was busy left in memory before it runs again', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'cryptos-queue-'))
  const db = new SqlDb(join(folder, 'q.db'), { synchronous: 'FULL' })
  const log: string[] = []
  let busy = 1
  const queue = new CommitQueue(db, {
    begin: () => log.push('begin'),
    flush: () => {
      if (busy-- > 0) throw new CryptosError('CRY_STORE_BUSY', 'planned')
    },
    committed: () => log.push('committed'),
    rolledBack: () => log.push('forget'),
    idle: () => log.push('idle'),
  })
  const jobs = ['a', 'b'].map(job => queue.submit(() => log.push(job)))
  await Promise.all(jobs)
  await queue.close()
  expect(log).toEqual(['begin', 'a', 'b', 'forget', 'begin', 'a', 'b', 'committed', 'idle'])
  db.close()
  rmSync(folder, { recursive: true })
})
