import type { EpochMicros } from '../../core/brands.ts'
import { toCryptosError } from '../../core/errors.ts'
import type { PartitionState } from '../../core/ports/broker.ts'
import type { Gap } from '../../core/records.ts'
import { MINUTE } from '../../core/time.ts'
import { errorFields } from '../log.ts'
import type { OnProblem } from '../pipeline/problems.ts'
import { untilSignal } from '../until-signal.ts'
import { closedGap, gapOfLag, type GroupPlace, lateSentence, lostGap, type Unread } from './gaps.ts'
import { keyOf, LossTeller, type TellPorts, tellGap, timeAt } from './tell-gaps.ts'

/** A consumer group of a topic, as long as the topic keeps its records. */
export interface WatchedGroup {
  readonly group: string
  readonly topic: string
  readonly retentionMs: number
}

export interface LagPorts extends TellPorts {
  readonly groups: readonly WatchedGroup[]
  /** `lag.<group>` while a group is late; `lag` while that can not be found out. */
  readonly onProblem: OnProblem
  /** Shared with who is told of gaps by the consumers, so that one loss is told once. */
  readonly losses?: LossTeller
  /** Default a minute. */
  readonly everyMs?: number
}

/**
 * Looks at once and then every minute how old the oldest record is that each group has not read, until the signal fires. More than
 * half of the topic's retention is a problem and a gap, which is closed when the group has read on; what retention has removed
 * before is a gap that stays. Never throws: what can not be found out is a problem, and looked at again.
 */
export async function startLagWatch(ports: LagPorts, signal: AbortSignal): Promise<void> {
  const watch = new LagWatch(ports)
  const everyMs = ports.everyMs ?? MINUTE
  while (!signal.aborted) {
    // A look asks a server, which may be silent for longer than somebody who stops the program waits.
    await untilSignal(watch.look(), signal).catch(() => undefined)
    await ports.clock.sleep(everyMs, signal).catch(() => undefined)
  }
}

interface Open {
  readonly gap: Gap
  /** Of the oldest unread record then. */
  readonly offset: number
}

/** What one look needs besides the ports. */
interface Look {
  readonly watched: WatchedGroup
  readonly committed: ReadonlyMap<number, number>
}

export class LagWatch {
  readonly #ports: LagPorts
  readonly #losses: LossTeller
  /** Gaps that are told and not closed, by place. */
  readonly #open = new Map<string, Open>()
  /** End of each partition at the look before. */
  readonly #ends = new Map<string, number>()
  constructor(ports: LagPorts) {
    this.#ports = ports
    this.#losses = ports.losses ?? new LossTeller(ports)
  }

  /** One look at all groups. Never throws. */
  async look(): Promise<void> {
    const { groups, onProblem } = this.#ports
    try {
      await this.#losses.tellHeard()
      const ends = new Map<string, number>()
      for (const watched of groups) await this.#lookAt(watched, ends)
      for (const [place, end] of ends) this.#ends.set(place, end)
      onProblem('lag', null)
    } catch (error) {
      const { code, message } = toCryptosError(error)
      const detail = { kind: code, fields: errorFields(error) }
      onProblem('lag', `how far the stores have read can not be found out: ${message}`, detail)
    }
  }

  async #lookAt(watched: WatchedGroup, ends: Map<string, number>): Promise<void> {
    const { broker, onProblem, clock } = this.#ports
    const { group, topic, retentionMs } = watched
    const offsets = (await broker.committed(group)).filter(c => c.topic === topic)
    const committed = new Map(offsets.map(c => [c.partition, c.offset]))
    let worst: Unread | undefined
    for (const state of await broker.partitions(topic)) {
      const late = await this.#lateAt({ watched, committed }, state)
      if (late && late.at <= (worst?.at ?? late.at)) worst = late
      ends.set(`${topic}/${state.partition}`, state.end)
    }
    const sentence = worst === undefined ? null : lateSentence(worst, clock.now(), retentionMs)
    onProblem(`lag.${group}`, sentence, { kind: 'late' })
  }

  /** The oldest unread record of a partition, where it is too old. */
  async #lateAt({ watched, committed }: Look, state: PartitionState): Promise<Unread | undefined> {
    const { group, retentionMs } = watched
    const place = { group, topic: state.topic, partition: state.partition }
    const position = committed.get(state.partition)
    if (position !== undefined && position < state.begin)
      await this.#losses.tell({ ...place, from: position, to: state.begin })
    // A new group reads from the beginning.
    const offset = Math.max(position ?? 0, state.begin)
    const now = this.#ports.clock.now()
    const at = await this.#oldestAt(place, offset, state)
    const isLate = at !== undefined && now - at > retentionMs * 500
    const unread = isLate ? { ...place, offset, end: state.end, at } : undefined
    const isLost = (position ?? this.#open.get(keyOf(place))?.offset ?? state.begin) < state.begin
    await this.#tell(place, unread, { now, retentionMs, isLost })
    return unread
  }

  /** undefined = everything is read, or what is not has come since the look before. */
  async #oldestAt(
    place: GroupPlace,
    offset: number,
    state: PartitionState,
  ): Promise<EpochMicros | undefined> {
    const before = this.#ends.get(`${place.topic}/${place.partition}`)
    if (offset >= state.end || (before !== undefined && offset >= before)) return undefined
    return await timeAt(this.#ports.broker, place, offset)
  }

  /** One gap a place, from when it is late until it is not. */
  async #tell(
    place: GroupPlace,
    unread: Unread | undefined,
    at: { readonly now: EpochMicros; readonly retentionMs: number; readonly isLost: boolean },
  ): Promise<void> {
    const key = keyOf(place)
    const open = this.#open.get(key)
    const { now, retentionMs, isLost } = at
    if (open && (unread === undefined || isLost)) {
      await tellGap(this.#ports, isLost ? lostGap(open.gap, now) : closedGap(open.gap, now))
      this.#open.delete(key)
    }
    if (unread === undefined || this.#open.has(key)) return
    const gap = gapOfLag(unread, { now, retentionMs, origin: this.#ports.origin })
    await tellGap(this.#ports, gap)
    this.#open.set(key, { gap, offset: unread.offset })
  }
}
