import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, matchesGlob } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readConfig } from '../../app/config/load.ts'
import { version } from '../../app/version.ts'
import { ensureCompose } from '../../scripts/stack/compose.ts'
import { pins } from '../../scripts/stack/pins.ts'
import { compose, composition } from '../support/compose-binary.ts'
import { defects } from '../support/compose-defects.ts'
import { type Composition, problemsOf, profiles } from '../support/compose-rules.ts'
import { root } from '../support/program.ts'
import { scratch } from '../support/scratch.ts'

const text = readFileSync(join(root, 'docker-compose.yml'), 'utf8')
const example = join(root, 'deploy', 'compose.env.example')
const folder = scratch('compose')
afterAll(() => folder[Symbol.dispose]())
const write = (name: string, content: string): string => {
  const file = folder.file(name)
  writeFileSync(file, content)
  return file
}

const env = write('filled.env', 'CRYPTOS_SECRETS_DIR=/somewhere/secrets\nCRYPTOS_SOURCE=live\n')
const airflowServices = [
  ...['airflow-init', 'airflow-api', 'airflow-scheduler', 'airflow-dag-processor', 'airflow-triggerer'],
]
const real = { file: join(root, 'docker-compose.yml'), env }

/** Without the binary nothing here can be said: that is a failure where all tools must be there. */
const binary = await ensureCompose().catch((error: unknown) => {
  if (process.env['CI']) throw error
  console.warn(`SKIPPED: docker-compose.yml is not checked, because there is no compose binary: ${error}`)
  return undefined
})

