import type { TwinDefinition } from '../../../../sandbox/types.ts'
import { CoinMarketCapTwin } from './twin.ts'

export const twin: TwinDefinition = {
  id: 'coinmarketcap',
  refusals: ['1008', '1009', '1010', '1011'],
  open: options => new CoinMarketCapTwin(options),
}
