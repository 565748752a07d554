import type { PeerCertificate } from 'node:tls'
import { expect, it } from 'vitest'
import { tlsOf } from './tls.ts'

const certificate = (subjectaltname: string) =>
  ({ subject: { CN: 'x' }, subjectaltname }) as unknown as PeerCertificate
const hosts = [
  { host: 'one.example', port: 9042 },
  { host: '10.0.0.2', port: 9042 },
]
const problem = (address: string, names: string): Error | undefined =>
  tlsOf({}, hosts).checkServerIdentity?.(address, certificate(names))

it('verifies, which the driver does not by itself', () => {
  expect(tlsOf({ ca: 'PEM' }, hosts)).toMatchObject({
    ca: 'PEM',
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
  })
})

it('takes a certificate for the address of a node or for a host of the settings, and no other', () => {
  // The driver connects to addresses, whatever name the settings have.
  expect(problem('10.9.9.9', 'DNS:one.example')).toBeUndefined()
  expect(problem('10.9.9.9', 'IP Address:10.9.9.9')).toBeUndefined()
  expect(problem('10.9.9.9', 'IP Address:10.0.0.2')).toBeUndefined()
  for (const names of ['DNS:evil.example', 'IP Address:10.0.0.3', 'DNS:one.example.evil'])
    expect(problem('10.9.9.9', names)).toBeInstanceOf(Error)
})
