import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { CryptosError } from '../core/errors.ts'
import { SqlDb } from '../host/sqlite.ts'
import { forgetHolder, holderOf, rememberHolder } from './lock-holder.ts'

/** A lock that only its closing function knows would be freed by the garbage collector as soon as nobody keeps that. */
const held = new Set<SqlDb>()

/**
 * Keeps a second storing process off a data folder. The lock is a SQLite write lock, so the kernel frees it however the process ends;
 * the file beside it only tells others who holds it.
 * @returns the function that frees it
 * @throws CryptosError CRY_STORE_LOCKED, with the PID of the other process where it is known
 */
export function lockStore(folder: string): () => void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const db = new SqlDb(join(folder, 'lock.db'), { synchronous: 'NORMAL', lockDeadlineMs: 200 })
  try {
    db.exec('BEGIN IMMEDIATE')
  } catch (cause) {
    db.close()
    if (!(cause instanceof CryptosError) || cause.code !== 'CRY_STORE_BUSY') throw cause
    const pid = holderOf(folder)
    const who = pid === undefined ? 'another cryptos' : `another cryptos (PID ${pid})`
    const sentence = `${who} already works on ${folder}: stop it, or set CRYPTOS_DATA_DIR to another folder`
    throw new CryptosError('CRY_STORE_LOCKED', sentence, { cause })
  }
  held.add(db)
  rememberHolder(folder)
  return () => {
    if (held.delete(db)) forgetHolder(folder)
    db.close()
  }
}
