import { createHash } from 'node:crypto'

/** 32-bit FNV-1a of a text, then mixed: the same in every process. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index += 1)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  return mix(hash)
}

/** Mixes two 32-bit numbers into one. */
export const hashPair = (a: number, b: number): number => mix(Math.imul(a, 0x9e3779b1) ^ mix(b | 0))

function mix(value: number): number {
  let hash = value | 0
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

/** Scope of a key, as everywhere in the product: the key itself is never kept. */
export const keyScope = (provider: string, key: string): string =>
  `key:${createHash('sha256').update(`${provider}/${key}`).digest('hex').slice(0, 16)}`
