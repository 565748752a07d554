import { CryptosError } from '../../../core/errors.ts'
import type { InfluxConnection } from './connection.ts'
import type { Answer, Series } from './answers.ts'
import { words } from './errors.ts'

const escaped = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')

/** A name in a statement: measurement, field, tag, database. */
export const name = (text: string): string => `"${escaped(text).replaceAll('"', '\\"')}"`
/** A text in a statement. */
export const text = (value: string): string => `'${escaped(value).replaceAll("'", "\\'")}'`

/** Where a measurement lies. */
export const from = ({ options }: InfluxConnection, measurement: string): string =>
  options.retentionPolicy === undefined
    ? name(measurement)
    : `${name(options.retentionPolicy)}.${name(measurement)}`

/** `"a"='x' AND "b"='y'`: only what is given. */
export const tagsAre = (tags: Readonly<Record<string, string | undefined>>): string[] =>
  Object.entries(tags).flatMap(([tag, value]) => (value === undefined ? [] : [`${name(tag)}=${text(value)}`]))

export const where = (...conditions: readonly string[]): string =>
  conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`

/** Statements of one request: more only make it longer. */
const statementsAtOnce = 200

/** Series of all the statements, in their order. @throws CryptosError CRY_SERVER_* also for one that failed */
export async function ask(connection: InfluxConnection, statements: readonly string[]): Promise<Series[][]> {
  const found: Series[][] = []
  for (let i = 0; i < statements.length; i += statementsAtOnce) {
    const page = statements.slice(i, i + statementsAtOnce)
    const answers = await connection.query(page)
    for (const [k] of page.entries()) found.push(seriesOf(answers[k], connection))
  }
  return found
}

/** @throws CryptosError CRY_SERVER_* */
export function seriesOf(answer: Answer | undefined, { server }: Pick<InfluxConnection, 'server'>): Series[] {
  if (answer?.error === undefined) return answer?.series ?? []
  throw statementError(answer.error, server)
}

/** What a statement that failed says: in an answer of 200. */
export function statementError(error: string, server: string): CryptosError {
  const missing = /not found/i.test(error)
  const refused = /not authorized|authorization|permission|requires admin|user required/i.test(error)
  const code = missing ? 'CRY_SERVER_CONFIG' : refused ? 'CRY_SERVER_REFUSED' : 'CRY_SERVER_UNREACHABLE'
  const what = missing
    ? 'lacks what is asked for'
    : refused
      ? 'refuses the right to read'
      : 'could not answer'
  return new CryptosError(code, `InfluxDB at ${server} ${what}: ${words(error)}`)
}

/** Values of a column over all rows of a series. */
export const cell = (series: Series, row: readonly unknown[], column: string): unknown =>
  row[series.columns.indexOf(column)]
