import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { connect } from 'node:net'
import { VirtualClock } from '../../core/virtual-clock.ts'
import { FakeMarket, FakeStatus, FakeStore, start } from './fakes.contract.ts'
import { startWeb, type Web, type WebOptions } from './server.ts'

/** For tests only: the real server over the ports in memory, and clients that can send what fetch would not. */

const open: Web[] = []

export async function begin(options: Partial<WebOptions> = {}) {
  const store = new FakeStore()
  const status = new FakeStatus()
  const market = new FakeMarket()
  const clock = new VirtualClock(start)
  const logged: string[] = []
  const web = await startWeb({
    port: 0,
    reader: store,
    market,
    status,
    feed: store,
    clock,
    simulated: null,
    version: '1.2.3',
    log: line => logged.push(line),
    ...options,
  })
  open.push(web)
  return { store, market, status, clock, web, logged }
}

export async function endAll(): Promise<void> {
  for (const web of open.splice(0)) await web.close()
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

/** Any method, header and target, Host and Origin too. */
export function send(
  web: Web,
  target: string,
  options: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const { method = 'GET', headers = {}, body } = options
  const request = httpRequest({
    host: '127.0.0.1',
    port: web.port,
    path: target,
    method,
    headers,
    agent: false,
  })
  request.on('error', reject)
  request.on('response', response => {
    let text = ''
    response.setEncoding('utf8')
    response.on('data', chunk => {
      text += chunk
    })
    response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }))
    response.on('error', reject)
  })
  request.end(body)
  return promise
}

// biome-ignore lint/suspicious/noExplicitAny: the shape is what each test checks
export async function json(web: Web, target: string): Promise<{ status: number; body: any }> {
  const { status, text } = await send(web, target)
  return { status, body: JSON.parse(text) }
}

/** Sends bytes as they are and gives all that comes back until the server hangs up. */
export function raw(web: Web, bytes: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  const socket = connect(web.port, '127.0.0.1', () => socket.write(bytes))
  let text = ''
  socket.on('data', chunk => {
    text += chunk.toString('latin1')
  })
  socket.on('error', () => resolve(text))
  socket.on('close', () => resolve(text))
  return promise
}

export interface StreamEvent {
  readonly event: string
  readonly id: string | undefined
  // biome-ignore lint/suspicious/noExplicitAny: the shape is what each test checks
  readonly data: any
}

/** One client of the event stream. `next` waits for the next event of a kind. */
export async function listen(web: Web, headers: Record<string, string> = {}) {
  const end = new AbortController()
  const response = await fetch(`${web.url}api/v1/events`, { headers, signal: end.signal })
  if (!response.body) throw new Error('no stream')
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
  let buffer = ''
  const read = async (): Promise<StreamEvent | undefined> => {
    while (!buffer.includes('\n\n')) {
      const { done, value } = await reader.read()
      if (done) return undefined
      buffer += value
    }
    const at = buffer.indexOf('\n\n')
    const block = buffer.slice(0, at)
    buffer = buffer.slice(at + 2)
    return parseBlock(block)
  }
  const next = async (event: string): Promise<StreamEvent> => {
    for (;;) {
      const found = await read()
      if (!found) throw new Error(`the stream ended before ${event}`)
      if (found.event === event) return found
    }
  }
  return { response, read, next, leave: () => end.abort() }
}

function parseBlock(block: string): StreamEvent {
  const fields = new Map(
    block.split('\n').map(line => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
  )
  return {
    event: fields.get('event') ?? '',
    id: fields.get('id'),
    data: JSON.parse(fields.get('data') ?? 'null'),
  }
}
