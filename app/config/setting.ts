import type * as z from 'zod/mini'

export interface Setting {
  /** Name in the environment. */
  readonly env: string
  /** Made for a value that is given: making all of them is a large part of the start of a command. */
  readonly schema: () => z.ZodMiniType
  /** As the schema gives it out. */
  readonly fallback: unknown
  readonly doc: string
}

export const setting = <S extends z.ZodMiniType>(
  env: string,
  schema: () => S,
  fallback: z.output<S>,
  doc: string,
) => ({
  env,
  schema,
  fallback,
  doc,
})
