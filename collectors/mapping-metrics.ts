import type { DecimalString, EpochMicros } from '../core/brands.ts'
import type { Currency, Metric, MetricName } from '../core/records.ts'
import { refusePayload } from './check.ts'
import type { Mapped, MappingContext } from './provider.ts'

/** A figure of the whole market as an answer has it; `value` undefined = the answer does not say it. */
export interface Figure {
  readonly name: MetricName
  /** Of an amount of money; absent for counts and percentages. */
  readonly currency?: Currency
  readonly value: DecimalString | undefined
}

/** What all figures of one answer share. */
export interface FiguresAt {
  /** The path of the object that holds them, for a message. */
  readonly path: string
  /** undefined where the source gives no time. */
  readonly observedAt: EpochMicros | undefined
}

/** The figures that an answer has, as records. @throws CryptosError CRY_PROVIDER_PAYLOAD when it has not one */
export function mapMetrics(
  figures: readonly Figure[],
  { path, observedAt }: FiguresAt,
  context: MappingContext,
): Mapped {
  const metrics = figures.flatMap(({ name, currency, value }): Metric[] => {
    if (value === undefined) return []
    return [
      {
        ...{ kind: 'metric', provider: context.provider, name },
        ...(currency === undefined ? {} : { currency }),
        value,
        observedAt: observedAt ?? context.receivedAt,
        observedBy: observedAt === undefined ? 'receiver' : 'source',
        receivedAt: context.receivedAt,
        revision: context.revision,
        origin: context.origin,
        runId: context.runId,
        credits: context.credits,
        rawRef: context.rawRef,
      },
    ]
  })
  if (metrics.length === 0) return refusePayload(path, 'figures of the market', undefined)
  return { records: [], metrics, missing: [] }
}
