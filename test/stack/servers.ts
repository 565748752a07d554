import { randomBytes } from 'node:crypto'
import { inject } from 'vitest'
import { kill, restart } from '../../scripts/stack/stack.ts'
import type { FaultProxy } from './proxies.ts'
import { openProxy } from './proxies.ts'
import type { ProvidedStack } from './provided.ts'

export type { FaultProxy, Toxic } from './proxies.ts'
export type { ThrowAwayStack } from './throw-away.ts'
export { throwAwayStack } from './throw-away.ts'

/** The real servers of this run, as a function or as it stands. Other tests use them too: take names of your own, see `uniqueName`. */
export const stackServers: ProvidedStack & (() => ProvidedStack) = Object.assign(
  () => inject('stack'),
  inject('stack'),
)

/** A name that no other test has: `trades_k3f9ab12`; fit for topics, keyspaces, databases and schemas. */
export const uniqueName = (prefix: string): string => `${prefix}_${randomBytes(5).toString('hex')}`

/** kill -9; it is gone when this resolves. Throws if it did not run: no fault may miss. */
export const killServer = (name: string): Promise<void> => kill(stackServers().folder, name, 'SIGKILL')

/** SIGSTOP makes it hang with its connections open; `wakeServer` ends that. */
export const stopServer = (name: string, signal: NodeJS.Signals = 'SIGSTOP'): Promise<void> =>
  kill(stackServers().folder, name, signal)

export const wakeServer = (name: string): Promise<void> => kill(stackServers().folder, name, 'SIGCONT')

/** Starts it on its data, stopping it first if it runs, and waits until it answers. */
export const restartServer = (name: string): Promise<void> => restart(stackServers().folder, name)

/** toxiproxy in front of `kafka`, `cassandra`, `influxdb` or `postgres`, without faults. */
export const proxyOf = (name: string): Promise<FaultProxy> => openProxy(stackServers(), name)
