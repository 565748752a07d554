import type { TwinDefinition } from '../../../../sandbox/types.ts'
import { MempoolTwin, tooMany } from './twin.ts'

export const twin: TwinDefinition = {
  id: 'mempool',
  refusals: [tooMany],
  open: options => new MempoolTwin(options),
}
