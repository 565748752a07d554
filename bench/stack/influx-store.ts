/** The InfluxDB of a run: a database of its own, made empty, counted, dropped. */
export class InfluxStore {
  readonly url: string
  constructor(url: string) {
    this.url = url
  }

  async create(database: string): Promise<void> {
    await this.#query(`DROP DATABASE "${database}"`)
    await this.#query(`CREATE DATABASE "${database}"`)
  }

  async drop(database: string): Promise<void> {
    await this.#query(`DROP DATABASE "${database}"`)
  }

  /** Rows of the quotes, and the sum of their prices as the store adds it. */
  async count(database: string): Promise<{ readonly rows: number; readonly priceSum: number }> {
    const [, rows = 0, priceSum = 0] = await this.#query(
      'SELECT count(price), sum(price) FROM quote',
      database,
    )
    return { rows, priceSum }
  }

  async #query(q: string, db = ''): Promise<readonly number[]> {
    const body = new URLSearchParams({ q, db, epoch: 'u' })
    const answer = await fetch(`${this.url}/query`, { method: 'POST', body })
    const json = (await answer.json()) as {
      readonly error?: string
      readonly results?: readonly {
        readonly error?: string
        readonly series?: readonly { readonly values: readonly (readonly number[])[] }[]
      }[]
    }
    const error = json.error ?? json.results?.[0]?.error
    if (error) throw new Error(`influxd: ${error}`)
    return json.results?.[0]?.series?.[0]?.values[0] ?? []
  }
}
