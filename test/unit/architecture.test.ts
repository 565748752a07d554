import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = normalize(join(import.meta.dirname, '..', '..'))

/** The arrows of the design: who may import whom. `app` may import everything. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  core: [],
  host: ['core'],
  quota: ['core', 'host'],
  topics: ['core', 'host'],
  collectors: ['core', 'host', 'quota', 'topics'],
  processors: ['core', 'host', 'topics'],
  dashboards: ['core'],
  sandbox: ['core', 'host', 'twin'],
  // The simulation of a provider lies in the provider's folder, but it is its judge: nothing of the collector may be in it.
  twin: ['core', 'host', 'sandbox'],
}
const folders = [...Object.keys(mayImport), 'app']
/** The arrow that a file belongs to: its root folder, or `twin`. */
const folderOf = (file: string): string =>
  /^collectors\/providers\/[^/]+\/twin\//.test(file) ? 'twin' : (file.split('/')[0] ?? '')

/** Packages of one folder only: an adapter that leaks elsewhere is found here. */
const packageHome: Readonly<Record<string, readonly string[]>> = {
  axios: ['collectors'],
  bottleneck: ['collectors'],
  hono: ['dashboards', 'sandbox'],
  '@hono/node-server': ['dashboards', 'sandbox'],
  zod: ['app'],
  pino: ['app'],
  commander: ['app'],
  'node-cron': ['app'],
  'node:sqlite': ['host'],
  kafkajs: ['topics'],
  'cassandra-driver': ['processors'],
  '@influxdata/influxdb-client': ['processors'],
  pg: ['quota'],
}

const rootFiles = [
  '.env.example',
  '.gitignore',
  '.nvmrc',
  'ARCHITECTURE.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'Dockerfile',
  'LICENSE',
  'README.md',
  'SECURITY.md',
  'biome.json',
  'docker-compose.yml',
  '.dockerignore',
  'package-lock.json',
  'package.json',
  'tsconfig.build.json',
  'tsconfig.json',
  'vitest.config.ts',
]

const tracked = execFileSync('git', ['ls-files'], { cwd: root, encoding: 'utf8' }).trim().split('\n')
const sources = tracked.filter(f => /\.(ts|mjs|js)$/.test(f) && folders.includes(f.split('/')[0] ?? ''))
const isTest = (file: string): boolean =>
  /\.(test|contract|stack|soak)\.ts$/.test(file) || file.includes('/testing/')

interface Import {
  readonly file: string
  readonly target: string
}

/** Forbidden arrows among these imports, as sentences. */
function forbidden(imports: readonly Import[]): string[] {
  return imports.flatMap(({ file, target }) => {
    const from = folderOf(file)
    if (target.startsWith('.')) {
      const to = folderOf(normalize(join(dirname(file), target)))
      const ok = from === to || from === 'app' || (mayImport[from] ?? []).includes(to)
      return ok ? [] : [`${file} imports ${to}/`]
    }
    const home = Object.entries(packageHome).find(
      ([name]) => target === name || target.startsWith(`${name}/`),
    )
    return home && !home[1].includes(from) ? [`${file} imports ${target}`] : []
  })
}

const importsOf = (file: string): Import[] => {
  const text = readFileSync(join(root, file), 'utf8')
  const found = text.matchAll(
    /(?:^|\n)\s*(?:import|export)\s[^'"]*?from\s+['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)|(?:^|\n)import\s+['"]([^'"]+)['"]/g,
  )
  return [...found].map(m => ({ file, target: m[1] ?? m[2] ?? m[3] ?? '' }))
}

describe('architecture', () => {
  const productImports = sources.filter(f => !isTest(f)).flatMap(importsOf)

  it('reads the imports of the real sources', () => {
    expect(productImports.length).toBeGreaterThan(100)
  })
  it('has no forbidden arrow', () => {
    expect(forbidden(productImports)).toEqual([])
  })
  it('finds a forbidden arrow and a leaked package when one is planted', () => {
    const planted = [
      { file: 'quota/policy/reserve.ts', target: '../../collectors/http.ts' },
      { file: 'topics/table.ts', target: 'axios' },
      { file: 'collectors/providers/kraken/twin/twin.ts', target: '../map.ts' },
    ]
    expect(forbidden(planted)).toEqual([
      'quota/policy/reserve.ts imports collectors/',
      'topics/table.ts imports axios',
      'collectors/providers/kraken/twin/twin.ts imports collectors/',
    ])
  })
  it('keeps wall clock, chance and timers out of pure code', () => {
    const pure = sources.filter(
      f => !isTest(f) && /^(core\/|quota\/(policy|planner)|topics\/batcher|processors\/windows)/.test(f),
    )
    const used = pure.filter(f =>
      /\b(Date\.now|new Date\(\)|Math\.random|setTimeout|setInterval)\b/.test(
        readFileSync(join(root, f), 'utf8'),
      ),
    )
    expect(pure.length).toBeGreaterThan(10)
    expect(used).toEqual([])
  })
  it('keeps files short', () => {
    const long = sources.filter(
      f => readFileSync(join(root, f), 'utf8').split('\n').length > 300 && !isTest(f),
    )
    expect(long).toEqual([])
  })
  it('has only what a newcomer needs in its root', () => {
    expect(tracked.filter(f => !f.includes('/') && !rootFiles.includes(f))).toEqual([])
  })
  it('never makes a Python package of airflow/, which would hide the real one', () => {
    const python = tracked.filter(f => /^(airflow|dags)\/.*\.py$/.test(f))
    expect(python.length).toBeGreaterThan(5)
    expect(python.filter(f => f.endsWith('__init__.py'))).toEqual([])
  })
  it('tracks no data, logs or output', () => {
    const data = tracked.filter(
      f => /\.(db|db-wal|db-shm|bell|log|pem|key|env)$/.test(f) && !f.includes('/fixtures/'),
    )
    expect(data).toEqual([])
  })
})
