import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { camelCase } from './generators/registry.ts'

/** Makes `collectors/providers/<name>/` from the template: a folder that passes its contract suite, for an API that does not exist. */
const templates = join(import.meta.dirname, 'templates', 'provider')
const providers = join(import.meta.dirname, '..', 'collectors', 'providers')
const [name = '', ...words] = process.argv.slice(2)
const folder = join(providers, name)

function end(sentence: string): never {
  console.error(sentence)
  process.exit(2)
}

if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name) || name.length > 32 || words.length > 1)
  end(
    'Usage: npm run new:provider NAME ["Title"], with a name of small letters, digits and dashes such as crypto-compare',
  )
if (existsSync(folder)) end(`collectors/providers/${name}/ is there already: nothing was changed`)

const exported = camelCase(name)
const capital = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`
const title = (words[0] ?? name.split('-').map(capital).join(' ')).replaceAll(/['`\\]/g, '')
const fill = (text: string): string =>
  text
    .replaceAll('__ID__', name)
    .replaceAll('__EXPORT__', exported)
    .replaceAll('__CLASS__', capital(exported))
    .replaceAll('__TITLE__', title)

const files = readdirSync(templates, { recursive: true, encoding: 'utf8' })
  .filter(file => file.endsWith('.txt'))
  .sort()
for (const file of files) {
  const target = join(folder, fill(file).replace(/\.txt$/, ''))
  mkdirSync(dirname(target), { recursive: true })
  writeFileSync(target, fill(readFileSync(join(templates, file), 'utf8')))
}
console.log(`Made collectors/providers/${name}/ (${files.length} files). Next:
  npm run generate          (before it the sandbox does not know the new twin)
  npx vitest run --project unit collectors/providers/${name}
  then the checklist in collectors/providers/ADDING_A_PROVIDER.md`)
