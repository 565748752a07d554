import { classify, toCryptosError } from '../../core/errors.ts'
import type { Clock } from '../../core/ports/clock.ts'
import type { Ledger } from '../../core/ports/ledger.ts'
import type { QuoteReader } from '../../core/ports/reader.ts'
import { SECOND } from '../../core/time.ts'
import type { Problems } from '../pipeline/problems.ts'

const everyMs = 5 * SECOND

export interface WatchedStores {
  readonly reader: Pick<QuoteReader, 'newestChange'>
  readonly ledger: Pick<Ledger, 'status'>
  readonly clock: Clock
  readonly problems: Problems
}

/**
 * The page's own handles on the stores: nobody may look at the page for days, and what one of them says must be known before.
 * `failed` rejects with an error that only a new start can mend.
 */
export function watchStores(stores: WatchedStores): { readonly failed: Promise<never>; stop(): void } {
  const failed = Promise.withResolvers<never>()
  failed.promise.catch(() => undefined)
  const timer = setInterval(() => void look(stores).catch(failed.reject), everyMs)
  return { failed: failed.promise, stop: () => clearInterval(timer) }
}

/** @throws CryptosError what no other try can mend */
export async function look({ reader, ledger, clock, problems }: WatchedStores): Promise<void> {
  await tell(problems, 'store', () => reader.newestChange())
  await tell(problems, 'ledger.read', () => ledger.status(clock.now()))
}

async function tell(problems: Problems, name: string, read: () => Promise<unknown>): Promise<void> {
  try {
    await read()
    problems.set(name, null)
  } catch (error) {
    const { code, message } = toCryptosError(error)
    problems.set(name, `it can not be read: ${message}`, { kind: code })
    if (classify(error) === 'stop') throw error
  }
}
