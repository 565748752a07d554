import { spawn } from 'node:child_process'

/** Runs a program of Node to its end, silent but for its errors: milliseconds from the start of the process, and its exit code. */
export function runMs(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<{ readonly ms: number; readonly code: number | null }> {
  return new Promise((resolve, reject) => {
    const startedAt = performance.now()
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'inherit'] })
    child.on('error', reject)
    child.on('exit', code => resolve({ ms: performance.now() - startedAt, code }))
  })
}
