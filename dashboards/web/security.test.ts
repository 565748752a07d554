import { createServer } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { CryptosError } from '../../core/errors.ts'
import type { WebOptions } from './server.ts'
import { begin, endAll, raw, send } from './world.contract.ts'

afterEach(endAll)

const csp =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'"
const token = 'correct-horse-battery'
const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`

describe('headers (item 37)', () => {
  it.each([
    ['/', 200],
    ['/app.js', 200],
    ['/vendor/uPlot.esm.js', 200],
    ['/api/v1/latest', 200],
    ['/api/v1/history', 400],
    ['/nothing', 404],
    ['/health', 200],
  ])('%s has all of them and no CORS', async (path, status) => {
    const { web } = await begin()
    const answer = await send(web, path, { headers: { origin: web.url.slice(0, -1) } })
    expect(answer.status).toBe(status)
    expect(answer.headers).toMatchObject({
      'content-security-policy': csp,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
    })
    expect(Object.keys(answer.headers).filter(name => name.startsWith('access-control'))).toEqual([])
  })

  it('are on refusals too, and on the event stream', async () => {
    const { web } = await begin()
    for (const headers of [{ host: 'evil.test' }, { origin: 'https://evil.test' }])
      expect((await send(web, '/', { headers })).headers['content-security-policy']).toBe(csp)
    const stream = await fetch(`${web.url}api/v1/events`)
    expect(stream.headers.get('content-security-policy')).toBe(csp)
    expect(stream.headers.get('content-type')).toBe('text/event-stream')
    await stream.body?.cancel()
  })

  it('the page has no inline script, style or handler and nothing from elsewhere', async () => {
    const { web } = await begin({ simulated: 'yes' })
    const { text } = await send(web, '/')
    expect(text).not.toMatch(/<style|\sstyle=|\son\w+=|https?:\/\//)
    expect(text.match(/<script(?![^>]*\ssrc="\/)/)).toBeNull()
  })
})

describe('where it listens (items 33, 34)', () => {
  it('is 127.0.0.1 unless told otherwise, and elsewhere only with a token', async () => {
    const { web } = await begin()
    expect(web.url).toBe(`http://127.0.0.1:${web.port}/`)
    for (const host of ['0.0.0.0', '::', '10.1.2.3'])
      await expect(begin({ host })).rejects.toThrow(/could be reached by other machines: set a token/)
    await expect(begin({ token: 'short' })).rejects.toThrow(/16 to 256/)
  })

  it.each([
    ['127.0.0.1:PORT', 200],
    ['localhost:PORT', 200],
    ['LOCALHOST:PORT', 200],
    ['[::1]:PORT', 200],
    ['prices.example:443', 200],
    ['127.0.0.1', 421],
    ['localhost:1', 421],
    ['evil.test', 421],
    ['evil.test:PORT', 421],
    ['127.0.0.1.evil.test:PORT', 421],
    ['localhost:PORT.evil.test', 421],
    ['user@localhost:PORT', 421],
    ['10.0.0.1:PORT', 421],
  ])('Host: %s → %i', async (host, status) => {
    const { web } = await begin({ allowedHosts: ['prices.example:443'] })
    const headers = { host: host.replace('PORT', String(web.port)) }
    for (const path of ['/', '/api/v1/latest', '/nothing'])
      expect((await send(web, path, { headers })).status).toBe(
        status === 200 && path === '/nothing' ? 404 : status,
      )
  })

  it('refuses an empty and a missing Host', async () => {
    const { web } = await begin()
    expect(await raw(web, 'GET / HTTP/1.1\r\nHost:\r\n\r\n')).toMatch(/^HTTP\/1.1 4(00|21)/)
    expect(await raw(web, 'GET / HTTP/1.1\r\n\r\n')).toMatch(/^HTTP\/1.1 400/)
    expect(await raw(web, 'GET / HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1.1 421/)
  })

  it('on all addresses takes any address as Host and no foreign name', async () => {
    const { web } = await begin({ host: '0.0.0.0', token })
    const ask = async (host: string) =>
      (await send(web, '/health', { headers: { host, authorization: `Bearer ${token}` } })).status
    expect(await ask(`10.1.2.3:${web.port}`)).toBe(200)
    expect(await ask(`[fe80::1]:${web.port}`)).toBe(200)
    expect(await ask(`10.1.2.3:1`)).toBe(421)
    expect(await ask(`999.1.2.3:${web.port}`)).toBe(421)
    expect(await ask(`evil.test:${web.port}`)).toBe(421)
  })
})

