import { isCryptosError } from '../../core/errors.ts'
import { isOutcome } from '../../core/outcomes.ts'
import { parseIso, toIso } from '../../core/time.ts'
import type { Dataset, HttpAnswer, Mapped, MappingContext, Verdict } from '../provider.ts'

/** A good body with what it holds. */
export interface Subject {
  readonly dataset: Dataset
  readonly context: MappingContext
  readonly body: string
  /** Price by key, see `keysOf`. */
  readonly prices: ReadonlyMap<string, string>
  /** Several records of one source id: keys are `<source id>@<ISO time>`. */
  readonly isSeries: boolean
  /** No probe in the place of a price alone comes through: then each price is its own or none. */
  readonly isCrossChecked?: boolean
  /** What the good body itself lacks: reason by source id. */
  readonly missingBefore?: ReadonlyMap<string, string>
}

const utf8 = new TextEncoder()
export const bytesOf = (text: string): Uint8Array => utf8.encode(text)

/** `XXBTZUSD@2026-10-04T23:59:59.999Z` whatever way the time is written; a key without a time as it is. */
export function sameKey(key: string): string {
  const at = key.lastIndexOf('@')
  return at < 0 ? key : `${key.slice(0, at)}@${toIso(parseIso(key.slice(at + 1)))}`
}

/** What was mapped: source id (of a series with its time) or name of a figure, and the number. */
export function keysOf(
  mapped: Mapped,
  isSeries: boolean,
): readonly (readonly [key: string, value: string])[] {
  const quotes = mapped.records.map(
    r => [isSeries ? `${r.sourceId}@${toIso(r.observedAt)}` : r.sourceId, r.price] as const,
  )
  return [...quotes, ...(mapped.metrics ?? []).map(m => [m.name, m.value] as const)]
}

/** Maps, or gives undefined for a refusal; anything but a refusal of ours is a failure. */
export function mapOrRefuse({ dataset, context }: Subject, body: string | Uint8Array): Mapped | undefined {
  try {
    return dataset.map(typeof body === 'string' ? bytesOf(body) : body, context)
  } catch (error) {
    if (isCryptosError(error) && error.code === 'CRY_PROVIDER_PAYLOAD' && error.message !== '')
      return undefined
    throw new Error('map threw something else than CRY_PROVIDER_PAYLOAD', { cause: error })
  }
}

/** A verdict that keeps the rules, whatever the answer was. */
export function judgeWell({ dataset, context }: Subject, answer: HttpAnswer): Verdict {
  const verdict = dataset.judge(answer, context.page)
  const { charge } = verdict
  if (charge.kind === 'known' && !(Number.isSafeInteger(charge.credits) && charge.credits >= 0))
    throw new Error(`a charge of ${charge.credits}`)
  if (verdict.kind === 'answered') {
    if (answer.status !== 200) throw new Error(`HTTP ${answer.status} is called an answer`)
    return verdict
  }
  const { outcome, reason, retryAt } = verdict
  if (!isOutcome(outcome) || outcome === 'collected' || reason === '')
    throw new Error(`no such refusal: ${outcome}, ${reason}`)
  if (retryAt !== null && !(Number.isSafeInteger(retryAt) && retryAt >= answer.receivedAt))
    throw new Error(`another try at ${retryAt}, before the answer came`)
  return verdict
}
