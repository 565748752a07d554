import { join } from 'node:path'
import type { Place } from '../server.ts'

/** cassandra.yaml; the jar brings none. Values are YAML, so that a setting may be a flow mapping: `{ enabled: true }`. */
export function cassandraYaml(place: Place): string {
  const { client, storage } = place.ports.cassandra
  const data = (name: string): string => JSON.stringify(join(place.folder, 'data', name))
  const values: Record<string, string> = {
    cluster_name: 'cryptos',
    num_tokens: '1',
    initial_token: '0',
    partitioner: 'org.apache.cassandra.dht.Murmur3Partitioner',
    // periodic, the default, loses acknowledged rows when the process is killed.
    commitlog_sync: 'batch',
    commitlog_segment_size: '8MiB',
    data_file_directories: `[ ${data('data')} ]`,
    commitlog_directory: data('commitlog'),
    saved_caches_directory: data('saved_caches'),
    hints_directory: data('hints'),
    cdc_raw_directory: data('cdc_raw'),
    seed_provider: `[ { class_name: org.apache.cassandra.locator.SimpleSeedProvider, parameters: [ { seeds: "127.0.0.1:${storage}" } ] } ]`,
    storage_port: String(storage),
    listen_address: '127.0.0.1',
    rpc_address: '127.0.0.1',
    native_transport_port: String(client),
    endpoint_snitch: 'SimpleSnitch',
    auto_bootstrap: 'false',
    concurrent_compactors: '1',
    memtable_heap_space: '64MiB',
    memtable_offheap_space: '64MiB',
    ...place.settings.cassandra,
  }
  return Object.entries(values)
    .map(([key, value]) => `${key}: ${value}\n`)
    .join('')
}

export const cassandraLogging = `<configuration><appender name="C" class="ch.qos.logback.core.ConsoleAppender">
<encoder><pattern>%d{HH:mm:ss.SSS} %-5level %logger{0} %msg%n</pattern></encoder></appender>
<root level="INFO"><appender-ref ref="C"/></root></configuration>
`

const exported = [
  'java.base/jdk.internal.misc',
  'java.management.rmi/com.sun.jmx.remote.internal.rmi',
  'java.rmi/sun.rmi.registry',
  'java.rmi/sun.rmi.server',
  'java.sql/java.sql',
  'java.base/java.lang.ref',
  'jdk.unsupported/sun.misc',
  'jdk.compiler/com.sun.tools.javac.file',
  'jdk.attach/sun.tools.attach',
]

const openedOfBase = [
  'java.lang.module',
  'jdk.internal.loader',
  'jdk.internal.ref',
  'jdk.internal.reflect',
  'jdk.internal.math',
  'jdk.internal.module',
  'jdk.internal.util.jar',
  'sun.nio.ch',
  'java.io',
  'java.lang.reflect',
  'java.lang',
  'java.util',
  'java.nio',
]

/** What Cassandra's own start script opens to it of Java 17. */
export const cassandraModules = [
  '-Djdk.attach.allowAttachSelf=true',
  '-Dio.netty.tryReflectionSetAccessible=true',
  ...exported.map(each => `--add-exports=${each}=ALL-UNNAMED`),
  ...[
    ...openedOfBase.map(each => `java.base/${each}`),
    'jdk.management/com.sun.management.internal',
    'jdk.compiler/com.sun.tools.javac',
  ].map(each => `--add-opens=${each}=ALL-UNNAMED`),
]

/** The JVM and the start of one node that needs not look for others. */
export const cassandraJvm = (folder: string): string[] => [
  ...cassandraModules,
  '-Xms256m',
  '-Xmx512m',
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-XX:+ExitOnOutOfMemoryError',
  `-Dcassandra.config=file://${join(folder, 'cassandra.yaml')}`,
  '-Dcassandra-foreground=yes',
  `-Dcassandra.storagedir=${join(folder, 'data')}`,
  '-Dcassandra.skip_wait_for_gossip_to_settle=0',
  '-Dcassandra.ring_delay_ms=100',
  '-Dcassandra.superuser_setup_delay_ms=0',
  '-Dcassandra.shutdown_announce_in_ms=0',
  `-Dlogback.configurationFile=file://${join(folder, 'logback.xml')}`,
]
