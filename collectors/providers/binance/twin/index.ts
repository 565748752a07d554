import type { TwinDefinition } from '../../../../sandbox/types.ts'
import { BinanceTwin, banned, tooMany } from './twin.ts'

export const twin: TwinDefinition = {
  id: 'binance',
  refusals: [tooMany, banned],
  open: options => new BinanceTwin(options),
}
