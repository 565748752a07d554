import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, it } from 'vitest'
import { Credits, type EpochMicros, ProviderId } from '../../../core/brands.ts'
import type { Ledger, Settlement } from '../../../core/ports/ledger.ts'
import { addMs, DAY, HOUR, MINUTE, SECOND } from '../../../core/time.ts'
import { VirtualClock } from '../../../core/virtual-clock.ts'
import { stackServers, uniqueName } from '../../../test/stack/servers.ts'
import { answerOf, limits, slotAt, spec, start } from '../../ledger.fixture.ts'
import { replay } from '../../replay.ts'
import { openPostgresLedger } from '../postgres.ts'
import { openSqliteLedger } from '../sqlite.ts'

const folder = mkdtempSync(join(tmpdir(), 'cryptos-like-'))
afterAll(() => rmSync(folder, { recursive: true }))

const scopes = ['key:0123456789abcdef', 'ip:api.kraken.com'] as const
const scopeAt = (at: number): string => scopes[at % scopes.length] ?? scopes[0]

/** What may happen to a ledger; numbers pick a scope, a page, an earlier reservation. */
type Action =
  | { readonly what: 'reserve'; readonly scope: number; readonly page: number | null; readonly cost: number }
  | { readonly what: 'again'; readonly which: number }
  | {
      readonly what: 'settle'
      readonly which: number
      readonly credits: number | null
      readonly answers: boolean
      readonly pauseMs: number
    }
  | { readonly what: 'wait' | 'jump'; readonly ms: number }
  | { readonly what: 'reap' | 'publish' | 'republish' | 'restart' }
  | { readonly what: 'reconcile'; readonly scope: number; readonly used: number }
  | { readonly what: 'freeze' | 'unfreeze'; readonly scope: number | null }

const index = fc.nat(3)
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 14,
    arbitrary: fc.record({
      what: fc.constant('reserve' as const),
      scope: index,
      page: fc.option(index),
      cost: fc.nat(2),
    }),
  },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('again' as const), which: index }) },
  {
    weight: 8,
    arbitrary: fc.record({
      what: fc.constant('settle' as const),
      which: index,
      credits: fc.option(fc.nat(4)),
      answers: fc.boolean(),
      pauseMs: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, fc.nat(2 * MINUTE)),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      what: fc.constant('wait' as const),
      ms: fc.constantFrom(1, SECOND, 20 * SECOND, 53 * SECOND, 90 * SECOND, HOUR, 3 * DAY),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      what: fc.constant('jump' as const),
      ms: fc.constantFrom(-HOUR, -20_000, 20_000, 40 * DAY),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ what: fc.constantFrom('reap', 'publish', 'publish', 'republish', 'restart') }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ what: fc.constant('reconcile' as const), scope: index, used: fc.nat(30) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ what: fc.constantFrom('freeze', 'unfreeze'), scope: fc.option(index) }),
  },
)

/** More than a minute, then more than a day allows. */
const manyCalls: readonly Action[] = Array.from({ length: 24 }, (_, at) =>
  at % 8 === 7 ? { what: 'wait', ms: 90 * SECOND } : { what: 'reserve', scope: 0, page: null, cost: 1 },
)

