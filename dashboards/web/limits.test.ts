import { createServer } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { CryptosError } from '../../core/errors.ts'
import type { WebOptions } from './server.ts'
import { begin, endAll, raw, send } from './world.contract.ts'

afterEach(endAll)

const token = 'correct-horse-battery'

describe('limits (item 40)', () => {
  it('refuses a long address, a body and large headers', async () => {
    const { web } = await begin()
    expect((await send(web, `/api/v1/latest?asset=${'x'.repeat(2_048)}`)).status).toBe(414)
    expect(
      (await send(web, '/api/v1/latest', { headers: { 'content-length': '1' }, body: 'x' })).status,
    ).toBe(413)
    expect(
      (await send(web, '/', { method: 'POST', headers: { 'transfer-encoding': 'chunked' } })).status,
    ).toBe(413)
    expect((await send(web, '/', { headers: { x: 'x'.repeat(9_000) } })).status).toBe(431)
  })

  it('hangs up on a client that never ends its headers', async () => {
    const { web } = await begin({ limits: { headersTimeoutMs: 50, connectionCheckMs: 20 } })
    expect(await raw(web, 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ')).toMatch(/^(HTTP\/1.1 408|$)/)
  })

  it('answers what is no HTTP with 400 and an absolute address with 400', async () => {
    const { web } = await begin()
    expect(await raw(web, 'HELLO\r\n\r\n')).toMatch(/^HTTP\/1.1 400/)
    const absolute = `GET http://evil.test/ HTTP/1.1\r\nHost: 127.0.0.1:${web.port}\r\n\r\n`
    expect(await raw(web, absolute)).toMatch(/^HTTP\/1.1 400/)
    const smuggled = `GET / HTTP/1.1\r\nHost: 127.0.0.1:${web.port}\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n`
    expect(await raw(web, smuggled)).toMatch(/^HTTP\/1.1 4(00|13)/)
  })

  it('answers 429 once a connection has used its burst, and goes on after a second', async () => {
    const { web, clock } = await begin({ limits: { allBurst: 3, allRequestsPerSecond: 1 } })
    const ask = async () => (await send(web, '/health')).status
    expect([await ask(), await ask(), await ask(), await ask()]).toEqual([200, 200, 200, 429])
    clock.advance(1_000)
    expect([await ask(), await ask()]).toEqual([200, 429])
  })

  it('opens no more event streams than allowed, and gives the place back', async () => {
    const { web } = await begin({ limits: { maxStreams: 1 } })
    const end = new AbortController()
    const first = await fetch(`${web.url}api/v1/events`, { signal: end.signal })
    expect(first.status).toBe(200)
    const second = await send(web, '/api/v1/events')
    expect([second.status, second.headers['retry-after']]).toEqual([503, '5'])
    expect((await send(web, '/api/v1/events', { method: 'HEAD' })).status).toBe(405)
    end.abort()
    await expect.poll(async () => (await send(web, '/api/v1/events', { method: 'HEAD' })).status).toBe(405)
    await expect
      .poll(async () => {
        const again = await fetch(`${web.url}api/v1/events`)
        await again.body?.cancel()
        return again.status
      })
      .toBe(200)
  })
})

describe('starting and stopping', () => {
  const options = (port: number): Partial<WebOptions> => ({ port })

  it('says in one sentence that a port is in use', async () => {
    const { web } = await begin()
    const failed = await begin(options(web.port)).catch((error: unknown) => error)
    expect(failed).toBeInstanceOf(CryptosError)
    expect(failed).toMatchObject({
      code: 'CRY_PORT_IN_USE',
      message: `port ${web.port} is in use: choose another with --port or CRYPTOS_PORT`,
    })
  })

  it('says in one sentence that a port or host can not be used', async () => {
    await expect(begin(options(70_000))).rejects.toThrow('the port must be a whole number from 0 to 65535')
    await expect(begin({ host: '192.0.2.1', token })).rejects.toThrow(
      '192.0.2.1 is no address of this machine',
    )
  })

  it('gives the port back when it is closed', async () => {
    const { web } = await begin()
    await web.close()
    const server = createServer()
    await new Promise<void>(resolve => server.listen(web.port, '127.0.0.1', resolve))
    await new Promise(resolve => server.close(resolve))
  })
})
