import { AssetId } from '../../../core/brands.ts'
import { assetById } from '../../../core/assets.ts'
import { assetTable } from '../../assets.ts'
import type { AssetRef } from '../../provider.ts'

/**
 * Base symbols of the index's instruments. The id is the base alone, so that a page may ask for any currency: the instrument is
 * `<base>-<currency>` and is made for each call.
 */
export const assets = assetTable({
  bitcoin: 'BTC',
  ethereum: 'ETH',
  solana: 'SOL',
  xrp: 'XRP',
  cardano: 'ADA',
  dogecoin: 'DOGE',
  litecoin: 'LTC',
  chainlink: 'LINK',
  polkadot: 'DOT',
  avalanche: 'AVAX',
  'bitcoin-cash': 'BCH',
  stellar: 'XLM',
  uniswap: 'UNI',
  'pax-gold': 'PAXG',
})

/** All that the Bitcoin Price Index ever had. */
export const bitcoinOnly: ReadonlySet<AssetId> = new Set([AssetId('bitcoin')])

/** `BTC` in EUR is `BTC-EUR`. */
export const instrumentOf = (base: string, currency: string): string => `${base}-${currency}`

const instrumentPattern = /^([A-Za-z0-9._]{1,40})-([A-Z0-9]{2,10})$/

/** `BTC-EUR` → base `BTC`, currency `EUR`; undefined for any other text. */
export function splitInstrument(
  instrument: string,
): { readonly base: string; readonly currency: string } | undefined {
  const [, base, currency] = instrumentPattern.exec(instrument) ?? []
  return base === undefined || currency === undefined ? undefined : { base, currency }
}

const byBase = new Map([...assets].map(([asset, base]) => [base, asset]))

/** The asset of an instrument that nobody asked for: of our table, else one named by its base. */
export function refOfBase(base: string): AssetRef {
  const asset = byBase.get(base) ?? AssetId(`coindesk:${base}`)
  return { asset, symbol: assetById(asset)?.symbol ?? base, sourceId: base }
}
