import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { SqlDb } from '../../../host/sqlite.ts'
import { quote } from '../../sink.contract.ts'
import { Dictionaries } from './dictionaries.ts'
import { storeSchema } from './schema.ts'

it('remembers the answers of a batch, not those of a month', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cryptos-dictionaries-'))
  const db = new SqlDb(join(folder, 'x.db'), { synchronous: 'NORMAL' })
  try {
    for (const step of storeSchema) db.exec(step)
    const dictionaries = new Dictionaries(db)
    const answers = Array.from({ length: 1_000 }, (_, i) => quote({ rawRef: `kraken/quotes/${i}#1` }))
    const ids = db.transactionNow(() => answers.map(answer => dictionaries.answer(answer)))
    dictionaries.settled(true)
    expect(dictionaries.size).toBeLessThanOrEqual(64)
    // What was forgotten is found in the file.
    const again = db.transactionNow(() => answers.map(answer => dictionaries.answer(answer)))
    expect(again).toEqual(ids)
    expect(new Set(ids).size).toBe(1_000)
  } finally {
    db.close()
    rmSync(folder, { recursive: true })
  }
})
