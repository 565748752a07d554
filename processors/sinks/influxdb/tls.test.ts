import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, it, vi } from 'vitest'
import { EpochMicros } from '../../../core/brands.ts'
import { VirtualClock } from '../../../core/virtual-clock.ts'
import { quote, sourceAt } from '../../sink.contract.ts'
import { openInfluxSink } from './sink.ts'

const pem = (name: string): string =>
  readFileSync(new URL(`../../../collectors/fixtures/tls/test-only-${name}.pem`, import.meta.url), 'utf8')
const ca = pem('certificate')
const clock = new VirtualClock(EpochMicros(Date.UTC(2026, 10, 22) * 1_000))

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  vi.unstubAllEnvs()
  for (const close of closing.splice(0)) await close()
})

/** A server with a certificate for localhost and 127.0.0.1; counts the requests that got through to it. */
async function stub(host: string) {
  let asked = 0
  const server = createServer({ key: pem('key'), cert: ca }, (request, response) => {
    asked += 1
    request.resume()
    const results = [{ statement_id: 0, series: [{ columns: ['name'], values: [['autogen']] }] }]
    const isQuery = request.url?.startsWith('/query')
    response.writeHead(isQuery ? 200 : 204).end(isQuery ? JSON.stringify({ results }) : '')
  })
  await new Promise<void>(resolve => server.listen(0, host, resolve))
  closing.push(() => new Promise(resolve => server.close(() => resolve())))
  const url = `https://${host}:${(server.address() as AddressInfo).port}`
  const open = (tls?: { readonly ca: string }) =>
    openInfluxSink({ url, database: 'prices', token: 't0ken', clock, ...(tls ? { tls } : {}) })
  return { open, asked: () => asked }
}

it('a certificate that nobody vouches for is refused before a word is sent', async () => {
  const { open, asked } = await stub('127.0.0.1')
  await expect(open()).rejects.toMatchObject({
    code: 'CRY_SERVER_REFUSED',
    message: expect.stringMatching(/can not be trusted \(TLS\)/),
  })
  expect(asked()).toBe(0)
})

it('NODE_TLS_REJECT_UNAUTHORIZED=0 does not switch that off', async () => {
  vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0')
  const { open, asked } = await stub('127.0.0.1')
  await expect(open()).rejects.toMatchObject({ code: 'CRY_SERVER_REFUSED' })
  const other = await stub('127.0.0.2')
  await expect(other.open({ ca })).rejects.toMatchObject({ code: 'CRY_SERVER_REFUSED' })
  expect(asked() + other.asked()).toBe(0)
})

it('one of another name is refused, also with its authority given', async () => {
  const { open, asked } = await stub('127.0.0.2')
  await expect(open({ ca })).rejects.toMatchObject({ code: 'CRY_SERVER_REFUSED' })
  expect(asked()).toBe(0)
})

it('one of a given authority is taken', async () => {
  const { open } = await stub('127.0.0.1')
  const sink = await open({ ca })
  expect(await sink.write([quote()], sourceAt(0, 1))).toEqual({ written: 1, superseded: 0 })
  await sink.close()
})
