import { CryptosError } from '../../../core/errors.ts'
import type { Clock } from '../../../core/ports/clock.ts'
import type { Login, TlsOptions } from '../../../core/server.ts'
import { DAY } from '../../../core/time.ts'

export interface CassandraOptions {
  /** `host:port` of some nodes of the cluster; the others are found through them. All listen on one port. */
  readonly hosts: readonly string[]
  /** Name of the data centre that is written to and read from, as `nodetool status` shows it. */
  readonly datacenter: string
  /** Made if it is missing and the user may. */
  readonly keyspace: string
  /** Copies of each row in the data centre, where the keyspace is made. */
  readonly replication: number
  readonly login?: Login
  readonly tls?: TlsOptions
  /** Days after which the server forgets a row; 0 = never. */
  readonly ttlDays: number
  /** Take a server that tells a row is stored before it is on disk: rows of its last moments are lost when it dies. */
  readonly acceptLossWindow: boolean
  readonly clock: Clock
  /** Ends the waiting for another process that is just making the tables. */
  readonly signal?: AbortSignal
}

export interface HostAndPort {
  readonly host: string
  readonly port: number
}

/** Seconds of 31 bits: what the server's default storage can tell of the end of a row. */
const lastEndAt = (2 ** 31 - 2) * 1e6
const dayMicros = DAY * 1_000

const keyspacePattern = /^[a-z][a-z0-9_]{0,47}$/
const hostPattern = /^(\[[0-9a-fA-F:.]+\]|[^\s:[\]/@]+):(\d{1,5})$/

const wrong = (message: string): CryptosError => new CryptosError('CRY_CONFIG_INVALID', message)

/** @throws CryptosError CRY_CONFIG_INVALID */
export function readHosts(hosts: readonly string[]): readonly [HostAndPort, ...HostAndPort[]] {
  const [first, ...rest] = hosts.map(readHost)
  if (!first) throw wrong('no host of Cassandra is set: name at least one as host:port')
  if (rest.some(({ port }) => port !== first.port))
    throw wrong('all hosts of a Cassandra cluster listen on one port: name the same for each')
  return [first, ...rest]
}

function readHost(text: string): HostAndPort {
  const match = hostPattern.exec(text)
  const port = Number(match?.[2])
  if (!match?.[1] || port < 1 || port > 65_535)
    throw wrong(`not a host of Cassandra as host:port: ${JSON.stringify(text.slice(0, 100))}`)
  return { host: match[1].replace(/^\[|\]$/g, ''), port }
}

/** The name stands in statements, where no parameter can. @throws CryptosError CRY_CONFIG_INVALID */
export function checkOptions(options: CassandraOptions): void {
  const { keyspace, replication, ttlDays, datacenter, clock } = options
  if (!keyspacePattern.test(keyspace))
    throw wrong('a keyspace has 1 to 48 small letters, digits and underscores, a letter first')
  if (!/^[A-Za-z0-9._-]{1,100}$/.test(datacenter))
    throw wrong(`not the name of a data centre: ${JSON.stringify(datacenter.slice(0, 100))}`)
  if (!Number.isSafeInteger(replication) || replication < 1 || replication > 20)
    throw wrong('the replication of Cassandra is a whole number from 1 to 20')
  if (!Number.isSafeInteger(ttlDays) || ttlDays < 0 || ttlDays > 20 * 365)
    throw wrong('the days that Cassandra keeps rows are a whole number up to 7300; 0 = for ever')
  if (ttlDays > 0 && clock.now() + ttlDays * dayMicros >= lastEndAt)
    throw wrong(
      `Cassandra refuses every row that would end after 2038-01-19: keep rows for less than ${ttlDays} days, or for ever (0)`,
    )
}
