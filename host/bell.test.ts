import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { Bell } from './bell.ts'

const inFolder = async (work: (database: string) => Promise<void>): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'cryptos-bell-'))
  try {
    await work(join(folder, 'x.db'))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

it('wakes a listener after a ring, long before its slow poll', () =>
  inFolder(async database => {
    const writer = new Bell(database)
    const listener = new Bell(database)
    const heard = Promise.withResolvers<void>()
    const stop = listener.listen(heard.resolve, 3_600_000)
    writer.ring()
    await heard.promise
    stop()
    writer.close()
  }))

it('stays one byte long, however often it rings', () =>
  inFolder(async database => {
    const bell = new Bell(database)
    for (let i = 0; i < 100; i += 1) bell.ring()
    bell.close()
    const again = new Bell(database)
    again.ring()
    again.close()
    expect(statSync(`${database}.bell`).size).toBe(1)
  }))
