import { closeSync, openSync } from 'node:fs'
import { devNull } from 'node:os'
import { CryptosError, type ErrorCode, isTooManyFiles } from '../core/errors.ts'

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

const errcodeOf = (error: unknown): number => {
  const code = (error as { errcode?: number } | null)?.errcode
  return typeof code === 'number' ? code : 0
}

/** SQLITE_IOERR_SHMSIZE: there was no room to make the shared memory larger. Nothing was written, so the handle is as it was. */
const noRoomForSharedMemory = 4874

/** A failed read, write or sync of the disk. */
export const isInputOutputError = (error: unknown): boolean =>
  (errcodeOf(error) & 255) === 10 && errcodeOf(error) !== noRoomForSharedMemory

interface Meaning {
  readonly code: ErrorCode
  readonly sentence: (file: string, why: string) => string
}

/** SQLITE_CANTOPEN */
const canNotOpen = 14

const busy: Meaning = {
  code: 'CRY_STORE_BUSY',
  sentence: file => `${file} is being written by another process`,
}
const broken: Meaning = {
  code: 'CRY_STORE_BROKEN',
  sentence: (file, why) => `reading or writing ${file} failed (${why}); start again after the disk is well`,
}
const corrupt: Meaning = {
  code: 'CRY_STORE_CORRUPT',
  sentence: file => `${file} is damaged: restore it or move the data folder away`,
}
const full: Meaning = { code: 'CRY_DISK_FULL', sentence: file => `no space left to write ${file}` }
const notOpened: Meaning = {
  code: 'CRY_STORE_UNWRITABLE',
  sentence: file => `${file} can not be opened or written: check the folder's permissions`,
}
const notMade: Meaning = {
  code: 'CRY_STORE_UNWRITABLE',
  sentence: file => `${file} can not be created: check the folder's permissions or set CRYPTOS_DATA_DIR`,
}

const tooMany: Meaning = {
  code: 'CRY_TOO_MANY_FILES',
  sentence: file => `${file} can not be opened: too many open files`,
}

/** A database, its log and its shared memory. */
const filesOfDatabase = 3

/** SQLite says only that it can not open a file: whether it is for want of descriptors is found by opening as many as it needs. */
function isOutOfFiles(): boolean {
  const opened: number[] = []
  try {
    while (opened.length < filesOfDatabase) opened.push(openSync(devNull, 'r'))
    return false
  } catch (error) {
    return isTooManyFiles(error)
  } finally {
    for (const descriptor of opened) closeSync(descriptor)
  }
}

/** SQLite's primary result codes to ours: https://sqlite.org/rescode.html */
const byPrimaryCode: Readonly<Record<number, Meaning>> = {
  ...{ 5: busy, 6: busy },
  ...{ 10: broken, 13: full },
  ...{ 11: corrupt, 26: corrupt },
  ...{ 3: notOpened, 8: notOpened, [canNotOpen]: notOpened },
}

const bySystemCode: Readonly<Record<string, Meaning>> = {
  ...{ ENOSPC: full, EDQUOT: full },
  ...{ EACCES: notMade, EROFS: notMade, EPERM: notMade, ENOTDIR: notMade, EEXIST: notMade },
}

/** The migrations made every table that a statement names: one that is missing was taken away by somebody. */
const lostTable = /^no such (table|column): /

/** Any error of SQLite or of opening its file, as one of the closed list. */
export function mapError(error: unknown, file: string): CryptosError {
  if (error instanceof CryptosError) return error
  const cause = error instanceof Error ? error : new Error(String(error))
  const { code, sentence } = meaningOf(cause)
  return new CryptosError(code, sentence(file, cause.message), { cause })
}

function meaningOf(cause: Error): Meaning {
  if (errcodeOf(cause) === noRoomForSharedMemory) return full
  if (isTooManyFiles(cause) || ((errcodeOf(cause) & 255) === canNotOpen && isOutOfFiles())) return tooMany
  if (errcodeOf(cause) === 1 && lostTable.test(cause.message)) return corrupt
  const known =
    byPrimaryCode[errcodeOf(cause) & 255] ?? bySystemCode[(cause as NodeJS.ErrnoException).code ?? '']
  return known ?? { code: 'CRY_INTERNAL', sentence: (_, why) => `SQLite: ${why}` }
}
