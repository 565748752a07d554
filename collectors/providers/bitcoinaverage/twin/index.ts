import type { TwinDefinition } from '../../../../sandbox/types.ts'
import { BitcoinAverageTwin, tooMany } from './twin.ts'

export { sandboxSecret } from './sandbox-secret.ts'

export const twin: TwinDefinition = {
  id: 'bitcoinaverage',
  refusals: [tooMany],
  open: options => new BitcoinAverageTwin(options),
}
