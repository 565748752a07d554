import { cpSync, mkdtempSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildProgram } from '../scripts/build.ts'

const root = join(import.meta.dirname, '..')

/**
 * The published package's layout in a folder of its own: launcher, built program, dependencies.
 * @param more entries that are built beside the program, as name: source file
 */
export async function packageLayout(more: Readonly<Record<string, string>> = {}): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'cryptos-bench-'))
  await buildProgram(join(folder, 'dist'), more)
  cpSync(join(root, 'bin'), join(folder, 'bin'), { recursive: true })
  cpSync(join(root, 'package.json'), join(folder, 'package.json'))
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  return folder
}
