import { rmSync } from 'node:fs'
import { down } from '../../scripts/stack/stack.ts'

// Stops the servers of a test run when the pipe from it closes: whether it ended, failed, heard Ctrl-C or was killed.
const [folder = ''] = process.argv.slice(2)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)
process.stdin.resume()
process.stdin.once('close', () => {
  down(folder, [], 8000)
    .then(() => rmSync(folder, { recursive: true, force: true }))
    .catch((error: unknown) => {
      console.error(`the servers in ${folder} could not be stopped: ${String(error)}`)
      process.exitCode = 1
    })
})