describe.skipIf(binary === undefined)('docker-compose.yml, read by the compose binary', () => {
  const program = binary ?? ''
  let all: Composition
  beforeAll(() => {
    all = composition(program, real)
  })

  it.each(profiles)('is understood with the profile %s, without a warning', profile => {
    expect(compose(program, real, '--profile', profile, 'config', '--quiet')).toEqual({
      status: 0,
      stdout: '',
      stderr: '',
    })
  })
  it('starts nothing without a profile', () => {
    expect(compose(program, real, 'config', '--services').stdout).toBe('')
  })
  it.each([
    ['an empty environment', write('empty.env', '')],
    ['the example that nobody filled in', example],
  ])('refuses %s, and says what to do', (_what, file) => {
    const { status, stderr } = compose(program, { ...real, env: file }, 'config', '--quiet')
    expect(status).not.toBe(0)
    expect(stderr).toContain('CRYPTOS_SECRETS_DIR is missing a value: is empty. Make the secret files')
    expect(stderr).toContain('CRYPTOS_SOURCE is missing a value: is empty. Fill it in .env')
  })
  it('takes the example once its empty lines are filled in', () => {
    const filled = readFileSync(example, 'utf8').replaceAll(/^(\w+)=$/gm, '$1=/filled')
    const files = { ...real, env: write('example.env', filled) }
    expect(compose(program, files, '--profile', 'core', 'config', '--quiet')).toMatchObject({
      status: 0,
      stderr: '',
    })
  })
  it('breaks none of the rules', () => {
    expect(Object.keys(all.services).length).toBeGreaterThan(12)
    expect(problemsOf(all)).toEqual([])
  })
  it('runs the versions that the tests run', () => {
    const images = Object.fromEntries(Object.entries(all.services).map(([name, s]) => [name, s.image]))
    expect(images).toMatchObject({
      kafka: `apache/kafka:${pins.kafka}`,
      'kafka-acls': `apache/kafka:${pins.kafka}`,
      cassandra: `cassandra:${pins.cassandra}`,
      influxdb: `influxdb:${pins.influxdb}`,
      process: `cryptos:${version}`,
      collect: `cryptos:${version}`,
    })
    for (const name of airflowServices)
      expect([name, images[name]]).toEqual([name, `cryptos-airflow:${version}-airflow${pins.airflow}`])
    expect(images['postgres']).toMatch(new RegExp(`^postgres:${pins.postgres}\\.\\d+-`))
  })
  it('builds Airflow at its one version and with the Node of cryptos, where its settings look for it', () => {
    const dockerfile = readFileSync(join(root, 'airflow', 'Dockerfile'), 'utf8')
    expect(dockerfile).toContain(`FROM apache/airflow:${pins.airflow}-python3.11\n`)
    expect(dockerfile).toContain(`apache-airflow==${pins.airflow} `)
    const node = /^FROM node:\S+/m.exec(readFileSync(join(root, 'Dockerfile'), 'utf8'))?.[0] ?? ''
    expect(dockerfile).toContain(node)
    const { environment: env = {}, build, user } = all.services['airflow-scheduler'] ?? {}
    expect(build).toMatchObject({ dockerfile: 'airflow/Dockerfile' })
    expect(dockerfile).toContain(`\nUSER ${user}\n`)
    expect(dockerfile).toContain(`CRYPTOS_COMMAND="${env['CRYPTOS_COMMAND']}"`)
    for (const name of ['AIRFLOW_POOLS', 'AIRFLOW__CORE__DAGS_FOLDER', 'AIRFLOW__CORE__PLUGINS_FOLDER'])
      expect(dockerfile).toMatch(new RegExp(`^COPY .* ${env[name]}$`, 'm'))
    expect(dockerfile).toContain(`VOLUME ${env['CRYPTOS_DATA_DIR']}\n`)
  })
  it('gives cryptos only settings that it knows', () => {
    for (const name of ['collect', 'process', 'topics', 'airflow-api', 'airflow-scheduler']) {
      const given = Object.entries(all.services[name]?.environment ?? {})
      const own = given.map(
        ([key, value]) => [key, key.endsWith('_FILE') ? undefined : (value ?? '')] as const,
      )
      const { problems } = readConfig(Object.fromEntries(own))
      // What needs a secret is said to need one: here there is none.
      const others = problems
        .map(p => p.error.message)
        .filter(said => !/needs|set CRYPTOS_TOKEN_FILE/.test(said))
      expect(others).toEqual([])
    }
  })
  it('publishes and advertises Kafka at KAFKA_PORT, and makes and fills tables with one time to live', () => {
    const own = write(
      'own.env',
      `${readFileSync(env, 'utf8')}KAFKA_PORT=19999\nCRYPTOS_CASSANDRA_TTL_DAYS=30\n`,
    )
    const { services } = composition(program, { ...real, env: own })
    expect(services['kafka']).toMatchObject({
      environment: { KAFKA_PORT: '19999' },
      ports: [{ published: '19999', target: 9094 }],
    })
    for (const name of ['cassandra-roles', 'process', 'collect'])
      expect([name, services[name]?.environment?.['CRYPTOS_CASSANDRA_TTL_DAYS']]).toEqual([name, '30'])
  })
  it('leaves nothing of Grafana open', () => {
    expect(all.services['grafana']?.environment).toMatchObject({
      GF_SECURITY_ADMIN_PASSWORD__FILE: '/run/secrets/grafana_admin_password',
      GF_AUTH_ANONYMOUS_ENABLED: 'false',
      GF_USERS_ALLOW_SIGN_UP: 'false',
      GF_SNAPSHOTS_ENABLED: 'false',
      GF_SNAPSHOTS_EXTERNAL_ENABLED: 'false',
      GF_PUBLIC_DASHBOARDS_ENABLED: 'false',
    })
    // Its data source is the user that only reads: see influxdb-users.stack.ts.
    const source = readFileSync(join(root, 'deploy/grafana/provisioning/datasources/cryptos.yml'), 'utf8')
    expect(source).toMatch(/user: cryptos_grafana\n[\s\S]*editable: false/)
  })
  it('leaves nothing of Airflow open, and gives all its parts one configuration', () => {
    const environments = airflowServices.map(name => all.services[name]?.environment ?? {})
    for (const each of environments) expect(each).toEqual(environments[0])
    const names = Object.keys(environments[0] ?? {})
    expect(names.filter(name => /ALL_ADMINS|SQL_ALCHEMY|FERNET|JWT|EXPOSE_CONFIG/.test(name))).toEqual([])
    expect(environments[0]).toMatchObject({
      AIRFLOW__API__BASE_URL: 'http://127.0.0.1:8081',
      AIRFLOW__CORE__EXECUTION_API_SERVER_URL: 'http://airflow-api:8080/execution/',
      AIRFLOW__CORE__LOAD_EXAMPLES: 'False',
    })
    const checked = airflowServices.filter(name => name !== 'airflow-init')
    expect(checked.map(name => all.services[name]?.healthcheck?.test?.[3])).toEqual([
      ...['metadatabase', 'scheduler', 'dag_processor', 'triggerer'],
    ])
  })
  it('starts with the profile airflow all that its tasks need, and not a second collector', () => {
    const services = compose(program, real, '--profile', 'airflow', 'config', '--services').stdout.split('\n')
    const wanted = [
      ...airflowServices,
      'kafka-acls',
      'topics',
      'cassandra-roles',
      'influxdb-users',
      'process',
    ]
    expect(services).toEqual(expect.arrayContaining(wanted))
    expect(services).not.toContain('collect')
  })
  it('gives each service the secrets that its settings name', () => {
    for (const [name, { environment = {}, secrets = [] }] of Object.entries(all.services)) {
      const mounted = secrets.map(s => s.source)
      const named = Object.values(environment).flatMap(
        value => /^\/run\/(?:cryptos|secrets)\/(\w+)$/.exec(value ?? '')?.[1] ?? [],
      )
      expect([name, named.filter(secret => !mounted.includes(secret))]).toEqual([name, []])
    }
  })
})

