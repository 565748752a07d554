import { parseIso } from '../core/time.ts'
import { VirtualClock } from '../core/virtual-clock.ts'
import { sandboxKey, startSandbox } from './server.ts'
import type { Sandbox, SandboxOptions } from './server.ts'

/** A parsed body: tests look into many shapes. */
// biome-ignore lint/suspicious/noExplicitAny: a type for each shape would be longer than the tests
export type Body = any

export interface TestAnswer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly json: Body
}

/** For tests: a sandbox on a virtual clock, and calls with the key in place. */
export interface TestSandbox extends AsyncDisposable {
  readonly sandbox: Sandbox
  readonly clock: VirtualClock
  /** CoinMarketCap with the key. */
  cmc(path: string): Promise<TestAnswer>
  get(path: string, headers?: Record<string, string>): Promise<TestAnswer>
}

/** Starts at 2026-11-21T12:00:30Z unless told otherwise. */
export async function openTestSandbox(
  options: Partial<Omit<SandboxOptions, 'clock'>> = {},
  start = '2026-11-21T12:00:30Z',
): Promise<TestSandbox> {
  const clock = new VirtualClock(parseIso(start))
  const sandbox = await startSandbox({ ...options, clock })
  const get = async (path: string, headers: Record<string, string> = {}): Promise<TestAnswer> => {
    const response = await fetch(`${sandbox.url}${path}`, { headers })
    const text = await response.text()
    return { status: response.status, headers: response.headers, text, json: parseOrText(text) }
  }
  const cmc = (path: string): Promise<TestAnswer> =>
    get(`/coinmarketcap${path}`, { 'X-CMC_PRO_API_KEY': options.keys?.[0] ?? sandboxKey })
  return { sandbox, clock, get, cmc, [Symbol.asyncDispose]: () => sandbox.close() }
}

function parseOrText(text: string): unknown {
  return /^[[{]/.test(text) ? JSON.parse(text) : text
}

/** Every number of a JSON text as it stands there, by path. */
export function numberTexts(text: string): Map<string, string> {
  const found = new Map<string, string>()
  const walk = (path: string, value: unknown): void => {
    if (typeof value === 'string' && value.startsWith('\u0000')) found.set(path, value.slice(1))
    else if (value !== null && typeof value === 'object')
      for (const [key, member] of Object.entries(value)) walk(`${path}/${key}`, member)
  }
  const reviver = (_: string, value: unknown, context?: { source?: string }): unknown =>
    typeof value === 'number' ? `\u0000${context?.source}` : value
  walk('', JSON.parse(text, reviver as Parameters<typeof JSON.parse>[1]))
  return found
}
