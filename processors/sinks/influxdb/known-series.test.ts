import fc from 'fast-check'
import { expect, it } from 'vitest'
import { EpochMicros } from '../../../core/brands.ts'
import { VirtualClock } from '../../../core/virtual-clock.ts'
import { InfluxConnection } from './connection.ts'
import { SeriesOfPlace } from './known-series.ts'
import type { PointShape } from './point-shape.ts'

type Named = { readonly name: string }
const shape: PointShape<Named> = {
  measurement: () => ({ name: 'm', tags: ['name'], text: 'exact' }),
  tags: ({ name }) => ({ name }),
  key: ({ name }) => `m\n${name}`,
  isSameSeries: (a, b) => a.name === b.name,
  at: () => EpochMicros(0),
  version: () => 0,
  isLive: () => true,
  line: head => head,
  versionOf: () => 0,
}

it('a series that is foreseen is never another than that of the record, in whatever order they come', async () => {
  const connection = new InfluxConnection({
    ...{ url: 'http://127.0.0.1:1', database: 'd', clock: new VirtualClock(EpochMicros(0)) },
  })
  connection.query = async () => [{ series: [] }]
  const names = fc.constantFrom('a', 'b', 'c', 'd', 'e')
  await fc.assert(
    fc.asyncProperty(fc.array(names), async order => {
      const known = new SeriesOfPlace(shape)
      for (const name of order) {
        const found = known.of({ name })
        if (found) expect(found).toMatchObject({ key: `m\n${name}`, head: `m,name=${name}` })
        else
          await known.load(
            connection,
            new Map([[`m\n${name}`, { record: { name }, head: `m,name=${name}` }]]),
          )
        expect(known.of({ name })?.sample).toEqual({ name })
      }
    }),
  )
  connection.close()
})
