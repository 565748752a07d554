import type { Place } from '../server.ts'

const lines = (values: Readonly<Record<string, string>>): string =>
  Object.entries(values)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('')

const replication = (brokers: number): Record<string, string> => {
  const factor = String(Math.min(3, brokers))
  const inSync = String(Math.min(2, brokers))
  return {
    'default.replication.factor': factor,
    'min.insync.replicas': inSync,
    'offsets.topic.replication.factor': factor,
    'transaction.state.log.replication.factor': factor,
    'transaction.state.log.min.isr': inSync,
    'share.coordinator.state.topic.replication.factor': factor,
    'share.coordinator.state.topic.min.isr': inSync,
  }
}

const listeners = (place: Place, ports: Place['ports']['kafka'][number]): Record<string, string> => ({
  listeners: `PLAINTEXT://127.0.0.1:${ports.client},PROXIED://127.0.0.1:${ports.behindProxy},CONTROLLER://127.0.0.1:${ports.controller}`,
  // Who comes through the proxy is told the proxy's address, else the first metadata would lead around it.
  'advertised.listeners': `PLAINTEXT://127.0.0.1:${ports.client},PROXIED://127.0.0.1:${ports.proxied}`,
  'controller.quorum.voters': place.ports.kafka
    .map((each, index) => `${index + 1}@127.0.0.1:${each.controller}`)
    .join(','),
  'controller.listener.names': 'CONTROLLER',
  'inter.broker.listener.name': 'PLAINTEXT',
  'listener.security.protocol.map':
    'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,SASL_SSL:SASL_SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SSL:SSL',
})

/** The properties of one broker of a stack, which is a controller too. */
export function kafkaProperties(place: Place, nodeId: number): string {
  const ports = place.ports.kafka[nodeId - 1]
  if (!ports) throw new RangeError(`there is no broker ${nodeId}`)
  return lines({
    'process.roles': 'broker,controller',
    'node.id': String(nodeId),
    ...listeners(place, ports),
    'log.dirs': `${place.folder}/data`,
    'num.partitions': '1',
    'auto.create.topics.enable': 'false',
    'offsets.topic.num.partitions': '1',
    'transaction.state.log.num.partitions': '1',
    'share.coordinator.state.topic.num.partitions': '1',
    ...replication(place.brokers),
    'group.initial.rebalance.delay.ms': '0',
    'log.segment.bytes': '16777216',
    'log.cleaner.dedupe.buffer.size': '16777216',
    'log.cleaner.threads': '1',
    'num.network.threads': '2',
    'num.io.threads': '2',
    // Back at work 5 s after a kill instead of 13: the new incarnation waits for the end of the old one's session.
    'broker.session.timeout.ms': '3000',
    'broker.heartbeat.interval.ms': '500',
    'initial.broker.registration.timeout.ms': '60000',
    ...place.settings.kafka,
  })
}

export const kafkaLogging = [
  'status=error',
  'appender.c.type=Console',
  'appender.c.name=C',
  'appender.c.layout.type=PatternLayout',
  'appender.c.layout.pattern=%d{HH:mm:ss.SSS} %p %c{1} %m%n',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: log4j's own syntax
  'rootLogger.level=${sys:lvl:-INFO}',
  'rootLogger.appenderRef.c.ref=C',
  '',
].join('\n')
