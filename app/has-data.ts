import { existsSync } from 'node:fs'
import { SqlDb } from '../host/sqlite.ts'
import { storeFiles } from './stores.ts'

/** A row that is there as soon as a provider has answered: stored, on its way in the topics, or waiting in the outbox. */
const anyRow = {
  series: 'SELECT 1 FROM quote LIMIT 1',
  log: 'SELECT 1 FROM log LIMIT 1',
  ledger: 'SELECT 1 FROM outbox LIMIT 1',
} as const

/** Whether a source's folder holds anything that a provider said. Makes no file; what can not be read counts as nothing. */
export function hasData(folder: string): boolean {
  const files = storeFiles(folder)
  return (Object.keys(anyRow) as (keyof typeof anyRow)[]).some(name => hasRow(files[name], anyRow[name]))
}

function hasRow(file: string, sql: string): boolean {
  if (!existsSync(file)) return false
  try {
    const db = new SqlDb(file, { synchronous: 'NORMAL', readOnly: true })
    try {
      return db.prepare(sql).get() !== undefined
    } finally {
      db.close()
    }
  } catch {
    // A new file without its tables, or a damaged one: the command that opens it says so.
    return false
  }
}
