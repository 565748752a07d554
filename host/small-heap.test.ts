import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

/** MB of the young generation of a program that passes batches on, of which one is always alive. */
function youngMb(isSmall: boolean): number {
  const file = fileURLToPath(new URL('./small-heap.ts', import.meta.url))
  const program = `
    import { getHeapSpaceStatistics } from 'node:v8'
    import { setTimeout } from 'node:timers/promises'
    const { keepHeapSmall } = await import(${JSON.stringify(file)})
    if (${isSmall}) keepHeapSmall()
    let alive = []
    for (let batch = 0; batch < 400; batch += 1) {
      alive = [alive.at(-1) ?? [], Array.from({ length: 20_000 }, (_, i) => ({ text: batch + ' ' + i }))]
      alive[0].length = 0
      // As between two answers of a server.
      await setTimeout(2)
    }
    const young = getHeapSpaceStatistics().find(space => space.space_name === 'new_space')
    process.stdout.write(String(young.space_size / 1_024 ** 2))`
  return Number(
    execFileSync(process.execPath, ['--input-type=module', '--eval', program], { encoding: 'utf8' }),
  )
}

it('keeps the young generation far below what V8 would give it, and lets the program end', () => {
  expect(youngMb(true)).toBeLessThan(30)
  expect(youngMb(false)).toBeGreaterThan(60)
})
