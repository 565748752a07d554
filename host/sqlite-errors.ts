import { CryptosError } from '../core/errors.ts'

/** Blocks this thread: only for waits of milliseconds. */
export const pause = (ms: number): void =>
  void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)

const busyRecovery = 261
const recoveryDeadlineMs = 1_000

/** Waits out SQLITE_BUSY_RECOVERY: another process rebuilds the WAL index after a crash. Even a read can meet it; it is over in milliseconds. */
export function whenRecovered<Args extends readonly unknown[], T>(work: (...args: Args) => T, args: Args): T {
  let giveUpAt = 0
  for (;;) {
    try {
      return work(...args)
    } catch (error) {
      if ((error as { errcode?: number } | null)?.errcode !== busyRecovery) throw error
      giveUpAt ||= performance.now() + recoveryDeadlineMs
      if (performance.now() > giveUpAt) throw error
      pause(1)
    }
  }
}

const primaryCode = (error: unknown): number | undefined => {
  const code = (error as { errcode?: number } | null)?.errcode
  return typeof code === 'number' ? code & 255 : undefined
}
export const isInputOutputError = (error: unknown): boolean => primaryCode(error) === 10

/** SQLite's primary result codes to ours: https://sqlite.org/rescode.html */
export function mapError(error: unknown, file: string): CryptosError {
  if (error instanceof CryptosError) return error
  const cause = error instanceof Error ? error : new Error(String(error))
  const systemCode = (cause as NodeJS.ErrnoException).code
  switch (primaryCode(error)) {
    case 5:
    case 6:
      return new CryptosError('CRY_STORE_BUSY', `${file} is being written by another process`, { cause })
    case 10:
      return new CryptosError(
        'CRY_LEDGER_UNAVAILABLE',
        `reading or writing ${file} failed (${cause.message}); start again after the disk is well`,
        { cause },
      )
    case 11:
    case 26:
      return new CryptosError(
        'CRY_STORE_CORRUPT',
        `${file} is damaged: restore it or move the data folder away`,
        { cause },
      )
    case 13:
      return new CryptosError('CRY_DISK_FULL', `no space left to write ${file}`, { cause })
    case 3:
    case 8:
    case 14:
      return new CryptosError(
        'CRY_STORE_UNWRITABLE',
        `${file} can not be opened or written: check the folder's permissions`,
        { cause },
      )
    default:
      if (systemCode === 'ENOSPC' || systemCode === 'EDQUOT')
        return new CryptosError('CRY_DISK_FULL', `no space left to write ${file}`, { cause })
      if (
        systemCode === 'EACCES' ||
        systemCode === 'EROFS' ||
        systemCode === 'EPERM' ||
        systemCode === 'ENOTDIR' ||
        systemCode === 'EEXIST'
      )
        return new CryptosError(
          'CRY_STORE_UNWRITABLE',
          `${file} can not be created: check the folder's permissions or set CRYPTOS_DATA_DIR`,
          { cause },
        )
      return new CryptosError('CRY_INTERNAL', `SQLite: ${cause.message}`, { cause })
  }
}
