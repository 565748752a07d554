import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { CryptosError, errorKinds, toCryptosError } from '../../core/errors.ts'
import { environmentOf, exportLines } from './environment.ts'
import { isServerName, serverNames, usualServers } from './pins.ts'
import type { ServerName } from './pins.ts'
import { maxPortOffset } from './ports.ts'
import type { Settings } from './server.ts'
import type { ServerStatus, UpOptions } from './stack.ts'
import { addresses, down, status, up } from './stack.ts'
import { logFile } from './start.ts'

const usage = `npm run stack -- up|down|status [${serverNames.join('] [')}]
npm run stack -- logs SERVER [-f]
npm run --silent stack -- env   the settings of cryptos for these servers, and where Airflow is, for a shell
  --folder F         where data, logs and state lie (default .stack)
  --brokers 1|3      how many brokers Kafka has (default 1)
  --port-offset N    is added to every port (default 0)
  --set SERVER.KEY=VALUE   a line of that server's own configuration; may be repeated
  --json             the result as one line of JSON
No name = ${usualServers.join(', ')}; airflow alone brings them too`

const wrong = (message: string): CryptosError => new CryptosError('CRY_USAGE', `${message}\n${usage}`)

const options = {
  folder: { type: 'string', default: '.stack' },
  brokers: { type: 'string' },
  'port-offset': { type: 'string' },
  set: { type: 'string', multiple: true },
  json: { type: 'boolean', default: false },
  follow: { type: 'boolean', short: 'f', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const

function parse(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options, allowPositionals: true })
  } catch (error) {
    throw wrong((error as Error).message)
  }
}

type Values = ReturnType<typeof parse>['values']

function wholeNumber(text: string, name: string, allowed: (value: number) => boolean): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || !allowed(value)) throw wrong(`--${name} can not be ${text}`)
  return value
}

function settingsOf(lines: readonly string[]): Settings {
  const settings: Partial<Record<ServerName, Record<string, string>>> = {}
  for (const line of lines) {
    const [, server = '', key, value] = /^([a-z]+)\.([^=]+)=(.*)$/s.exec(line) ?? []
    if (!isServerName(server) || key === undefined || value === undefined)
      throw wrong(`--set can not be ${line}`)
    settings[server] = { ...settings[server], [key]: value }
  }
  return settings
}

const upOptions = (values: Values, servers: readonly ServerName[]): UpOptions => ({
  folder: values.folder,
  servers,
  ...(values.brokers ? { brokers: wholeNumber(values.brokers, 'brokers', n => n === 1 || n === 3) } : {}),
  ...(values['port-offset']
    ? { portOffset: wholeNumber(values['port-offset'], 'port-offset', n => n <= maxPortOffset) }
    : {}),
  ...(values.set ? { settings: settingsOf(values.set) } : {}),
  say: line => console.error(line),
})

const megabytes = (bytes: number): string => `${Math.round(bytes / 1048576)} MB`

function printStatus(all: readonly ServerStatus[], json: boolean): void {
  if (json) {
    console.log(JSON.stringify(all))
    return
  }
  for (const each of all) {
    const memory = each.state === 'dead' ? '' : megabytes(each.rssBytes)
    console.log(
      `${each.name.padEnd(17)} ${each.state.padEnd(9)} pid ${String(each.pid).padEnd(8)} ${memory.padEnd(8)} ${each.address}`,
    )
  }
}

async function runUp(values: Values, names: readonly ServerName[]): Promise<number> {
  const found = await up(upOptions(values, names))
  const all = await status(values.folder)
  printStatus(all, values.json)
  if (!values.json && all.some(each => each.kind === 'postgres')) {
    console.error(`the password of PostgreSQL's user cryptos is in ${found.postgres.passwordFile}`)
  }
  if (!values.json && found.airflow)
    console.error(`the passwords of Airflow's users admin and viewer are in ${found.airflow.passwordsFile}`)
  return all.every(each => each.state === 'ready') ? 0 : 1
}

async function runStatus(values: Values, names: readonly ServerName[]): Promise<number> {
  const all = await status(values.folder, names)
  printStatus(all, values.json)
  if (all.length === 0) console.error(`no server runs in ${resolve(values.folder)}`)
  return all.length > 0 && all.every(each => each.state === 'ready') ? 0 : 1
}

async function runDown(values: Values, names: readonly ServerName[]): Promise<number> {
  const stopped = await down(values.folder, names)
  console.log(values.json ? JSON.stringify(stopped) : `stopped: ${stopped.join(', ') || 'nothing ran'}`)
  return 0
}

function runLogs(values: Values, names: readonly string[]): number {
  const [name, ...more] = names
  if (name === undefined || more.length > 0) throw wrong('logs takes the name of one server')
  const file = logFile(resolve(values.folder), name)
  if (name === 'airflow')
    throw wrong('airflow has the logs airflow-api, airflow-scheduler, airflow-dags and airflow-triggerer')
  if (!existsSync(file))
    throw new CryptosError('CRY_USAGE', `${name} was never started in ${resolve(values.folder)}`)
  const lines = values.follow ? ['-n', '100', '-F'] : ['-n', '+1']
  return spawnSync('tail', [...lines, file], { stdio: 'inherit' }).status ?? 0
}

function runEnvironment(values: Values, names: readonly string[]): number {
  if (names.length > 0) throw wrong('env takes no names')
  const found = environmentOf(addresses(values.folder))
  console.log(values.json ? JSON.stringify(found) : exportLines(found).trimEnd())
  return 0
}

function runCommand(argv: readonly string[]): Promise<number> | number {
  const { values, positionals } = parse(argv)
  const [command, ...names] = positionals
  if (values.help) {
    console.log(usage)
    return 0
  }
  if (command === 'logs') return runLogs(values, names)
  if (command === 'env') return runEnvironment(values, names)
  const unknown = names.find(name => !isServerName(name))
  if (unknown !== undefined) throw wrong(`there is no server ${unknown}`)
  const servers = names.filter(isServerName)
  if (command === 'up') return runUp(values, servers)
  if (command === 'down') return runDown(values, servers)
  if (command === 'status') return runStatus(values, servers)
  throw wrong(command === undefined ? 'a command is missing' : `there is no command ${command}`)
}

try {
  process.exitCode = await runCommand(process.argv.slice(2))
} catch (error) {
  const known = toCryptosError(error)
  console.error(known.code === 'CRY_INTERNAL' ? ((error as Error).stack ?? known.message) : known.message)
  process.exitCode = errorKinds[known.code].exit
}
