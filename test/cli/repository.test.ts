import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { root } from '../support/program.ts'

const git = (...args: string[]): string =>
  execFileSync('git', args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
const hasHistory = spawnSync('git', ['rev-parse', 'HEAD'], { cwd: root, stdio: 'ignore' }).status === 0
if (!hasHistory) console.warn('SKIPPED: no git history here, so neither it nor the tracked files are scanned')

const tracked = hasHistory
  ? git('ls-files')
      .trim()
      .split('\n')
      .filter(file => existsSync(join(root, file)))
  : []
const read = (file: string): string => readFileSync(join(root, file), 'utf8')

/** What a secret looks like. Each is linear in the text. */
const secretShapes: Readonly<Record<string, RegExp>> = {
  'private key': /-----BEGIN (?:[A-Z]{1,12} ){0,3}PRIVATE KEY/,
  'API key with a UUID':
    /(?:key|token|secret)["'`]?\s{0,3}[:=]\s{0,3}["'`]?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/i,
  'API key of 32 hex digits': /(?:key|token|secret)["'`]?\s{0,3}[:=]\s{0,3}["'`]?[0-9a-f]{32}\b/i,
  'cloud key': /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/,
  'forge token': /\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{22,255}|glpat-[A-Za-z0-9_-]{20})/,
  'registry token': /\bnpm_[A-Za-z0-9]{36}|_authToken\s{0,3}=\s{0,3}\S{8}/,
  'chat token': /\bxox[abprs]-[A-Za-z0-9-]{10,80}/,
  'web token': /\beyJ[A-Za-z0-9_-]{15,500}\.eyJ[A-Za-z0-9_-]{15,500}\.[A-Za-z0-9_-]{20}/,
  'password in a URL':
    /\b[a-z]{2,10}:\/\/[^\s/:@'"`<>${}]{1,60}:[^\s/:@'"`<>${}]{3,60}@(?![a-z0-9.-]*\bexample\b)[a-z0-9]/i,
}

/** A key that is public by intent: it belongs to a certificate for tests, and no program trusts it. */
const publicKey = 'collectors/fixtures/tls/test-only-key.pem'

/** A key that CoinMarketCap itself prints in its documentation, for its test server. */
const documentedKey = ['b54bcf4d', '1bca', '4e8e', '9a24', '22ff2c3d462c'].join('-')

/** Passwords that tests make up to show that a URL with one is refused or masked, and the word that stands for one in a comment. */
const madeUp = /:(?:hunter2?|geheim|pw-in-url|password\])@/g

const withoutKnown = (text: string): string => text.replaceAll(documentedKey, '').replace(madeUp, '@')

const secretsIn = (whole: string, text = withoutKnown(whole)): string[] =>
  Object.entries(secretShapes).flatMap(([name, shape]) => (shape.test(text) ? [name] : []))

/** Every version of every text that was ever committed, once. */
function* history(): Generator<readonly [string, string]> {
  const objects = git('rev-list', '--all', '--objects').trim().split('\n')
  const named = new Map(objects.map(line => [line.slice(0, 40), line.slice(41)] as const))
  const { stdout } = spawnSync('git', ['cat-file', '--batch'], {
    cwd: root,
    input: [...named.keys()].join('\n'),
    maxBuffer: 1 << 29,
  })
  for (let at = 0; at < stdout.length; ) {
    const end = stdout.indexOf(10, at)
    const [id = '', type, size = '0'] = stdout.subarray(at, end).toString().split(' ')
    const start = end + 1
    const body = stdout.subarray(start, start + Number(size))
    if (type === 'commit' || (type === 'blob' && !body.includes(0)))
      yield [`${id.slice(0, 8)} ${named.get(id)}`, body.toString()]
    at = start + Number(size) + 1
  }
}

// Put together here, so that the scan of this very file finds nothing.
const planted: readonly (readonly [string, string])[] = [
  ['private key', `${'-----BEGIN'} RSA PRIVATE KEY-----`],
  ['private key', `${'-----BEGIN'} PRIVATE KEY-----`],
  ['API key with a UUID', `COINMARKETCAP_API_${'KEY='}0f3c6a1e-52b7-4c1d-9e0a-7d81f2b94c55`],
  ['API key with a UUID', `"apiKey${'": "'}0f3c6a1e-52b7-4c1d-9e0a-7d81f2b94c55"`],
  ['API key of 32 hex digits', `to${'ken: '}'${'0123456789abcdef'.repeat(2)}'`],
  ['cloud key', `AK${'IA'}${'ABCDEFGH'.repeat(2)}`],
  ['forge token', `gh${'p_'}${'a1B2'.repeat(9)}`],
  ['registry token', `//registry.example/:_auth${'Token='}abcdefghij`],
  ['chat token', `xox${'b-'}1234567890-abcdef`],
  ['web token', `ey${'J'}${'a'.repeat(20)}.ey${'J'}${'b'.repeat(20)}.${'c'.repeat(30)}`],
  ['password in a URL', `https://user:${'hunter22'}@${'broker.test'}`],
]

describe('the scan for secrets', () => {
  it.each(planted)('finds a planted %s', (name, text) => {
    expect(secretsIn(`before\n${text}\nafter`)).toEqual([name])
  })
  it.skipIf(!hasHistory)('finds none in the tracked files', () => {
    expect(tracked.length).toBeGreaterThan(200)
    expect(
      tracked
        .filter(file => file !== publicKey)
        .flatMap(file => secretsIn(read(file)).map(name => `${file}: ${name}`)),
    ).toEqual([])
  })
  it.skipIf(!hasHistory)('finds none in the history', () => {
    let texts = 0
    const found: string[] = []
    for (const [name, text] of history()) {
      texts += 1
      if (name.endsWith(publicKey)) continue
      for (const shape of secretsIn(text)) found.push(`${name}: ${shape}`)
    }
    expect(texts).toBeGreaterThan(tracked.length / 2)
    expect(found).toEqual([])
  })
})

const folders = /^(core|host|quota|topics|collectors|processors|dashboards|sandbox|app|bin)\//
const product = tracked.filter(
  file =>
    folders.test(file) &&
    /\.(ts|mjs|js)$/.test(file) &&
    !/\.(test|contract|stack|soak)\.ts$|\/fixtures\/|\/testing/.test(file),
)

/** Code that the product must not have, and the one file that has a reason. */
const forbidden: Readonly<Record<string, { readonly shape: RegExp; readonly allowed?: readonly string[] }>> =
  {
    'TLS without verification': {
      shape: /rejectUnauthorized\s*:(?!\s*true\b)|checkServerIdentity/,
      // A node is known by its address; its certificate may be for its name in the settings. Another name is refused.
      allowed: ['processors/sinks/cassandra/tls.ts'],
    },
    'TLS turned off by the environment': { shape: /NODE_TLS_REJECT_UNAUTHORIZED/ },
    evaluation: { shape: /\beval\s*\(|\bnew\s+Function\b|\bFunction\s*\(\s*['"`]|setTimeout\s*\(\s*['"`]/ },
    'node:vm': { shape: /['"](?:node:)?vm['"]/ },
    'a child process': { shape: /['"](?:node:)?child_process['"]/, allowed: ['bin/cryptos.mjs'] },
    'markup from data': { shape: /\b(?:innerHTML|outerHTML|insertAdjacentHTML|document\.write)\b/ },
    'a copy of parsed data into an object': { shape: /Object\.assign\s*\(\s*\{\s*\}\s*,\s*JSON\.parse/ },
  }
const found = (file: string, text: string): string[] =>
  Object.entries(forbidden).flatMap(([name, { shape, allowed = [] }]) =>
    shape.test(text) && !allowed.includes(file) ? [`${file}: ${name}`] : [],
  )

describe.skipIf(!hasHistory)('the product code', () => {
  it('never weakens TLS, evaluates data, or starts programs with it', () => {
    expect(product.length).toBeGreaterThan(100)
    expect(product.flatMap(file => found(file, read(file)))).toEqual([])
  })
  it.each([
    ['TLS without verification', 'new Agent({ rejectUnauthorized: false })'],
    ['TLS without verification', 'rejectUnauthorized: options.verify'],
    ['TLS turned off by the environment', "process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'"],
    ['evaluation', 'eval(text)'],
    ['evaluation', 'new Function(text)'],
    ['node:vm', "import { runInThisContext } from 'node:vm'"],
    ['a child process', "import { exec } from 'child_process'"],
    ['markup from data', 'cell.innerHTML = name'],
  ])('would be caught with %s: %s', (name, text) => {
    expect(found('planted.ts', text)).toEqual([`planted.ts: ${name}`])
  })
  it('has its exceptions where they are said to be', () => {
    for (const { allowed = [], shape } of Object.values(forbidden))
      for (const file of allowed) expect(read(file)).toMatch(shape)
    // The launcher starts Node itself, found by its package, with the user's own arguments and no shell.
    expect(read('bin/cryptos.mjs')).not.toMatch(/shell\s*:|exec\(|execSync/)
  })
})

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
}
interface Lock {
  readonly lockfileVersion: number
  readonly packages: Readonly<
    Record<
      string,
      {
        readonly version?: string
        readonly resolved?: string
        readonly integrity?: string
        readonly link?: boolean
        readonly hasInstallScript?: boolean
      }
    >
  >
}

describe('what is installed', () => {
  const manifest = JSON.parse(read('package.json')) as Manifest
  const lock = JSON.parse(read('package-lock.json')) as Lock

  it('is pinned exactly, all from the registry but the pinned Node of a clone', () => {
    const all = { ...manifest.dependencies, ...manifest.devDependencies }
    const loose = Object.entries(all).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))
    expect(loose).toEqual([['runtime', 'file:scripts/runtime']])
    expect(Object.keys(manifest.dependencies)).not.toContain('runtime')
  })
  it('is locked by hash, without git, tar or file sources', () => {
    const packages = Object.entries(lock.packages).filter(([path]) => path.startsWith('node_modules/'))
    expect(packages.length).toBeGreaterThan(50)
    const strange = packages.filter(
      ([, p]) => !p.link && !(p.integrity?.startsWith('sha512-') && /^\d/.test(p.version ?? '')),
    )
    expect(strange.map(([path]) => path)).toEqual([])
    const elsewhere = packages.filter(
      ([, p]) => p.resolved !== undefined && !/^https:\/\/registry\.npmjs\.org\//.test(p.resolved),
    )
    expect(elsewhere.map(([path, p]) => [path, p.resolved])).toEqual([
      ['node_modules/runtime', 'scripts/runtime'],
    ])
  })
  it('has the versions that the manifest names', () => {
    for (const [name, version] of Object.entries(manifest.dependencies))
      expect([name, lock.packages[`node_modules/${name}`]?.version]).toEqual([name, version])
  })
  it('brings no package that runs a script at installation, but known ones of development', () => {
    const scripted = Object.entries(lock.packages)
      .filter(([, p]) => p.hasInstallScript)
      .map(([path]) => path)
    expect(scripted.filter(path => !/\/(fsevents|esbuild)$/.test(path))).toEqual([])
  })
})

describe('the published package', () => {
  it('holds the program with its pages, and no tests, scripts or pinned Node', () => {
    const npm = spawnSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts', '--offline'], {
      cwd: root,
      encoding: 'utf8',
    })
    expect(npm.status).toBe(0)
    const [pack] = JSON.parse(npm.stdout) as [{ files: readonly { path: string }[] }]
    const files = pack.files.map(f => f.path)
    expect(files).toEqual(
      expect.arrayContaining(['bin/cryptos.mjs', 'package.json', 'README.md', 'LICENSE', 'SECURITY.md']),
    )
    expect(
      files.filter(
        path =>
          !/^(bin\/cryptos\.mjs|dist\/|docs\/|package\.json|LICENSE|(ARCHITECTURE|CHANGELOG|CONTRIBUTING|README|SECURITY)\.md)/.test(
            path,
          ),
      ),
    ).toEqual([])
    expect(
      files.filter(path => /test|contract|fixtures|\.env|\.db|node-bin|scripts\/|runtime\//i.test(path)),
    ).toEqual([])
  })
})
