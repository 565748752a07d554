import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { AssetId, EpochMicros } from '../../../core/brands.ts'
import { marketRecordId } from '../../../core/records.ts'
import { fromEpochMs } from '../../../core/time.ts'
import { VirtualClock } from '../../../core/virtual-clock.ts'
import { flagAt, marketSource } from '../../market.contract.ts'
import { quote, sourceAt } from '../../sink.contract.ts'
import { openSqliteReader } from './reader.ts'
import { openSqliteSink } from './sink.ts'

const root = mkdtempSync(join(tmpdir(), 'cryptos-keys-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
const clock = new VirtualClock(fromEpochMs(Date.UTC(2026, 10, 21, 12)))
const longAgo = 365 * 86_400_000_000
/** More than twice as many as are asked for at once. */
const moments = Array.from({ length: 2_500 }, (_, i) => EpochMicros(longAgo + i * 1_000_003))

async function stored(name: string) {
  const file = join(root, `${name}.db`)
  const sink = await openSqliteSink({ file, clock })
  const [bitcoin, other] = [AssetId('bitcoin'), AssetId('ethereum')]
  const rows = moments.flatMap(observedAt => [bitcoin, other].map(asset => quote({ observedAt, asset })))
  await sink.write([...rows, quote({ observedAt: moments[0]!, currency: 'EUR' })], sourceAt(0, 5_001))
  await sink.market.write(
    moments.map(at => flagAt(at)),
    marketSource(0, 2_500),
  )
  await sink.close()
  return await openSqliteReader({ file })
}

it('finds rows by many moments of one series, and nothing else', async () => {
  const reader = await stored('rows')
  const { provider, asset, currency } = quote()
  const odd = moments.filter((_, i) => i % 2 === 1 || i === 0)
  const absent = EpochMicros(moments[0]! + 1)
  const found = await Array.fromAsync(reader.rowsAt({ provider, asset, currency }, [...odd, absent]))
  expect(found).toEqual(odd.map(observedAt => quote({ observedAt })))
  const eur = await Array.fromAsync(reader.rowsAt({ provider, asset, currency: 'EUR' }, moments))
  expect(eur).toEqual([quote({ observedAt: moments[0]!, currency: 'EUR' })])
  const nobody = reader.rowsAt({ provider, asset: AssetId('test:none'), currency }, moments)
  expect(await Array.fromAsync(nobody)).toEqual([])
  await reader.close()
})

it('finds records by many ids, and nothing else', async () => {
  const reader = await stored('records')
  const some = moments.slice(0, 1_700).map(at => flagAt(at))
  const ids = some.map(marketRecordId)
  const found = await Array.fromAsync(reader.recordsOf([...ids, `${ids[0]}x`, "'", '"']))
  expect(found).toEqual(some)
  expect(await Array.fromAsync(reader.recordsOf([]))).toEqual([])
  await reader.close()
})
