import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { wrongSecrets } from './secret-rules.ts'

/** `node deploy/check-secrets.ts FOLDER`: ends with 1, and says why, when a secret is missing, known, short or used twice. */
function main([folder = '']: readonly string[]): void {
  const files = readdirSync(folder).filter(name => !name.startsWith('.'))
  const problems = wrongSecrets(new Map(files.map(name => [name, readFileSync(join(folder, name), 'utf8')])))
  if (files.length === 0) problems.push(`${folder} has no file`)
  for (const problem of problems) process.stderr.write(`${problem}\n`)
  if (problems.length > 0) {
    process.stderr.write('Make secrets with: sh deploy/make-secrets.sh FOLDER\n')
    process.exitCode = 1
  }
}

main(process.argv.slice(2))
