import { AssetId, EpochMicros, ProviderId } from '../../core/brands.ts'
import type { Gap, Origin } from '../../core/records.ts'
import { durationText } from './duration-text.ts'

/** Provider of gaps of a topic: no source, and no provider of the registry. */
export const topicsProvider = ProviderId('topics')
/** ISO 4217: no currency. A topic has prices of many. */
const noCurrency = 'XXX'
const maxReason = 500

/** A partition as a consumer group sees it. */
export interface GroupPlace {
  readonly group: string
  readonly topic: string
  readonly partition: number
}

/** Records [from, to) that retention removed before the group had read them. */
export interface Loss extends GroupPlace {
  readonly from: number
  readonly to: number
}

/** An oldest record that a group has not read. */
export interface Unread extends GroupPlace {
  readonly offset: number
  /** Offset after the newest record of the partition. */
  readonly end: number
  /** Time of the oldest unread record. */
  readonly at: EpochMicros
}

interface Told {
  readonly now: EpochMicros
  readonly origin: Origin
}

type GapParts = Pick<Gap, 'expectedAt' | 'state' | 'reason' | 'sourceId'>

/**
 * The gap of a place: provider `topics`, dataset = the group, asset = `topic:<topic>-<partition>`, currency `XXX`. What it is about
 * lies in `expectedAt`, the offsets in `sourceId`.
 */
const gapAt = ({ group, topic, partition }: GroupPlace, { now, origin }: Told, parts: GapParts): Gap => ({
  ...{ kind: 'gap', provider: topicsProvider, dataset: group.slice(0, 64), currency: noCurrency, ...parts },
  asset: AssetId(`topic:${`${topic}-${partition}`.slice(-64)}`),
  reason: parts.reason.slice(0, maxReason),
  ...{
    receivedAt: now,
    revision: 0,
    origin,
    runId: 'lag-watch',
    rawRef: `lag|${group}|${topic}/${partition}`,
  },
})

/**
 * The gap of records that are gone. `keptAt` = time of the first record that is left (now where none is): they were older, so the
 * same loss found once more is the same gap.
 */
export const gapOfLoss = (loss: Loss, told: Told & { readonly keptAt: EpochMicros }): Gap =>
  gapAt(loss, told, {
    expectedAt: EpochMicros(Math.max(0, told.keptAt - 1)),
    state: 'missing',
    sourceId: `${loss.from}..${loss.to - 1}`,
    reason: `retention removed ${loss.to - loss.from} records of ${loss.topic}/${loss.partition} (offsets ${loss.from} to ${loss.to - 1}) before ${loss.group} had read them`,
  })

/** The gap of a group that is so late that retention may come first. */
export const gapOfLag = (unread: Unread, told: Told & { readonly retentionMs: number }): Gap =>
  gapAt(unread, told, {
    expectedAt: unread.at,
    state: 'failed',
    sourceId: `${unread.offset}..${unread.end - 1}`,
    reason: lateSentence(unread, told.now, told.retentionMs),
  })

/** The same gap when the group has read on. */
export const closedGap = (open: Gap, now: EpochMicros): Gap => ({
  ...open,
  state: 'collected',
  reason: `${open.dataset} has read on`,
  receivedAt: EpochMicros(Math.max(now, open.receivedAt + 1)),
})

/** The same gap when retention came first. */
export const lostGap = (open: Gap, now: EpochMicros): Gap => ({
  ...open,
  state: 'missing',
  reason: `retention came before ${open.dataset} had read on`,
  receivedAt: EpochMicros(Math.max(now, open.receivedAt + 1)),
})

/** What is wrong, how much, and what to do. */
export function lateSentence(unread: Unread, now: EpochMicros, retentionMs: number): string {
  const { group, topic, partition, offset, end } = unread
  const age = durationText((now - unread.at) / 1_000)
  return `${group} has ${end - offset} records of ${topic}/${partition} to read, the oldest for ${age}; the topic keeps them for ${durationText(retentionMs)} only: mend the store, or raise the retention before they are lost`
}
