import type { Log } from '../log.ts'

/** How a problem is logged. */
export interface ProblemDetail {
  /** What makes it the same trouble as before, whatever times its sentence holds: an outcome or an error's code. */
  readonly kind?: string
  readonly fields?: object
}

/**
 * Reports what is wrong with a thing, or null as soon as it is well again, under the one name that the thing has.
 * @param what one sentence
 */
export type OnProblem = (name: string, what: string | null, detail?: ProblemDetail) => void

interface Open {
  readonly what: string
  readonly kind: string
}

/** What is wrong right now, by name; the last word on a name counts. Each trouble is logged once, however often it is reported. */
export class Problems {
  readonly #open = new Map<string, Open>()
  readonly #onChange: (name: string, what: string | null) => void
  readonly #log: Pick<Log, 'info' | 'warn'> | undefined
  /** @param log absent = somebody else has logged what is reported here */
  constructor(
    onChange: (name: string, what: string | null) => void = () => undefined,
    log?: Pick<Log, 'info' | 'warn'>,
  ) {
    this.#onChange = onChange
    this.#log = log
  }

  readonly set: OnProblem = (name, what, { kind = what ?? '', fields = {} } = {}) => {
    const before = this.#open.get(name)
    if ((before?.what ?? null) === what) return
    if (what === null) {
      this.#open.delete(name)
      this.#log?.info({ name }, 'well again')
    } else {
      this.#open.set(name, { what, kind })
      if (before?.kind !== kind) this.#log?.warn({ name, ...fields }, what)
    }
    this.#onChange(name, what)
  }

  list(): readonly { readonly name: string; readonly what: string }[] {
    return [...this.#open].map(([name, { what }]) => ({ name, what }))
  }
}
