import { describe, expect, it } from 'vitest'
import { serverNames, usualServers } from '../../scripts/stack/pins.ts'
import { neededBy } from '../stack/needed.ts'

describe('the servers that a test file needs', () => {
  it('are those that its path names, beside an adapter', () => {
    expect(neededBy('processors/sinks/influxdb/faults.stack.ts')).toEqual(['influxdb'])
    expect(neededBy('topics/brokers/kafka/kills.soak.ts')).toEqual(['kafka'])
    expect(neededBy('app/of-everything.stack.ts')).toEqual(serverNames)
  })

  it('are all of them in test/stack, whatever its name says, but for the exceptions', () => {
    expect(neededBy('test/stack/a-new-kafka-test.stack.ts')).toEqual(serverNames)
    expect(neededBy('test/stack/audit-cassandra-influxdb.stack.ts')).toEqual(usualServers)
    expect(neededBy('test/stack/kafka-acls.stack.ts')).toEqual(['kafka'])
    expect(neededBy('test/stack/compose.stack.ts')).toEqual([])
  })
})
