import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { ZodMiniType } from 'zod/mini'
import { assets, findAsset } from '../../core/assets.ts'
import type { AssetId } from '../../core/brands.ts'
import { CryptosError } from '../../core/errors.ts'
import { checkSecret, readSecretFile } from './secret-file.ts'
import {
  otherNames,
  type SecretName,
  type SettingName,
  type SettingValues,
  secrets,
  settings,
} from './settings.ts'
import { suggest } from './suggest.ts'

export interface Config extends SettingValues {
  readonly assetIds: readonly AssetId[]
  /** Absent = not set. */
  readonly secrets: Readonly<Partial<Record<SecretName, string>>>
}

export type Environment = Readonly<Record<string, string | undefined>>
const refuse = (message: string): never => {
  throw new CryptosError('CRY_CONFIG_INVALID', message)
}

/**
 * Reads all settings: command line over environment over file over default. Does nothing at import.
 * @param overrides by setting name, from the command line
 * @throws CryptosError CRY_CONFIG_INVALID or CRY_SECRET_FILE with one sentence that names the setting
 */
export function loadConfig(env: Environment, overrides: Partial<Record<SettingName, unknown>> = {}): Config {
  refuseUnknownNames(env)
  const file = readFile(env)
  const values: Partial<Record<SettingName, unknown>> = {}
  for (const name of Object.keys(settings) as SettingName[])
    values[name] = readSetting(name, env, file, overrides)
  const checked = values as SettingValues
  const config: Config = { ...checked, assetIds: checked.assets.map(toAssetId), secrets: readSecrets(env) }
  refuseContradictions(config)
  return config
}

const knownNames = (): string[] => {
  const secretNames = Object.values(secrets).flatMap(s => [s.env, `${s.env}_FILE`])
  return [...Object.values(settings).map(s => s.env), ...secretNames, ...otherNames]
}

function refuseUnknownNames(env: Environment): void {
  const known = knownNames()
  for (const name of Object.keys(env))
    if (name.startsWith('CRYPTOS_') && !known.includes(name))
      refuse(`${name} is not a setting${suggestName(name, known)}`)
}

/** A secret's name has no prefix, which is easily forgotten. */
function suggestName(name: string, known: readonly string[]): string {
  const bare = name.slice('CRYPTOS_'.length)
  return known.includes(bare) ? `; did you mean ${bare}?` : suggest(name, known)
}

function readFile(env: Environment): Record<string, unknown> {
  const named = env['CRYPTOS_CONFIG_FILE']
  const file = resolve(named ?? 'cryptos.config.json')
  if (named === undefined && !existsSync(file)) return {}
  let values: unknown
  try {
    values = JSON.parse(readFileSync(file, 'utf8'))
  } catch (cause) {
    return refuse(`the settings file ${file} can not be read${whyUnread(cause)}`)
  }
  if (typeof values !== 'object' || values === null || Array.isArray(values))
    return refuse(`the settings file ${file} is not a JSON object`)
  const names = Object.keys(settings)
  for (const key of Object.keys(values))
    if (!names.includes(key)) refuse(`${key} in ${file} is not a setting${suggest(key, names)}`)
  return values as Record<string, unknown>
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
  overrides: Partial<Record<SettingName, unknown>>,
): unknown {
  const { env: variable, schema, fallback } = settings[name]
  const given = [overrides[name], env[variable], file[name]].find(value => value !== undefined)
  if (given === undefined) return fallback
  const result = (schema() as ZodMiniType).safeParse(given)
  if (result.success) return result.data
  const text = JSON.stringify(given)
  return refuse(
    `${variable} can not be ${text.slice(0, 80)}: ${result.error.issues.map(issue => issue.message).join('; ')}`,
  )
}

const assetNames = (): string[] => assets.flatMap(a => [a.id, a.symbol.toLowerCase()])

function toAssetId(text: string): AssetId {
  const asset = findAsset(text)
  return asset
    ? asset.id
    : refuse(
        `CRYPTOS_ASSETS: "${text.slice(0, 60)}" is not a known asset${suggest(text.toLowerCase(), assetNames())}; cryptos config assets lists them`,
      )
}

function readSecrets(env: Environment): Partial<Record<SecretName, string>> {
  const found: Partial<Record<SecretName, string>> = {}
  for (const name of Object.keys(secrets) as SecretName[]) {
    const variable = secrets[name].env
    const file = env[`${variable}_FILE`]
    const direct = env[variable]
    if (file !== undefined && direct !== undefined)
      refuse(`${variable} and ${variable}_FILE are both set: keep one`)
    const text = file === undefined ? direct : readSecretFile(file, `${variable}_FILE`)
    if (text !== undefined)
      found[name] = checkSecret(text, file === undefined ? variable : `${variable}_FILE (${file})`)
  }
  return found
}

const loopback = ['127.0.0.1', '::1', 'localhost']

function refuseContradictions(config: Config): void {
  if (config.source === 'live' && config.sandboxClockFile !== undefined)
    refuse('CRYPTOS_SANDBOX_CLOCK_FILE is for simulated data only: remove it or set CRYPTOS_SOURCE=sandbox')
  if (!loopback.includes(config.host) && config.secrets.token === undefined)
    refuse(
      `CRYPTOS_HOST=${config.host} opens the page to others: set CRYPTOS_TOKEN_FILE too, or use 127.0.0.1`,
    )
  if (config.assets.length === 0) refuse('CRYPTOS_ASSETS is empty: name at least one asset')
}
