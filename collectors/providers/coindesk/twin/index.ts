import type { TwinDefinition } from '../../../../sandbox/types.ts'
import { CoinDeskTwin, tooMany } from './twin.ts'

export const twin: TwinDefinition = {
  id: 'coindesk',
  refusals: [tooMany],
  open: options => new CoinDeskTwin(options),
}
