import { checkFault } from './fault-check.ts'
import type { SandboxProvider } from './types.ts'

/** What goes wrong on request. Times are real milliseconds unless the name says virtual. */
export type Fault =
  /** Waits before the provider processes the call (`before`) or, charged, before it answers (`after`, the default). */
  | {
      readonly kind: 'delay'
      readonly ms?: number
      readonly virtualMs?: number
      readonly when?: 'before' | 'after'
    }
  | { readonly kind: 'slow-body'; readonly bytesPerSecond: number }
  /** Sends so many bytes of the body (half of it by default), then destroys the connection. */
  | { readonly kind: 'cut-body'; readonly bytes?: number }
  | { readonly kind: 'server-error'; readonly status?: number; readonly charged: boolean }
  | { readonly kind: 'rate-limited'; readonly retryAfterSeconds?: number }
  /** Processed and charged; then the connection dies without an answer. */
  | { readonly kind: 'lost-answer' }
  /** Before the call another program charges credits to the key, never past its limit. */
  | { readonly kind: 'foreign-use'; readonly credits: number }
  /** A maintenance page with HTTP 200. */
  | { readonly kind: 'html'; readonly charged?: boolean }
  /** Shifts the `Date` header. */
  | { readonly kind: 'clock-offset'; readonly ms: number }
  /** Charges so many times its documented price (2 by default). */
  | { readonly kind: 'overcharge'; readonly factor?: number }
  /** Sends this body instead of the provider's own. */
  | {
      readonly kind: 'replace-body'
      readonly body: string
      readonly status?: number
      readonly charged?: boolean
    }

export type FaultKind = Fault['kind']

export type FaultSpec = Fault & {
  /** How often it hits; 1 by default, null = always. */
  readonly times?: number | null
  readonly provider?: SandboxProvider
  /** Only calls whose endpoint contains this text. */
  readonly endpoint?: string
  /** Lets so many matching calls pass first. */
  readonly skip?: number
}

export interface FaultState {
  readonly id: number
  readonly spec: FaultSpec
  readonly hits: number
  /** null = without end. */
  readonly left: number | null
}

/** A fault that may act on the present call. It counts as hit only when it really acted. */
export class ActiveFault {
  readonly id: number
  readonly spec: FaultSpec
  hits = 0
  #skip: number
  constructor(id: number, spec: FaultSpec) {
    this.id = id
    this.spec = spec
    this.#skip = spec.skip ?? 0
  }
  get left(): number | null {
    return this.spec.times === null ? null : Math.max(0, (this.spec.times ?? 1) - this.hits)
  }
  matches(provider: SandboxProvider, endpoint: string): boolean {
    const { spec } = this
    const meant = (spec.provider ?? provider) === provider && endpoint.includes(spec.endpoint ?? '')
    if (!meant || this.left === 0) return false
    if (this.#skip === 0) return true
    this.#skip -= 1
    return false
  }
  hit(): void {
    this.hits += 1
  }
}

/** The switchboard of everything that goes wrong. */
export class FaultControl {
  #faults: ActiveFault[] = []
  #last = 0
  #hits: Partial<Record<FaultKind, number>> = {}

  /** Returns the fault's id. @throws CryptosError CRY_VALUE_INVALID */
  add(spec: FaultSpec): number {
    this.#last += 1
    this.#faults.push(new ActiveFault(this.#last, checkFault(spec)))
    return this.#last
  }

  /** Forgets all faults; the numbers of hits by kind stay. */
  clear(): void {
    this.#faults = []
  }

  list(): readonly FaultState[] {
    return this.#faults.map(({ id, spec, hits, left }) => ({ id, spec, hits, left }))
  }

  /** How often faults of a kind (or the fault with an id) really acted. */
  hits(which: FaultKind | number): number {
    if (typeof which === 'number') return this.#faults.find(fault => fault.id === which)?.hits ?? 0
    return this.#hits[which] ?? 0
  }

  /** The faults that are meant for this call. */
  matching(provider: SandboxProvider, endpoint: string): readonly ActiveFault[] {
    return this.#faults.filter(fault => fault.matches(provider, endpoint))
  }

  /** Counts a hit and says true, unless another call used up the fault in the meantime. */
  claim(fault: ActiveFault): boolean {
    if (fault.left === 0) return false
    fault.hit()
    this.#hits[fault.spec.kind] = (this.#hits[fault.spec.kind] ?? 0) + 1
    return true
  }
}
