import { readdirSync, rmSync } from 'node:fs'
import { join, parse } from 'node:path'
import { packageLayout } from '../package-layout.ts'

const sources = join(import.meta.dirname, 'movers')
let layout: Promise<string> | undefined

/** The file of a mover, built as the program in the package is: nothing that only a clone needs, such as the reader of TypeScript, is measured. */
export async function builtMover(name: string): Promise<string> {
  layout ??= packageLayout(
    Object.fromEntries(
      readdirSync(sources).map(file => [`mover-${parse(file).name}`, join(sources, file)] as const),
    ),
  )
  return join(await layout, 'dist', `mover-${name}.js`)
}

/** What was built is deleted. */
export async function removeMovers(): Promise<void> {
  const folder = await layout
  layout = undefined
  if (folder !== undefined) rmSync(folder, { recursive: true })
}
