import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { ZodMiniType } from 'zod/mini'
import { addAssets, assets, assetsNamed } from '../../core/assets.ts'
import { AssetId } from '../../core/brands.ts'
import { CryptosError, toCryptosError } from '../../core/errors.ts'
import { type OwnAsset, readOwnAssets } from '../assets/own-assets.ts'
import { checkSecret, readSecretFile } from './secret-file.ts'
import {
  optionNames,
  otherNames,
  type SecretName,
  type SettingName,
  type SettingValues,
  secrets,
  settings,
} from './settings.ts'
import { serverSecrets } from './server-settings.ts'
import { isStoreName, storeNames } from './parts.ts'
import { suggest } from './suggest.ts'

export interface Config extends SettingValues {
  readonly assetIds: readonly AssetId[]
  /** What this installation added to the asset table. */
  readonly ownAssets: readonly OwnAsset[]
  /** Keys by the provider's name, and `token`. Absent = not set. */
  readonly secrets: Readonly<Partial<Record<SecretName, string>>>
  /** Given on the command line, so that a complaint names the option. */
  readonly fromOptions: readonly SettingName[]
}

export type Environment = Readonly<Record<string, string | undefined>>
const refuse = (message: string): never => {
  throw new CryptosError('CRY_CONFIG_INVALID', message)
}

/** A setting that can not be used, and whose it is. */
export interface Problem {
  readonly about: 'setting' | 'key' | 'token'
  readonly error: CryptosError
}

export interface ReadConfig {
  /** With the default in place of what can not be used. */
  readonly config: Config
  readonly problems: readonly Problem[]
}

/**
 * Reads all settings: command line over environment over file over default. Does nothing at import.
 * @param overrides by setting name, from the command line
 * @throws CryptosError CRY_CONFIG_INVALID or CRY_SECRET_FILE with one sentence that names the setting
 */
export function loadConfig(env: Environment, overrides: Overrides = {}): Config {
  const { config, problems } = readConfig(env, overrides)
  const [first] = problems
  if (first) throw first.error
  return config
}

/** The same for commands that tell what is wrong: reads as much as can be read, and never throws for a bad setting. */
export function readConfig(env: Environment, overrides: Overrides = {}): ReadConfig {
  const problems: Problem[] = []
  const attempt: Attempt = (about, work, fallback) => {
    try {
      return work()
    } catch (error) {
      problems.push({ about, error: toCryptosError(error) })
      return fallback
    }
  }
  refuseUnknownNames(env, attempt)
  const file = attempt('setting', () => readFile(env), {})
  refuseUnknownKeys(file, env, attempt)
  const values: Partial<Record<SettingName, unknown>> = {}
  for (const name of Object.keys(settings) as SettingName[])
    values[name] = attempt(
      'setting',
      () => readSetting(name, env, file, overrides),
      settings[name].fallback as unknown,
    )
  const checked = values as SettingValues
  const ownAssets = attempt('setting', () => readOwnAssets(checked.dataDir), [])
  addAssets(ownAssets)
  const fromOptions = (Object.keys(overrides) as SettingName[]).filter(name => overrides[name] !== undefined)
  const label = nameOf({ fromOptions }, 'assets')
  const assetIds = checked.assets.flatMap(text => attempt('setting', () => [toAssetId(text, label)], []))
  const config: Config = { ...checked, ownAssets, assetIds, secrets: readSecrets(env, attempt), fromOptions }
  refuseContradictions(config, attempt)
  return { config, problems }
}

type Overrides = Partial<Record<SettingName, unknown>>
/** Does it, or notes why it can not be done and takes the fallback. */
type Attempt = <T>(about: Problem['about'], work: () => T, fallback: T) => T

/** As the user gave it: the option where it came from the command line, else the variable. */
export const nameOf = ({ fromOptions }: Pick<Config, 'fromOptions'>, name: SettingName): string =>
  (fromOptions.includes(name) ? optionNames[name] : undefined) ?? settings[name].env

const knownNames = (): string[] => {
  const secretNames = Object.values(secrets).flatMap(s => [s.env, `${s.env}_FILE`])
  return [...Object.values(settings).map(s => s.env), ...secretNames, ...otherNames]
}

function refuseUnknownNames(env: Environment, attempt: Attempt): void {
  const known = knownNames()
  for (const name of Object.keys(env))
    if (name.startsWith('CRYPTOS_') && !known.includes(name))
      attempt('setting', () => refuse(`${name} is not a setting${suggestName(name, known)}`), undefined)
    else if (isNearlyKey(name) && !known.includes(name))
      attempt('setting', () => refuse(`${name} is no key of a provider${suggest(name, known)}`), undefined)
}

/** A misspelt key would mean: without a key, in silence. Other programs' names are left alone. */
const isNearlyKey = (name: string): boolean =>
  /KEY(_FILE)?$/.test(name) && Object.keys(secrets).some(id => name.startsWith(`${id.toUpperCase()}_`))

/** A secret's name has no prefix, which is easily forgotten. */
function suggestName(name: string, known: readonly string[]): string {
  const bare = name.slice('CRYPTOS_'.length)
  return known.includes(bare) ? `; did you mean ${bare}?` : suggest(name, known)
}

const fileOf = (env: Environment): string => resolve(env['CRYPTOS_CONFIG_FILE'] ?? 'cryptos.config.json')

function readFile(env: Environment): Record<string, unknown> {
  const file = fileOf(env)
  if (env['CRYPTOS_CONFIG_FILE'] === undefined && !existsSync(file)) return {}
  let values: unknown
  try {
    values = JSON.parse(readFileSync(file, 'utf8'))
  } catch (cause) {
    return refuse(`the settings file ${file} can not be read${whyUnread(cause)}`)
  }
  if (typeof values !== 'object' || values === null || Array.isArray(values))
    return refuse(`the settings file ${file} is not a JSON object`)
  return values as Record<string, unknown>
}

