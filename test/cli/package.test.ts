import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, it } from 'vitest'
import { root } from '../support/program.ts'

interface Packed {
  readonly path: string
  readonly size: number
}

/** What `npm pack` would put into the package; nothing is built or written. */
function packed(): readonly Packed[] {
  const said = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const answer = JSON.parse(said) as Record<string, { readonly files: readonly Packed[] }>
  return Object.values(answer)[0]?.files ?? []
}

/** Where the relative links and pictures of a page lead, from the root. */
const linksOf = (page: string): string[] =>
  [
    ...readFileSync(join(root, page), 'utf8')
      .replaceAll(/```[\s\S]*?```|`[^`\n]*`/g, '')
      .matchAll(/\]\(([^)\s#]+)(?:#[^)]*)?\)/g),
  ]
    .map(match => match[1] ?? '')
    .filter(target => !/^[a-z]+:/.test(target))
    .map(target => normalize(join(dirname(page), target)))

describe('the published package', () => {
  const files = packed()
  const names = new Set(files.map(file => file.path))

  it('has every page and picture that its README leads to', () => {
    const links = linksOf('README.md')
    expect(links.length).toBeGreaterThan(8)
    expect(links.filter(link => !names.has(link))).toEqual([])
  })
  it('has every page that its pages lead to; only links into the sources lead out of it', () => {
    const pages = [...names].filter(name => name.endsWith('.md'))
    const lost = pages.flatMap(page => linksOf(page).filter(link => !names.has(link)))
    const sources =
      /^(airflow|app|bench|collectors|core|dags|dashboards|deploy|host|processors|quota|sandbox|scripts|test|topics)\//
    expect(pages.length).toBeGreaterThan(20)
    expect(lost.filter(link => !sources.test(link) && link !== 'test/e2e')).toEqual([])
  })
  it('has the page that the help names, and no picture over 200 KB, data or sources', () => {
    expect(names).toContain('docs/reference/configuration.md')
    expect(files.filter(f => /\.(png|jpe?g|gif|webp)$/.test(f.path) && f.size > 200_000)).toEqual([])
    expect([...names].filter(name => /\.(ts|db|tgz|key)$/.test(name))).toEqual([])
  })
})
