import { CryptosError } from '../core/errors.ts'

/** What a body may cost before anything is built from it. */
export interface JsonLimits {
  readonly maxBytes: number
  readonly maxDepth: number
  /** Most elements of one array, most members of one object. */
  readonly maxItems: number
}

export const defaultJsonLimits: JsonLimits = { maxBytes: 33_554_432, maxDepth: 32, maxItems: 100_000 }

/** Ints per node of a tape: start and end of its text in the body, and `link`. */
export const NODE = 3

const QUOTE = 34
const BACKSLASH = 92
const COMMA = 44
const MINUS = 45

/** 1 where a byte ends the fast walk through a string: quote, backslash, control character. */
const stops = new Uint8Array(256)
for (let byte = 0; byte < 32; byte += 1) stops[byte] = 1
stops[QUOTE] = 1
stops[BACKSLASH] = 1

const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= 48 && byte <= 57
/** Perhaps white space: then `skipSpace` looks closer. Most answers have none, so this is all that is done. */
const isSpace = (byte: number | undefined): boolean => byte !== undefined && byte <= 32
const isHex = (byte: number | undefined): boolean =>
  byte !== undefined && (isDigit(byte) || (byte >= 65 && byte <= 70) || (byte >= 97 && byte <= 102))

/** Where a scan stands. A plain object and functions: private methods cost a brand check a call, half of the speed. */
interface Scan {
  readonly bytes: Uint8Array
  readonly limits: JsonLimits
  tape: Int32Array
  used: number
  at: number
}

/**
 * One strict pass over JSON text (RFC 8259), which notes where each value stands and builds nothing. The tape holds the nodes in
 * document order, three ints each: first byte, byte after the last, and a link: for an object or array the node after its
 * subtree, for a string 1 if it holds escapes. A string's bytes are those between the quotes; the kind of any other node is told
 * by its first byte. A member is a key node followed by its value.
 * @throws CryptosError CRY_PROVIDER_PAYLOAD with the byte where the text is not JSON, or a limit
 */
export function scanJson(bytes: Uint8Array, limits: JsonLimits): Int32Array {
  const tape = new Int32Array(NODE * (64 + Math.ceil(bytes.length / 8)))
  const hasMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf
  const scan: Scan = { bytes, limits, tape, used: 0, at: hasMark ? 3 : 0 }
  skipSpace(scan)
  scanValue(scan, 0)
  skipSpace(scan)
  if (scan.at < bytes.length) fail(scan, 'text after the end')
  return scan.tape
}

function scanValue(scan: Scan, depth: number): void {
  const byte = scan.bytes[scan.at]
  if (byte === QUOTE) scanString(scan)
  else if (byte === 123) scanObject(scan, depth)
  else if (byte === 91) scanArray(scan, depth)
  else if (byte === MINUS || isDigit(byte)) scanNumber(scan)
  else if (byte === 110) scanWord(scan, 'null')
  else if (byte === 116) scanWord(scan, 'true')
  else if (byte === 102) scanWord(scan, 'false')
  else fail(scan, 'no value')
}

function scanObject(scan: Scan, depth: number): void {
  const { bytes } = scan
  const node = open(scan, depth)
  let isOpen = bytes[scan.at] !== 125
  for (let count = 1; isOpen; count += 1) {
    if (count > scan.limits.maxItems) fail(scan, `over ${scan.limits.maxItems} members`)
    if (bytes[scan.at] !== QUOTE) fail(scan, 'no member name')
    scanString(scan)
    if (bytes[scan.at] !== 58) skipSpace(scan)
    if (bytes[scan.at] !== 58) fail(scan, 'no colon')
    scan.at += 1
    if (isSpace(bytes[scan.at])) skipSpace(scan)
    scanValue(scan, depth + 1)
    isOpen = !ends(scan, 125)
  }
  close(scan, node)
}

function scanArray(scan: Scan, depth: number): void {
  const node = open(scan, depth)
  let isOpen = scan.bytes[scan.at] !== 93
  for (let count = 1; isOpen; count += 1) {
    if (count > scan.limits.maxItems) fail(scan, `over ${scan.limits.maxItems} elements`)
    scanValue(scan, depth + 1)
    isOpen = !ends(scan, 93)
  }
  close(scan, node)
}

