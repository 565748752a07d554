import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

export interface StaticFile {
  readonly type: string
  readonly etag: string
  readonly body: Uint8Array<ArrayBuffer>
}

const javascript = 'text/javascript; charset=utf-8'
const css = 'text/css; charset=utf-8'

/** The files of the page: their only names. What a request asks for is looked up here and never becomes a path. */
const own: Readonly<Record<string, string>> = {
  '/app.js': javascript,
  '/assets.js': javascript,
  '/chart.js': javascript,
  '/chart-axes.js': javascript,
  '/chart-cursor.js': javascript,
  '/chart-data.js': javascript,
  '/chart-text.js': javascript,
  '/choices.js': javascript,
  '/connection.js': javascript,
  '/dom.js': javascript,
  '/fold.js': javascript,
  '/format.js': javascript,
  '/hero.js': javascript,
  '/judge-words.js': javascript,
  '/judged.js': javascript,
  '/judgement.js': javascript,
  '/line.js': javascript,
  '/model.js': javascript,
  '/prices.js': javascript,
  '/quota.js': javascript,
  '/ranges.js': javascript,
  '/runs.js': javascript,
  '/run-groups.js': javascript,
  '/sources.js': javascript,
  '/spot.js': javascript,
  '/theme.js': javascript,
  '/toggle.js': javascript,
  '/trouble.js': javascript,
  '/base.css': css,
  '/layout.css': css,
  '/parts.css': css,
  '/status.css': css,
  '/judge.css': css,
  '/narrow.css': css,
  '/favicon.svg': 'image/svg+xml',
}
const vendor: Readonly<Record<string, { readonly module: string; readonly type: string }>> = {
  '/vendor/uPlot.esm.js': { module: 'uplot/dist/uPlot.esm.js', type: javascript },
  '/vendor/uPlot.min.css': { module: 'uplot/dist/uPlot.min.css', type: css },
}
const bannerPlace = '<!-- banner -->'

const publicFile = (name: string): string => fileURLToPath(new URL(`./public/${name}`, import.meta.url))

/** Reads all files of the page into memory, once; with the banner where the data are simulated. */
export function loadFiles(simulated: string | null): ReadonlyMap<string, StaticFile> {
  const resolve = createRequire(import.meta.url).resolve
  const files = new Map<string, StaticFile>()
  for (const [name, type] of Object.entries(own))
    files.set(name, makeFile(readFileSync(publicFile(name.slice(1))), type))
  for (const [name, { module, type }] of Object.entries(vendor))
    files.set(name, makeFile(readFileSync(resolve(module)), type))
  // A browser asks for this name by itself wherever it is shown something that is not the page, /health for one.
  const icon = files.get('/favicon.svg')
  if (icon) files.set('/favicon.ico', icon)
  const html = readFileSync(publicFile('index.html'), 'utf8').replace(bannerPlace, () => bannerOf(simulated))
  files.set('/', makeFile(Buffer.from(html), 'text/html; charset=utf-8'))
  return files
}

/** In the page's own text, so that it is there before any script, and without one. */
const bannerOf = (simulated: string | null): string =>
  simulated === null
    ? ''
    : `<p class="banner" id="banner"><strong>Simulated data</strong> ${escapeHtml(simulated)}</p>`

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}
const escapeHtml = (text: string): string => text.replaceAll(/[&<>"']/g, c => entities[c] ?? '')

function makeFile(bytes: Uint8Array, type: string): StaticFile {
  const body = new Uint8Array(bytes)
  return { type, body, etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"` }
}
