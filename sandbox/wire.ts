import { setImmediate as turn } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import type { Way } from './answer.ts'
import type { WireFault } from './fault-kinds.ts'
import { writeOut } from './write-out.ts'

interface OnTheWire {
  readonly body: Buffer
  readonly headers: Readonly<Record<string, string>>
}

/** The bytes as they leave, and the headers that tell of them. */
export function onTheWire(body: Buffer, fault: WireFault | undefined): OnTheWire {
  switch (fault?.kind) {
    case 'gzip-bomb':
      return { body: bomb(fault.megabytes ?? 200), headers: { 'content-encoding': 'gzip' } }
    case 'big-body':
      return { body: padded(body, fault.bytes ?? 5_000_000), headers: {} }
    case 'content-type':
      return { body, headers: { 'content-type': fault.type ?? 'text/html; charset=utf-8' } }
    case 'encoding-name':
      return { body: gzipSync(body), headers: { 'content-encoding': fault.name ?? 'br' } }
    default:
      return { body, headers: {} }
  }
}

/** A gzip file may have any number of members (RFC 1952 2.2): one megabyte of blanks, again and again. */
function bomb(megabytes: number): Buffer {
  const member = gzipSync(Buffer.alloc(1_000_000, ' '), { level: 9 })
  return Buffer.concat(Array.from({ length: Math.ceil(megabytes) }, () => member))
}

/** Blanks before the last byte, which closes the body's object or array. */
function padded(body: Buffer, bytes: number): Buffer {
  const blanks = Buffer.alloc(Math.max(0, bytes - body.length), ' ')
  return Buffer.concat([body.subarray(0, -1), blanks, body.subarray(-1)])
}

/** Blanks until the caller goes away or the sandbox closes, no faster than they are taken. */
export async function writeWithoutEnd({ response, signal }: Way): Promise<void> {
  const chunk = Buffer.alloc(16_384, ' ')
  const gone = new Promise<void>(resolve => response.once('close', () => resolve()))
  while (!response.destroyed && !signal.aborted) {
    await Promise.race([writeOut(response, chunk), gone])
    await turn()
  }
}
