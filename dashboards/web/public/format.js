/**
 * Numbers from their exact text, without floats. A decimal is digits × 10^-scale.
 * @typedef {{ readonly digits: bigint, readonly scale: number }} Exact
 */

/** @param {string} text @returns {Exact} */
export function parseExact(text) {
  const [mantissa = '', exponent = '0'] = text.toLowerCase().split('e')
  const [whole = '', fraction = ''] = mantissa.split('.')
  const scale = fraction.length - Number(exponent)
  const digits = BigInt(whole + fraction)
  return scale >= 0 ? { digits, scale } : { digits: digits * 10n ** BigInt(-scale), scale: 0 }
}

/** The text without an exponent. @param {Exact} value */
export function toPlain({ digits, scale }) {
  const negative = digits < 0n
  const text = String(negative ? -digits : digits).padStart(scale + 1, '0')
  const whole = text.slice(0, text.length - scale)
  return `${negative ? '-' : ''}${whole}${scale > 0 ? `.${text.slice(-scale)}` : ''}`
}

/** @param {Exact} a @param {number} scale */
const scaled = (a, scale) => a.digits * 10n ** BigInt(scale - a.scale)

/** @param {Exact} a @param {Exact} b @returns {Exact} */
export function subtract(a, b) {
  const scale = Math.max(a.scale, b.scale)
  return { digits: scaled(a, scale) - scaled(b, scale), scale }
}

/** Negative, 0 or positive. @param {string} a @param {string} b */
export function compareExact(a, b) {
  const { digits } = subtract(parseExact(a), parseExact(b))
  return digits < 0n ? -1 : digits > 0n ? 1 : 0
}

/** Half away from zero. @param {Exact} value @param {number} decimals @returns {Exact} */
export function round({ digits, scale }, decimals) {
  if (scale <= decimals) return { digits: digits * 10n ** BigInt(decimals - scale), scale: decimals }
  const unit = 10n ** BigInt(scale - decimals)
  const half = digits < 0n ? -unit / 2n : unit / 2n
  return { digits: (digits + half) / unit, scale: decimals }
}

/** 100 × (b − a) / a with the given decimals, '' where a is 0. @param {string} a @param {string} b @param {number} decimals */
export function percentChange(a, b, decimals) {
  const from = parseExact(a)
  const change = subtract(parseExact(b), from)
  const base = scaled(from, Math.max(change.scale, from.scale))
  if (base === 0n) return ''
  const extra = 10n ** BigInt(decimals + 3)
  const part =
    (scaled(change, Math.max(change.scale, from.scale)) * 100n * extra) / (base < 0n ? -base : base)
  return toPlain(round({ digits: part, scale: decimals + 3 }, decimals))
}

/** Thousands separators into plain decimal text. @param {string} plain */
export function group(plain) {
  const [whole = '', fraction] = plain.split('.')
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',')
  return fraction === undefined ? grouped : `${grouped}.${fraction}`
}

/** Leading zeros behind the point after which a number is shown with an exponent. */
const mostZeros = 9
const mostWhole = 21

/**
 * Decimals that a price is shown with: two from 100 on, four from 1 on, five significant digits below. Chosen once for an
 * asset, so that its number keeps its width whatever a provider sends.
 * @param {string} text
 */
export function decimalsOf(text) {
  const whole = wholeDigits(parseExact(text))
  return whole > 2 ? 2 : whole > 0 ? 4 : Math.min(20, 5 - whole)
}

/** Digits before the point; negative = zeros behind it before the first digit. @param {Exact} value */
const wholeDigits = ({ digits, scale }) =>
  digits === 0n ? 1 : String(digits < 0n ? -digits : digits).length - scale

/**
 * A price to read; the exact text belongs into the title beside it.
 * @param {string} text
 * @param {number} [decimals]
 */
export function formatPrice(text, decimals = decimalsOf(text)) {
  const value = parseExact(text)
  if (value.digits === 0n) return '0'
  const whole = wholeDigits(value)
  if (whole > mostWhole || -whole >= mostZeros) return compact(value)
  const rounded = round(value, decimals)
  // A price is never shown as nothing: one that is too small for its asset's decimals gets its own.
  return group(toPlain(rounded.digits === 0n ? round(value, decimalsOf(text)) : rounded))
}

/** `1.0109e-11`: what would be wider than its place, with five digits and an exponent. @param {Exact} value */
function compact(value) {
  const whole = wholeDigits(value)
  const mantissa = round({ digits: value.digits, scale: value.scale + whole - 1 }, 4)
  return `${toPlain(mantissa).replace(/\.?0+$/, '')}e${whole - 1}`
}

/** A whole number with separators. @param {number} value */
export const formatCount = value => group(String(value))

/** `12 s`, `3 min`, `2 h 5 min`, `4 d 3 h`: the two largest units. @param {number} ms */
export function formatSpan(ms) {
  const s = Math.max(0, Math.floor(ms / 1000))
  if (s < 60) return `${s} s`
  const min = Math.floor(s / 60)
  if (min < 60) return `${min} min`
  const h = Math.floor(min / 60)
  if (h < 24) return min % 60 ? `${h} h ${min % 60} min` : `${h} h`
  return h % 24 ? `${Math.floor(h / 24)} d ${h % 24} h` : `${h / 24} d`
}

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' })
const day = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
})

/** Local time: `14:02:11`. @param {number} ms */
export const formatClock = ms => clock.format(ms)

/** Local day and time: `21 Nov, 14:02`. @param {number} ms */
export const formatDay = ms => day.format(ms)

/** @param {number} a @param {number} b */
const isSameDay = (a, b) => new Date(a).toDateString() === new Date(b).toDateString()

/** A point's time: the day where it is not today's. @param {number} ms @param {number} now */
export const formatMoment = (ms, now) => (isSameDay(ms, now) ? formatClock(ms) : formatDay(ms))

/** When something began: `14:13`, or with its day. @param {number} ms @param {number} now */
export const formatSince = (ms, now) => (isSameDay(ms, now) ? formatClock(ms).slice(0, 5) : formatDay(ms))
