import { describe, expect, it } from 'vitest'
import { EpochMicros } from '../../../core/brands.ts'
import { VirtualClock } from '../../../core/virtual-clock.ts'
import { systemClock } from '../../../host/clock.ts'
import { agingOf } from './aging.ts'
import { checkOptions, readHosts } from './options.ts'
import type { CassandraOptions } from './options.ts'
import { agingTables, schemaSteps } from './schema-files.ts'

const good: CassandraOptions = {
  ...{ hosts: ['127.0.0.1:9042'], datacenter: 'datacenter1', keyspace: 'cryptos', replication: 3 },
  ...{ ttlDays: 90, acceptLossWindow: false, clock: systemClock },
}
const wrong = expect.objectContaining({ code: 'CRY_CONFIG_INVALID' })

describe('settings of Cassandra', () => {
  it('name hosts with one port', () => {
    expect(readHosts(['a.example:9042', '[::1]:9042', '10.0.0.1:9042']).map(h => h.host)).toEqual([
      'a.example',
      '::1',
      '10.0.0.1',
    ])
    for (const bad of [
      [],
      ['a'],
      ['a:'],
      ['a:0'],
      ['a:70000'],
      ['a:1', 'b:2'],
      ['user@a:1'],
      ['a b:1'],
      ['::1:9'],
    ])
      expect(() => readHosts(bad)).toThrow(wrong)
  })

  it('keep no row past the last second that the server can tell', () => {
    const clock = new VirtualClock(EpochMicros(Date.UTC(2037, 11, 20, 3, 14, 6) * 1_000))
    for (const ttlDays of [0, 1, 29]) expect(() => checkOptions({ ...good, ttlDays, clock })).not.toThrow()
    for (const ttlDays of [30, 7_300])
      expect(() => checkOptions({ ...good, ttlDays, clock })).toThrow('2038-01-19')
  })

  it('hold no name that could be more than a name in a statement', () => {
    expect(() => checkOptions(good)).not.toThrow()
    const bad: Partial<CassandraOptions>[] = [
      ...['', 'A', '1a', 'a;drop', 'a.b', 'a"b', 'x'.repeat(49)].map(keyspace => ({ keyspace })),
      ...["dc'1", '', 'a b'].map(datacenter => ({ datacenter })),
      ...[0, 1.5, 21].map(replication => ({ replication })),
      ...[-1, 0.5, 7_301].map(ttlDays => ({ ttlDays })),
    ]
    for (const more of bad) expect(() => checkOptions({ ...good, ...more })).toThrow(wrong)
  })
})

describe('aging', () => {
  it('has 20 to 30 windows over the life of a row', () => {
    for (let days = 1; days <= 7_300; days += 1) {
      const { ttlSeconds, windowHours } = agingOf(days)
      expect(ttlSeconds).toBe(days * 86_400)
      const windows = (days * 24) / windowHours
      expect(windows).toBeGreaterThanOrEqual(20)
      expect(windows).toBeLessThanOrEqual(30)
    }
  })

  it('never ends at 0 days, and still keeps what is written together together', () => {
    expect(agingOf(0)).toMatchObject({ ttlSeconds: 0, windowHours: 720 })
  })
})

describe('schema files', () => {
  it('are numbered without a hole, and hold statements that may be repeated', () => {
    expect(schemaSteps().map(s => s.step)).toEqual(schemaSteps().map((_, i) => i + 1))
    for (const { statements } of schemaSteps())
      for (const statement of statements)
        expect(statement).toMatch(/^CREATE TABLE IF NOT EXISTS \{keyspace\}\.\w+ \(/)
    expect(agingTables()).toContain('quotes')
    expect(agingTables()).not.toContain('latest')
  })
})
