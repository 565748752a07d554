import type { Fault, FaultKind } from './fault-kinds.ts'
import type { ActiveFault, FaultControl } from './faults.ts'

type FaultOf<K extends FaultKind> = Extract<Fault, { kind: K }>

/** The faults meant for one call. A fault is claimed when it acts, and only then counts as hit. */
export class Acting {
  /** Kinds that acted, in order. */
  readonly names: string[] = []
  readonly #faults: readonly ActiveFault[]
  readonly #control: FaultControl
  constructor(control: FaultControl, faults: readonly ActiveFault[]) {
    this.#faults = faults
    this.#control = control
  }

  /** The first fault of these kinds that could act. */
  peek(...kinds: readonly FaultKind[]): ActiveFault | undefined {
    return this.#faults.find(fault => kinds.includes(fault.spec.kind) && fault.left !== 0)
  }

  /** All faults of a kind that could act, in the order in which they were added. */
  allOf(kind: FaultKind): readonly ActiveFault[] {
    return this.#faults.filter(fault => fault.spec.kind === kind && fault.left !== 0)
  }

  claimOne(fault: ActiveFault): boolean {
    if (!this.#control.claim(fault)) return false
    this.names.push(fault.spec.kind)
    return true
  }

  /** Claims the first fault of a kind that also passes the test. */
  claim<K extends FaultKind>(
    kind: K,
    test: (fault: FaultOf<K>) => boolean = () => true,
  ): FaultOf<K> | undefined {
    const found = this.#faults.find(
      ({ spec, left }) => spec.kind === kind && left !== 0 && test(spec as FaultOf<K>),
    )
    return found && this.claimOne(found) ? (found.spec as FaultOf<K>) : undefined
  }
}
