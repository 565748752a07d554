import { CryptosError } from '../../../core/errors.ts'

/** Rows of one series, or of a whole measurement. */
export interface Series {
  readonly name: string
  readonly tags: Readonly<Record<string, string>>
  readonly columns: readonly string[]
  readonly values: (string | number | boolean | null)[][]
}

/** What one statement gave; `error` instead of rows where it failed. */
export interface Answer {
  readonly series: Series[]
  error?: string
}

interface Piece {
  readonly error?: string
  readonly results?: readonly {
    readonly statement_id?: number
    readonly error?: string
    readonly series?: readonly (Partial<Series> & { readonly partial?: boolean })[]
  }[]
}

/** The pieces of a chunked answer, one JSON document a line, put together: a series may be cut into several. */
export async function readAnswers(pieces: AsyncIterable<Uint8Array>): Promise<readonly Answer[]> {
  const answers: Answer[] = []
  for await (const line of linesOf(pieces)) addPiece(answers, JSON.parse(line) as Piece)
  return answers
}

async function* linesOf(pieces: AsyncIterable<Uint8Array>): AsyncIterable<string> {
  const utf8 = new TextDecoder()
  let rest = ''
  for await (const bytes of pieces) {
    const lines = (rest + utf8.decode(bytes, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line !== '') yield line
  }
  if (rest.trim() !== '') yield rest
}

function addPiece(answers: Answer[], piece: Piece): void {
  if (piece.error !== undefined)
    throw new CryptosError('CRY_SERVER_CONFIG', `InfluxDB refuses a query: ${piece.error}`)
  for (const { statement_id: id = 0, error, series = [] } of piece.results ?? []) {
    while (answers.length <= id) answers.push({ series: [] })
    const answer = answers[id] as Answer
    if (error !== undefined) answer.error = error
    for (const part of series) addSeries(answer.series, part)
  }
}

function addSeries(all: Series[], part: Partial<Series>): void {
  const { name = '', tags = {}, columns = [], values = [] } = part
  const last = all.at(-1)
  if (last && last.name === name && sameTags(last.tags, tags)) for (const row of values) last.values.push(row)
  else all.push({ name, tags, columns, values })
}

const sameTags = (a: Series['tags'], b: Series['tags']): boolean =>
  Object.entries(a).every(([key, value]) => b[key] === value)
