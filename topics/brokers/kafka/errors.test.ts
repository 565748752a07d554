import pkg from 'kafkajs'
import { describe, expect, it } from 'vitest'
import { CryptosError, classify } from '../../../core/errors.ts'
import { faultType, isGroupMove, isOutOfRange, kafkaError } from './errors.ts'

const protocol = (type: string, code = 0): Error =>
  Object.assign(new pkg.KafkaJSProtocolError('said the server'), { type, code })
const wrapped = (cause: Error): Error =>
  new pkg.KafkaJSNumberOfRetriesExceeded(cause, { retryCount: 5, retryTime: 1 })
/** Their types forget the message that they need. */
const make = (kind: unknown): Error => new (kind as new (message: string) => Error)('denied')
const servers = ['k:9092']

describe('errors of kafkajs', () => {
  it.each<[string, Error, string, string]>([
    ['an ACL on a topic', protocol('TOPIC_AUTHORIZATION_FAILED'), 'CRY_SERVER_REFUSED', 'stop'],
    ['an ACL on a group', protocol('GROUP_AUTHORIZATION_FAILED'), 'CRY_SERVER_REFUSED', 'stop'],
    ['a wrong password', make(pkg.KafkaJSSASLAuthenticationError), 'CRY_SERVER_REFUSED', 'stop'],
    ['a login where none is expected', protocol('ILLEGAL_SASL_STATE'), 'CRY_SERVER_REFUSED', 'stop'],
    [
      'a certificate for another host',
      new pkg.KafkaJSConnectionError('x', { code: 'ERR_TLS_CERT_ALTNAME_INVALID' }),
      'CRY_SERVER_REFUSED',
      'stop',
    ],
    [
      'a certificate of an unknown CA',
      new pkg.KafkaJSConnectionError('x', { code: 'SELF_SIGNED_CERT_IN_CHAIN' }),
      'CRY_SERVER_REFUSED',
      'stop',
    ],
    [
      'nobody listens',
      new pkg.KafkaJSConnectionError('x', { code: 'ECONNREFUSED' }),
      'CRY_SERVER_UNREACHABLE',
      'retry',
    ],
    ['copies are missing', protocol('NOT_ENOUGH_REPLICAS'), 'CRY_SERVER_UNREACHABLE', 'retry'],
    ['too many copies wanted', protocol('INVALID_REPLICATION_FACTOR'), 'CRY_SERVER_CONFIG', 'stop'],
    ['nobody for a group', make(pkg.KafkaJSGroupCoordinatorNotFound), 'CRY_SERVER_UNREACHABLE', 'retry'],
    ['a quota', protocol('THROTTLING_QUOTA_EXCEEDED'), 'CRY_SERVER_BUSY', 'wait'],
    ['no answer in time', make(pkg.KafkaJSTimeout), 'CRY_SERVER_UNREACHABLE', 'retry'],
  ])('are named: %s', (_, error, code, reaction) => {
    for (const thrown of [error, wrapped(error), new pkg.KafkaJSAggregateError('many', [error])]) {
      const told = kafkaError(thrown, 'connect', servers)
      expect(told).toMatchObject({ code })
      expect(told.message).toContain('k:9092')
      expect(told.message).not.toContain('\n')
      expect(classify(told)).toBe(reaction)
    }
  })

  it("leave ours and the system's as they are", () => {
    const ours = new CryptosError('CRY_CONFIG_INVALID', 'x')
    expect(kafkaError(ours, '', servers)).toBe(ours)
    expect(kafkaError(new Error('bug'), '', servers)).toMatchObject({ code: 'CRY_INTERNAL' })
  })

  it('are recognised where the group moves or the log does not reach', () => {
    expect(isGroupMove(wrapped(protocol('UNKNOWN_MEMBER_ID')))).toBe(true)
    expect(isGroupMove(new Error('x'))).toBe(false)
    expect(isOutOfRange(protocol('OFFSET_OUT_OF_RANGE'))).toBe(true)
    expect(faultType(undefined)).toBeUndefined()
  })

  it('do not run in circles', () => {
    const error = protocol('X')
    Object.assign(error, { cause: error })
    expect(faultType(error)).toBe('X')
  })
})
