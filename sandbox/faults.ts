import { checkFault } from './fault-check.ts'
import type { FaultKind, FaultSpec } from './fault-kinds.ts'
import type { SandboxProvider } from './types.ts'

export type { Fault, FaultKind, FaultSpec } from './fault-kinds.ts'

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
  /** What it saw in its earlier calls, for faults that repeat something. */
  readonly memory = new Map<string, string>()
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
