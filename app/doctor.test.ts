import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer, type ServerResponse } from 'node:http'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { SqlDb } from '../host/sqlite.ts'
import { loadConfig, readConfig } from './config/load.ts'
import { examine, type Finding } from './doctor.ts'
import { lockStore } from './store-lock.ts'

const root = mkdtempSync(join(tmpdir(), 'cryptos-doctor-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const look = async (folder: string, env: Record<string, string> = {}): Promise<readonly Finding[]> =>
  examine(loadConfig({ CRYPTOS_DATA_DIR: folder, CRYPTOS_PORT: '0', ...env }))
const named = (findings: readonly Finding[], name: string): Finding | undefined =>
  findings.find(f => f.name.endsWith(name))

describe('the doctor', () => {
  it('finds nothing wrong in a new folder, and makes it private', async () => {
    const findings = await look(join(root, 'new'))
    expect(findings.filter(f => !f.ok)).toEqual([])
    expect(findings.map(f => f.name)).toEqual([
      'node',
      ...['providers', 'bitcoinaverage', 'coindesk'],
      'data folder',
      'disk space',
      'permissions',
      'port',
      'key',
    ])
  })
  it('finds a folder that others can enter', async () => {
    const folder = join(root, 'open')
    mkdirSync(folder)
    chmodSync(folder, 0o755)
    expect(named(await look(folder), 'permissions')).toMatchObject({
      ok: false,
      what: `${folder} can be entered by others: chmod 700 it`,
    })
  })
  it('finds a folder that can not be made', async () => {
    writeFileSync(join(root, 'file'), '')
    const findings = await look(join(root, 'file', 'x'))
    expect(named(findings, 'data folder')).toMatchObject({ ok: false })
    expect(named(findings, 'data folder')?.what).toContain('ENOTDIR')
    expect(named(findings, 'disk space')).toBeUndefined()
  })
  it('tells a whole database from a damaged one', async () => {
    const folder = join(root, 'damaged')
    mkdirSync(join(folder, 'live'), { recursive: true, mode: 0o700 })
    const db = new SqlDb(join(folder, 'live', 'ledger.db'), { synchronous: 'NORMAL' })
    db.exec('CREATE TABLE t(a)')
    db.close()
    writeFileSync(join(folder, 'live', 'log.db'), 'this is not a database at all, whatever its name says')
    const findings = await look(folder)
    expect(named(findings, 'ledger.db')).toMatchObject({ ok: true, what: 'whole' })
    expect(named(findings, 'log.db')).toMatchObject({ ok: false })
    expect(named(findings, 'log.db')?.what).toMatch(/log\.db is damaged: restore it/)
  })
  it('finds a port that is taken', async () => {
    const server = createServer()
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    try {
      expect(named(await look(join(root, 'port'), { CRYPTOS_PORT: String(port) }), 'port')).toEqual({
        name: 'port',
        ok: false,
        what: `port ${port} can not be used (EADDRINUSE): choose another with --port or CRYPTOS_PORT`,
      })
    } finally {
      server.close()
    }
  })
  const portOf = async (
    answer: (response: ServerResponse) => void,
    folder: string,
    env: Record<string, string> = {},
  ): Promise<Finding | undefined> => {
    const server = createHttpServer((_, response) => answer(response))
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    try {
      return named(await look(folder, { CRYPTOS_PORT: String(port), ...env }), 'port')
    } finally {
      server.closeAllConnections()
      server.close()
    }
  }
  const json = (status: number, body: unknown) => (response: ServerResponse) =>
    void response.writeHead(status).end(JSON.stringify(body))
  it.each([
    ['well', 200, { status: 'ok' }],
    ['degraded', 503, { status: 'degraded', problems: [] }],
    ['behind a token', 401, { error: { code: 'WEB_TOKEN', message: 'a token is needed' } }],
  ])('knows our own page that is %s on the port', async (_, status, body) => {
    expect(await portOf(json(status, body), join(root, 'own'))).toMatchObject({
      ok: true,
      what: expect.stringMatching(/^port \d+ is used by the cryptos that runs already$/),
    })
  })
  it.each([
    ['says something else', json(200, { hello: 1 })],
    ['says nothing that is JSON', (r: ServerResponse) => void r.end('<html>')],
    ['says null', json(200, null)],
    ['hangs up', (r: ServerResponse) => void r.destroy()],
  ])('does not take a server for ours that %s', async (_, answer) => {
    expect(await portOf(answer, join(root, 'foreign'))).toMatchObject({ ok: false })
  })
  it('takes a busy server for ours while a cryptos holds the folder, and not after', async () => {
    const folder = join(root, 'held')
    const unlock = lockStore(join(folder, 'sandbox'))
    const hangUp = (r: ServerResponse): void => void r.destroy()
    expect(await portOf(hangUp, folder)).toMatchObject({ ok: true })
    unlock()
    expect(await portOf(hangUp, folder)).toMatchObject({ ok: false })
  })
  it('tells of settings and keys that can not be used, beside all else', async () => {
    const env = { CRYPTOS_DATA_DIR: join(root, 'bad'), CRYPTOS_CURRENCY: 'usd', CRYPTOS_PROT: '1' }
    const { config, problems } = readConfig({
      ...{ ...env, CRYPTOS_PORT: '0', COINMARKETCAP_API_KEY_FILE: join(root, 'none') },
    })
    const findings = await examine(config, problems)
    expect(findings.map(f => [f.name, f.ok])).toEqual([
      ['node', true],
      ['setting', false],
      ['setting', false],
      ['key', false],
      ...[
        ['providers', true],
        ['bitcoinaverage', true],
        ['coindesk', true],
      ],
      ['data folder', true],
      ['disk space', true],
      ['permissions', true],
      ['port', true],
    ])
  })
  it('tells of the sources that are closed, with date and reason, and of a name that nobody has', async () => {
    const findings = await look(join(root, 'closed'), {})
    expect(named(findings, 'coindesk')?.what).toMatch(/off since 2025-02-12: .*Kraken/)
    expect(named(findings, 'bitcoinaverage')?.what).toMatch(/off since 2020-01-13/)
    const wrong = named(await look(join(root, 'closed'), { CRYPTOS_PROVIDERS: 'krakn' }), 'providers')
    expect(wrong).toMatchObject({ ok: false, what: expect.stringContaining('did you mean kraken') })
  })
  it('tells of a key without showing it', async () => {
    const canary = 'canary-5a1e-0123456789'
    const findings = await look(join(root, 'key'), { COINMARKETCAP_API_KEY: canary })
    expect(named(findings, 'key')?.what).toBe('CoinMarketCap key ca…89 (22 characters)')
    expect(JSON.stringify(findings)).not.toContain('5a1e')
  })
})
