/** Where everything listens, all on 127.0.0.1. `proxied` ports are where toxiproxy stands in front of a server. */
export interface BrokerPorts {
  readonly client: number
  readonly controller: number
  /** A second listener whose advertised address is the proxy: clients that come through it stay behind it. */
  readonly behindProxy: number
  readonly proxied: number
  /** Free for a listener of one's own, with TLS or SASL. */
  readonly extra: number
}

export interface Ports {
  readonly kafka: readonly BrokerPorts[]
  readonly cassandra: { readonly client: number; readonly storage: number; readonly proxied: number }
  readonly influxdb: { readonly client: number; readonly rpc: number; readonly proxied: number }
  readonly postgres: { readonly client: number; readonly proxied: number }
  readonly toxiproxy: { readonly client: number }
  /** `sandbox` is free for simulated providers that its tasks ask. */
  readonly airflow: { readonly client: number; readonly sandbox: number }
}

/** Above this the ports would meet those that the system lends to outgoing connections (from 32768 on Linux). */
export const maxPortOffset = 13_000

const broker = (first: number): BrokerPorts => ({
  client: first,
  controller: first + 1,
  behindProxy: first + 2,
  proxied: first + 3,
  extra: first + 4,
})

/** The ports of a stack: base ports plus one offset, so that several stacks stand side by side. */
export function portsOf(offset: number, brokers: number): Ports {
  return {
    kafka: Array.from({ length: brokers }, (_, index) => broker(19_092 + offset + index * 100)),
    cassandra: { client: 19_042 + offset, storage: 17_000 + offset, proxied: 19_043 + offset },
    influxdb: { client: 18_086 + offset, rpc: 18_088 + offset, proxied: 18_087 + offset },
    postgres: { client: 15_432 + offset, proxied: 15_433 + offset },
    toxiproxy: { client: 18_474 + offset },
    airflow: { client: 18_080 + offset, sandbox: 18_081 + offset },
  }
}

/** Every port that a stack with these servers may listen on. */
export const allPorts = (ports: Ports): number[] =>
  Object.values(ports).flatMap(entry =>
    Array.isArray(entry)
      ? entry.flatMap(each => Object.values(each as BrokerPorts))
      : Object.values(entry as Record<string, number>),
  )
