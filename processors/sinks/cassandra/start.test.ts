import { describe, expect, it } from 'vitest'
import { systemClock } from '../../../host/clock.ts'
import { checkDurability } from './durability.ts'
import type { CassandraOptions } from './options.ts'
import { applySchema } from './schema.ts'
import type { Row, Session, Statement } from './session.ts'

const options: CassandraOptions = {
  ...{ hosts: ['127.0.0.1:9042'], datacenter: 'datacenter1', keyspace: 'cryptos', replication: 3 },
  ...{ ttlDays: 0, acceptLossWindow: false, clock: systemClock },
}

/** A cluster by its number of nodes, the copies of a row, and how the node that is asked writes its commit log. */
const cluster = (nodes: number, copies: number, sync: string): Session => {
  const run = async ({ query }: Statement) =>
    query.includes('system_views')
      ? [{ value: sync }]
      : [{ replication: { class: 'NetworkTopologyStrategy', datacenter1: String(copies) } }]
  return { nodes, server: 'here', run } as unknown as Session
}

describe('how durable an acknowledged row is', () => {
  it.each([
    [1, 1, 'batch', true],
    [1, 1, 'periodic', false],
    [3, 3, 'periodic', true],
    [3, 2, 'periodic', true],
    // The setting is that of one node of three.
    [3, 1, 'batch', false],
    [3, 1, 'periodic', false],
  ])('%d nodes, %d copies, %s', async (nodes, copies, sync, good) => {
    const checked = checkDurability(cluster(nodes, copies, sync), options)
    if (good) await checked
    else
      await expect(checked).rejects.toMatchObject({
        code: 'CRY_SERVER_CONFIG',
        message: expect.stringContaining('CRYPTOS_CASSANDRA_ACCEPT_LOSS_WINDOW=true'),
      })
    const accepted = { ...options, acceptLossWindow: true }
    await checkDurability(cluster(nodes, copies, sync), accepted)
  })
})

describe('a start beside a process that makes the tables', () => {
  it('ends at once when it is told to', async () => {
    const stopping = new AbortController()
    const session = {
      keyspace: 'cryptos',
      server: 'here',
      run: async ({ query }: Statement) =>
        query.includes('system_schema.keyspaces') ? [{ keyspace_name: 'cryptos' } as unknown as Row] : [],
      runOnce: async (query: string) => {
        if (!query.startsWith('INSERT')) return []
        stopping.abort()
        return [{ '[applied]': false }]
      },
    }
    const start = applySchema(session as unknown as Session, { ...options, signal: stopping.signal })
    await expect(start).rejects.toMatchObject({ name: 'AbortError' })
  })
})
