import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BenchLine } from './line.ts'

/**
 * `node bench/table.ts <lines.json…>`: puts what `npm run bench -- --json` printed into docs/benchmarks.md, between its marks. Missed
 * bars and benches that were not run stand there like the others. A line of a later file takes the place of the same in an earlier one.
 */
const page = join(import.meta.dirname, '..', 'docs', 'benchmarks.md')
const [begin, end] = ['<!-- figures: made by bench/table.ts -->', '<!-- end of figures -->']

const cell = (text: string): string => text.replaceAll('|', '\\|')

function rowOf(line: BenchLine): string {
  const verdict = line.bar === null ? 'told' : line.ok ? 'met' : '**missed**'
  const bar = line.bar === null ? '' : `${line.bar} ${line.unit}`
  return `| ${line.name} | ${line.value} ${cell(line.unit)} | ${bar} | ${verdict} | ${cell(line.note ?? '')} |`
}

/** The table of these lines, below the machine that they say they were measured on. */
export function tableOf(lines: readonly BenchLine[]): string {
  const machine = lines.find(line => line.name === 'machine')
  const rows = lines.filter(line => line.name !== 'machine').map(rowOf)
  const head = ['| bench | measured | bar | verdict | how |', '| --- | --- | --- | --- | --- |']
  return [...(machine ? [machine.note ?? '', ''] : []), ...head, ...rows].join('\n')
}

/** @throws Error where the page lacks its marks */
export function withTable(text: string, table: string): string {
  const [before, rest] = text.split(begin)
  const after = rest?.split(end)[1]
  if (before === undefined || after === undefined) throw new Error(`${page} lacks its marks`)
  return `${before}${begin}\n\n${table}\n\n${end}${after}`
}

const linesIn = (file: string): BenchLine[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter(line => line.startsWith('{'))
    .map(line => JSON.parse(line) as BenchLine)

if (import.meta.main) {
  const files = process.argv.slice(2)
  if (files.length === 0) throw new Error('node bench/table.ts <lines.json…>')
  const lines = new Map(files.flatMap(linesIn).map(line => [line.name, line]))
  writeFileSync(page, withTable(readFileSync(page, 'utf8'), tableOf([...lines.values()])))
}
