import { readFileSync } from 'node:fs'
import { main } from '../../app/main.ts'

/** Runs many command lines (a JSON list on stdin) in one process; a line for each: exit code and last line of stdout. */
const lines = JSON.parse(readFileSync(0, 'utf8')) as readonly (readonly string[])[]
process.setMaxListeners(0)
process.stdout.setMaxListeners(0)
process.stderr.setMaxListeners(0)
const write = process.stdout.write.bind(process.stdout)
for (const argv of lines) {
  let said = ''
  process.stdout.write = (text: string | Uint8Array): boolean => {
    said += String(text)
    return true
  }
  process.exitCode = 0
  await main(argv)
  process.stdout.write = write
  write(`{"exit":${process.exitCode},"result":${said.trimEnd().split('\n').at(-1) ?? 'null'}}\n`)
}
process.exitCode = 0
