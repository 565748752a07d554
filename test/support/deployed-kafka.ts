import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cached } from '../../scripts/stack/cache.ts'
import { classPath } from '../../scripts/stack/fetch.ts'
import { pins } from '../../scripts/stack/pins.ts'
import { portsOf } from '../../scripts/stack/ports.ts'
import { needTool, run } from '../../scripts/stack/toolchain.ts'
import { Deployment, deployFile, until } from './deployed.ts'

const quiet = (): void => undefined
const copy = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy'

/** The jar of Kafka's command-line tools, which the broker itself does not need. */
async function toolsJar(): Promise<string> {
  const folder = await cached(`kafka-tools-${pins.kafka}`, async aside => {
    const artifact = `-Dartifact=org.apache.kafka:kafka-tools:${pins.kafka}`
    await run(
      needTool('mvn', 'fetching the tools of Kafka'),
      ['-B', '-q', copy, artifact, `-DoutputDirectory=${aside}`],
      aside,
    )
  })
  return join(folder, `kafka-tools-${pins.kafka}.jar`)
}

/** The scripts of Kafka's distribution that `deploy/kafka` calls, over the same classes. */
async function distribution(bin: string): Promise<void> {
  const java = needTool('java', 'Kafka')
  const classes = `${await classPath('kafka', quiet)}:${await toolsJar()}`
  const jvm = ['-Xmx384m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Djava.net.preferIPv4Stack=true']
  const log = `-Dlog4j2.configurationFile=${deployFile('kafka/log4j2.properties')}`
  mkdirSync(bin, { recursive: true })
  const mains = {
    'kafka-storage.sh': 'kafka.tools.StorageTool',
    'kafka-server-start.sh': 'kafka.Kafka',
    'kafka-acls.sh': 'org.apache.kafka.tools.AclCommand',
  }
  for (const [name, main] of Object.entries(mains)) {
    const line = [java, ...jvm, log, '-cp', classes, main].map(word => `'${word}'`).join(' ')
    writeFileSync(join(bin, name), `#!/bin/sh\nexec ${line} "$@"\n`, { mode: 0o755 })
  }
}

/** Kafka as `docker-compose.yml` starts it: `deploy/kafka`, with other ports and folders and nothing else. */
export class DeployedKafka extends Deployment {
  readonly #ports: ReturnType<typeof portsOf>['kafka'][number]
  readonly #env: NodeJS.ProcessEnv
  constructor(portOffset: number) {
    super('kafka')
    const [ports] = portsOf(portOffset, 1).kafka
    if (!ports) throw new RangeError('no ports')
    this.#ports = ports
    this.#env = {
      KAFKA_BIN: this.file('bin'),
      KAFKA_PROPERTIES: this.file('server.properties'),
      KAFKA_WORK_DIR: this.file('work'),
      KAFKA_PORT: String(ports.extra),
    }
  }

  get server(): string {
    return `127.0.0.1:${this.#ports.client}`
  }

  /** What compose publishes on this machine. */
  get published(): string {
    return `127.0.0.1:${this.#ports.extra}`
  }

  async prepare(): Promise<void> {
    await distribution(this.file('bin'))
    const { client, controller, extra } = this.#ports
    const moved = readFileSync(deployFile('kafka/server.properties'), 'utf8')
      .replaceAll('0.0.0.0:9092', `127.0.0.1:${client}`)
      .replaceAll('kafka:9092', `127.0.0.1:${client}`)
      .replaceAll('0.0.0.0:9094', `127.0.0.1:${extra}`)
      .replaceAll('127.0.0.1:9093', `127.0.0.1:${controller}`)
      .replaceAll('/var/lib/kafka/data', this.file('data'))
    writeFileSync(this.file('server.properties'), moved)
  }

  async isHealthy(): Promise<boolean> {
    const check = ['bash', deployFile('kafka/healthy.sh'), '127.0.0.1', String(this.#ports.client)]
    return (await this.run(check)).code === 0
  }

  /** Starts the broker, and waits until its health check says so. */
  async startBroker(): Promise<number> {
    const pid = this.start('broker', ['bash', deployFile('kafka/start.sh')], this.#env)
    await until(
      () => this.isHealthy(),
      () => this.log('broker').slice(-3_000),
    )
    return pid
  }

  applyRules(): ReturnType<Deployment['run']> {
    return this.run(['bash', deployFile('kafka/acls.sh'), this.server], this.#env)
  }
}
