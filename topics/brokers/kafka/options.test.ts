import { describe, expect, it } from 'vitest'
import { systemClock } from '../../../host/clock.ts'
import { checkOptions, clientConfig } from './options.ts'
import type { KafkaLogLine, KafkaOptions } from './options.ts'

const good: KafkaOptions = {
  brokers: ['kafka.example:9092'],
  replication: 3,
  minInsyncReplicas: 2,
  clock: systemClock,
}
const login = { username: 'u', password: 'canary-s3cret', mechanism: 'plain' as const }

describe('settings of Kafka', () => {
  it('are taken', () => {
    for (const more of [{}, { login, tls: {} }, { login: { ...login, mechanism: 'scram-sha-512' as const } }])
      expect(() => checkOptions({ ...good, ...more })).not.toThrow()
  })

  it.each<[string, Partial<KafkaOptions>]>([
    ['no broker', { brokers: [] }],
    ['a URL', { brokers: ['http://kafka:9092'] }],
    ['no port', { brokers: ['kafka'] }],
    ['a prefix that Kafka refuses', { topicPrefix: 'a b' }],
    ['no copy', { replication: 0, minInsyncReplicas: 0 }],
    ['more acknowledging than copies', { replication: 1 }],
    ['PLAIN without TLS', { login }],
  ])('are refused: %s', (_, more) => {
    try {
      checkOptions({ ...good, ...more })
      expect.unreachable()
    } catch (error) {
      expect(error).toMatchObject({ code: 'CRY_CONFIG_INVALID' })
      expect(String(error)).not.toContain(login.password)
    }
  })

  it('always check the certificate, with TLS 1.2 at least, whatever the environment says', () => {
    const config = clientConfig({ ...good, tls: { ca: 'PEM' }, login })
    expect(config.ssl).toEqual({ ca: 'PEM', rejectUnauthorized: true, minVersion: 'TLSv1.2' })
    expect(clientConfig(good).ssl).toBeUndefined()
  })

  it('give what kafkajs logs to the given log only, and of it only known fields', () => {
    const lines: KafkaLogLine[] = []
    const { logCreator } = clientConfig({ ...good, log: line => lines.push(line) })
    const log = { timestamp: '', logger: 'kafkajs', message: 'm', broker: 'b:1', password: login.password }
    const entry = { namespace: '', level: 1, label: 'ERROR', log }
    logCreator?.(1)(entry)
    logCreator?.(1)({ ...entry, level: 5 })
    expect(lines).toEqual([{ level: 'error', message: 'm', broker: 'b:1' }])
    expect(clientConfig(good).logLevel).toBe(0)
  })
})
