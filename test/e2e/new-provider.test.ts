import { execFileSync, spawnSync } from 'node:child_process'
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, it } from 'vitest'
import { scratch } from '../support/scratch.ts'

const root = normalize(join(import.meta.dirname, '..', '..'))
const bin = join(root, 'node_modules', '.bin')

/** The sources as they are, in a folder of the test's own. */
function copyOf(
  folder: string,
): (command: string, ...args: string[]) => { code: number | null; out: string } {
  const files = execFileSync('git', ['ls-files', '-coz', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  }).split('\0')
  for (const file of files.filter(f => f !== '' && existsSync(join(root, f)))) {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    copyFileSync(join(root, file), join(folder, file))
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  return (command, ...args) => {
    const { status, stdout, stderr } = spawnSync(command, args, { cwd: folder, encoding: 'utf8' })
    return { code: status, out: `${stdout}${stderr}` }
  }
}

describe('npm run new:provider', () => {
  it('makes a folder that passes its suites, and that fails them when its mapping is wrong', () => {
    using folder = scratch('new-provider')
    const run = copyOf(folder.path)
    expect(run(process.execPath, 'scripts/new-provider.ts', 'acme-coin', "Acme's Coin")).toMatchObject({
      code: 0,
    })
    expect(run(process.execPath, 'scripts/generate.ts')).toMatchObject({ code: 0 })
    expect(readFileSync(folder.file('collectors/registry.ts'), 'utf8')).toContain('acmeCoin')
    expect(readFileSync(folder.file('sandbox/registry.ts'), 'utf8')).toContain('acme-coin/twin')
    const suite = () => run(join(bin, 'vitest'), 'run', '--project', 'unit', 'collectors/providers/acme-coin')
    expect(suite()).toMatchObject({ code: 0 })

    const map = folder.file('collectors/providers/acme-coin/map.ts')
    const good = readFileSync(map, 'utf8')
    writeFileSync(map, good.replace("ticker.get('price')", "ticker.get('volume_24h')"))
    expect(suite().code).not.toBe(0)
    writeFileSync(map, good)

    expect(run(join(bin, 'tsc'), '--noEmit').out).not.toContain('acme-coin')
    expect(
      run(join(bin, 'biome'), 'lint', '--error-on-warnings', 'collectors/providers/acme-coin').code,
    ).toBe(0)
    expect(run(join(bin, 'biome'), 'format', 'collectors/providers/acme-coin').code).toBe(0)
  })

  it('refuses a name that is taken or can not be one, and changes nothing', () => {
    using folder = scratch('new-provider')
    const run = copyOf(folder.path)
    const notes = folder.file('collectors/providers/kraken/NOTES.md')
    appendFileSync(notes, 'mine')
    const taken = run(process.execPath, 'scripts/new-provider.ts', 'kraken')
    expect(taken).toMatchObject({ code: 2, out: expect.stringContaining('is there already') })
    expect(readFileSync(notes, 'utf8')).toMatch(/mine$/)
    for (const name of ['', '../evil', 'Kraken', 'a--b', '9lives'])
      expect(run(process.execPath, 'scripts/new-provider.ts', name), name).toMatchObject({ code: 2 })
  })
})
