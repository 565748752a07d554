import Bottleneck from 'bottleneck'
import { CryptosError } from '../core/errors.ts'

/** Keeps the calls to one provider apart within this process. Whether a call may be made at all is the ledger's decision. */
export interface Pace {
  /** Runs `work` when its turn has come. @throws CryptosError CRY_ABORTED when the signal fires before */
  schedule<T>(turn: Turn, work: () => Promise<T>): Promise<T>
  close(): Promise<void>
}

export interface Turn {
  /** One queue each: the provider's id. */
  readonly name: string
  readonly minTimeMs: number
  readonly signal: AbortSignal
}

/** Most calls of one provider that are under way at once. */
const maxConcurrent = 4

export function createPace(): Pace {
  const limiters = new Map<string, Bottleneck>()
  const limiterOf = ({ name, minTimeMs }: Turn): Bottleneck => {
    const found = limiters.get(name) ?? new Bottleneck({ minTime: minTimeMs, maxConcurrent })
    limiters.set(name, found)
    return found
  }
  return {
    schedule: (turn, work) => inTurn(limiterOf(turn), turn.signal, work),
    async close() {
      await Promise.all(
        [...limiters.values()].map(l => l.stop({ dropWaitingJobs: true }).catch(alreadyStopped)),
      )
      limiters.clear()
    },
  }
}

const stopped = (): CryptosError => new CryptosError('CRY_ABORTED', 'stopped before its turn came')

/** bottleneck rejects a second stop: then there is nothing left to stop. */
const alreadyStopped = (): undefined => undefined

/** Leaves the queue at once when the signal fires; a work that has begun goes on, since it has an answer to settle. */
function inTurn<T>(limiter: Bottleneck, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    let hasBegun = false
    const leave = (): void => reject(stopped())
    signal.addEventListener('abort', leave, { once: true })
    if (signal.aborted) leave()
    limiter
      .schedule(async () => {
        if (signal.aborted) return
        hasBegun = true
        signal.removeEventListener('abort', leave)
        resolve(await work())
      })
      // What rejects before the work has begun is the limiter that was stopped.
      .catch(error => reject(hasBegun ? error : stopped()))
  })
}
