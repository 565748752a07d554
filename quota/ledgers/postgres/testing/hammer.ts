// A worker for the tests of many processes: it wants every slot of a list, asks again until it gets a decision, "sends" on a permit
// that has not run out, and settles with an answer. On stdin `go`; at the end one JSON line on stdout: what it sent and met.
import { randomUUID } from 'node:crypto'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { Credits } from '../../../../core/brands.ts'
import { toCryptosError } from '../../../../core/errors.ts'
import type { Ledger, ReserveDecision } from '../../../../core/ports/ledger.ts'
import { systemClock } from '../../../../host/clock.ts'
import { answerOf, scope, slotAt } from '../../../ledger.fixture.ts'
import { openPostgresLedger } from '../../postgres.ts'

export interface HammerOptions {
  readonly url: string
  readonly schema: string
  readonly spoolFolder: string
  readonly slots: number
  readonly callers: number
  /** Between the sending and the settlement. */
  readonly answerMs: number
}

export interface HammerReport {
  readonly sent: readonly string[]
  /** Errors that were met, by code. */
  readonly met: Readonly<Record<string, number>>
  readonly late: number
  readonly decisions: Readonly<Record<string, number>>
}

const options = JSON.parse(process.argv[2] ?? '{}') as HammerOptions
const sent: string[] = []
const met: Record<string, number> = {}
const decisions: Record<string, number> = {}
let late = 0
const free = { kind: 'known', credits: Credits(0) } as const
const one = { kind: 'known', credits: Credits(1) } as const
const { now } = systemClock

/** The same id again until there is a decision: a COMMIT whose answer was lost gives the same permit. */
async function decided(ledger: Ledger, slot: string): Promise<ReserveDecision> {
  const reservationId = randomUUID()
  for (;;) {
    try {
      return await ledger.reserve({ scope, reservationId, costMax: Credits(1), slot, now: now() })
    } catch (error) {
      const { code } = toCryptosError(error)
      met[code] = (met[code] ?? 0) + 1
      await sleep(20)
    }
  }
}

/** True when there is nothing more to be got of this slot. */
async function tried(ledger: Ledger, slot: string): Promise<boolean> {
  const decision = await decided(ledger, slot)
  const name = decision.kind === 'denied' ? decision.why : decision.kind
  decisions[name] = (decisions[name] ?? 0) + 1
  if (decision.kind !== 'granted') return decision.kind !== 'in-flight'
  const { reservationId, attempt, startBy } = decision
  const about = { scope, reservationId, providerDate: null, why: 'hammer' }
  if (now() > startBy) {
    late += 1
    await ledger.settle({ ...about, charge: free, now: now() })
    return false
  }
  sent.push(slot)
  await sleep(options.answerMs)
  await ledger.settle({ ...about, charge: one, now: now(), answer: answerOf(slot, attempt, now()) })
  return true
}

async function caller(ledger: Ledger, slots: readonly string[]): Promise<void> {
  for (const slot of slots) while (!(await tried(ledger, slot))) await sleep(30)
}

const { url, schema, spoolFolder } = options
const ledger = await openPostgresLedger({ url, schema, spoolFolder, clock: systemClock })
process.stdout.write('ready\n')
for await (const line of createInterface({ input: process.stdin })) if (line === 'go') break
const all = Array.from({ length: options.slots }, (_, page) => slotAt(page))
// Each process begins elsewhere, so that none only follows another: they meet on slots that are taken or on their way.
const first = Math.random() * all.length
await Promise.all(
  Array.from({ length: options.callers }, (_, at) => {
    const from = Math.floor(first + (at * all.length) / options.callers) % all.length
    return caller(ledger, [...all.slice(from), ...all.slice(0, from)])
  }),
)
await ledger.close()
process.stdout.write(`${JSON.stringify({ sent, met, late, decisions } satisfies HammerReport)}\n`)
process.exit(0)
