import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { registry } from './generators/registry.ts'
import { twinRegistry } from './generators/twins.ts'

/** Writes every generated file; with `--check` writes nothing and fails when one differs. */
const root = dirname(import.meta.dirname)
/** In this order: what the program imports comes first, and only then what the program itself tells. */
const generated: Readonly<Record<string, () => string | Promise<string>>> = {
  'collectors/registry.ts': registry,
  'sandbox/registry.ts': twinRegistry,
  'app/config/provider-keys.ts': async () => (await import('./generators/provider-keys.ts')).providerKeys(),
  '.env.example': async () => (await import('./generators/configuration.ts')).environmentExample(),
  'docs/reference/commands.md': async () => (await import('./generators/commands.ts')).commandReference(),
  'docs/reference/configuration.md': async () =>
    (await import('./generators/configuration.ts')).configurationReference(),
  'docs/reference/errors.md': async () => (await import('./generators/errors.ts')).errorReference(),
  'docs/reference/assets.md': async () => (await import('./generators/providers.ts')).assetReference(),
  'docs/reference/providers.md': async () => (await import('./generators/providers.ts')).providerReference(),
  'airflow/catalog.json': async () => (await import('./generators/airflow-catalog.ts')).airflowCatalog(),
  'airflow/pools.json': async () => (await import('./generators/airflow-pools.ts')).airflowPools(),
  'docs/reference/outcomes.md': async () => (await import('./generators/errors.ts')).outcomeReference(),
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
