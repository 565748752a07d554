import { readFileSync } from 'node:fs'
import type { Clock } from '../../../core/ports/clock.ts'
import type { ClockStamp } from '../../policy/clock.ts'

/** Reads both clocks of this host, for a comparison with what another process noted in the ledger. */
export class ClockWatch {
  readonly #clock: Clock
  readonly #boot = bootId()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  stamp(): ClockStamp {
    const monotonicMs = Math.round(this.#clock.monotonicMs())
    return { boot: this.#boot, monotonicMs, wallAt: this.#clock.now() }
  }
}

/** Where the system does not name its boots, a monotonic time that is less than a former one tells of another boot. */
export function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').slice(0, 8)
  } catch {
    return ''
  }
}