describe('other sites (items 35, 36)', () => {
  it.each([
    ['POST', {}, 405],
    ['POST', { 'sec-fetch-site': 'same-origin' }, 405],
    ['POST', { 'sec-fetch-site': 'none' }, 405],
    ['POST', { origin: 'SELF' }, 405],
    ['POST', { 'sec-fetch-site': 'cross-site' }, 403],
    ['POST', { 'sec-fetch-site': 'same-site' }, 403],
    ['POST', { origin: 'https://evil.test' }, 403],
    ['POST', { origin: 'null' }, 403],
    [
      'POST',
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' },
      403,
    ],
    ['PUT', {}, 405],
    ['DELETE', {}, 405],
    ['PATCH', {}, 405],
    ['OPTIONS', { origin: 'https://evil.test', 'access-control-request-method': 'GET' }, 403],
    ['OPTIONS', {}, 405],
    ['GET', { 'sec-fetch-site': 'same-origin' }, 200],
    ['GET', { 'sec-fetch-site': 'none' }, 200],
    ['GET', { origin: 'SELF' }, 200],
    [
      'GET',
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' },
      200,
    ],
    ['GET', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'script' }, 403],
    ['GET', { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'cors' }, 403],
    ['GET', { origin: 'http://localhost:1' }, 403],
    ['GET', { origin: 'https://evil.test' }, 403],
    ['GET', { origin: 'null' }, 403],
    ['HEAD', {}, 200],
  ])('%s with %o → %i', async (method, given, status) => {
    const { web } = await begin()
    const headers = Object.fromEntries(
      Object.entries(given).map(([name, value]) => [
        name,
        value === 'SELF' ? web.url.slice(0, -1) : String(value),
      ]),
    )
    expect((await send(web, '/api/v1/latest', { method, headers })).status).toBe(status)
  })

  it('the event stream is not opened for another origin', async () => {
    const { web } = await begin()
    const answer = await send(web, '/api/v1/events', { headers: { origin: 'http://localhost:3000' } })
    expect(answer.status).toBe(403)
  })
})

describe('the token (items 33, 41)', () => {
  it.each([
    [undefined, 401],
    [`Bearer ${token}`, 200],
    [`bearer ${token}`, 200],
    [basic(`anyone:${token}`), 200],
    [basic(`:${token}`), 200],
    [`Bearer ${token}x`, 401],
    [`Bearer ${token.slice(0, -1)}`, 401],
    ['Bearer ', 401],
    ['Bearer', 401],
    [basic(`${token}:`), 401],
    [`Digest ${token}`, 401],
  ])('Authorization: %s → %i', async (authorization, status) => {
    const { web } = await begin({ token })
    const headers: Record<string, string> = authorization === undefined ? {} : { authorization }
    const answer = await send(web, '/', { headers })
    expect(answer.status).toBe(status)
    expect(answer.headers['www-authenticate']).toBe(
      status === 401 ? 'Basic realm="cryptos", charset="UTF-8"' : undefined,
    )
  })

  it('a refusal is the same for what exists and what does not, and in the address a token is worth nothing', async () => {
    const { web, logged } = await begin({ token })
    const paths = [
      '/',
      '/nothing',
      '/api/v1/latest',
      `/api/v1/latest?token=${token}`,
      '/health',
      '/api/v1/events',
    ]
    const answers = await Promise.all(paths.map(path => send(web, path)))
    expect(new Set(answers.map(a => `${a.status} ${a.text}`)).size).toBe(1)
    expect(answers[0]?.status).toBe(401)
    expect(logged.join()).not.toContain(token)
  })
})

describe('static files (item 39)', () => {
  const corpus = [
    '/../package.json',
    '/..%2fpackage.json',
    '/%2e%2e/%2e%2e/package.json',
    '/vendor/../app.js/../../server.ts',
    '/..\\..\\package.json',
    '/app.js%00.css',
    '/%00',
    '//etc/passwd',
    '/etc/passwd',
    '/vendor/',
    '/vendor/uPlot.esm.js/',
    '/server.ts',
    '/tsconfig.json',
    '/public/app.js',
    '/index.html',
    '/app.js%20',
    '/app.js;x',
    '/%61pp.js/x',
    '/file:///etc/passwd',
    '/.git/config',
    '/__proto__',
    '/toString',
    '/%c0%ae%c0%ae/package.json',
    '/%zz',
  ]
  it.each(corpus)('%s is nothing', async path => {
    const { web } = await begin()
    const answer = await send(web, path)
    expect([path, [400, 404].includes(answer.status)]).toEqual([path, true])
    expect(answer.text).not.toMatch(/root:|"name": "cryptos"|startWeb|compilerOptions/)
  })

  it('a normalised path may only lead to a name of the table', async () => {
    const { web } = await begin()
    const plain = await send(web, '/app.js')
    expect(plain.headers['content-type']).toBe('text/javascript; charset=utf-8')
    const again = await send(web, '/app.js', { headers: { 'if-none-match': String(plain.headers.etag) } })
    expect([again.status, again.text]).toEqual([304, ''])
    const head = await send(web, '/app.js', { method: 'HEAD' })
    expect([head.status, head.text]).toEqual([200, ''])
  })
})

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
