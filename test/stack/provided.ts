import type { Addresses } from '../../scripts/stack/addresses.ts'
import type { ServerName } from '../../scripts/stack/pins.ts'

/** What the set-up of a run hands to its tests. */
export interface ProvidedStack extends Addresses {
  readonly missing: readonly ServerName[]
}

declare module 'vitest' {
  interface ProvidedContext {
    stack: ProvidedStack
  }
}
