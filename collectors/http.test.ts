import { readFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer } from 'node:net'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import { parseIso } from '../core/time.ts'
import { VirtualClock } from '../core/virtual-clock.ts'
import { createHttpClient, type HttpCall, type HttpClient, type HttpOptions } from './http.ts'

const key = 'k3y-that-must-never-show'
const maxBytes = 10_000
const open: { close: () => void }[] = []
afterEach(() => {
  for (const thing of open.splice(0)) thing.close()
})

async function listen(server: Server | TcpServer): Promise<number> {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  open.push({
    close: () => {
      if ('closeAllConnections' in server) server.closeAllConnections()
      server.close()
    },
  })
  return (server.address() as AddressInfo).port
}

const clock = new VirtualClock(parseIso('2026-11-21T12:00:00Z'))

function client(options: Partial<HttpOptions> = {}): HttpClient {
  const made = createHttpClient({ clock, allowedHosts: [], maxBytes, ...options })
  open.push(made)
  return made
}

const call = (url: string, more: Partial<HttpCall> = {}): HttpCall => ({
  url,
  headers: { accept: 'application/json' },
  secretHeader: { name: 'X-CMC_PRO_API_KEY', value: key },
  deadlineMs: 2_000,
  signal: new AbortController().signal,
  slot: 'test/quotes/2026/0',
  ...more,
})

/** A plain server and a client that may call it. */
async function sandbox(listener: RequestListener, options: Partial<HttpOptions> = {}) {
  const port = await listen(createServer(listener))
  const origin = `http://127.0.0.1:${port}`
  return { origin, http: client({ sandboxOrigin: origin, ...options }) }
}

const failing = async (answer: Promise<unknown>): Promise<Error & { code: string }> => {
  const error = await answer.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(Error)
  const shown = `${inspect(error, { depth: 20, showHidden: true })}${JSON.stringify(error)}${String(error)}${(error as Error).stack}`
  expect(shown).not.toContain(key)
  return error as Error & { code: string }
}

