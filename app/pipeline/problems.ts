/** What is wrong right now, by name; the last word on a name counts. */
export class Problems {
  readonly #open = new Map<string, string>()
  readonly #onChange: (name: string, what: string | null) => void
  constructor(onChange: (name: string, what: string | null) => void = () => undefined) {
    this.#onChange = onChange
  }
  /** @param what one sentence, or null when the thing is well again */
  set(name: string, what: string | null): void {
    if ((this.#open.get(name) ?? null) === what) return
    if (what === null) this.#open.delete(name)
    else this.#open.set(name, what)
    this.#onChange(name, what)
  }
  list(): readonly { readonly name: string; readonly what: string }[] {
    return [...this.#open].map(([name, what]) => ({ name, what }))
  }
}
