import { describe, expect, it } from 'vitest'
import { usualServers } from '../../scripts/stack/pins.ts'
import { commonServers, neededBy, wantAirflow } from '../stack/needed.ts'

describe('the servers that a test file needs', () => {
  it('are those that its path names, beside an adapter', () => {
    expect(neededBy('processors/sinks/influxdb/faults.stack.ts')).toEqual(['influxdb'])
    expect(neededBy('topics/brokers/kafka/kills.soak.ts')).toEqual(['kafka'])
    expect(neededBy('app/of-everything.stack.ts')).toEqual(commonServers)
  })

  it('are all of them in test/stack, whatever its name says, but for the exceptions', () => {
    expect(neededBy('test/stack/a-new-kafka-test.stack.ts')).toEqual(commonServers)
    expect(neededBy('test/stack/audit-cassandra-influxdb.stack.ts')).toEqual(usualServers)
    expect(neededBy('test/stack/kafka-acls.stack.ts')).toEqual(['kafka'])
    expect(neededBy('test/stack/compose.stack.ts')).toEqual([])
  })
  it('are with Airflow only where a file asks for it by its name', () => {
    expect(commonServers).not.toContain('airflow')
    expect(neededBy('test/stack/airflow-page.stack.ts')).toEqual([...usualServers, 'airflow'])
    expect(wantAirflow(['/x/test/stack/poison.stack.ts', '/x/test/stack/airflow-page.stack.ts'])).toBe(true)
    expect(wantAirflow(['/x/test/stack/poison.stack.ts', '/x/app/all.stack.ts'])).toBe(false)
    // They start one of their own.
    for (const name of ['airflow-launcher', 'airflow-run'])
      expect(wantAirflow([`/x/test/stack/${name}.stack.ts`])).toBe(false)
  })
})
