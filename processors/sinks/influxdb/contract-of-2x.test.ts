import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { EpochMicros } from '../../../core/brands.ts'
import { classify } from '../../../core/errors.ts'
import { VirtualClock } from '../../../core/virtual-clock.ts'
import { quote, sourceAt } from '../../sink.contract.ts'
import { openInfluxSink } from './sink.ts'

/** InfluxDB 2 as its API documents it, and answers that the real 1.8 can not be made to give. No such server was run. */
const noon = Date.UTC(2026, 10, 21, 12) * 1_000
const clock = new VirtualClock(EpochMicros(noon + 60_000_000))
const nth = (i: number) => quote({ observedAt: EpochMicros(noon + i) })

interface Seen {
  readonly url: string
  readonly authorization: string | undefined
  readonly body: string
}
type Answer = { readonly status: number; readonly body?: object; readonly headers?: Record<string, string> }

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

/** @param onWrite what a write is answered, by its lines */
async function stub(onWrite: (lines: readonly string[], write: number) => Answer, version = 'v2.7.11') {
  const seen: Seen[] = []
  let writes = 0
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', (): unknown => {
      const body = Buffer.concat(parts).toString()
      const url = request.url ?? ''
      seen.push({ url, authorization: request.headers.authorization, body })
      if (url.startsWith('/ping')) return response.writeHead(204, { 'x-influxdb-version': version }).end()
      if (url.startsWith('/query')) return response.end(queryAnswer(body))
      writes += 1
      const { status, body: json, headers = {} } = onWrite(body.split('\n'), writes)
      response.writeHead(status, {
        ...headers,
        ...(json ? { 'content-type': 'application/json; charset=utf-8' } : {}),
      })
      return response.end(json ? JSON.stringify(json) : '')
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}`
  const open = () => openInfluxSink({ url, org: 'o rg', database: 'prices', token: 'abc==', clock })
  const close = (): Promise<void> => new Promise(resolve => server.close(() => resolve()))
  closing.push(close)
  return { open, seen, writes: () => seen.filter(s => s.url.startsWith('/api/v2/write')) }
}

const queryAnswer = (body: string): string => {
  const q = new URLSearchParams(body).get('q') ?? ''
  const policies = { columns: ['name', 'duration'], values: [['autogen', '0s']] }
  const results = q.split(';\n').map((one, statement_id) => ({
    ...{ statement_id },
    ...(one.startsWith('SHOW RETENTION') ? { series: [policies] } : {}),
  }))
  return `${JSON.stringify({ results })}\n`
}

it('writes with org, bucket and token, in microseconds', async () => {
  const { open, seen, writes } = await stub(() => ({ status: 204 }))
  const sink = await open()
  expect(await sink.write([nth(0), nth(1)], sourceAt(0, 2))).toEqual({ written: 2, superseded: 0 })
  await sink.close()
  expect(writes()).toHaveLength(1)
  const url = new URL(writes()[0]?.url ?? '', 'http://x')
  expect(Object.fromEntries(url.searchParams)).toEqual({ org: 'o rg', bucket: 'prices', precision: 'us' })
  expect(new Set(seen.map(s => s.authorization))).toEqual(new Set(['Token abc==']))
  expect(seen.map(s => s.url).join()).not.toContain('abc==')
})

it('422: some were rejected and are not named; they are found, the others are stored', async () => {
  const bad = `${noon + 2}`
  const conflict =
    'failure writing points to database: partial write: field type conflict: input field "price"'
  const { open, writes } = await stub(lines =>
    lines.some(line => line.endsWith(bad))
      ? { status: 422, body: { code: 'unprocessable entity', message: `${conflict} dropped=1` } }
      : { status: 204 },
  )
  const sink = await open()
  await expect(sink.write([0, 1, 2, 3, 4].map(nth), sourceAt(0, 5))).rejects.toMatchObject({
    code: 'CRY_RECORD_INVALID',
    partial: {
      written: 4,
      superseded: 0,
      refused: new Map([[2, expect.stringContaining('field type conflict')]]),
    },
  })
  const taken = writes().filter(w => !w.body.includes(bad))
  for (const i of [0, 1, 3, 4]) expect(taken.some(w => w.body.includes(` ${noon + i}`))).toBe(true)
  await sink.close()
})

it('400: nothing was stored, the line is named', async () => {
  const { open } = await stub(lines => {
    const bad = lines.find(line => line.endsWith(`${noon + 1}`))
    return bad
      ? { status: 400, body: { code: 'invalid', message: `unable to parse '${bad}': invalid number` } }
      : { status: 204 }
  })
  const sink = await open()
  await expect(sink.write([0, 1, 2].map(nth), sourceAt(0, 3))).rejects.toMatchObject({
    partial: { written: 2, refused: new Map([[1, 'invalid number']]) },
  })
  await sink.close()
})

const seconds = (n: number): number => (noon + 60_000_000) / 1_000 + n * 1_000
it.each([
  [401, 'unauthorized access', {}, 'CRY_SERVER_REFUSED', 'stop', undefined],
  [403, 'forbidden', {}, 'CRY_SERVER_REFUSED', 'stop', undefined],
  [404, 'bucket "prices" not found', {}, 'CRY_SERVER_CONFIG', 'stop', undefined],
  [400, 'invalid precision', {}, 'CRY_SERVER_CONFIG', 'stop', undefined],
  [400, 'unexpected EOF', {}, 'CRY_SERVER_UNREACHABLE', 'retry', undefined],
  [405, 'method not allowed', {}, 'CRY_SERVER_CONFIG', 'stop', undefined],
  [302, '', { location: 'http://127.0.0.1:1/' }, 'CRY_SERVER_CONFIG', 'stop', undefined],
  [429, 'too many', { 'retry-after': '7' }, 'CRY_SERVER_BUSY', 'wait', seconds(7)],
  [
    503,
    'overloaded',
    { 'retry-after': new Date(seconds(90)).toUTCString() },
    'CRY_SERVER_BUSY',
    'wait',
    seconds(90),
  ],
  [503, 'overloaded', {}, 'CRY_SERVER_BUSY', 'wait', undefined],
  [500, 'engine: cache-max-memory-size exceeded: (1/1)', {}, 'CRY_SERVER_BUSY', 'wait', undefined],
  [500, 'retention policy not found: nope', {}, 'CRY_SERVER_CONFIG', 'stop', undefined],
  [500, 'write /x: no space left on device', {}, 'CRY_DISK_FULL', 'retry', undefined],
  [500, 'timeout', {}, 'CRY_SERVER_UNREACHABLE', 'retry', undefined],
  [502, 'bad gateway', {}, 'CRY_SERVER_UNREACHABLE', 'retry', undefined],
  [200, '', {}, 'CRY_SERVER_CONFIG', 'stop', undefined],
] as const)('%d %s is one request and %s', async (status, message, headers, code, reaction, retryAtMs) => {
  const { open, writes } = await stub(() => ({ status, headers, ...(message ? { body: { message } } : {}) }))
  const sink = await open()
  const error: unknown = await sink.write([nth(0), nth(1)], sourceAt(0, 2)).catch((e: unknown) => e)
  expect(error).toMatchObject({
    code,
    retryAtMs,
    message: expect.stringMatching(/^InfluxDB at 127\.0\.0\.1:\d+ /),
  })
  expect(classify(error)).toBe(reaction)
  expect(writes()).toHaveLength(1)
  await sink.close()
})

it('an answer that is no 204 is no receipt: something between answers there', async () => {
  const { open } = await stub(() => ({ status: 200, body: { welcome: 'log in first' } }))
  const sink = await open()
  await expect(sink.write([nth(0)], sourceAt(0, 1))).rejects.toMatchObject({ code: 'CRY_SERVER_CONFIG' })
  await sink.close()
})

it('InfluxDB 3 is refused: it stores one of two values of one moment by chance', async () => {
  const { open } = await stub(() => ({ status: 204 }), '3.4.0')
  await expect(open()).rejects.toMatchObject({
    code: 'CRY_SERVER_CONFIG',
    message: expect.stringMatching(/3\.4\.0/),
  })
})
