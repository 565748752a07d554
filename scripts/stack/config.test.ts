import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { secrets, settings } from '../../app/config/settings.ts'
import { addressesOf } from './addresses.ts'
import { environmentOf, exportLines } from './environment.ts'
import { allPorts, maxPortOffset, portsOf } from './ports.ts'
import { brokersOf } from './probes.ts'
import type { Place, Settings } from './server.ts'
import { cassandraYaml } from './servers/cassandra-config.ts'
import { influxConfig } from './servers/influxdb.ts'
import { kafkaProperties } from './servers/kafka-properties.ts'
import { postgresSettings } from './servers/postgres.ts'

const place = (brokers = 1, portOffset = 0, settings: Settings = {}): Place => ({
  portOffset,
  brokers,
  settings,
  stackFolder: '/data/stack',
  folder: '/data/stack/server',
  ports: portsOf(portOffset, brokers),
  say: () => undefined,
})

const linesOf = (text: string): string[] => text.trimEnd().split('\n')

describe('ports', () => {
  it('never meet each other, with any offset below the ports that the system lends', () => {
    for (const offset of [0, 1000, maxPortOffset]) {
      const all = allPorts(portsOf(offset, 3))
      expect(new Set(all).size).toBe(all.length)
      expect(Math.max(...all)).toBeLessThan(32_768)
    }
  })

  it('move by the offset, each', () => {
    expect(allPorts(portsOf(77, 3))).toEqual(allPorts(portsOf(0, 3)).map(port => port + 77))
  })
})

describe('the properties of Kafka', () => {
  it('of one broker replicate nothing and advertise the proxy on the second listener', () => {
    const lines = linesOf(kafkaProperties(place(), 1))
    expect(lines).toContain('offsets.topic.replication.factor=1')
    expect(lines).toContain('min.insync.replicas=1')
    expect(lines).toContain('auto.create.topics.enable=false')
    expect(lines).toContain('controller.quorum.voters=1@127.0.0.1:19093')
    expect(lines).toContain('advertised.listeners=PLAINTEXT://127.0.0.1:19092,PROXIED://127.0.0.1:19095')
  })

  it('of three brokers know all voters and need two in sync', () => {
    const lines = linesOf(kafkaProperties(place(3, 1000), 3))
    expect(lines).toContain('node.id=3')
    expect(lines).toContain('controller.quorum.voters=1@127.0.0.1:20093,2@127.0.0.1:20193,3@127.0.0.1:20293')
    expect(lines).toContain('default.replication.factor=3')
    expect(lines).toContain('min.insync.replicas=2')
    expect(() => kafkaProperties(place(3), 4)).toThrow(RangeError)
  })

  it('take settings of one’s own in place of the usual ones', () => {
    const own = { 'num.partitions': '4', 'sasl.enabled.mechanisms': 'SCRAM-SHA-512' }
    const lines = linesOf(kafkaProperties(place(1, 0, { kafka: own }), 1))
    expect(lines.filter(line => line.startsWith('num.partitions='))).toEqual(['num.partitions=4'])
    expect(lines).toContain('sasl.enabled.mechanisms=SCRAM-SHA-512')
  })
})

describe('the configuration of the others', () => {
  it('of Cassandra syncs each batch, listens on loopback and takes settings', () => {
    const lines = linesOf(
      cassandraYaml(place(1, 5, { cassandra: { authenticator: 'PasswordAuthenticator' } })),
    )
    expect(lines).toContain('commitlog_sync: batch')
    expect(lines).toContain('native_transport_port: 19047')
    expect(lines).toContain('rpc_address: 127.0.0.1')
    expect(lines).toContain('authenticator: PasswordAuthenticator')
    expect(lines).toContain('data_file_directories: [ "/data/stack/server/data/data" ]')
  })

  it('of InfluxDB has each section once, with the settings inside', () => {
    const text = influxConfig(place(1, 0, { influxdb: { 'http.auth-enabled': 'true', 'http.new': '1' } }))
    const sections = linesOf(text).filter(line => line.startsWith('['))
    expect(new Set(sections).size).toBe(sections.length)
    expect(text.startsWith('reporting-disabled = true\nbind-address = "127.0.0.1:18088"\n[meta]\n')).toBe(
      true,
    )
    const http = text.slice(text.indexOf('[http]'), text.indexOf('[monitor]'))
    expect(linesOf(http)).toEqual([
      '[http]',
      'bind-address = "127.0.0.1:18086"',
      'flux-enabled = false',
      'auth-enabled = true',
      'log-enabled = false',
      'new = 1',
    ])
  })

  it('of PostgreSQL listens on loopback only and takes settings', () => {
    expect(postgresSettings(place(1, 0, { postgres: { max_connections: '7' } }))).toMatchObject({
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      max_connections: '7',
    })
  })
})

describe('an answer of Kafka about its brokers', () => {
  const one = (id: number): Buffer => {
    const entry = Buffer.alloc(4 + 2 + 9 + 4 + 2)
    entry.writeInt32BE(id, 0)
    entry.writeInt16BE(9, 4)
    entry.write('127.0.0.1', 6)
    entry.writeInt32BE(19_092, 15)
    // No rack.
    entry.writeInt16BE(-1, 19)
    return entry
  }
  const head = Buffer.alloc(12)
  const body = Buffer.concat([head, one(1), one(3)])
  body.writeInt32BE(body.length - 4, 0)
  body.writeInt32BE(2, 8)

  it('is read once it is whole', () => {
    expect(brokersOf(body)).toEqual([1, 3])
    for (let length = 0; length < body.length; length += 1)
      expect(brokersOf(body.subarray(0, length))).toBeUndefined()
  })
})

describe('the settings of the program for a stack', () => {
  const folder = "/data/o'neill"
  const addresses = addressesOf(folder, { portOffset: 5, brokers: 3, settings: {} })

  it('are settings that it knows, and show no password', () => {
    const found = environmentOf({
      ...addresses,
      postgres: { ...addresses.postgres, url: 'postgres://cryptos:geheim@127.0.0.1:15437/cryptos' },
    })
    const known = [...Object.values(settings), ...Object.values(secrets)].map(each => each.env)
    const names = Object.keys(found).map(name => name.replace(/_FILE$/, ''))
    expect(names.filter(name => !known.includes(name))).toEqual([])
    expect(found).toMatchObject({
      CRYPTOS_PROFILE: 'full',
      CRYPTOS_KAFKA_BROKERS: '127.0.0.1:19097,127.0.0.1:19197,127.0.0.1:19297',
      CRYPTOS_KAFKA_REPLICATION: '3',
      CRYPTOS_POSTGRES_URL: 'postgres://cryptos@127.0.0.1:15437/cryptos',
    })
    expect(JSON.stringify(found)).not.toContain('geheim')
  })

  it('are read in the documents without the banner of npm', () => {
    const pages = ['run-the-stack', 'full-profile'].map(name =>
      readFileSync(join(import.meta.dirname, `../../docs/how-to/${name}.md`), 'utf8'),
    )
    for (const page of pages) {
      expect(page).toContain('eval "$(npm run --silent stack -- env)"')
      expect(page).not.toContain('npm run stack -- env')
    }
  })

  it('pass through a shell unchanged', () => {
    const found = environmentOf(addresses)
    const script = `${exportLines(found)}printf %s "$CRYPTOS_POSTGRES_PASSWORD_FILE"`
    expect(execFileSync('sh', ['-c', script], { encoding: 'utf8' })).toBe(`${folder}/postgres/password`)
  })
})
