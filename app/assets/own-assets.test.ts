import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { AssetId } from '../../core/brands.ts'
import { scratch } from '../../test/support/scratch.ts'
import { ownAssetsFile, readOwnAssets, writeOwnAssets } from './own-assets.ts'

const pepe = {
  id: AssetId('pepe'),
  symbol: 'PEPE',
  name: 'Pepe',
  ids: { coinmarketcap: '24478' },
  source: 'live' as const,
}

describe('own assets', () => {
  it('come back as they were written, in a file of the user alone', () => {
    using folder = scratch('own-assets')
    expect(readOwnAssets(folder.path)).toEqual([])
    writeOwnAssets(folder.path, [pepe])
    expect(readOwnAssets(folder.path)).toEqual([pepe])
    expect(statSync(ownAssetsFile(folder.path)).mode & 0o077).toBe(0)
  })

  it.each([
    ['cut', '{"version":1,"assets":[{"id":"pepe"'],
    ['of a newer form', '{"version":2,"assets":[]}'],
    [
      'with a ticker for an id',
      '{"version":1,"assets":[{"id":"PEPE","symbol":"PEPE","name":"Pepe","ids":{}}]}',
    ],
    ['with a line break', JSON.stringify({ version: 1, assets: [{ ...pepe, symbol: 'A\nB' }] })],
  ])('are refused when %s, with the name of the file and nothing lost', (_, text) => {
    using folder = scratch('own-assets')
    writeFileSync(ownAssetsFile(folder.path), text)
    expect(() => readOwnAssets(folder.path)).toThrow(`the asset table ${ownAssetsFile(folder.path)}`)
    expect(readFileSync(ownAssetsFile(folder.path), 'utf8')).toBe(text)
  })
})
