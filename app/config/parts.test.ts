import { expect, it } from 'vitest'
import { loadConfig } from './load.ts'
import { partsOf } from './parts.ts'

const partsFrom = (env: Record<string, string>) =>
  partsOf(loadConfig({ CRYPTOS_DATA_DIR: '/nowhere', ...env }))

it('takes the parts of the profile, each as its own setting says where it says anything', () => {
  expect(partsFrom({})).toEqual({ ledger: 'sqlite', broker: 'embedded', stores: ['sqlite'] })
  const full = { CRYPTOS_PROFILE: 'full' }
  expect(partsFrom(full)).toEqual({ ledger: 'postgres', broker: 'kafka', stores: ['cassandra', 'influxdb'] })
  const some = { ...full, CRYPTOS_LEDGER: 'sqlite', CRYPTOS_SINKS: 'influxdb,influxdb' }
  expect(partsFrom(some)).toEqual({ ledger: 'sqlite', broker: 'kafka', stores: ['influxdb'] })
})

it('refuses, in one sentence, a store that there is not, a readable password, and a password inside a URL', () => {
  expect(() => partsFrom({ CRYPTOS_SINKS: 'casandra' })).toThrow(
    '"casandra" is no store; did you mean cassandra?',
  )
  expect(() => partsFrom({ CRYPTOS_KAFKA_SASL: 'plain' })).toThrow('send the password readable')
  expect(() => partsFrom({ CRYPTOS_KAFKA_SASL: 'scram-sha-512' })).toThrow('needs CRYPTOS_KAFKA_USERNAME')
  const url = 'postgres://me:hunter2@db:5432/x'
  expect(() => partsFrom({ CRYPTOS_POSTGRES_URL: url })).toThrow('CRYPTOS_POSTGRES_PASSWORD_FILE')
  expect(() => partsFrom({ CRYPTOS_POSTGRES_URL: url })).not.toThrow('hunter2')
  expect(() => partsFrom({ CRYPTOS_KAFKA_BROKERS: 'localhost' })).toThrow('host:port')
  expect(() => partsFrom({ CRYPTOS_KAFKA_TLS: 'yes' })).toThrow('true or false is wanted')
})
