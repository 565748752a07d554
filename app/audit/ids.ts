/** Texts of ids and of answers, each kept once for all places that are compared, and numbered. */
export class Ids {
  readonly #numbers = new Map<string, number>()
  readonly #texts: string[] = []
  readonly #refs = new Map<string, number>()

  /** Number of an id: 0, 1, 2 … */
  of(id: string): number {
    const known = this.#numbers.get(id)
    if (known !== undefined) return known
    this.#texts.push(id)
    this.#numbers.set(id, this.#texts.length - 1)
    return this.#texts.length - 1
  }

  find(id: string): number | undefined {
    return this.#numbers.get(id)
  }

  text(number: number): string {
    return this.#texts[number] ?? ''
  }

  /** Number of an answer's id; -1 = none. */
  ref(rawRef: string | null): number {
    if (rawRef === null) return -1
    const known = this.#refs.get(rawRef)
    if (known !== undefined) return known
    this.#refs.set(rawRef, this.#refs.size)
    return this.#refs.size - 1
  }
}
