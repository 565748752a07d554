import type { TwinDefinition } from '../../../../sandbox/types.ts'
import { monthSpent, tooMany } from './answers.ts'
import { CoingeckoTwin } from './twin.ts'

export const twin: TwinDefinition = {
  id: 'coingecko',
  refusals: [tooMany, monthSpent],
  open: options => new CoingeckoTwin(options),
}
