import { CryptosError } from '../../../core/errors.ts'

/** Line protocol: text of ours into bytes that the server reads back as the same text. */

/** Most names are like this and stand as they are. */
const plainTag = /^[A-Za-z0-9._:/|+-]+$/
// biome-ignore lint/suspicious/noControlCharactersInRegex: to refuse them is the purpose
const impossibleTag = /[\u0000-\u001f\u007f]/
/** The server takes 65,535 bytes of all names and tags together. */
const maxTag = 1_000

/**
 * Value of a tag. What the server would read back as something else is refused, since a tag is part of the identity: control
 * characters (a newline would begin a line of its own), a backslash at the end (it would swallow the separator), nothing at all.
 * @throws CryptosError CRY_RECORD_INVALID
 */
export function tagText(name: string, value: string): string {
  if (value.length <= maxTag && plainTag.test(value)) return value
  const why =
    value === ''
      ? 'is empty'
      : value.length > maxTag
        ? `has more than ${maxTag} characters`
        : impossibleTag.test(value)
          ? 'has control characters'
          : value.endsWith('\\')
            ? 'ends in a backslash'
            : value.isWellFormed()
              ? undefined
              : 'has half a surrogate pair'
  if (why !== undefined)
    throw new CryptosError('CRY_RECORD_INVALID', `InfluxDB can not store a record whose ${name} ${why}`)
  return value.replace(/[, =]/g, '\\$&')
}

/** Key of a field, by the same rule. @throws CryptosError CRY_RECORD_INVALID */
export const fieldKey = (name: string, key: string): string => tagText(name, key)

/** Text of a field, with its quotes: any character stands in it but half a surrogate pair. */
export const fieldText = (value: string): string =>
  /["\\]/.test(value) ? `"${value.replace(/["\\]/g, '\\$&')}"` : `"${value}"`

/** A decimal as the float of a chart; undefined = beyond what a float can hold, and then only its text is stored. */
export function fieldFloat(decimal: string): string | undefined {
  if (!decimal.includes('e') && !decimal.includes('E')) return decimal
  return Number.isFinite(Number(decimal)) ? decimal : undefined
}

/** Measurement and tags, sorted as the server keeps them. @throws CryptosError CRY_RECORD_INVALID */
export function seriesHead(measurement: string, tags: Readonly<Record<string, string>>): string {
  const given = Object.entries(tags).sort(([a], [b]) => (a < b ? -1 : 1))
  return `${measurement}${given.map(([tag, value]) => `,${tag}=${tagText(tag, value)}`).join('')}`
}

/** Says only that a live record claimed this time. */
export const liveLine = (head: string, at: number): string => `${head} live=true ${at}`
