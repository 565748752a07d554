import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { setTimeout as sleepMs } from 'node:timers/promises'
import type { EpochMicros } from '../core/brands.ts'
import { EpochMicros as checked } from '../core/brands.ts'
import { CryptosError } from '../core/errors.ts'
import type { Clock } from '../core/ports/clock.ts'

interface State {
  readonly monotonicMs: number
  readonly wall: EpochMicros
}

/** How far the shared clock moves. */
export interface ClockMove {
  /** Monotonic and wall time together. */
  readonly advanceMs?: number
  /** Wall time alone: an operator or NTP set the clock. May be negative. */
  readonly jumpMs?: number
}

const pollMs = 2

/** Makes the file of a virtual clock that all processes of a test share. */
export function createClockFile(path: string, start: EpochMicros): void {
  write(path, { monotonicMs: 0, wall: start })
}

/**
 * The clock in the file, read anew at each question; `sleep` looks every 2 ms of real time whether its time has passed.
 * @throws CryptosError CRY_VALUE_INVALID where the file is no clock; system errors where it can not be read
 */
export function openClockFile(path: string): Clock {
  read(path)
  return {
    now: () => read(path).wall,
    monotonicMs: () => read(path).monotonicMs,
    sleep: async (durationMs, signal) => {
      signal?.throwIfAborted()
      const wakeAtMs = read(path).monotonicMs + durationMs
      while (read(path).monotonicMs < wakeAtMs) await sleepMs(pollMs, undefined, signal ? { signal } : {})
    },
  }
}

/** Moves the clock for everybody; a reader sees all of a move or nothing. Only one process may move it. */
export function moveClockFile(path: string, { advanceMs = 0, jumpMs = 0 }: ClockMove): void {
  if (!(advanceMs >= 0))
    throw new CryptosError('CRY_VALUE_INVALID', 'a clock can not advance backwards: use jumpMs')
  const { monotonicMs, wall } = read(path)
  write(path, {
    // Whole microseconds, so that the text never needs an exponent.
    monotonicMs: Math.round((monotonicMs + advanceMs) * 1_000) / 1_000,
    wall: checked(wall + Math.round((advanceMs + jumpMs) * 1_000)),
  })
}

function read(path: string): State {
  const text = readFileSync(path, 'latin1')
  const match = /^(\d+(?:\.\d+)?) (\d+)\n$/.exec(text)
  if (!match) throw new CryptosError('CRY_VALUE_INVALID', `${path} is not a clock file`)
  return { monotonicMs: Number(match[1]), wall: checked(Number(match[2])) }
}

/** A rename replaces the file at once, so that nobody ever reads half of it. */
function write(path: string, { monotonicMs, wall }: State): void {
  const next = `${path}.${process.pid}.next`
  writeFileSync(next, `${monotonicMs} ${wall}\n`)
  renameSync(next, path)
}
