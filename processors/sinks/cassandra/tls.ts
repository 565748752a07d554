import { checkServerIdentity } from 'node:tls'
import type { ConnectionOptions } from 'node:tls'
import type { TlsOptions } from '../../../core/server.ts'
import type { HostAndPort } from './options.ts'

/** The certificate is for the node's address, or for one of the hosts by their names in the settings. */
const identityOf =
  (hosts: readonly HostAndPort[]): NonNullable<ConnectionOptions['checkServerIdentity']> =>
  (address, certificate) => {
    const problem = checkServerIdentity(address, certificate)
    return hosts.some(({ host }) => checkServerIdentity(host, certificate) === undefined)
      ? undefined
      : problem
  }

/** The driver trusts any certificate unless it is told not to. */
export const tlsOf = (tls: TlsOptions, hosts: readonly HostAndPort[]): ConnectionOptions => ({
  ...tls,
  rejectUnauthorized: true,
  minVersion: 'TLSv1.2',
  checkServerIdentity: identityOf(hosts),
})
