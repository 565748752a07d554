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
  try {
    if (Number(answer.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes)
    return await collect(answer, await inflaterOf(answer), maxBytes, limits)
  } catch (error) {
    answer.destroy()
    throw error
  }
}

function collect(
  answer: IncomingMessage,
  inflate: Transform | undefined,
  maxBytes: number,
  limits: Limits,
): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      reject(limits.failure ?? error)
      inflate?.destroy()
    }
    limits.onFailure(fail)
    const inflated = new Collector(maxBytes, fail)
    const wire = new Counter(maxBytes, fail)
    answer.on('data', (chunk: Buffer) => wire.add(chunk))
    // A cut answer ends with an error, never with 'end'; where it does neither, 'close' tells.
    answer.on('error', fail)
    answer.on('close', () => {
      if (!answer.complete) fail(new CryptosError('CRY_HTTP_NETWORK', 'the answer was cut'))
    })
    inflate?.on('error', () => fail(new CryptosError('CRY_HTTP_NETWORK', 'the compression is broken')))
    const source = inflate ? answer.pipe(inflate) : answer
    source.on('data', (chunk: Buffer) => inflated.add(chunk))
    source.on('end', () => resolve(inflated.bytes()))
  })
}

const tooLarge = (maxBytes: number): CryptosError =>
  new CryptosError('CRY_HTTP_TOO_LARGE', `a body of more than ${maxBytes} bytes`)

/** Counts bytes, and fails as soon as they are too many. */
class Counter {
  readonly #max: number
  readonly #fail: (error: Error) => void
  #bytes = 0
  constructor(max: number, fail: (error: Error) => void) {
    this.#max = max
    this.#fail = fail
  }
  /** Whether the chunk still fits. */
  add(chunk: Buffer): boolean {
    this.#bytes += chunk.length
    if (this.#bytes > this.#max) this.#fail(tooLarge(this.#max))
    return this.#bytes <= this.#max
  }
}

/** Keeps the chunks too. */
class Collector extends Counter {
  readonly #chunks: Buffer[] = []
  override add(chunk: Buffer): boolean {
    const fits = super.add(chunk)
    if (fits) this.#chunks.push(chunk)
    return fits
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
