import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, renameSync, statSync, unlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { CryptosError, toCryptosError } from '../../../core/errors.ts'
import type { Settlement } from '../../../core/ports/ledger.ts'
import { MINUTE } from '../../../core/time.ts'
import {
  decodeSettlement,
  encodeSettlement,
  ifThere,
  readIfThere,
  syncFolder,
  writeDurably,
} from './spool-file.ts'

/** A settlement that waits. */
export interface Spooled {
  readonly name: string
  readonly settlement: Settlement
}

const waiting = '.settlement'
const unfinished = '.tmp'
/** Kept for a person to look at. */
const setAside = { torn: '.torn', refused: '.refused' } as const
/** An unfinished file so old is not being written any more. */
const abandonedMs = 10 * MINUTE

/**
 * What was settled while the ledger's server could not be reached: a folder with one file for each settlement, durable when `add`
 * returns. A file that does not hold what its checksum promises is set aside and told, never dropped. Every method throws
 * CryptosError CRY_DISK_FULL, CRY_STORE_UNWRITABLE or CRY_TOO_MANY_FILES.
 */
export class Spool {
  readonly #folder: string
  #count = 0
  #lastAtMs = 0

  constructor(folder: string) {
    this.#folder = folder
    this.#guard(() => this.#makeFolder())
    const left = this.#files().filter(name => Object.values(setAside).some(end => name.endsWith(end)))
    if (left.length > 0)
      warn(`${folder} keeps ${left.length} files that the ledger could not take, among them ${left[0]}`)
  }

  /** Durable when it returns; where it throws, it is not there. */
  add(settlement: Settlement): void {
    // Names sort by the order in which they were settled, also where the clock goes back within this process.
    this.#lastAtMs = Math.max(this.#lastAtMs, Date.now())
    this.#count += 1
    const order = `${String(this.#lastAtMs).padStart(15, '0')}-${String(this.#count).padStart(9, '0')}`
    const path = join(this.#folder, `${order}-${process.pid}-${randomBytes(4).toString('hex')}`)
    this.#guard(() => {
      this.#makeFolder()
      writeDurably(`${path}${waiting}`, `${path}${unfinished}`, encodeSettlement(settlement))
    })
  }

  get isEmpty(): boolean {
    return this.#waiting().length === 0
  }

  /** Of all that lies there, also of what was set aside: more than the answers in it. */
  bytes(): number {
    const sizes = this.#files().map(name => ifThere(() => statSync(join(this.#folder, name)).size) ?? 0)
    return sizes.reduce((sum, size) => sum + size, 0)
  }

  /** The oldest, at most `limit`. What is torn is set aside and told on the way. */
  oldest(limit: number): readonly Spooled[] {
    const found: Spooled[] = []
    for (const name of this.#waiting()) {
      if (found.length >= limit) break
      const settlement = this.#guard(() => this.#read(name))
      if (settlement) found.push({ name, settlement })
    }
    return found
  }

  /** It is in the ledger now. */
  remove(name: string): void {
    this.#guard(() => ifThere(() => unlinkSync(join(this.#folder, name))))
  }

  /** The ledger will never take it: kept for a person. */
  refuse(name: string, why: string): void {
    this.#guard(() => this.#setAside(name, 'refused', why))
  }

  #makeFolder(): void {
    if (mkdirSync(this.#folder, { recursive: true, mode: 0o700 })) syncFolder(dirname(this.#folder))
  }

  #files(): readonly string[] {
    return this.#guard(() => ifThere(() => readdirSync(this.#folder))) ?? []
  }

  #waiting(): readonly string[] {
    return this.#files()
      .filter(name => name.endsWith(waiting) || (name.endsWith(unfinished) && isAbandoned(name)))
      .toSorted()
  }

  #read(name: string): Settlement | undefined {
    const text = readIfThere(join(this.#folder, name))
    if (text === undefined) return undefined
    const settlement = decodeSettlement(text)
    if (!settlement) this.#setAside(name, 'torn', 'it was cut off or changed')
    return settlement
  }

  #setAside(name: string, what: keyof typeof setAside, why: string): void {
    const from = join(this.#folder, name)
    const to = `${from}${setAside[what]}`
    if (ifThere(() => renameSync(from, to) ?? true) === undefined) return
    syncFolder(this.#folder)
    warn(`${to} is kept aside: ${why}. It may hold an answer that was paid for`)
  }

  #guard<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      const mapped = toCryptosError(error)
      if (mapped.code !== 'CRY_INTERNAL') throw mapped
      const message = `the spool of the quota ledger at ${this.#folder} can not be used: ${mapped.message}`
      throw new CryptosError('CRY_STORE_UNWRITABLE', message, { cause: error })
    }
  }
}

const warn = (message: string): void => process.emitWarning(`the spool of the quota ledger: ${message}`)

/** Whoever began it was killed before it could say that it was settled. Told by age alone: containers do not see each other's processes. */
function isAbandoned(name: string): boolean {
  const [at] = name.split('-').map(Number)
  return Date.now() - (at ?? 0) > abandonedMs
}
