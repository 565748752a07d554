import { mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { airflowVenv } from './airflow-venv.ts'
import { cached, isCached, shortHash } from './cache.ts'
import type { ServerName } from './pins.ts'
import { pins } from './pins.ts'
import type { Say } from './say.ts'
import { needTool, run } from './toolchain.ts'

export type { Say } from './say.ts'

const dependency = (coordinates: string): string => {
  const [group, artifact, version] = coordinates.split(':')
  return `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`
}

const pom = (dependencies: readonly string[]): string =>
  [
    '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>',
    '<groupId>cryptos</groupId><artifactId>stack</artifactId><version>1</version><packaging>pom</packaging>',
    `<dependencies>${dependencies.map(dependency).join('')}</dependencies></project>`,
  ].join('\n')

// One class path each: netty, lz4 and jackson differ between them.
const poms = {
  kafka: pom([
    `org.apache.kafka:kafka_2.13:${pins.kafka}`,
    'org.apache.logging.log4j:log4j-slf4j-impl:2.25.3',
    'org.apache.logging.log4j:log4j-core:2.25.3',
  ]),
  cassandra: pom([`org.apache.cassandra:cassandra-all:${pins.cassandra}`]),
}

const copyDependencies = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies'

const jarsName = (server: 'kafka' | 'cassandra'): string =>
  `${server}-${pins[server]}-${shortHash(poms[server])}`

/** The class path of a server: its jars, explicit and sorted, as a CDS archive needs it. */
export async function classPath(server: 'kafka' | 'cassandra', say: Say): Promise<string> {
  const folder = await cached(jarsName(server), async aside => {
    const maven = needTool('mvn', `fetching ${server}`)
    say(`${server}: fetching ${pins[server]} from Maven Central (once)`)
    writeFileSync(join(aside, 'pom.xml'), poms[server])
    const jars = join(aside, 'jars')
    await run(
      maven,
      ['-B', '-q', copyDependencies, `-DoutputDirectory=${jars}`, '-DincludeScope=runtime'],
      aside,
    )
  })
  const jars = join(folder, 'jars')
  return readdirSync(jars)
    .filter(name => name.endsWith('.jar'))
    .sort()
    .map(name => join(jars, name))
    .join(':')
}

interface GoProgram {
  readonly package: string
  readonly version: string
  readonly builtAs: string
  readonly linkerFlags: string
}

const goPrograms = {
  influxdb: {
    package: 'github.com/influxdata/influxdb/cmd/influxd',
    version: pins.influxdb,
    builtAs: 'influxd',
    // Without it /ping and /health say "unknown".
    linkerFlags: `-X main.version=${pins.influxdb}`,
  },
  toxiproxy: {
    package: 'github.com/Shopify/toxiproxy/v2/cmd/server',
    version: pins.toxiproxy,
    builtAs: 'server',
    linkerFlags: `-X github.com/Shopify/toxiproxy/v2.Version=v${pins.toxiproxy}`,
  },
} satisfies Record<string, GoProgram>

const goName = (server: keyof typeof goPrograms): string => `${server}-${pins[server]}`

/** The program of a server that is written in Go. */
export async function goProgram(server: keyof typeof goPrograms, say: Say): Promise<string> {
  const made: GoProgram = goPrograms[server]
  const folder = await cached(goName(server), async aside => {
    const go = needTool('go', `building ${server}`)
    say(`${server}: building ${made.version} with Go (once, minutes)`)
    const bin = join(aside, 'bin')
    mkdirSync(bin)
    const flags = ['install', '-ldflags', `-s -w ${made.linkerFlags}`, `${made.package}@v${made.version}`]
    await run(go, flags, aside, { GOBIN: bin })
    renameSync(join(bin, made.builtAs), join(bin, server))
  })
  return join(folder, 'bin', server)
}

/** Which tools are wanted to fetch a server that is not in the cache yet. */
export const isFetched = (server: 'kafka' | 'cassandra' | 'influxdb' | 'toxiproxy'): boolean =>
  isCached(server === 'kafka' || server === 'cassandra' ? jarsName(server) : goName(server))

/** Brings what is not in the cache yet, all at once. Done before any server starts: a build takes the whole machine. */
export async function fetchAll(servers: readonly ServerName[], say: Say): Promise<void> {
  await Promise.all(
    servers.map(async server => {
      if (server === 'kafka' || server === 'cassandra') await classPath(server, say)
      if (server === 'influxdb' || server === 'toxiproxy') await goProgram(server, say)
      if (server === 'airflow') await airflowVenv(say)
    }),
  )
}
