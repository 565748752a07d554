import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EpochMicros } from '../../../core/brands.ts'
import { systemClock } from '../../../host/clock.ts'
import type { FaultProxy, ThrowAwayStack, Toxic } from '../../../test/stack/servers.ts'
import { proxyOf, throwAwayStack } from '../../../test/stack/servers.ts'
import { kill, restart } from '../../../scripts/stack/stack.ts'
import { all, quote, sourceAt } from '../../sink.contract.ts'
import { openInfluxReader } from './reader.ts'
import { openInfluxSink } from './sink.ts'
import { storeOptions } from './stack.contract.ts'

const noon = Date.UTC(2026, 10, 21, 12) * 1_000
const always = { from: EpochMicros(0), to: EpochMicros(9e15) }
const nth = (i: number) => quote({ observedAt: EpochMicros(noon + i) })
const batch = (first: number, size: number) => Array.from({ length: size }, (_, i) => nth(first + i))

describe('between sink and server', () => {
  let proxy: FaultProxy
  beforeAll(async () => {
    proxy = await proxyOf('influxdb')
  })
  afterAll(() => proxy.close())
  const options = () => storeOptions({ url: `http://${proxy.address}`, clock: systemClock, timeoutMs: 4_000 })

  const lost: readonly (readonly [string, Toxic])[] = [
    ['the connection is closed without it', { type: 'timeout', attributes: { timeout: 300 } }],
    ['nothing ever comes', { type: 'timeout', attributes: { timeout: 0 } }],
    ['the connection is reset', { type: 'reset_peer', attributes: { timeout: 0 } }],
    ['it is cut after 20 bytes', { type: 'limit_data', attributes: { bytes: 20 } }],
  ]
  it.each(lost)(
    'an answer that is lost, since %s: all was stored, and the retry changes nothing',
    async (_, toxic) => {
      const own = options()
      const sink = await openInfluxSink(own)
      const direct = await openInfluxReader(storeOptions({ database: own.database }))
      await sink.write(batch(0, 10), sourceAt(0, 10))
      const fault = await proxy.toxic(toxic)
      const begun = performance.now()
      await expect(sink.write(batch(10, 10), sourceAt(10, 20))).rejects.toMatchObject({
        code: 'CRY_SERVER_UNREACHABLE',
        message: expect.stringContaining(proxy.address),
      })
      expect(performance.now() - begun).toBeLessThan(12_000)
      // The fault hit where it should: between the disk and us.
      expect(await all(direct.rows(always))).toHaveLength(20)
      await fault.remove()
      expect(await sink.write(batch(10, 10), sourceAt(10, 20))).toEqual({ written: 0, superseded: 10 })
      expect(await all(direct.rows(always))).toEqual(batch(0, 20))
      expect(await sink.write(batch(20, 5), sourceAt(20, 25))).toEqual({ written: 5, superseded: 0 })
      await Promise.all([sink.close(), direct.close()])
    },
  )

  it('a server that can not be reached is an outage, and all goes on by itself when it is back', async () => {
    const sink = await openInfluxSink(options())
    await sink.write(batch(0, 3), sourceAt(0, 3))
    await proxy.cut()
    await expect(sink.write(batch(3, 3), sourceAt(3, 6))).rejects.toMatchObject({
      code: 'CRY_SERVER_UNREACHABLE',
    })
    await expect(openInfluxSink(options())).rejects.toMatchObject({ code: 'CRY_SERVER_UNREACHABLE' })
    await proxy.heal()
    expect(await sink.write(batch(3, 3), sourceAt(3, 6))).toEqual({ written: 3, superseded: 0 })
    await sink.close()
  })

  it('a slow server is waited for, up to the limit of a request', async () => {
    const sink = await openInfluxSink(options())
    await sink.write(batch(100, 1), sourceAt(0, 1))
    const slow = await proxy.toxic({ type: 'latency', attributes: { latency: 300 } })
    expect(await sink.write(batch(0, 3), sourceAt(1, 4))).toEqual({ written: 3, superseded: 0 })
    await slow.remove()
    const slower = await proxy.toxic({ type: 'latency', attributes: { latency: 12_000 } })
    await expect(sink.write(batch(3, 3), sourceAt(4, 7))).rejects.toMatchObject({
      message: expect.stringMatching(/did not answer in time|socket hang up/),
    })
    await slower.remove()
    const pieces = await proxy.toxic({ type: 'slicer', attributes: { average_size: 20, delay: 20_000 } })
    expect((await sink.write(batch(6, 3), sourceAt(7, 10))).written).toBe(3)
    await pieces.remove()
    await sink.close()
  })
})

describe('a server of its own', () => {
  let stack: ThrowAwayStack
  beforeAll(async () => {
    stack = await throwAwayStack({
      servers: ['influxdb'],
      settings: { influxdb: { 'http.max-body-size': '20000' } },
    })
  })
  afterAll(() => stack.stop())
  const own = () => storeOptions({ url: stack.addresses.influxdb.url, clock: systemClock })

  it('that is killed between writes has every row that it acknowledged, three times over', async () => {
    const options = own()
    const sink = await openInfluxSink(options)
    let acknowledged = 0
    let kills = 0
    for (let round = 0; round < 3; round += 1) {
      const before = acknowledged
      let killed: Promise<void> | undefined
      try {
        for (;;) {
          await sink.write(batch(acknowledged, 20), sourceAt(acknowledged, acknowledged + 20))
          acknowledged += 20
          // While the next batches are on their way.
          if (acknowledged >= before + 100 * (round + 1))
            killed ??= kill(stack.folder, 'influxdb', 'SIGKILL').then(() => {
              kills += 1
            })
        }
      } catch (error) {
        expect(error).toMatchObject({ code: 'CRY_SERVER_UNREACHABLE' })
      }
      await killed
      await restart(stack.folder, 'influxdb')
      const reader = await openInfluxReader(options)
      const found = await all(reader.rows(always))
      await reader.close()
      // The batch in flight may be there as well.
      expect(found.slice(0, acknowledged)).toEqual(batch(0, acknowledged))
      expect(found.length - acknowledged).toBeLessThanOrEqual(20)
    }
    expect(kills).toBe(3)
    const rest = await sink.write(batch(acknowledged, 20), sourceAt(acknowledged, acknowledged + 20))
    expect(rest.written + rest.superseded).toBe(20)
    await sink.close()
  })

  it('that takes small requests only gets the batch by halves (413)', async () => {
    const options = own()
    const sink = await openInfluxSink(options)
    expect(await sink.write(batch(0, 500), sourceAt(0, 500))).toEqual({ written: 500, superseded: 0 })
    const reader = await openInfluxReader(options)
    expect(await all(reader.rows(always))).toEqual(batch(0, 500))
    const huge = quote({ runId: 'x'.repeat(30_000), observedAt: EpochMicros(noon + 900) })
    await expect(sink.write([huge, nth(901)], sourceAt(500, 502))).rejects.toMatchObject({
      code: 'CRY_RECORD_INVALID',
      message: expect.stringMatching(/^413 /),
      partial: { written: 1, refused: new Map([[0, expect.any(String)]]) },
    })
    await Promise.all([sink.close(), reader.close()])
  })
})
