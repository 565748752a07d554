import { randomUUID } from 'node:crypto'
import { portsOf } from '../../scripts/stack/ports.ts'
import type { ProvidedStack } from './provided.ts'

export interface Toxic {
  /** latency, timeout, reset_peer, limit_data, slicer, bandwidth or slow_close; see toxiproxy's README. */
  readonly type: string
  /** downstream (the default): what the server answers; upstream: what it is sent. */
  readonly stream?: 'upstream' | 'downstream'
  readonly attributes?: Readonly<Record<string, number>>
}

/** toxiproxy in front of one server. The same server answers on its own address as before. */
export interface FaultProxy {
  readonly host: string
  readonly port: number
  /** `host:port`. */
  readonly address: string
  /** Adds a fault; connections that stand get it too. */
  toxic(toxic: Toxic): Promise<{ remove(): Promise<void> }>
  /** Cuts every connection and refuses new ones. */
  cut(): Promise<void>
  /** Removes all faults and lets connections through again. */
  heal(): Promise<void>
  /** Takes the proxy away; nothing listens on its port then. */
  close(): Promise<void>
}

interface Route {
  readonly port: number
  readonly upstream: number
}

function routeOf(stack: ProvidedStack, name: string): Route {
  const ports = portsOf(stack.portOffset, stack.kafka.brokers.length)
  const brokerIndex = name === 'kafka' ? 0 : Number(/^kafka-(\d)$/.exec(name)?.[1] ?? 0) - 1
  const broker = ports.kafka[brokerIndex]
  if (broker) return { port: broker.proxied, upstream: broker.behindProxy }
  if (name === 'cassandra' || name === 'influxdb' || name === 'postgres') {
    return { port: ports[name].proxied, upstream: ports[name].client }
  }
  throw new RangeError(`there is no proxy for ${name}`)
}

/** The proxy of a server, without faults. Kafka's clients that come this way are told the proxy's address too. */
export async function openProxy(stack: ProvidedStack, name: string): Promise<FaultProxy> {
  const { port, upstream } = routeOf(stack, name)
  const api = stack.toxiproxy?.url
  if (api === undefined) throw new Error('toxiproxy does not run')
  const call = async (method: string, path: string, body?: unknown, allowed = 200): Promise<unknown> => {
    const response = await fetch(`${api}${path}`, { method, ...(body ? { body: JSON.stringify(body) } : {}) })
    const text = await response.text()
    if (response.ok) return text === '' ? undefined : JSON.parse(text)
    if (response.status !== allowed) throw new Error(`toxiproxy, ${method} ${path}: ${text}`)
    return undefined
  }
  const own = `/proxies/${name}`
  const heal = async (): Promise<void> => {
    const { toxics } = (await call('GET', own)) as { toxics: { name: string }[] }
    for (const toxic of toxics) await call('DELETE', `${own}/toxics/${toxic.name}`, undefined, 404)
    await call('POST', own, { enabled: true })
  }
  // 409: another test has made it.
  const made = { name, listen: `127.0.0.1:${port}`, upstream: `127.0.0.1:${upstream}`, enabled: true }
  await call('POST', '/proxies', made, 409)
  await heal()
  return {
    host: '127.0.0.1',
    port,
    address: `127.0.0.1:${port}`,
    toxic: async toxic => {
      const { name: given } = (await call('POST', `${own}/toxics`, {
        stream: 'downstream',
        attributes: {},
        ...toxic,
        name: randomUUID(),
      })) as { name: string }
      return {
        remove: async () => {
          await call('DELETE', `${own}/toxics/${given}`, undefined, 404)
        },
      }
    },
    cut: async () => {
      await call('POST', own, { enabled: false })
    },
    heal,
    close: async () => {
      await call('DELETE', own, undefined, 404)
    },
  }
}
