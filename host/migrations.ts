import { CryptosError } from '../core/errors.ts'
import type { SqlDb } from './sqlite.ts'

/** Applies the numbered steps that the file has not seen (PRAGMA user_version). @throws CRY_STORE_NEWER for a file of a newer program */
export async function migrate(db: SqlDb, steps: readonly string[]): Promise<void> {
  if (versionOf(db, steps.length) === steps.length) return
  await db.transaction(() => {
    for (let version = versionOf(db, steps.length); version < steps.length; version += 1) {
      db.exec(steps[version] ?? '')
      db.exec(`PRAGMA user_version=${version + 1}`)
    }
  })
}

function versionOf(db: SqlDb, known: number): number {
  const version = Number(db.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0)
  if (version > known)
    throw new CryptosError(
      'CRY_STORE_NEWER',
      `${db.file} has schema ${version}, this program knows ${known}: update cryptos`,
    )
  return version
}
