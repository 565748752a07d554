import { connect } from 'node:net'

/** Sends bytes and resolves with what `complete` makes of the answer; undefined when there is none in time. */
export function ask<T>(
  port: number,
  request: Buffer,
  complete: (answer: Buffer) => T | undefined,
  limitMs = 2000,
): Promise<T | undefined> {
  return new Promise(resolve => {
    const socket = connect({ port, host: '127.0.0.1' })
    let answer = Buffer.alloc(0)
    const end = (value: T | undefined): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(value)
    }
    const timer = setTimeout(end, limitMs, undefined)
    socket.once('connect', () => socket.write(request))
    socket.once('error', () => end(undefined))
    socket.once('close', () => end(undefined))
    socket.on('data', chunk => {
      answer = Buffer.concat([answer, chunk])
      const value = complete(answer)
      if (value !== undefined) end(value)
    })
  })
}

const text = (value: string): Buffer => {
  const length = Buffer.alloc(2)
  length.writeInt16BE(Buffer.byteLength(value))
  return Buffer.concat([length, Buffer.from(value)])
}

const framed = (body: Buffer): Buffer => {
  const length = Buffer.alloc(4)
  length.writeInt32BE(body.length)
  return Buffer.concat([length, body])
}

/** Metadata request, version 1, about no topic: api key 3, correlation 1, an empty list. */
const metadataRequest = framed(
  Buffer.concat([Buffer.from([0, 3, 0, 1, 0, 0, 0, 1]), text('stack'), Buffer.from([0, 0, 0, 0])]),
)

/** The node ids of an answer to it, undefined while it is not whole. Source: Kafka's protocol guide. */
export function brokersOf(answer: Buffer): number[] | undefined {
  if (answer.length < 4 || answer.length < 4 + answer.readInt32BE(0)) return undefined
  const ids: number[] = []
  const count = answer.readInt32BE(8)
  for (let index = 0, at = 12; index < count; index += 1) {
    ids.push(answer.readInt32BE(at))
    at += 4 + 2 + answer.readInt16BE(at + 4) + 4
    // The rack, which may be null: length -1.
    at += 2 + Math.max(0, answer.readInt16BE(at))
  }
  return ids
}

/** Which brokers a broker knows to be alive; empty while it does not answer. */
export const kafkaBrokers = async (port: number): Promise<number[]> =>
  (await ask(port, metadataRequest, brokersOf)) ?? []

/** CQL v4 STARTUP with CQL_VERSION 3.0.0; READY is opcode 2, AUTHENTICATE 3. Source: native_protocol_v4.spec. */
const startup = Buffer.concat([
  Buffer.from([4, 0, 0, 0, 1, 0, 0, 0, 22, 0, 1]),
  text('CQL_VERSION'),
  text('3.0.0'),
])

export const cassandraReady = async (port: number): Promise<boolean> =>
  (await ask(port, startup, answer => (answer.length < 9 ? undefined : [2, 3].includes(answer[4] ?? 0)))) ??
  false

/** StartupMessage of protocol 3.0; unlike Kafka's, its length counts the four bytes of the length too. */
function asUser(user: string): Buffer {
  const body = Buffer.concat([
    Buffer.from([0, 0, 0, 0, 0, 3, 0, 0]),
    Buffer.from(`user\0${user}\0database\0postgres\0\0`),
  ])
  body.writeInt32BE(body.length)
  return body
}

/** PostgreSQL asks for a password (R) once it has started; before that it answers an error (E), "is starting up". */
export const postgresReady = async (port: number): Promise<boolean> =>
  (await ask(port, asUser('postgres'), answer => (answer.length < 1 ? undefined : answer[0] === 0x52))) ??
  false

export async function httpReady(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2000) })
    await response.arrayBuffer()
    return response.ok
  } catch {
    // Nothing listens yet, or it does not answer: not ready is the answer.
    return false
  }
}
