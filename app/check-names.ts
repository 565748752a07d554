import { CryptosError } from '../core/errors.ts'
import { datasetKinds } from '../collectors/provider.ts'
import { providers } from '../collectors/registry.ts'
import { ownAssetsFile } from './assets/own-assets.ts'
import { idsOf } from './assets/proposals.ts'
import type { Config } from './config/load.ts'
import { type SettingName, settings } from './config/settings.ts'
import { suggest } from './config/suggest.ts'

const names = providers.map(p => p.id as string)
const kinds = datasetKinds.filter(kind => kind !== 'history')
const datasets = providers.flatMap(p => p.datasets.map(d => `${p.id}/${d.id}`))

/** Settings that name providers, and how the name is found in an entry. */
const naming: readonly (readonly [SettingName, (entry: string) => string])[] = [
  ['providers', entry => entry],
  ['sharedKeys', entry => entry],
  ['retiredProviders', entry => entry],
  ['spotSources', entry => entry],
  ['plans', entry => entry.split('=', 1)[0] ?? ''],
]

/** A typing error in a list must not switch something off in silence. @throws CryptosError CRY_CONFIG_INVALID with a suggestion */
export function checkNames(config: Config): void {
  for (const name of config.spotSources)
    if (names.includes(name) && !config.providers.includes(name))
      refuse('spotSources', `${name} is not on the list of CRYPTOS_PROVIDERS, so it can not serve`)
  refuseTwins(config)
  for (const [setting, nameIn] of naming)
    for (const entry of config[setting] as readonly string[]) refuseUnless(names, nameIn(entry), setting)
  for (const entry of config.datasets) {
    if (entry.endsWith('/history') || entry === 'history')
      refuse('datasets', `"${entry}" is asked by cryptos backfill only`)
    refuseUnless(entry.includes('/') ? datasets : kinds, entry, 'datasets')
  }
}

/** Two names of one id: the second would take the price of the first. */
function refuseTwins({ ownAssets, dataDir }: Config): void {
  for (const provider of providers) {
    const seen = new Map<string, string>()
    for (const [asset, sourceId] of idsOf(provider, ownAssets)) {
      const other = seen.get(sourceId)
      if (other !== undefined)
        throw new CryptosError(
          'CRY_CONFIG_INVALID',
          `${ownAssetsFile(dataDir)}: ${other} and ${asset} are both ${sourceId} at ${provider.title}: keep one of them`,
        )
      seen.set(sourceId, asset)
    }
  }
}

function refuseUnless(known: readonly string[], name: string, setting: SettingName): void {
  if (known.includes(name)) return
  const there = known.length > 15 ? 'cryptos providers lists them' : `there are ${known.join(', ')}`
  refuse(setting, `"${name.slice(0, 60)}" is not known${suggest(name, known)} (${there})`)
}

function refuse(setting: SettingName, sentence: string): never {
  throw new CryptosError('CRY_CONFIG_INVALID', `${settings[setting].env}: ${sentence}`)
}
