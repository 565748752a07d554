/** A number token that goes into JSON text as it is: no float ever touches its digits. */
export class RawNumber {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

export type Json =
  | string
  | number
  | boolean
  | null
  | undefined
  | RawNumber
  | readonly Json[]
  | { readonly [key: string]: Json }

export const raw = (text: string): RawNumber => new RawNumber(text)

/** JSON text with every RawNumber in its own digits. Keys with the value `undefined` are left out, as JSON.stringify does. */
export function toJson(value: Json): string {
  if (value instanceof RawNumber) return value.text
  if (value === null || value === undefined) return 'null'
  if (typeof value !== 'object') return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(item => toJson(item as Json)).join(',')}]`
  let members = ''
  for (const [key, member] of Object.entries(value)) {
    if (member === undefined) continue
    members += `${members === '' ? '' : ','}${JSON.stringify(key)}:${toJson(member as Json)}`
  }
  return `{${members}}`
}
