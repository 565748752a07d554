import type { TwinDefinition } from '../../../../sandbox/types.ts'
import { monthSpent, tooMany } from './answers.ts'
import { CoinpaprikaTwin } from './twin.ts'

export const twin: TwinDefinition = {
  id: 'coinpaprika',
  refusals: [tooMany, monthSpent],
  open: options => new CoinpaprikaTwin(options),
}
