import { type CryptosError, toCryptosError } from '../../../core/errors.ts'
import type { Bookkeeper } from '../common/bookkeeper.ts'
import { isOwnMistake, type Result } from '../common/job-queue.ts'
import { settlementForLedger } from './moment.ts'
import type { Spool, Spooled } from './spool.ts'
import type { Operation } from './transactions.ts'

/** Answers of megabytes go into one transaction together. */
const atOnce = 20

/** Brings what waits in the spool into the ledger, oldest first. Settling twice changes nothing more: several processes may do it. */
export class Draining {
  readonly #spool: Spool
  readonly #keeper: Bookkeeper
  readonly #run: (operations: readonly Operation[]) => Promise<readonly Result[]>
  /** Of what was set aside. */
  #leftBytes = 0

  constructor(
    spool: Spool,
    keeper: Bookkeeper,
    run: (operations: readonly Operation[]) => Promise<readonly Result[]>,
  ) {
    this.#spool = spool
    this.#keeper = keeper
    this.#run = run
  }

  /** Counts as not published. */
  leftBytes(): number {
    return this.#leftBytes
  }

  /** @throws CryptosError where the ledger can not take it now: then nothing else may be done either */
  async drain(): Promise<void> {
    for (;;) {
      const waiting = this.#spool.oldest(atOnce)
      if (waiting.length === 0) break
      await this.#take(waiting)
    }
    this.#leftBytes = this.#spool.bytes()
  }

  async #take(waiting: readonly Spooled[]): Promise<void> {
    try {
      const results = await this.#run(waiting.map(spooled => this.#operation(spooled)))
      for (const [index, { name }] of waiting.entries()) this.#done(name, results[index])
    } catch (error) {
      await this.#apart(waiting, toCryptosError(error))
    }
  }

  #done(name: string, result: Result | undefined): void {
    if (result?.ok) this.#spool.remove(name)
    else this.#spool.refuse(name, toCryptosError(result?.error).message)
  }

  /** A value that the server refuses ends the whole transaction: its neighbours are done without it. */
  async #apart(waiting: readonly Spooled[], error: CryptosError): Promise<void> {
    if (!isOwnMistake(error)) throw error
    const [first] = waiting
    if (waiting.length === 1 && first) return this.#spool.refuse(first.name, error.message)
    for (const one of waiting) await this.#take([one])
  }

  /** The provider's time in an answer that waited says nothing about the clock of now. */
  #operation({ settlement }: Spooled): Operation {
    return {
      slots: settlement.answer ? [settlement.answer.slot] : [],
      run: ({ moment }) =>
        this.#keeper.settle(settlementForLedger(moment, { ...settlement, providerDate: null })),
    }
  }
}
