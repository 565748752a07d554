import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Credits, EpochMicros } from '../../../core/brands.ts'
import type { Settlement } from '../../../core/ports/ledger.ts'
import { MINUTE } from '../../../core/time.ts'
import { answerOf, scope, slotAt, start } from '../../ledger.fixture.ts'
import { decodeSettlement, encodeSettlement } from './spool-file.ts'
import { Spool } from './spool.ts'

let folder = ''
const warnings: string[] = []
const onWarning = (warning: Error): void => void warnings.push(warning.message)
/** Warnings come a tick later. */
const told = async (): Promise<string> => {
  await new Promise(resolve => setImmediate(resolve))
  return warnings.join('\n')
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cryptos-spool-'))
  warnings.length = 0
  process.on('warning', onWarning)
})
afterEach(() => {
  process.off('warning', onWarning)
  rmSync(folder, { recursive: true })
})

const settled = (reservationId: string, more: Partial<Settlement> = {}): Settlement => ({
  scope,
  reservationId,
  charge: { kind: 'known', credits: Credits(1) },
  providerDate: null,
  now: start,
  why: 'test',
  ...more,
})
const ids = (spool: Spool): readonly string[] => spool.oldest(99).map(s => s.settlement.reservationId)
const files = (): readonly string[] => readdirSync(join(folder, 's')).toSorted()

/** A process that is over: its id belongs to nobody. */
const deadPid = spawnSync(process.execPath, ['-e', '']).pid

describe('the spool', () => {
  it('gives back every settlement as it was, oldest first, until it is removed', () => {
    const spool = new Spool(join(folder, 's'))
    const body = { ...answerOf(slotAt(0), 1, start), body: Uint8Array.from([0, 255, 10, 13, 200]) }
    spool.add(settled('a', { answer: body, pauseUntil: EpochMicros(start + 5) }))
    for (const id of ['b', 'c', 'd']) spool.add(settled(id, { charge: { kind: 'unknown' } }))
    const another = new Spool(join(folder, 's'))
    expect(ids(another)).toEqual(['a', 'b', 'c', 'd'])
    expect(another.oldest(2)).toHaveLength(2)
    const [first] = another.oldest(1)
    expect(first?.settlement).toEqual(settled('a', { answer: body, pauseUntil: EpochMicros(start + 5) }))
    another.remove(first?.name ?? '')
    another.remove(first?.name ?? '')
    expect(ids(spool)).toEqual(['b', 'c', 'd'])
  })

  it('is private, and grows with what waits', () => {
    const spool = new Spool(join(folder, 's'))
    expect([spool.isEmpty, spool.bytes()]).toEqual([true, 0])
    spool.add(settled('a', { answer: { ...answerOf(slotAt(0), 1, start), body: new Uint8Array(3_000) } }))
    expect(spool.isEmpty).toBe(false)
    expect(spool.bytes()).toBeGreaterThan(3_000)
    expect(statSync(join(folder, 's')).mode & 0o777).toBe(0o700)
    expect(statSync(join(folder, 's', files()[0] ?? '')).mode & 0o777).toBe(0o600)
  })

  it('sets aside what was cut off or changed, tells it, and tells it again at the next start', async () => {
    const spool = new Spool(join(folder, 's'))
    for (const id of ['a', 'b', 'c']) spool.add(settled(id))
    const [cut = '', changed = ''] = files()
    const text = readFileSync(join(folder, 's', cut), 'utf8')
    writeFileSync(join(folder, 's', cut), text.slice(0, -9))
    writeFileSync(join(folder, 's', changed), text.replace('"test"', '"tast"'))
    expect(ids(spool)).toEqual(['c'])
    expect(files().filter(name => name.endsWith('.torn'))).toHaveLength(2)
    expect(await told()).toContain(`${changed}.torn is kept aside`)
    warnings.length = 0
    expect(new Spool(join(folder, 's')).isEmpty).toBe(false)
    expect(await told()).toContain('keeps 2 files')
    expect(spool.bytes()).toBeGreaterThan(0)
  })

  it('takes an old whole file that nobody renamed, and no torn one, whoever has its process id now', () => {
    const spool = new Spool(join(folder, 's'))
    const whole = encodeSettlement(settled('killed'))
    const [old, young] = [11, 9].map(m => String(Date.now() - m * MINUTE).padStart(15, '0'))
    const write = (name: string, text: string) => writeFileSync(join(folder, 's', name), text)
    write(`${old}-000000001-${deadPid}-aa.tmp`, whole)
    write(`${old}-000000002-${process.pid}-bb.tmp`, whole.slice(0, 40))
    // Another container may be writing them: its processes can not be seen, or seem to be others.
    write(`${young}-000000003-${deadPid}-cc.tmp`, whole.slice(0, 40))
    write(`${young}-000000004-${process.pid}-dd.tmp`, whole.slice(0, 40))
    expect(ids(spool)).toEqual(['killed'])
    expect(files().map(name => name.slice(name.lastIndexOf('-') + 1))).toEqual([
      'aa.tmp',
      'bb.tmp.torn',
      'cc.tmp',
      'dd.tmp',
    ])
  })

  it('says that it is not durable where it can not be', () => {
    const spool = new Spool(join(folder, 's'))
    rmSync(join(folder, 's'), { recursive: true })
    spool.add(settled('a'))
    expect(ids(spool)).toEqual(['a'])
    rmSync(join(folder, 's'), { recursive: true })
    writeFileSync(join(folder, 's'), 'a file in its place')
    expect(() => spool.add(settled('b'))).toThrow('the spool of the quota ledger')
    rmSync(join(folder, 's'))
    chmodSync(folder, 0o700)
    spool.add(settled('c'))
  })

  it('reads nothing but what it wrote', () => {
    const text = encodeSettlement(settled('x', { answer: answerOf(slotAt(1), 1, start) }))
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.string({ minLength: 1, maxLength: 1 }), (at, other) => {
        fc.pre(text[at] !== other)
        expect(decodeSettlement(text.slice(0, at))).toBeUndefined()
        expect(decodeSettlement(text.slice(0, at) + other + text.slice(at + 1))).toBeUndefined()
      }),
    )
  })
})