/** One ledger under test, and all that it ever said. */
class Told {
  readonly clock = new VirtualClock(start)
  readonly #open: (clock: VirtualClock) => Promise<Ledger>
  #ledger: Ledger | undefined
  readonly #asked: {
    readonly id: string
    readonly scope: string
    readonly slot: string | null
    readonly cost: number
  }[] = []

  constructor(open: (clock: VirtualClock) => Promise<Ledger>) {
    this.#open = open
  }

  get #now(): EpochMicros {
    return this.clock.now()
  }

  async run(actions: readonly Action[]): Promise<unknown[]> {
    const ledger = await this.#started()
    const said: unknown[] = []
    for (const scope of scopes) {
      const plan = { ...limits, creditsPerMonth: 30, creditsPerDay: 9, callsPerMinute: 5 }
      await ledger.openScope(
        { ...spec, scope, limits: plan, hasUsage: scope.startsWith('key'), provider: ProviderId('kraken') },
        this.#now,
      )
    }
    for (const each of actions)
      said.push(await this.#do(each).catch((error: { code?: string }) => error.code ?? String(error)))
    said.push(...(await this.#state()))
    await this.#ledger?.close()
    return said
  }

  async #started(): Promise<Ledger> {
    this.#ledger = await this.#open(this.clock)
    return this.#ledger
  }

  async #do(each: Action): Promise<unknown> {
    const ledger = this.#ledger ?? (await this.#started())
    const { outbox } = ledger
    switch (each.what) {
      case 'reserve': {
        const slot = each.page === null ? null : slotAt(each.page)
        this.#asked.push({ id: `r${this.#asked.length}`, scope: scopeAt(each.scope), slot, cost: each.cost })
        return this.#reserve(ledger, -1)
      }
      case 'again':
        return this.#reserve(ledger, -1 - each.which)
      case 'settle':
        return this.#settle(ledger, each)
      case 'wait':
        return this.clock.advance(each.ms)
      case 'jump':
        return this.clock.jump(each.ms)
      case 'reap':
        return ledger.reap(this.#now)
      case 'publish':
        return outbox.markPublished(
          (await outbox.pending(3)).map(e => e.answerId),
          this.#now,
        )
      case 'republish':
        return outbox.republish(HOUR, this.#now)
      case 'restart':
        await ledger.close()
        return void (await this.#started())
      case 'reconcile':
        return ledger.reconcile(scopeAt(each.scope), {
          at: this.#now,
          limits,
          monthUsed: each.used,
          dayUsed: null,
          monthResetsAt: null,
        })
      case 'freeze':
        return ledger.freeze(each.scope === null ? null : scopeAt(each.scope), 'test', this.#now)
      case 'unfreeze':
        return ledger.unfreeze(each.scope === null ? null : scopeAt(each.scope), this.#now)
    }
  }

  async #reserve(ledger: Ledger, at: number): Promise<unknown> {
    const asked = this.#asked.at(at)
    if (!asked) return undefined
    const { id: reservationId, scope, slot, cost } = asked
    return ledger.reserve({ scope, reservationId, slot, costMax: Credits(cost), now: this.#now })
  }

  async #settle(
    ledger: Ledger,
    { which, credits, answers, pauseMs }: Extract<Action, { what: 'settle' }>,
  ): Promise<void> {
    const asked = this.#asked.at(-1 - which)
    if (!asked) return
    const charge =
      credits === null ? { kind: 'unknown' as const } : { kind: 'known' as const, credits: Credits(credits) }
    const settlement: Settlement = {
      ...{
        scope: asked.scope,
        reservationId: asked.id,
        charge,
        providerDate: this.#now,
        now: this.#now,
        why: 'test',
      },
      ...(answers && asked.slot ? { answer: answerOf(asked.slot, 1, this.#now) } : {}),
      ...(pauseMs > 0 ? { pauseUntil: addMs(this.#now, pauseMs) } : {}),
    }
    await ledger.settle(settlement)
  }

  async #state(): Promise<readonly unknown[]> {
    const ledger = this.#ledger ?? (await this.#started())
    // What time alone has done by now is told with the next write.
    await ledger.reap(this.#now)
    const events = await ledger.events({ limit: 10_000, after: 0 })
    expect(events.map(e => e.sequence)).toEqual(events.map((_, i) => i + 1))
    const scopesNow = await ledger.status(this.#now)
    for (const { scope, windows } of scopesNow) {
      const month = windows.find(w => w.window === 'month')
      expect(replay(events).get(scope)).toEqual({ used: month?.used, reserved: month?.reserved })
    }
    const named = events.map(({ ledger: _name, ...rest }) => rest)
    const pending = (await ledger.outbox.pending(100)).map(({ body, ...rest }) => ({
      ...rest,
      body: Buffer.from(body).toString(),
    }))
    const last = await ledger.lastSlots('coinmarketcap/quotes', this.#now)
    return [named, scopesNow, pending, await ledger.outbox.stats(), last]
  }
}

it('says in every situation what the SQLite ledger says (P1-P3, P6-P10)', async () => {
  const kinds = new Map<string, number>()
  await fc.assert(
    fc.asyncProperty(
      fc.array(action, { minLength: 20, maxLength: 80 }),
      async (actions: readonly Action[]) => {
        const name = uniqueName('like')
        const { url } = stackServers().postgres
        const [mine, theirs] = await Promise.all([
          new Told(clock =>
            openPostgresLedger({ url, schema: name, clock, spoolFolder: join(folder, name) }),
          ).run(actions),
          new Told(clock => openSqliteLedger({ file: join(folder, `${name}.db`), clock })).run(actions),
        ])
        expect(mine).toEqual(theirs)
        for (const said of mine) {
          const kind =
            (said as { why?: string; kind?: string } | undefined)?.why ??
            (said as { kind?: string } | undefined)?.kind
          if (kind) kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
        }
      },
    ),
    { numRuns: 60, examples: [[manyCalls]] },
  )
  console.log(`answers of both: ${[...kinds].map(([kind, n]) => `${n} ${kind}`).join(', ')}`)
  for (const kind of [
    'granted',
    'in-flight',
    'answered',
    'published',
    'exhausted',
    'day-limit',
    'minute-limit',
    'clock-jump',
    'frozen',
    'paused',
  ])
    expect([kind, kinds.get(kind) ?? 0]).not.toEqual([kind, 0])
})
