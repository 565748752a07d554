import type { OnProblem, ProblemDetail } from './problems.ts'

interface Told {
  readonly what: string
  readonly detail: ProblemDetail | undefined
}

/** What several report under one name, because it is one thing (a store, a log): it is well only when it is for all of them. */
export class JointProblems {
  readonly #onProblem: OnProblem
  /** By name, then by who told it. */
  readonly #open = new Map<string, Map<string, Told>>()
  constructor(onProblem: OnProblem) {
    this.#onProblem = onProblem
  }

  /** What one of them reports to. */
  of(who: string): OnProblem {
    return (name, what, detail) => {
      const open = this.#open.get(name) ?? new Map<string, Told>()
      this.#open.set(name, open)
      if (what !== null) {
        open.set(who, { what, detail })
        this.#onProblem(name, what, detail)
        return
      }
      if (!open.delete(who) && open.size > 0) return
      const [left] = open.values()
      this.#onProblem(name, left?.what ?? null, left?.detail)
    }
  }
}