function refuseUnknownKeys(values: Record<string, unknown>, env: Environment, attempt: Attempt): void {
  const names = Object.keys(settings)
  for (const key of Object.keys(values))
    if (!names.includes(key))
      attempt(
        'setting',
        () => refuse(`${key} in ${fileOf(env)} is not a setting${suggest(key, names)}`),
        undefined,
      )
}

/** The parser's own message quotes the file, which may hold a key by mistake: only the place is told. */
function whyUnread(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code
  if (code !== undefined) return ` (${code})`
  const place = /\bline \d+ column \d+/.exec(String((error as Error).message))?.[0]
  return ` as JSON${place === undefined ? '' : `: look at ${place}`}`
}

function readSetting(
  name: SettingName,
  env: Environment,
  file: Record<string, unknown>,
  overrides: Overrides,
): unknown {
  const { env: variable, schema, fallback } = settings[name]
  const given = [overrides[name], env[variable], file[name]].find(value => value !== undefined)
  if (given === undefined) return fallback
  const result = (schema() as ZodMiniType).safeParse(given)
  if (result.success) return result.data
  // What stands before the @ of a URL may be a password by mistake.
  const text = JSON.stringify(given).replaceAll(/:\/\/[^@/\s]*@/g, '://…@')
  const label = overrides[name] === undefined ? variable : (optionNames[name] ?? variable)
  return refuse(
    `${label} can not be ${text.slice(0, 80)}: ${result.error.issues.map(issue => issue.message).join('; ')}`,
  )
}

const assetNames = (): string[] => assets.flatMap(a => [a.id, a.symbol.toLowerCase()])

function toAssetId(text: string, label: string): AssetId {
  if (/^[a-z][a-z0-9-]*:[A-Za-z0-9._-]{1,64}$/.test(text)) return AssetId(text)
  const [asset, ...others] = assetsNamed(text)
  const named = `${label}: "${text.slice(0, 60)}"`
  if (asset && others.length === 0) return asset.id
  if (asset) return refuse(`${named} may be ${[asset, ...others].map(a => a.id).join(' or ')}: write the id`)
  return refuse(
    `${named} is not a known asset${suggest(text.toLowerCase(), assetNames())}; cryptos assets lists them`,
  )
}

function readSecrets(env: Environment, attempt: Attempt): Partial<Record<SecretName, string>> {
  const found: Partial<Record<SecretName, string>> = {}
  for (const [name, { env: variable }] of Object.entries(secrets)) {
    const about = name === 'token' ? 'token' : name in serverSecrets ? 'setting' : 'key'
    const text = attempt(about, () => readSecret(variable, env), undefined)
    if (text !== undefined) found[name] = text
  }
  return found
}

function readSecret(variable: string, env: Environment): string | undefined {
  const file = env[`${variable}_FILE`]
  const direct = env[variable]
  if (file !== undefined && direct !== undefined)
    refuse(`${variable} and ${variable}_FILE are both set: keep one`)
  const text = file === undefined ? direct : readSecretFile(file, `${variable}_FILE`)
  if (text === undefined) return undefined
  return checkSecret(text, file === undefined ? variable : `${variable}_FILE (${file})`)
}

const loopback = ['127.0.0.1', '::1', 'localhost']

function refuseContradictions(config: Config, attempt: Attempt): void {
  const refuseIf = (isWrong: boolean, sentence: string): void => {
    if (isWrong) attempt('setting', () => refuse(sentence), undefined)
  }
  refuseIf(
    config.source === 'live' && config.sandboxClockFile !== undefined,
    'CRYPTOS_SANDBOX_CLOCK_FILE is for simulated data only: remove it or set CRYPTOS_SOURCE=sandbox',
  )
  refuseIf(
    !loopback.includes(config.host) && config.secrets['token'] === undefined,
    `CRYPTOS_HOST=${config.host} opens the page to others: set CRYPTOS_TOKEN_FILE too, or use 127.0.0.1`,
  )
  refuseIf(
    config.kafkaSasl === 'plain' && !config.kafkaTls,
    'CRYPTOS_KAFKA_SASL=plain would send the password readable: set CRYPTOS_KAFKA_TLS=true, or take scram-sha-512',
  )
  const login = config.kafkaUsername !== undefined && config.secrets['kafkaPassword'] !== undefined
  refuseIf(
    config.kafkaSasl !== 'none' && !login,
    `CRYPTOS_KAFKA_SASL=${config.kafkaSasl} needs CRYPTOS_KAFKA_USERNAME and CRYPTOS_KAFKA_PASSWORD_FILE`,
  )
  const wrongSink = config.sinks.find(name => !isStoreName(name))
  refuseIf(
    wrongSink !== undefined,
    `${nameOf(config, 'sinks')}: "${wrongSink?.slice(0, 40)}" is no store${suggest(wrongSink ?? '', storeNames)} (there are ${storeNames.join(', ')})`,
  )
  refuseIf(config.assets.length === 0, `${nameOf(config, 'assets')} is empty: name at least one asset`)
}

/** The keys of providers among the secrets: what an answer of theirs may repeat. */
export const keyTexts = ({ secrets: given }: Pick<Config, 'secrets'>): readonly string[] =>
  secretTexts({
    secrets: Object.fromEntries(Object.entries(given).filter(([name]) => !(name in serverSecrets))),
  })

/** What no output may show: every secret, and the parts of a key that is made of two (`public:secret`). */
export const secretTexts = ({ secrets: given }: Pick<Config, 'secrets'>): readonly string[] =>
  Object.values(given).flatMap(text => (text === undefined ? [] : [text, ...text.split(':').slice(1)]))
