import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export interface SchemaStep {
  readonly step: number
  readonly name: string
  readonly statements: readonly string[]
}

const folder = new URL('./schema/', import.meta.url)
/** The numbered files of `schema/`, in their order. */
export function schemaSteps(): readonly SchemaStep[] {
  const files = readdirSync(fileURLToPath(folder)).filter(name => name.endsWith('.cql'))
  return files.sort().map(name => ({
    step: Number(name.slice(0, 4)),
    name,
    statements: statementsOf(readFileSync(new URL(name, folder), 'utf8')),
  }))
}

/** No statement of ours has a semicolon in it. */
const statementsOf = (text: string): readonly string[] =>
  text
    .replace(/^--.*$/gm, '')
    .split(';')
    .map(statement => statement.trim())
    .filter(statement => statement !== '')

export const newestStep = (): number => Math.max(...schemaSteps().map(({ step }) => step))

/** Tables whose rows grow old, by the files. */
export const agingTables = (): readonly string[] =>
  schemaSteps()
    .flatMap(({ statements }) => statements)
    .filter(statement => statement.includes('{aging}'))
    .map(statement => /\{keyspace\}\.(\w+)/.exec(statement)?.[1] ?? '')
