import { spawnSync } from 'node:child_process'
import type { Composition } from './compose-rules.ts'
import { root } from './program.ts'

interface Files {
  readonly file: string
  readonly env: string
}

export interface Said {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs the compose binary in the root of the repository with nothing of this machine's environment. */
export function compose(binary: string, { file, env }: Files, ...args: string[]): Said {
  const { status, stdout, stderr } = spawnSync(
    binary,
    ['--project-directory', root, '--file', file, '--env-file', env, ...args],
    { cwd: root, encoding: 'utf8', env: { PATH: process.env['PATH'], HOME: '/nonexistent' } },
  )
  return { status, stdout, stderr }
}

/** Every service of every profile. */
export function composition(binary: string, files: Files): Composition {
  const { status, stdout, stderr } = compose(binary, files, '--profile', '*', 'config', '--format', 'json')
  if (status !== 0) throw new Error(stderr)
  return JSON.parse(stdout) as Composition
}
