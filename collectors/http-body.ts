import type { IncomingMessage } from 'node:http'
import type { Transform } from 'node:stream'
import { CryptosError } from '../core/errors.ts'
import type { Limits } from './http-transport.ts'

/**
 * The whole body in memory, inflated; the connection is cut as soon as a limit is passed.
 * @throws CryptosError CRY_HTTP_TOO_LARGE (as sent or inflated), CRY_HTTP_NETWORK (cut, or an encoding that is broken or unknown)
 */
export async function readBody(
  answer: IncomingMessage,
  maxBytes: number,
  limits: Limits,
): Promise<Uint8Array> {
  const tooLarge = (): CryptosError =>
    new CryptosError('CRY_HTTP_TOO_LARGE', `a body of more than ${maxBytes} bytes`)
  try {
    if (Number(answer.headers['content-length'] ?? 0) > maxBytes) throw tooLarge()
    const inflate = await inflaterOf(answer)
    return await new Promise((resolve, reject) => {
      const fail = (error: Error): void => {
        reject(limits.failure ?? error)
        inflate?.destroy()
      }
      limits.onFailure(failure => fail(failure))
      const collector = new Collector(maxBytes, () => fail(tooLarge()))
      let wireBytes = 0
      answer.on('data', (chunk: Buffer) => {
        wireBytes += chunk.length
        if (wireBytes > maxBytes) fail(tooLarge())
      })
      answer.on('error', fail)
      answer.on('close', () => {
        if (!answer.complete) fail(new CryptosError('CRY_HTTP_NETWORK', 'the answer was cut'))
      })
      const source = inflate ? answer.pipe(inflate) : answer
      if (inflate)
        inflate.on('error', () => fail(new CryptosError('CRY_HTTP_NETWORK', 'the compression is broken')))
      source.on('data', (chunk: Buffer) => collector.add(chunk))
      source.on('end', () => {
        // A cut answer without a length ends too; only `complete` tells it from a whole one.
        if (answer.complete) resolve(collector.bytes())
      })
    })
  } catch (error) {
    answer.destroy()
    throw error
  }
}

class Collector {
  readonly #chunks: Buffer[] = []
  readonly #max: number
  readonly #onTooLarge: () => void
  #bytes = 0
  constructor(max: number, onTooLarge: () => void) {
    this.#max = max
    this.#onTooLarge = onTooLarge
  }
  add(chunk: Buffer): void {
    this.#bytes += chunk.length
    if (this.#bytes > this.#max) this.#onTooLarge()
    else this.#chunks.push(chunk)
  }
  bytes(): Uint8Array {
    return Buffer.concat(this.#chunks)
  }
}

async function inflaterOf(answer: IncomingMessage): Promise<Transform | undefined> {
  const encoding = (answer.headers['content-encoding'] ?? 'identity').trim().toLowerCase()
  if (encoding === 'identity' || encoding === '') return undefined
  const zlib = await import('node:zlib')
  if (encoding === 'gzip' || encoding === 'x-gzip') return zlib.createGunzip()
  if (encoding === 'deflate') return zlib.createInflate()
  if (encoding === 'br') return zlib.createBrotliDecompress()
  throw new CryptosError('CRY_HTTP_NETWORK', 'an encoding that was not asked for')
}
