import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import tls from 'node:tls'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { toCryptosError } from '../core/errors.ts'
import { parseIso } from '../core/time.ts'
import { VirtualClock } from '../core/virtual-clock.ts'
import { createHttpClient } from './http.ts'

const key = 'k3y-that-must-never-show'
const file = (name: string): string =>
  readFileSync(join(import.meta.dirname, 'fixtures', 'tls', name), 'utf8')
const valid = file('test-only-certificate.pem')
const expired = file('expired-certificate.pem')
const trusted = tls.getCACertificates('default')

beforeAll(() => tls.setDefaultCACertificates([...trusted, valid, expired]))
afterAll(() => tls.setDefaultCACertificates([...trusted]))

/** One call to a server with that certificate: what came of it, and how many requests the server saw. */
async function callWith(cert: string) {
  let requests = 0
  const server = createServer({ key: file('test-only-key.pem'), cert }, (_, response) => {
    requests += 1
    response.end('{}')
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const origin = `https://localhost:${(server.address() as AddressInfo).port}`
  const clock = new VirtualClock(parseIso('2026-11-21T12:00:00Z'))
  const http = createHttpClient({ clock, allowedHosts: [], maxBytes: 1_000, sandboxOrigin: origin })
  let wasSent = false
  const ended = await http
    .send({
      ...{ url: origin, headers: {}, deadlineMs: 2_000, slot: 'tls' },
      secretHeader: { name: 'X-Key', value: key },
      signal: new AbortController().signal,
      onSent: () => {
        wasSent = true
      },
    })
    .then(
      answer => ({ status: answer.status }),
      (error: unknown) => ({ error: toCryptosError(error) }),
    )
  http.close()
  server.closeAllConnections()
  await new Promise(resolve => server.close(resolve))
  return { ended, requests, wasSent }
}

it('a certificate that is trusted is accepted, or the next test would prove nothing', async () => {
  expect(await callWith(valid)).toEqual({ ended: { status: 200 }, requests: 1, wasSent: true })
})

it('a trusted certificate that has expired is refused before a byte is written, by its reason', async () => {
  const { ended, requests, wasSent } = await callWith(expired)
  const { error } = ended as { error: Error & { code: string } }
  expect([error.code, requests, wasSent]).toEqual(['CRY_HTTP_TLS', 0, false])
  expect(error.message).toContain('CERT_HAS_EXPIRED')
  expect(error.message).not.toContain(key)
})
