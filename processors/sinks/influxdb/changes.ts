import { DAY } from '../../../core/time.ts'
import type { InfluxConnection } from './connection.ts'
import { ask, cell, from, name, where } from './influxql.ts'
import { fieldText } from './line.ts'
import type { SentLine } from './partial.ts'
import type { QuoteSeries } from './quote-line.ts'

/** One point for each batch that changed a latest price: its time is the id of the change, its text the series. */
export const changeMeasurement = 'change'
/** The server takes texts of up to 64 KB. */
const maxText = 60_000

export const seriesText = (q: QuoteSeries): string => `${q.provider}|${q.asset}|${q.currency}`

/** For clients that come back; who was away longer loads anew. */
const keptMicros = DAY * 1_000

/** Ids grow also where the clock does not. */
export class ChangeLog {
  readonly #connection: InfluxConnection
  #last: number
  #prunedAt = 0
  private constructor(connection: InfluxConnection, last: number) {
    this.#connection = connection
    this.#last = last
  }

  static async open(connection: InfluxConnection): Promise<ChangeLog> {
    const log = new ChangeLog(connection, await changeId(connection, 'last'))
    await log.prune()
    return log
  }

  /** Once a day; not in 2.x, where no server was run to see what it makes of it. @throws CryptosError CRY_SERVER_* */
  async prune(): Promise<void> {
    const { clock, org } = this.#connection.options
    const now = clock.now()
    if (org !== undefined || now - this.#prunedAt < keptMicros) return
    this.#prunedAt = now
    await ask(this.#connection, [
      `DELETE FROM ${name(changeMeasurement)}${where(`time<${now - keptMicros}u`)}`,
    ])
  }

  linesOf(changed: readonly QuoteSeries[]): readonly SentLine[] {
    const texts: string[] = []
    let text = ''
    for (const series of changed.map(seriesText)) {
      if (text.length + series.length >= maxText) {
        texts.push(text)
        text = ''
      }
      text += text === '' ? series : `\t${series}`
    }
    if (text !== '') texts.push(text)
    return texts.map(one => {
      this.#last = Math.max(this.#last + 1, this.#connection.options.clock.now())
      return { line: `${changeMeasurement} series=${fieldText(one)} ${this.#last}`, at: this.#last }
    })
  }
}

/** Id of the newest or oldest change; 0 = there is none. */
export async function changeId(connection: InfluxConnection, which: 'first' | 'last'): Promise<number> {
  const [found] = await ask(connection, [
    `SELECT ${which}("series") FROM ${from(connection, changeMeasurement)}`,
  ])
  const series = found?.[0]
  return series ? Number(cell(series, series.values[0] ?? [], 'time') ?? 0) : 0
}
