import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, it } from 'vitest'
import { restart } from '../../../scripts/stack/stack.ts'
import { throwAwayStack } from '../../../test/stack/servers.ts'
import type { ThrowAwayStack } from '../../../test/stack/servers.ts'
import { EpochMicros } from '../../../core/brands.ts'
import { classify, toCryptosError } from '../../../core/errors.ts'
import type { Quote } from '../../../core/records.ts'
import { quote, sourceAt } from '../../sink.contract.ts'
import { openCassandraReader } from './reader.ts'
import { openCassandraSink } from './sink.ts'
import { storeOptions } from './stack.contract.ts'

const root = mkdtempSync(join(tmpdir(), 'cryptos-cassandra-disk-'))
const disk = join(root, 'disk')
const filler = join(disk, 'filler')
mkdirSync(disk)

/** A disk of its own for the commit log. Only root may make one. */
function mounted(): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', disk], { stdio: 'ignore' })
    return true
  } catch (error) {
    // Nobody reads the warnings of a run that is green.
    if (process.env['CI']) throw error
    console.error(
      `SKIPPED the full disk of Cassandra: no disk can be made here (${String(error).slice(0, 80)})`,
    )
    return false
  }
}
const isMounted = mounted()

let stack: ThrowAwayStack | undefined
afterAll(async () => {
  await stack?.stop()
  // Lazy: a server that ends slowly still holds a file of it.
  if (isMounted) execFileSync('umount', ['-l', disk])
  rmSync(root, { recursive: true, force: true })
})

const roomLeft = (): number => {
  const { bavail, bsize } = statfsSync(disk)
  return bavail * bsize
}

const batchOf = (number: number): readonly Quote[] =>
  Array.from({ length: 500 }, (_, i) =>
    quote({ observedAt: EpochMicros(1.7e15 + number * 1_000 + i), runId: 'r'.repeat(200) }),
  )

describe.runIf(isMounted)('a Cassandra whose commit log has no room', () => {
  it('acknowledges nothing, is told in one sentence, and has every acknowledged row when there is room again', async () => {
    const settings = { cassandra: { commitlog_directory: JSON.stringify(join(disk, 'commitlog')) } }
    stack = await throwAwayStack({ servers: ['cassandra'], settings })
    const options = storeOptions(stack.addresses.cassandra)
    const sink = await openCassandraSink(options)
    const acked: Quote[] = []
    for (let i = 5_000; i < 5_010; i += 1) {
      await sink.write(batchOf(i), sourceAt(i, i + 500))
      acked.push(...batchOf(i))
    }
    writeFileSync(filler, Buffer.alloc(roomLeft() - 4_096))
    let refused: unknown
    for (let i = 0; refused === undefined && i < 2_000; i += 1)
      await sink.write(batchOf(i), sourceAt(i, i + 500)).then(
        () => acked.push(...batchOf(i)),
        (error: unknown) => {
          refused = error
        },
      )
    // The fault hit.
    expect(roomLeft()).toBeLessThan(1_048_576)
    expect(['retry', 'wait']).toContain(classify(refused))
    expect(toCryptosError(refused).message).toContain(options.hosts[0])
    console.error(
      `${acked.length} rows acknowledged before the disk was full, then: ${toCryptosError(refused).message}`,
    )
    rmSync(filler)
    await restart(stack.folder, 'cassandra')
    const again = async () => {
      await sink.write(batchOf(9_999), sourceAt(0, 500))
      acked.push(...batchOf(9_999))
    }
    for (let tries = 0, done = false; !done && tries < 60; tries += 1)
      done = await again().then(
        () => true,
        () => sleep(500).then(() => false),
      )
    const reader = await openCassandraReader(options)
    const stored = await Array.fromAsync(reader.rows({ from: EpochMicros(0), to: EpochMicros(9e15) }))
    const found = new Set(stored.map(q => q.observedAt))
    expect(acked.filter(q => !found.has(q.observedAt))).toEqual([])
    expect(found.has(batchOf(9_999)[0]?.observedAt ?? EpochMicros(0))).toBe(true)
    await Promise.all([reader.close(), sink.close()])
  })
})
