import { randomUUID } from 'node:crypto'
import { systemClock } from '../../../host/clock.ts'
import type { CassandraOptions } from './options.ts'

/** A keyspace of a test's own on the server that runs for the tests. */
export const storeOptions = (
  where: { readonly host: string; readonly port: number; readonly datacenter: string },
  more: Partial<CassandraOptions> = {},
): CassandraOptions => ({
  ...{ hosts: [`${where.host}:${where.port}`], datacenter: where.datacenter },
  ...{ keyspace: `t_${randomUUID().replaceAll('-', '').slice(0, 16)}`, replication: 1, ttlDays: 0 },
  ...{ acceptLossWindow: false, clock: systemClock },
  ...more,
})
