import { CryptosError } from '../../../core/errors.ts'
import type { Clock } from '../../../core/ports/clock.ts'
import type { Login, TlsOptions } from '../../../core/server.ts'

export interface InfluxOptions {
  /** `http://127.0.0.1:8086`, or https; without user and password, which never stand in an address. */
  readonly url: string
  /** Database of InfluxDB 1.8, bucket of 2.x. A missing database is made, if the user may. */
  readonly database: string
  /** That the points go into; absent = the database's default one. Never made in a database that is there. */
  readonly retentionPolicy?: string
  /** Organisation of InfluxDB 2.x. */
  readonly org?: string
  /** User of InfluxDB 1.8. */
  readonly login?: Login
  /** Token of InfluxDB 2.x; goes before the login. */
  readonly token?: string
  /** Where the line of the original pipeline goes to as well: `cryptos BTC-USD=19890.1212`; absent = nowhere. */
  readonly coinLineDatabase?: string
  readonly tls?: TlsOptions
  /** A request without a byte of an answer for so long has failed. Default 10 s. */
  readonly timeoutMs?: number
  readonly clock: Clock
}

const wrong = (message: string): CryptosError => new CryptosError('CRY_CONFIG_INVALID', message)

// biome-ignore lint/suspicious/noControlCharactersInRegex: to refuse them is the purpose
const nameOfDatabase = /^[^\u0000-\u001f\u007f/\\]{1,128}$/

/** @throws CryptosError CRY_CONFIG_INVALID */
export function checkOptions(o: InfluxOptions): void {
  const url = URL.canParse(o.url) ? new URL(o.url) : undefined
  if (!url || !['http:', 'https:'].includes(url.protocol))
    throw wrong('the address of InfluxDB is a URL like http://127.0.0.1:8086')
  if (url.username !== '' || url.password !== '')
    throw wrong('the address of InfluxDB has a user or password in it: set them by their own settings')
  for (const name of [o.database, o.retentionPolicy, o.coinLineDatabase])
    if (name !== undefined && !nameOfDatabase.test(name))
      throw wrong(
        `a database or retention policy of InfluxDB has 1 to 128 printable characters, no slash or backslash: ${JSON.stringify(name.slice(0, 60))}`,
      )
  checkSecrets(o)
}

/** InfluxDB 1.8 takes `user:password` as one token: what separates them, or the token from the header, can not stand in them. */
function checkSecrets({ login, token, url, tls }: InfluxOptions): void {
  if (login && /[:\s]/.test(login.username + login.password))
    throw wrong(
      'the user or the password for InfluxDB has a colon or a space in it, which its API can not take: choose another',
    )
  for (const text of [login?.username, login?.password, token])
    if (text !== undefined && !/^[\x21-\x7e]+$/.test(text))
      throw wrong('a user, password or token for InfluxDB is empty or has characters that no header can take')
  if (tls && !url.startsWith('https:'))
    throw wrong('TLS is set for InfluxDB, but its address begins with http: write https')
}

/** The token of the header; undefined = a server without login. */
export const tokenOf = ({ token, login }: InfluxOptions): string | undefined =>
  token ?? (login ? `${login.username}:${login.password}` : undefined)
