import { createHash } from 'node:crypto'
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, unlinkSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import type { RawAnswer, Settlement } from '../../../core/ports/ledger.ts'

const mark = 'cryptos-settlement-1'

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex')

/** One line with the checksum of the rest. */
export function encodeSettlement({ answer, ...rest }: Settlement): string {
  const packed = answer ? { ...answer, body: Buffer.from(answer.body).toString('base64') } : undefined
  const text = JSON.stringify({ ...rest, answer: packed })
  return `${mark} ${hashOf(text)}\n${text}`
}

/** undefined = not what was written: cut off or changed. */
export function decodeSettlement(text: string): Settlement | undefined {
  const end = text.indexOf('\n')
  const body = text.slice(end + 1)
  if (end < 0 || text.slice(0, end) !== `${mark} ${hashOf(body)}`) return undefined
  const { answer, ...rest } = JSON.parse(body) as Settlement & {
    readonly answer?: RawAnswer & { readonly body: unknown }
  }
  if (!answer) return rest
  return { ...rest, answer: { ...answer, body: new Uint8Array(Buffer.from(String(answer.body), 'base64')) } }
}

/** The file is whole and durable under its name when this returns; where it throws, there is no such file. */
export function writeDurably(file: string, unfinished: string, text: string): void {
  try {
    writeAll(unfinished, Buffer.from(text))
    renameSync(unfinished, file)
    syncFolder(dirname(file))
  } catch (error) {
    ifThere(() => unlinkSync(unfinished))
    throw error
  }
}

function writeAll(file: string, bytes: Uint8Array): void {
  const handle = openSync(file, 'wx', 0o600)
  try {
    for (let at = 0; at < bytes.byteLength; ) at += writeSync(handle, bytes, at)
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

export function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

export const readIfThere = (file: string): string | undefined => ifThere(() => readFileSync(file, 'utf8'))

/** Another process may take a file meanwhile. */
export function ifThere<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return undefined
  }
}
