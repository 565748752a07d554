import type { TwinDefinition } from '../../../../sandbox/types.ts'
import { CoinbaseTwin, tooMany } from './twin.ts'

export const twin: TwinDefinition = {
  id: 'coinbase',
  refusals: [tooMany],
  open: options => new CoinbaseTwin(options),
}
