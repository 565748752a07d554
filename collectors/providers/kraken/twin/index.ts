import type { TwinDefinition } from '../../../../sandbox/types.ts'
import { KrakenTwin, tooMany } from './twin.ts'

export const twin: TwinDefinition = {
  id: 'kraken',
  refusals: [tooMany],
  open: options => new KrakenTwin(options),
}
