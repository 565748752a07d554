import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { Command, type Option } from 'commander'
import { describe, expect, it } from 'vitest'
import { commandNames, loadCommand } from '../../app/commands/index.ts'
import { otherNames, secrets, settings } from '../../app/config/settings.ts'
import { version } from '../../app/version.ts'
import { errorKinds } from '../../core/errors.ts'
import { outcomes } from '../../core/outcomes.ts'

const root = normalize(join(import.meta.dirname, '..', '..'))
const read = (file: string): string => readFileSync(join(root, file), 'utf8')
/** All files of the repository, also those that wait to be added; none that git ignores. */
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .trim()
  .split('\n')
  .filter(file => existsSync(join(root, file)))
const pages = [...new Set(files.filter(f => f.endsWith('.md') && !f.includes('/fixtures/')))]

const withoutCode = (text: string): string => text.replaceAll(/```[\s\S]*?```|`[^`\n]*`/g, '')

/** GitHub's anchor of a heading. */
const anchorOf = (heading: string): string =>
  heading
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')
const anchorsOf = (text: string): string[] =>
  [...text.replaceAll(/```[\s\S]*?```/g, '').matchAll(/^#{1,6} (.+)$/gm)].map(m => anchorOf(m[1] ?? ''))

interface Link {
  readonly from: string
  readonly file: string
  readonly anchor: string | undefined
}

/** Relative links and pictures of a page, with the file that they lead to. */
function linksOf(from: string, text: string): Link[] {
  const targets = [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)|<img[^>]+src="([^"]+)"/g)]
  return targets
    .map(m => m[1] ?? m[2] ?? '')
    .filter(target => !/^[a-z]+:/.test(target))
    .map(target => {
      const [path = '', anchor] = target.split('#')
      return { from, file: path === '' ? from : normalize(join(dirname(from), path)), anchor }
    })
}

/** Links that lead nowhere, as sentences. */
function brokenLinks(links: readonly Link[]): string[] {
  return links.flatMap(({ from, file, anchor }) => {
    if (!existsSync(join(root, file))) return [`${from} links to ${file}, which does not exist`]
    const known = anchor === undefined || !file.endsWith('.md') || anchorsOf(read(file)).includes(anchor)
    return known ? [] : [`${from} links to ${file}#${anchor}, which is no heading there`]
  })
}

const secretNames = Object.values(secrets).flatMap(s => [s.env, `${s.env}_FILE`])
const knownNames = new Set<string>([
  ...Object.values(settings).map(s => s.env),
  ...secretNames,
  ...otherNames,
  ...Object.keys(errorKinds),
])
/** Names of settings and errors in a text that no code knows. A name that ends with `_` or `*` stands for a family. */
const unknownNames = (text: string): string[] =>
  [...text.matchAll(/\b(?:CRYPTOS|CRY|COINMARKETCAP)_[A-Z0-9_]*\b(?!\*)/g)]
    .map(m => m[0])
    .filter(name => !name.endsWith('_') && !knownNames.has(name))