/** What of the repository the engine would be given, by `.dockerignore`: names of the root, less patterns below it. */
function contextFiles(): string[] {
  const lines = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n')
  const roots = lines.filter(line => line.startsWith('!')).map(line => line.slice(1))
  const below = lines.filter(line => line.startsWith('**/')).map(line => line.slice(3))
  const isLeftOut = (part: string): boolean => below.some(pattern => matchesGlob(part, pattern))
  const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  })
  return files
    .split('\n')
    .filter(file => roots.includes(file.split('/')[0] ?? '') && !file.split('/').some(isLeftOut))
    .filter(file => existsSync(join(root, file)))
}

describe('the context that .dockerignore leaves', () => {
  it('is enough to build the program and to run it, and has no test in it', () => {
    const files = contextFiles()
    expect(
      files.filter(file => /\.(test|contract|stack)\.ts$|^(test|docs|bench)\/|\.env|\.pem$/.test(file)),
    ).toEqual([])
    const image = folder.file('image')
    for (const file of files) cpSync(join(root, file), join(image, file))
    symlinkSync(join(root, 'node_modules'), join(image, 'node_modules'))
    execFileSync(process.execPath, [join(image, 'scripts', 'build.ts')], { cwd: image, stdio: 'pipe' })
    // As in the last stage: what it copies, and nothing else.
    const run = folder.file('run')
    const copied = readFileSync(join(root, 'Dockerfile'), 'utf8').matchAll(
      /^COPY --from=build \/app\/(\S+) /gm,
    )
    for (const [, part = ''] of copied) cpSync(join(image, part), join(run, part), { recursive: true })
    const cli = (...args: string[]) =>
      spawnSync(process.execPath, [join(run, 'bin', 'cryptos.mjs'), ...args], { encoding: 'utf8', cwd: run })
    expect(cli('--version').stdout).toContain(version)
    expect(cli('process', '--help').stdout).toContain('--sink')
    // Their imports are there: what they miss is the secrets.
    for (const script of ['cassandra/roles.ts', 'influxdb/users.ts', 'check-secrets.ts']) {
      const { stderr } = spawnSync(process.execPath, [join(run, 'deploy', script), '/none'], {
        encoding: 'utf8',
        cwd: run,
      })
      expect([script, stderr]).toEqual([script, expect.stringContaining('ENOENT')])
    }
  })
})

describe.skipIf(binary === undefined)('a planted defect', () => {
  it.each(defects)('is found: %s', (_name, from, to, said) => {
    expect(text).toContain(from)
    const file = write(
      'planted.yml',
      text.replace(from, () => to),
    )
    expect(problemsOf(composition(binary ?? '', { file, env })).join('\n')).toContain(said)
  })
  it.each([
    ['an unknown word', 'healthcheck:', 'healthchek:'],
    [
      'a service that there is not',
      'kafka: { condition: service_healthy }',
      'kafk: { condition: service_healthy }',
    ],
    ['a condition that there is not', 'condition: service_healthy', 'condition: healthy'],
  ])('is refused by the binary itself: %s', (_name, from, to) => {
    const file = write('refused.yml', text.replace(from, to))
    expect(compose(binary ?? '', { file, env }, '--profile', '*', 'config', '--quiet').status).not.toBe(0)
  })
})
