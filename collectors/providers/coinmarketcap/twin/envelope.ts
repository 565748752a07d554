import type { EpochMicros } from '../../../../core/brands.ts'
import { toIso } from '../../../../core/time.ts'
import { hashPair } from '../../../../sandbox/hash.ts'
import { toJson } from '../../../../sandbox/json.ts'
import type { Json } from '../../../../sandbox/json.ts'

/** A: number code, null message, a `notice`. B: string code, empty message, no `notice`. */
export type EnvelopeVariant = 'A' | 'B'

export interface EnvelopeOptions {
  readonly variant: EnvelopeVariant
  readonly at: EpochMicros
  readonly credits: number
  /** `status` stood first in older bodies. */
  readonly statusFirst?: boolean
  readonly total?: number | undefined
}

const elapsedAt = (at: EpochMicros): number => 1 + (hashPair(at % 4_294_967_296, 7) % 60)

function statusOf(options: EnvelopeOptions, code: number, message: string): Json {
  const { variant, at, credits, total } = options
  const isA = variant === 'A'
  return {
    timestamp: toIso(at),
    error_code: isA ? code : String(code),
    error_message: isA && message === '' ? null : message,
    elapsed: elapsedAt(at),
    credit_count: credits,
    ...(isA ? { notice: null } : {}),
    ...(total === undefined ? {} : { total_count: total }),
  }
}

/** Body of an accepted call. */
export function dataBody(data: Json, options: EnvelopeOptions): string {
  const status = statusOf(options, 0, '')
  return toJson(options.statusFirst ? { status, data } : { data, status })
}

/** Body of a refused call: no `data`, nothing charged. */
export const errorBody = (code: number, message: string, variant: EnvelopeVariant, at: EpochMicros): string =>
  toJson({ status: statusOf({ variant, at, credits: 0 }, code, message) })