/** `cryptos …` as it stands in code of a page. */
const commandLinesOf = (text: string): string[] => {
  const fenced = [...text.matchAll(/```(?:sh|console)?\n([\s\S]*?)```/g)].flatMap(m =>
    (m[1] ?? '').split('\n'),
  )
  const inline = [...text.replaceAll(/```[\s\S]*?```/g, '').matchAll(/`([^`\n]+)`/g)].map(m => m[1] ?? '')
  return [...fenced, ...inline]
    .map(line => line.replace(/\s#.*$/, ''))
    .map(
      line =>
        /^(?:\$ )?(?:[A-Z_]+=\S+ )*(?:node bin\/cryptos\.mjs|cryptos) ([a-z].*)$/.exec(line.trim())?.[1],
    )
    .filter(line => line !== undefined)
}

/** What the program would not understand of a command line of a page; a `…`, `|` or `[` stands for the reader. */
function misunderstood(program: Command, line: string): string[] {
  let command = program
  const wrong: string[] = []
  for (const word of line.split(/\s+/)) {
    const sub = command.commands.find(c => c.name() === word)
    if (sub) command = sub
    else if (command.commands.length > 0 && !/^[-<[]/.test(word))
      return [`cryptos ${line}: there is no command "${word}"`]
    else if (word.startsWith('--') && !hasOption(command, word.replace(/=.*$/, '')))
      wrong.push(`cryptos ${line}: ${command.name()} has no option ${word}`)
  }
  return wrong
}
const hasOption = (command: Command, name: string): boolean =>
  name === '--json' || name === '--help' || command.options.some((o: Option) => o.long === name)

async function wholeProgram(): Promise<Command> {
  const program = new Command('cryptos')
  for (const name of commandNames) (await loadCommand(name))(program, () => async () => undefined)
  return program
}

interface Proof {
  readonly item: number
  readonly file: string
  readonly title: string
}

/** The tests that a table names: rows `| 33 | … | `file` "title", "title" |`. */
const proofsOf = (text: string): Proof[] =>
  text.split('\n').flatMap(row => {
    const item = Number(/^\|\s*(\d+)\s*\|/.exec(row)?.[1] ?? Number.NaN)
    if (Number.isNaN(item)) return []
    return [...row.matchAll(/`([^`]+\.(?:test|contract|stack)\.ts)`((?:,? "[^"]+")+)/g)].flatMap(m =>
      [...(m[2] ?? '').matchAll(/"([^"]+)"/g)].map(t => ({ item, file: m[1] ?? '', title: t[1] ?? '' })),
    )
  })
const missingProofs = (proofs: readonly Proof[]): string[] =>
  proofs
    .filter(p => !existsSync(join(root, p.file)) || !read(p.file).includes(p.title))
    .map(p => `item ${p.item}: ${p.file} has no test "${p.title}"`)

describe('the documentation', () => {
  it('has no link that leads nowhere', () => {
    const links = pages.flatMap(page => linksOf(page, read(page)))
    expect(links.length).toBeGreaterThan(50)
    expect(brokenLinks(links)).toEqual([])
  })
  it('finds a broken link and a wrong heading when one is planted', () => {
    const planted = linksOf(
      'docs/README.md',
      '[a](../no-such.md) [b](../README.md#no-such-heading) [c](units.md)',
    )
    expect(brokenLinks(planted)).toEqual([
      'docs/README.md links to no-such.md, which does not exist',
      'docs/README.md links to README.md#no-such-heading, which is no heading there',
    ])
  })
  it('can be reached page by page from README.md or docs/README.md', () => {
    const seen = new Set(['README.md', 'docs/README.md'])
    // A link to a folder shows its README.md.
    for (const page of seen)
      for (const { file } of linksOf(page, read(page)))
        for (const target of [file, join(file, 'README.md')]) if (pages.includes(target)) seen.add(target)
    expect(pages.filter(page => !seen.has(page))).toEqual([])
  })
  it('names only settings and errors that exist', () => {
    expect(pages.flatMap(page => unknownNames(read(page)).map(name => `${page}: ${name}`))).toEqual([])
    expect(unknownNames('CRYPTOS_PORT CRYPTOS_PROT CRY_ABORTED CRY_NONE CRYPTOS_*')).toEqual([
      'CRYPTOS_PROT',
      'CRY_NONE',
    ])
  })
  it('shows only command lines that the program understands', async () => {
    const program = await wholeProgram()
    const lines = pages.flatMap(page => commandLinesOf(read(page)))
    expect(lines.length).toBeGreaterThan(20)
    expect([...new Set(lines.flatMap(line => misunderstood(program, line)))]).toEqual([])
    expect(misunderstood(program, 'audti')).toHaveLength(1)
    expect(misunderstood(program, 'quota statu')).toHaveLength(1)
    expect(misunderstood(program, 'up --sauce live')).toHaveLength(1)
  }, 60_000)
  it('is where the sources say that it is', () => {
    const sources = files.filter(f => /\.(ts|mjs|js|json)$/.test(f) && !f.includes('.test.'))
    const named = sources.flatMap(f =>
      [...read(f).matchAll(/\bdocs\/[\w/-]+\.md\b/g)].map(m => `${f}: ${m[0]}`),
    )
    expect(named.filter(entry => !existsSync(join(root, entry.split(': ')[1] ?? '')))).toEqual([])
  })
  it('explains every error and outcome where it says so', () => {
    const troubleshooting = read('docs/troubleshooting.md')
    expect(Object.keys(errorKinds).filter(code => !troubleshooting.includes(`\`${code}\``))).toEqual([])
    expect(Object.keys(outcomes).filter(name => !troubleshooting.includes(`\`${name}\``))).toEqual([])
  })
})

describe('SECURITY.md', () => {
  it('names tests that exist', () => {
    const proofs = proofsOf(read('SECURITY.md'))
    expect(proofs.length).toBeGreaterThan(20)
    expect(missingProofs(proofs)).toEqual([])
  })
  it('is checked: a planted row without its test is found', () => {
    const planted = proofsOf(
      '| 99 | x | y | `test/unit/architecture.test.ts` "has no forbidden arrow", "no such" |',
    )
    expect(missingProofs(planted)).toEqual(['item 99: test/unit/architecture.test.ts has no test "no such"'])
    expect(missingProofs([{ item: 99, file: 'test/unit/none.test.ts', title: 'x' }])).toHaveLength(1)
  })
})

describe('the version', () => {
  it('is the same in package.json, package-lock.json and the program', () => {
    const lock = JSON.parse(read('package-lock.json')) as { version: string }
    expect([(JSON.parse(read('package.json')) as { version: string }).version, lock.version]).toEqual([
      version,
      version,
    ])
  })
})