function open(scan: Scan, depth: number): number {
  if (depth >= scan.limits.maxDepth) fail(scan, `nested over ${scan.limits.maxDepth} deep`)
  const node = scan.used
  add(scan, scan.at, 0, 0)
  scan.at += 1
  skipSpace(scan)
  return node
}

function close(scan: Scan, node: number): void {
  scan.at += 1
  scan.tape[node + 1] = scan.at
  scan.tape[node + 2] = scan.used
}

/** After a value: true at the closing bracket; false after a comma, standing at what follows it. */
function ends(scan: Scan, bracket: number): boolean {
  const { bytes } = scan
  if (isSpace(bytes[scan.at])) skipSpace(scan)
  const byte = bytes[scan.at]
  if (byte === bracket) return true
  if (byte !== COMMA) fail(scan, 'neither a comma nor an end')
  scan.at += 1
  if (isSpace(bytes[scan.at])) skipSpace(scan)
  return false
}

function scanString(scan: Scan): void {
  const { bytes } = scan
  const start = scan.at + 1
  let at = start
  let escaped = 0
  for (;;) {
    // Past the end `bytes[at]` is undefined, as is its entry: the walk stops there too.
    while (stops[bytes[at] as number] === 0) at += 1
    const byte = bytes[at]
    if (byte === QUOTE) break
    scan.at = at
    if (byte !== BACKSLASH) fail(scan, byte === undefined ? 'the text is cut' : 'a control character')
    at += escapeLength(scan)
    escaped = 1
  }
  scan.at = at + 1
  add(scan, start, at, escaped)
}

function escapeLength(scan: Scan): number {
  const { bytes, at } = scan
  const kind = bytes[at + 1] ?? 0
  if (kind !== 117) {
    if (!'"\\/bfnrt'.includes(String.fromCharCode(kind))) fail(scan, 'an unknown escape')
    return 2
  }
  for (let i = 2; i < 6; i += 1) if (!isHex(bytes[at + i])) fail(scan, 'an unknown escape')
  return 6
}

function scanNumber(scan: Scan): void {
  const { bytes, at: start } = scan
  let at = start
  if (bytes[at] === MINUS) at += 1
  if (bytes[at] === 48) at += 1
  else at = digits(scan, at)
  if (bytes[at] === 46) at = digits(scan, at + 1)
  const byte = bytes[at]
  if (byte === 101 || byte === 69) {
    const sign = bytes[at + 1]
    at = digits(scan, at + (sign === 43 || sign === MINUS ? 2 : 1))
  }
  scan.at = at
  add(scan, start, at, 0)
}

/** The place after one or more digits. */
function digits(scan: Scan, start: number): number {
  const { bytes } = scan
  let at = start
  while (isDigit(bytes[at])) at += 1
  if (at === start) fail(scan, 'a bad number')
  return at
}

function scanWord(scan: Scan, word: string): void {
  const { bytes, at: start } = scan
  for (let i = 0; i < word.length; i += 1) if (bytes[start + i] !== word.charCodeAt(i)) fail(scan, 'no value')
  scan.at = start + word.length
  add(scan, start, scan.at, 0)
}

function skipSpace(scan: Scan): void {
  const { bytes } = scan
  for (;;) {
    const byte = bytes[scan.at]
    if (byte !== 32 && byte !== 10 && byte !== 13 && byte !== 9) return
    scan.at += 1
  }
}

function add(scan: Scan, start: number, end: number, link: number): void {
  const node = scan.used
  if (node + NODE > scan.tape.length) grow(scan)
  const { tape } = scan
  tape[node] = start
  tape[node + 1] = end
  tape[node + 2] = link
  scan.used = node + NODE
}

function grow(scan: Scan): void {
  const larger = new Int32Array(scan.tape.length * 2)
  larger.set(scan.tape)
  scan.tape = larger
}

function fail(scan: Scan, what: string): never {
  const where = Math.min(scan.at, scan.bytes.length)
  throw new CryptosError('CRY_PROVIDER_PAYLOAD', `not JSON at byte ${where}: ${what}`)
}