describe('the HTTP client', () => {
  it('gives status, lower-case headers and the very bytes; the key is a header', async () => {
    let seen: Record<string, unknown> = {}
    const { origin, http } = await sandbox((request, response) => {
      seen = request.headers
      response.writeHead(429, { 'Retry-After': '7', 'X-Two': ['a', 'b'] }).end('{"a":1.50}')
    })
    const answer = await http.send(call(`${origin}/x?y=1`))
    expect(answer.status).toBe(429)
    expect(answer.headers['retry-after']).toBe('7')
    expect(answer.headers['x-two']).toBe('a, b')
    expect(Buffer.from(answer.body).toString()).toBe('{"a":1.50}')
    expect(answer.receivedAt).toBe(clock.now())
    expect(seen['x-cmc_pro_api_key']).toBe(key)
    expect(seen['user-agent']).toBe('cryptos')
  })

  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
  ] as const)('inflates %s, and stops a bomb of it', async (encoding, compress) => {
    const { origin, http } = await sandbox((request, response) => {
      const size = request.url === '/bomb' ? 2_000_000 : 5_000
      response.writeHead(200, { 'content-encoding': encoding }).end(compress(Buffer.alloc(size, 'a')))
    })
    const answer = await http.send(call(`${origin}/fine`))
    expect(answer.body.byteLength).toBe(5_000)
    const error = await failing(http.send(call(`${origin}/bomb`)))
    expect(error.code).toBe('CRY_HTTP_TOO_LARGE')
  })

  it('stops a body without an end at the size cap, told by its length or not', async () => {
    const { origin, http } = await sandbox((request, response) => {
      if (request.url === '/told') response.writeHead(200, { 'content-length': '99999999' })
      const timer = setInterval(() => response.write('a'.repeat(4_000)), 1)
      response.on('close', () => clearInterval(timer))
    })
    expect((await failing(http.send(call(`${origin}/told`)))).code).toBe('CRY_HTTP_TOO_LARGE')
    expect((await failing(http.send(call(`${origin}/endless`)))).code).toBe('CRY_HTTP_TOO_LARGE')
  })

  it('stops a compressed body without an end that inflates to nothing', async () => {
    const { origin, http } = await sandbox((_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' })
      const nothing = Buffer.concat(Array.from({ length: 100 }, () => gzipSync('')))
      const timer = setInterval(() => response.write(nothing), 1)
      response.on('close', () => clearInterval(timer))
    })
    expect((await failing(http.send(call(origin)))).code).toBe('CRY_HTTP_TOO_LARGE')
  })

  it('ends a body that drips at the total deadline', async () => {
    const { origin, http } = await sandbox((_, response) => {
      response.writeHead(200, { 'content-length': '1000' })
      const timer = setInterval(() => response.write('a'), 20)
      response.on('close', () => clearInterval(timer))
    })
    const error = await failing(http.send(call(origin, { deadlineMs: 150 })))
    expect(error.code).toBe('CRY_HTTP_TIMEOUT')
  })

  it('calls a cut body a failure, never an answer', async () => {
    const { origin, http } = await sandbox((request, response) => {
      if (request.url === '/gzip') response.setHeader('content-encoding', 'gzip')
      response.setHeader('content-length', '1000')
      response.write(request.url === '/gzip' ? gzipSync('{"a":1}').subarray(0, 12) : '{"a":1}')
      setImmediate(() => response.destroy())
    })
    expect((await failing(http.send(call(`${origin}/plain`)))).code).toBe('CRY_HTTP_NETWORK')
    expect((await failing(http.send(call(`${origin}/gzip`)))).code).toBe('CRY_HTTP_NETWORK')
  })

  it('follows no redirect', async () => {
    const paths: string[] = []
    const { origin, http } = await sandbox((request, response) => {
      paths.push(request.url ?? '')
      response.writeHead(302, { location: '/elsewhere' }).end()
    })
    expect((await failing(http.send(call(`${origin}/a`)))).code).toBe('CRY_HTTP_REDIRECT')
    expect(paths).toEqual(['/a'])
  })

  it('sends once: a lost answer is not asked for again', async () => {
    let calls = 0
    const { origin, http } = await sandbox((request, _) => {
      calls += 1
      request.socket.destroy()
    })
    let sent = 0
    const error = await failing(http.send(call(origin, { onSent: () => (sent += 1) })))
    expect(error.code).toBe('CRY_HTTP_NETWORK')
    expect([calls, sent]).toEqual([1, 1])
  })

  it('refuses too many headers', async () => {
    const { origin, http } = await sandbox(
      (_, response) => {
        response.writeHead(200, { 'x-big': 'a'.repeat(15_000) }).end()
      },
      { maxHeaderBytes: 8_000 },
    )
    expect((await failing(http.send(call(origin)))).code).toBe('CRY_HTTP_TOO_LARGE')
  })

  it('calls nothing but https to allowed hosts, and its sandbox', async () => {
    const http = client({ allowedHosts: ['api.example.com'], sandboxOrigin: 'http://127.0.0.1:1' })
    const bad = [
      'http://api.example.com/',
      'https://api.example.com.evil.test/',
      'https://evil.test/',
      'https://api.example.com:8443/',
      'https://user:pass@api.example.com/',
      'http://127.0.0.1:2/',
      'file:///etc/passwd',
      'nonsense',
    ]
    for (const url of bad) expect((await failing(http.send(call(url)))).code, url).toBe('CRY_HTTP_HOST')
  })

  it.each([
    '169.254.169.254',
    '10.0.0.1',
    '127.0.0.1',
    '100.64.0.1',
    '::1',
    'fe80::1',
    'fd00::1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '64:ff9b::a9fe:a9fe',
    '2002:7f00:1::',
    '0.0.0.0',
  ])('refuses a provider whose name leads to %s', async address => {
    const resolve = async () => [
      { address: '93.184.216.34', family: 4 },
      { address, family: address.includes(':') ? 6 : 4 },
    ]
    const http = client({ allowedHosts: ['api.example.com'], resolve })
    let sent = false
    const error = await failing(http.send(call('https://api.example.com/', { onSent: () => (sent = true) })))
    expect(error.code).toBe('CRY_HTTP_ADDRESS')
    expect(sent).toBe(false)
  })

  it('refuses an allowed host that is a private address itself, and a sandbox name that leads elsewhere', async () => {
    const http = client({ allowedHosts: ['10.0.0.1', '[::1]'] })
    expect((await failing(http.send(call('https://10.0.0.1/')))).code).toBe('CRY_HTTP_ADDRESS')
    expect((await failing(http.send(call('https://[::1]/')))).code).toBe('CRY_HTTP_ADDRESS')
    const away = client({
      sandboxOrigin: 'http://localhost:8080',
      resolve: async () => [{ address: '93.184.216.34', family: 4 }],
    })
    expect((await failing(away.send(call('http://localhost:8080/')))).code).toBe('CRY_HTTP_ADDRESS')
  })

  it('writes nothing when the permit has run out while the connection was made', async () => {
    let bytes = 0
    const server = createTcpServer(socket => {
      socket.on('data', chunk => (bytes += chunk.length))
      socket.on('error', () => undefined)
    })
    const port = await listen(server)
    const http = client({ sandboxOrigin: `http://127.0.0.1:${port}` })
    const startBy = parseIso('2026-11-21T11:59:59Z')
    let sent = false
    const late = http.send(call(`http://127.0.0.1:${port}/`, { startBy, onSent: () => (sent = true) }))
    expect((await failing(late)).code).toBe('CRY_HTTP_LATE')
    expect([bytes, sent]).toEqual([0, false])
  })

  it('looks at the permit after the connection is open, not before', async () => {
    const own = new VirtualClock(parseIso('2026-11-21T12:00:00Z'))
    let requests = 0
    const server = createServer((_, response) => {
      requests += 1
      response.end('{}')
    })
    // The clock moves while the connection is being made: as when the process is stopped there.
    server.on('connection', () => own.advance(10_000))
    const port = await listen(server)
    const origin = `http://localhost:${port}`
    const resolve = async () => {
      own.advance(10_000)
      return [{ address: '127.0.0.1', family: 4 }]
    }
    const http = client({ clock: own, sandboxOrigin: origin, resolve })
    const startBy = parseIso('2026-11-21T12:00:05Z')
    expect((await failing(http.send(call(origin, { startBy })))).code).toBe('CRY_HTTP_LATE')
    expect(requests).toBe(0)
  })

  it('stops at the signal, before and during a call', async () => {
    const stop = new AbortController()
    const { origin, http } = await sandbox(() => stop.abort())
    expect((await failing(http.send(call(origin, { signal: stop.signal })))).code).toBe('CRY_ABORTED')
    let sent = false
    const again = http.send(call(origin, { signal: stop.signal, onSent: () => (sent = true) }))
    expect((await failing(again)).code).toBe('CRY_ABORTED')
    expect(sent).toBe(false)
  })

  it('names a refused connection without telling anything else', async () => {
    const http = client({ sandboxOrigin: 'http://127.0.0.1:1' })
    const error = await failing(http.send(call('http://127.0.0.1:1/')))
    expect(error.code).toBe('CRY_HTTP_NETWORK')
    expect(error.message).toContain('ECONNREFUSED')
  })

  it('refuses a key with a line break without showing it', async () => {
    const { origin, http } = await sandbox((_, response) => response.end('{}'))
    const secretHeader = { name: 'X-CMC_PRO_API_KEY', value: `${key}\r\nx-evil: 1` }
    const error = await failing(http.send(call(origin, { secretHeader })))
    expect(error.code).toBe('CRY_CONFIG_INVALID')
  })

  it('sends a word before the key in Authorization only, and no key with a space', async () => {
    const seen: (string | undefined)[] = []
    const { origin, http } = await sandbox((request, response) => {
      seen.push(request.headers.authorization)
      response.end('{}')
    })
    const send = (name: string, value: string) => call(origin, { secretHeader: { name, value } })
    await http.send(send('Authorization', `Apikey ${key}`))
    expect(seen).toEqual([`Apikey ${key}`])
    const bad = { more: `Apikey ${key} more`, none: 'Apikey ' }
    for (const [name, value] of [
      ['Authorization', bad.more],
      ['Authorization', bad.none],
      ['X-Key', `Apikey ${key}`],
    ] as const)
      expect((await failing(http.send(send(name, value)))).code, value).toBe('CRY_CONFIG_INVALID')
    expect(seen).toHaveLength(1)
  })
})

describe('TLS', () => {
  const folder = join(import.meta.dirname, 'fixtures', 'tls')
  const tls = {
    key: readFileSync(join(folder, 'test-only-key.pem')),
    cert: readFileSync(join(folder, 'test-only-certificate.pem')),
  }

  it('refuses a self-signed certificate before a byte of the request is written, whatever the environment says', async () => {
    let requests = 0
    const server = createSecureServer(tls, (_, response) => {
      requests += 1
      response.end('{}')
    })
    const port = await listen(server)
    const before = process.env['NODE_TLS_REJECT_UNAUTHORIZED']
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'
    try {
      const origin = `https://localhost:${port}`
      let sent = false
      const answer = client({ sandboxOrigin: origin }).send(call(origin, { onSent: () => (sent = true) }))
      const error = await failing(answer)
      expect(error.code).toBe('CRY_HTTP_TLS')
      expect(error.message).toContain('DEPTH_ZERO_SELF_SIGNED_CERT')
      expect(sent).toBe(false)
    } finally {
      if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']
      else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = before
    }
    expect(requests).toBe(0)
  })
})
