import { afterEach, describe, expect, it } from 'vitest'
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
    ['/favicon.ico', 200],
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
