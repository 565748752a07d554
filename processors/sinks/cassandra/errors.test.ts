import cassandra from 'cassandra-driver'
import { describe, expect, it } from 'vitest'
import { classify, CryptosError } from '../../../core/errors.ts'
import { cassandraError } from './errors.ts'

const { errors, types } = cassandra
const { responseErrorCodes: codes } = types
const server = '127.0.0.1:9042'
const answered = (code: number, words = 'their words') => new errors.ResponseError(code, words)
const noHost = (...inner: Error[]) =>
  new errors.NoHostAvailableError(Object.fromEntries(inner.map((e, i) => [`10.0.0.${i}:9042`, e])))
const system = (code: string) => Object.assign(new Error(`connect ${code} 127.0.0.1:9042`), { code })

describe('an error of the driver', () => {
  it.each([
    [answered(codes.badCredentials), 'CRY_SERVER_REFUSED', 'stop'],
    [answered(codes.unauthorized), 'CRY_SERVER_REFUSED', 'stop'],
    [answered(codes.invalid, 'unconfigured table quotes'), 'CRY_SERVER_CONFIG', 'stop'],
    [answered(codes.syntaxError), 'CRY_SERVER_CONFIG', 'stop'],
    [answered(codes.configError), 'CRY_SERVER_CONFIG', 'stop'],
    [answered(codes.overloaded), 'CRY_SERVER_BUSY', 'wait'],
    [answered(codes.isBootstrapping), 'CRY_SERVER_BUSY', 'wait'],
    [answered(codes.writeTimeout), 'CRY_SERVER_UNREACHABLE', 'retry'],
    [answered(codes.readTimeout), 'CRY_SERVER_UNREACHABLE', 'retry'],
    [answered(codes.unavailableException), 'CRY_SERVER_UNREACHABLE', 'retry'],
    [answered(codes.writeFailure), 'CRY_SERVER_UNREACHABLE', 'retry'],
    [answered(codes.serverError), 'CRY_SERVER_UNREACHABLE', 'retry'],
    [answered(0x7777), 'CRY_INTERNAL', 'retry'],
    [new errors.OperationTimedOutError('The host did not reply', 'x'), 'CRY_SERVER_UNREACHABLE', 'retry'],
    [new errors.BusyConnectionError('x', 1, 1), 'CRY_SERVER_BUSY', 'wait'],
    [
      new errors.AuthenticationError('Provided username cryptos and/or password are incorrect'),
      'CRY_SERVER_REFUSED',
      'stop',
    ],
    [
      answered(codes.unauthorized, 'Unable to perform authorization of permissions: Operation timed out'),
      'CRY_SERVER_UNREACHABLE',
      'retry',
    ],
    [
      new errors.AuthenticationError('Unable to perform authentication: Operation timed out'),
      'CRY_SERVER_UNREACHABLE',
      'retry',
    ],
    [
      noHost(
        new errors.AuthenticationError('Unable to perform authentication: Cannot achieve consistency level'),
        new errors.OperationTimedOutError('The host did not reply', 'x'),
      ),
      'CRY_SERVER_UNREACHABLE',
      'retry',
    ],
    [new errors.ArgumentError('localDataCenter was configured as dc2'), 'CRY_SERVER_CONFIG', 'stop'],
    [noHost(system('ECONNREFUSED')), 'CRY_SERVER_UNREACHABLE', 'retry'],
    [noHost(), 'CRY_SERVER_UNREACHABLE', 'retry'],
    [noHost(system('ECONNREFUSED'), new errors.AuthenticationError('no')), 'CRY_SERVER_REFUSED', 'stop'],
    [noHost(system('DEPTH_ZERO_SELF_SIGNED_CERT')), 'CRY_SERVER_REFUSED', 'stop'],
    [noHost(system('ERR_TLS_CERT_ALTNAME_INVALID')), 'CRY_SERVER_REFUSED', 'stop'],
    [noHost(system('EMFILE')), 'CRY_TOO_MANY_FILES', 'retry'],
    [system('ENOTFOUND'), 'CRY_SERVER_UNREACHABLE', 'retry'],
    [new TypeError('a defect'), 'CRY_INTERNAL', 'retry'],
  ] as const)('%s is %s', (error, code, reaction) => {
    const mapped = cassandraError(error, server)
    expect([mapped.code, classify(mapped)]).toEqual([code, reaction])
    expect(mapped.message).toContain(server)
    expect(mapped.message).not.toContain('\n')
  })

  it('tells what is missing in the words of the server', () => {
    const missing = answered(codes.invalid, 'Keyspace market does not exist')
    expect(cassandraError(missing, server).message).toContain('Keyspace market does not exist')
  })

  it('that is ours already stays', () => {
    const ours = new CryptosError('CRY_STORE_NEWER', 'x')
    expect(cassandraError(ours, server)).toBe(ours)
  })
})
