import { readFileSync } from 'node:fs'
import { main } from '../../app/main.ts'

/** Runs many command lines (a JSON list on stdin) in one process; a line for each: exit code and last line of stdout. */
interface Line {
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

const lines = JSON.parse(readFileSync(0, 'utf8')) as readonly Line[]
process.setMaxListeners(0)
process.stdout.setMaxListeners(0)
process.stderr.setMaxListeners(0)
const own = { ...process.env }
const write = process.stdout.write.bind(process.stdout)
for (const { args, env } of lines) {
  let said = ''
  process.stdout.write = (text: string | Uint8Array): boolean => {
    said += String(text)
    return true
  }
  process.exitCode = 0
  process.env = { ...own, ...env }
  await main(args)
  process.stdout.write = write
  write(`{"code":${process.exitCode},"json":${said.trimEnd().split('\n').at(-1) || 'null'}}\n`)
}
process.exitCode = 0
