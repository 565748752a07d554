import type { Config } from '../config/load.ts'
import type { Source } from '../source.ts'

/** What the pipeline's thread is started with. Secrets travel in memory between two threads of one process. */
export interface PipelineStart {
  readonly config: Config
  readonly source: Source
}

/** From the pipeline's thread to the supervisor. */
export type PipelineMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'problem'; readonly name: string; readonly what: string | null }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string }
  | { readonly kind: 'stopped' }

/** From the supervisor to the pipeline's thread. */
export type SupervisorMessage = { readonly kind: 'stop' }
