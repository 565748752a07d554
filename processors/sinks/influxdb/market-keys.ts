import type { EpochMicros } from '../../../core/brands.ts'
import type { MarketKind } from '../../../core/ports/reader.ts'
import { marketPoints } from './market-line.ts'
import { keyOf } from './stored.ts'
import type { Measurement, Tags } from './stored.ts'

export interface AskedSeries {
  readonly measurement: Measurement
  readonly series: readonly { readonly tags: Tags; readonly moments: readonly EpochMicros[] }[]
}

/** Parts of `marketRecordId` behind the kind; no part of an id has the separator in it. */
const shapes: Readonly<Record<string, { readonly kind: MarketKind; readonly parts: readonly string[] }>> = {
  metric: { kind: 'metric', parts: ['provider', 'name', 'currency', 'at'] },
  gap: { kind: 'gap', parts: ['provider', 'dataset', 'asset', 'currency', 'at'] },
  flag: { kind: 'source-flag', parts: ['provider', 'asset', 'currency', 'at', 'flag'] },
  consensus: { kind: 'consensus', parts: ['asset', 'currency', 'at'] },
  serving: { kind: 'serving', parts: ['role', 'asset', 'currency', 'at'] },
}

/** Ids as the series and moments that they name; what is no id is left out, since nothing is stored by it. */
export function keysOf(ids: Iterable<string>): readonly AskedSeries[] {
  const found = new Map<string, { measurement: Measurement; tags: Tags; moments: EpochMicros[] }>()
  for (const id of ids) {
    const [first = '', ...values] = id.split('|')
    const shape = Object.hasOwn(shapes, first) ? shapes[first] : undefined
    if (shape?.parts.length !== values.length) continue
    const { at, ...tags } = Object.fromEntries(shape.parts.map((part, i) => [part, values[i] ?? '']))
    if (!/^\d{1,16}$/.test(at ?? '')) continue
    const measurement = marketPoints[shape.kind]
    const key = keyOf(measurement, tags)
    const series = found.get(key) ?? { measurement, tags, moments: [] }
    series.moments.push(Number(at) as EpochMicros)
    found.set(key, series)
  }
  return [...Map.groupBy(found.values(), one => one.measurement)].map(([measurement, series]) => ({
    ...{ measurement, series },
  }))
}
