import { setTimeout as sleep } from 'node:timers/promises'
import { CryptosError } from '../../../core/errors.ts'

/** A reader may meet a lock while another process recovers or truncates the WAL: a matter of milliseconds. */
export async function unlessBusy<T>(read: () => T): Promise<T> {
  for (let tries = 0; ; tries += 1) {
    try {
      return read()
    } catch (error) {
      const busy = error instanceof CryptosError && error.code === 'CRY_STORE_BUSY'
      if (!busy || tries >= 100) throw error
    }
    await sleep(1 + tries)
  }
}
