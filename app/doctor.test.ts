import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { SqlDb } from '../host/sqlite.ts'
import { loadConfig } from './config/load.ts'
import { examine, type Finding } from './doctor.ts'

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
  it('tells of a key without showing it', async () => {
    const canary = 'canary-5a1e-0123456789'
    const findings = await look(join(root, 'key'), { COINMARKETCAP_API_KEY: canary })
    expect(named(findings, 'key')?.what).toBe('CoinMarketCap key ca…89 (22 characters)')
    expect(JSON.stringify(findings)).not.toContain('5a1e')
  })
})
