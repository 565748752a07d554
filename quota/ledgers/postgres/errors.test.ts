import { describe, expect, it } from 'vitest'
import { CryptosError } from '../../../core/errors.ts'
import { isConflict, isLostConnection, mapPgError } from './errors.ts'
import { Server } from './server.ts'

const name = 'postgresql://db:5432/cryptos'
const thrown = (code: string, message = 'told by the server') => Object.assign(new Error(message), { code })

describe('errors of a PostgreSQL server', () => {
  it.each([
    ['28P01', 'CRY_SERVER_REFUSED'],
    ['28000', 'CRY_SERVER_REFUSED'],
    ['42501', 'CRY_SERVER_REFUSED'],
    ['3D000', 'CRY_SERVER_CONFIG'],
    ['42P01', 'CRY_SERVER_CONFIG'],
    ['53100', 'CRY_DISK_FULL'],
    ['53300', 'CRY_LEDGER_UNAVAILABLE'],
    ['57P01', 'CRY_LEDGER_UNAVAILABLE'],
    ['57P03', 'CRY_LEDGER_UNAVAILABLE'],
    ['25006', 'CRY_LEDGER_UNAVAILABLE'],
    ['ECONNREFUSED', 'CRY_LEDGER_UNAVAILABLE'],
    ['ENOTFOUND', 'CRY_LEDGER_UNAVAILABLE'],
    ['55P03', 'CRY_STORE_BUSY'],
    ['57014', 'CRY_STORE_BUSY'],
    ['40P01', 'CRY_STORE_BUSY'],
    ['22021', 'CRY_VALUE_INVALID'],
    ['XX001', 'CRY_STORE_CORRUPT'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'CRY_SERVER_REFUSED'],
  ])('%s is %s, in one sentence that names the server', (code, wanted) => {
    const error = mapPgError(thrown(code), name)
    expect(error.code).toBe(wanted)
    expect(error.message).toContain(`the quota ledger at ${name} `)
    expect(error.message).toContain(code)
    expect(error.message).not.toContain('\n')
  })

  it('knows those that have no code', () => {
    const codeOf = (message: string) => mapPgError(new Error(message), name).code
    expect(codeOf('Connection terminated unexpectedly')).toBe('CRY_LEDGER_UNAVAILABLE')
    expect(codeOf('timeout expired')).toBe('CRY_LEDGER_UNAVAILABLE')
    expect(codeOf('Query read timeout')).toBe('CRY_LEDGER_UNAVAILABLE')
    expect(codeOf('The server does not support SSL connections')).toBe('CRY_SERVER_CONFIG')
    expect(codeOf('SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string')).toBe(
      'CRY_SERVER_REFUSED',
    )
    const own = new CryptosError('CRY_USAGE', 'mine')
    expect(mapPgError(own, name)).toBe(own)
  })

  it('does again what lost its connection or met another, and nothing else', () => {
    const again = (code: string) => {
      const error = mapPgError(thrown(code), name)
      return isLostConnection(error) || isConflict(error)
    }
    expect(['57P01', '08006', 'ECONNRESET', '40001', '40P01'].map(again)).toEqual([
      true,
      true,
      true,
      true,
      true,
    ])
    expect(['28P01', '53100', '55P03', '22021', '3D000'].map(again)).toEqual([
      false,
      false,
      false,
      false,
      false,
    ])
  })

  it('never shows a password, whatever is wrong with the URL', async () => {
    const server = new Server({ url: 'postgresql://me:hunter2@127.0.0.1:1/db', schema: 'x' })
    const error = await server.rows('SELECT 1').catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'CRY_LEDGER_UNAVAILABLE' })
    expect(`${String(error)}${JSON.stringify(error)}${String((error as Error).cause)}`).not.toContain(
      'hunter2',
    )
    expect(server.name).toBe('postgresql://127.0.0.1:1/db')
    await server.close()
    for (const url of [
      'hunter2',
      'http://me:hunter2@h/d',
      'postgresql://:hunter2@h/d',
      'postgresql://me:hunter2@h',
    ]) {
      const refuse = () => new Server({ url, schema: 'x' })
      expect(refuse).toThrow('postgresql://user@host:port/database')
      expect(refuse).not.toThrow('hunter2')
    }
    expect(() => new Server({ url: 'postgresql://me@h/d', schema: 'X; DROP' })).toThrow('plain name')
  })
})
