import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { commandReference } from './generators/commands.ts'
import { configurationReference, environmentExample } from './generators/configuration.ts'
import { errorReference, outcomeReference } from './generators/errors.ts'
import { registry } from './generators/registry.ts'

/** Writes every generated file; with `--check` writes nothing and fails when one differs. */
const root = dirname(import.meta.dirname)
const generated: Readonly<Record<string, () => string | Promise<string>>> = {
  '.env.example': environmentExample,
  'collectors/registry.ts': registry,
  'docs/reference/commands.md': commandReference,
  'docs/reference/configuration.md': configurationReference,
  'docs/reference/errors.md': errorReference,
  'docs/reference/outcomes.md': outcomeReference,
}

const check = process.argv.includes('--check')
const stale: string[] = []
for (const [name, make] of Object.entries(generated)) {
  const file = join(root, name)
  const text = await make()
  if (existsSync(file) && readFileSync(file, 'utf8') === text) continue
  stale.push(name)
  if (check) continue
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}
if (check && stale.length > 0) {
  console.error(`Not up to date: ${stale.join(', ')}. Run: npm run generate`)
  process.exitCode = 1
} else
  console.log(
    check
      ? 'Generated files are up to date'
      : `Wrote ${stale.length === 0 ? 'nothing: all up to date' : stale.join(', ')}`,
  )
