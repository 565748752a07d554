import * as z from 'zod/mini'

/** What a value of a setting may look like; each refusal is a part of one sentence that says what is wanted. */

export const text = () =>
  z.string('a text is wanted').check(z.minLength(1, 'a text is wanted, and it is empty'))

export const matching = (pattern: RegExp, expected: string) =>
  z.string(expected).check(z.regex(pattern, expected))

export const oneOf = <const T extends string>(...names: readonly T[]) =>
  z.enum(names as readonly [T, ...T[]], `one of ${names.join(', ')} is wanted`)

/** A number as JSON has it or as decimal text: no empty text, no hexadecimal, no `true`, which Number() would all take. */
const numeric = (expected: string) =>
  z.union(
    [z.number(), z.pipe(matching(/^-?\d{1,15}(\.\d{1,15})?$/, expected), z.transform(Number))],
    expected,
  )

export const wholeNumber = (min: number, max: number) => {
  const expected = `a whole number from ${min} to ${max} is wanted`
  const range = [z.int(expected), z.gte(min, expected), z.lte(max, expected)] as const
  return z.pipe(numeric(expected), z.number().check(...range))
}

export const share = (min: number, max: number) => {
  const expected = `a number from ${min} to ${max} is wanted`
  return z.pipe(numeric(expected), z.number().check(z.gte(min, expected), z.lte(max, expected)))
}

const namesIn = (line: string): string[] =>
  line
    .split(',')
    .map(part => part.trim())
    .filter(part => part !== '')

export const list = () =>
  z.union(
    [z.array(z.string()), z.pipe(z.string(), z.transform(namesIn))],
    'names separated by commas are wanted',
  )

/** `a=b` each. */
export const pairs = () => {
  const expected = 'pairs such as coinmarketcap=basic-2026, separated by commas, are wanted'
  return z.pipe(list(), z.array(z.string().check(z.regex(/^[a-z0-9-]+=[a-z0-9-]+$/, expected))))
}

/** `true` or `false`, as text or as JSON has it. */
export const flag = () => {
  const expected = 'true or false is wanted'
  return z.union(
    [
      z.boolean(),
      z.pipe(
        z.enum(['true', 'false'], expected),
        z.transform(word => word === 'true'),
      ),
    ],
    expected,
  )
}

/** Servers as `host:port`; an IPv6 address in brackets. */
export const hostPorts = () => {
  const expected = 'host:port, separated by commas, is wanted'
  const server = /^([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:]{2,39}\]):\d{1,5}$/
  return z.pipe(list(), z.array(z.string().check(z.regex(server, expected))).check(z.minLength(1, expected)))
}
