import type { TwinDefinition } from '../../../../sandbox/types.ts'
import { tooMany } from './answers.ts'
import { BitstampTwin } from './twin.ts'

export const twin: TwinDefinition = {
  id: 'bitstamp',
  refusals: [tooMany],
  open: options => new BitstampTwin(options),
}
