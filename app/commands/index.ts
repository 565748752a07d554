import type { Define } from './command.ts'

const loaders = {
  up: () => import('./up.ts'),
  collect: () => import('./collect.ts'),
  backfill: () => import('./backfill.ts'),
  providers: () => import('./providers.ts'),
  publish: () => import('./publish.ts'),
  rederive: () => import('./rederive.ts'),
  process: () => import('./process.ts'),
  quota: () => import('./quota.ts'),
  topics: () => import('./topics.ts'),
  dlq: () => import('./dlq.ts'),
  parse: () => import('./parse.ts'),
  export: () => import('./export.ts'),
  assets: () => import('./assets.ts'),
  freshness: () => import('./freshness.ts'),
  housekeeping: () => import('./housekeeping.ts'),
  audit: () => import('./audit.ts'),
  doctor: () => import('./doctor.ts'),
  config: () => import('./config.ts'),
  sandbox: () => import('./sandbox.ts'),
} as const satisfies Record<string, () => Promise<{ define: Define }>>

/** In the order of the help. */
export const commandNames = Object.keys(loaders) as (keyof typeof loaders)[]

/** Loads only the command that is run: start-up time is paid by every scheduled call. */
export const loadCommand = async (name: keyof typeof loaders): Promise<Define> =>
  (await loaders[name]()).define
