import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { whyWeak } from './secret-rules.ts'

/** The folder that compose mounts secrets into; another one for tests. */
const folder = (): string => process.env['SECRETS_DIR'] ?? '/run/secrets'

/** @throws Error for a secret that is missing or weak; its text is never told */
export function secret(name: string): string {
  const text = readFileSync(join(folder(), name), 'utf8')
  const why = whyWeak(text)
  if (why !== undefined) throw new Error(`${name} ${why}`)
  return text
}
