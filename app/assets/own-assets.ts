import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod/mini'
import type { Asset } from '../../core/assets.ts'
import { AssetId } from '../../core/brands.ts'
import { CryptosError, isCryptosError } from '../../core/errors.ts'

/** An asset that this installation added to the table, with its stable ids by provider. */
export interface OwnAsset extends Asset {
  readonly ids: Readonly<Record<string, string>>
  /** Whose lists the ids come from: those of the sandbox mean nothing to a real provider. */
  readonly source: 'live' | 'sandbox'
}

const printable = z.string().check(z.regex(/^[\x20-\x7e]{1,64}$/))
const schema = z.strictObject({
  version: z.literal(1),
  assets: z.array(
    z.strictObject({
      id: z.string(),
      symbol: printable,
      name: printable,
      source: z.enum(['live', 'sandbox']),
      ids: z.record(z.string().check(z.regex(/^[a-z][a-z0-9-]{0,31}$/)), printable),
    }),
  ),
})

/** Beside the data, because ids are chosen for one installation. */
export const ownAssetsFile = (dataDir: string): string => join(dataDir, 'assets.json')

/** Nothing where there is no file. @throws CryptosError CRY_CONFIG_INVALID for one that can not be read */
export function readOwnAssets(dataDir: string): readonly OwnAsset[] {
  const file = ownAssetsFile(dataDir)
  if (!existsSync(file)) return []
  try {
    const { assets } = schema.parse(JSON.parse(readFileSync(file, 'utf8')))
    return assets.map(asset => ({ ...asset, id: AssetId(asset.id) }))
  } catch (cause) {
    const why = isCryptosError(cause) ? cause.message : 'not in its form'
    throw new CryptosError(
      'CRY_CONFIG_INVALID',
      `the asset table ${file} can not be read (${why}): correct it or move it away`,
      {
        cause,
      },
    )
  }
}

/** Replaces the file at once, so that a crash leaves the old one or the new one. */
export function writeOwnAssets(dataDir: string, assets: readonly OwnAsset[]): void {
  const file = ownAssetsFile(dataDir)
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const text = `${JSON.stringify({ version: 1, assets }, null, 2)}\n`
  writeFileSync(`${file}.${process.pid}`, text, { mode: 0o600, flush: true })
  renameSync(`${file}.${process.pid}`, file)
}
