import { readFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { join, normalize } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { TLSSocket } from 'node:tls'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Login, TlsOptions } from '../../core/server.ts'
import { systemClock as clock } from '../../host/clock.ts'
import { openCassandraSink } from '../../processors/sinks/cassandra/sink.ts'
import { openConnection } from '../../processors/sinks/influxdb/open.ts'
import { openPostgresLedger } from '../../quota/ledgers/postgres.ts'
import { openKafkaBroker } from '../../topics/brokers/kafka.ts'
import { scratch } from '../support/scratch.ts'

const folder = normalize(join(import.meta.dirname, '..', '..', 'collectors', 'fixtures', 'tls'))
const pem = (name: string): string => readFileSync(join(folder, name), 'utf8')
/** Of `localhost` and 127.0.0.1. */
const certificate = pem('test-only-certificate.pem')
const password = 'canary-password-that-must-not-travel'
const login: Login = { username: 'cryptos', password }
const tls: TlsOptions = { ca: certificate }

interface Listener {
  readonly port: number
  /** What came through TLS, before a byte of it could be answered. */
  readonly received: () => string
  readonly close: () => Promise<void>
}

/** A server that speaks TLS and never answers. PostgreSQL asks in plain text whether it may begin: that is let through. */
async function listen(cert: string, asksFirst: boolean, address = '127.0.0.1'): Promise<Listener> {
  let received = ''
  const sockets = new Set<Socket>()
  const speak = (raw: Socket): void => {
    const secure = new TLSSocket(raw, { isServer: true, key: pem('test-only-key.pem'), cert })
    secure.on('data', chunk => {
      received += chunk.toString('latin1')
    })
    secure.on('error', () => raw.destroy())
  }
  const server: Server = createServer(raw => {
    sockets.add(raw)
    raw.on('error', () => raw.destroy())
    if (!asksFirst) return speak(raw)
    raw.once('data', () => {
      raw.write('S')
      speak(raw)
    })
  })
  await new Promise<void>(resolve => server.listen(0, address, resolve))
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy()
    await new Promise(resolve => server.close(resolve))
  }
  return { port: (server.address() as AddressInfo).port, received: () => received, close }
}

type Open = (host: string, port: number) => Promise<{ close(): unknown }>
const scratchFolder = scratch('server-tls')

const adapters: Readonly<Record<string, Open>> = {
  kafka: (host, port) =>
    openKafkaBroker({
      ...{ brokers: [`${host}:${port}`], replication: 1, minInsyncReplicas: 1, clock, tls },
      login: { ...login, mechanism: 'plain' },
    }),
  cassandra: (host, port) =>
    openCassandraSink({
      ...{ hosts: [`${host}:${port}`], datacenter: 'datacenter1', keyspace: 'market', replication: 1 },
      ...{ ttlDays: 0, acceptLossWindow: false, clock, login, tls },
    }),
  influxdb: (host, port) =>
    openConnection({ url: `https://${host}:${port}`, database: 'cryptos', clock, login, tls }),
  postgres: (host, port) =>
    openPostgresLedger({
      ...{ url: `postgres://cryptos@${host}:${port}/cryptos`, password, tls, schema: 'cryptos', clock },
      spoolFolder: scratchFolder.path,
    }),
}

describe.each(Object.entries(adapters))('%s over TLS', (name, open) => {
  let server: Listener | undefined
  afterEach(async () => {
    await server?.close()
    server = undefined
  })

  async function refused(host: string, cert: string): Promise<string> {
    server = await listen(cert, name === 'postgres', host === 'localhost' ? '127.0.0.1' : host)
    const error = await open(host, server.port).then(
      async opened => {
        await opened.close()
        return 'it was opened'
      },
      (thrown: unknown) => `${(thrown as { code?: string }).code} ${String(thrown)}`,
    )
    expect(server.received()).toBe('')
    expect(error).not.toContain(password)
    return error
  }

  it('begins to talk where the certificate is of the host that was asked for', async () => {
    server = await listen(certificate, name === 'postgres')
    const opening = open('localhost', server.port).then(
      opened => opened.close(),
      () => undefined,
    )
    for (let tries = 0; tries < 200 && server.received() === ''; tries += 1) await sleep(50)
    expect(server.received()).not.toBe('')
    await server.close()
    await opening
  })
  // Other systems have one loopback address.
  it.skipIf(process.platform !== 'linux')(
    'sends no byte where the certificate is of another host',
    async () => {
      expect(await refused('127.0.0.2', certificate)).toMatch(/^CRY_SERVER_/)
    },
  )
  it('sends no byte where the certificate has expired, or nobody known signed it', async () => {
    expect(await refused('localhost', pem('expired-certificate.pem'))).toMatch(/^CRY_SERVER_/)
  })
})

describe('postgres with sslmode=require in its URL, and no word about TLS in the settings', () => {
  afterEach(() => vi.unstubAllEnvs())

  it('verifies the certificate also where the environment says not to', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0')
    const server = await listen(certificate, true)
    const url = `postgres://cryptos@localhost:${server.port}/cryptos?sslmode=require`
    const options = { url, password, schema: 'cryptos', clock, spoolFolder: scratchFolder.path }
    const opening = openPostgresLedger(options)
    await expect(opening).rejects.toMatchObject({ code: 'CRY_SERVER_REFUSED' })
    expect(server.received()).toBe('')
    await server.close()
  })
})
