/** A decimal number as whole units of 10^-scale. */
export interface Fixed {
  readonly units: bigint
  readonly scale: number
}

/** Reads decimal text, with or without an exponent. The caller has checked it. */
export function parseFixed(text: string): Fixed {
  const exponentAt = text.search(/[eE]/)
  const mantissa = exponentAt < 0 ? text : text.slice(0, exponentAt)
  const point = mantissa.indexOf('.')
  const fractionDigits = point < 0 ? 0 : mantissa.length - point - 1
  const scale = fractionDigits - (exponentAt < 0 ? 0 : Number(text.slice(exponentAt + 1)))
  const units = BigInt(point < 0 ? mantissa : mantissa.slice(0, point) + mantissa.slice(point + 1))
  return scale >= 0 ? { units, scale } : { units: units * 10n ** BigInt(-scale), scale: 0 }
}

/** Cuts (never rounds) or extends to `scale` fraction digits. */
export function rescale(value: Fixed, scale: number): Fixed {
  if (scale >= value.scale) return { units: value.units * 10n ** BigInt(scale - value.scale), scale }
  return { units: value.units / 10n ** BigInt(value.scale - scale), scale }
}

/** Plain decimal text with all fraction digits of the scale. */
export function formatFixed({ units, scale }: Fixed): string {
  const digits = (units < 0n ? -units : units).toString().padStart(scale + 1, '0')
  const sign = units < 0n ? '-' : ''
  return scale === 0 ? sign + digits : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

/** Without trailing zeros of the fraction, as a program prints a float. */
export function formatShort(value: Fixed): string {
  const text = formatFixed(value)
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text
}

/** The way JavaScript prints numbers under 1e-6: `9.614444201187e-12`. */
export function formatExponent({ units, scale }: Fixed): string {
  const digits = (units < 0n ? -units : units).toString()
  const exponent = digits.length - 1 - scale
  const fraction = digits.slice(1).replace(/0+$/, '')
  const mantissa = fraction === '' ? digits.slice(0, 1) : `${digits.slice(0, 1)}.${fraction}`
  return `${units < 0n ? '-' : ''}${mantissa}e${exponent < 0 ? '-' : '+'}${Math.abs(exponent)}`
}

/** As JavaScript prints numbers: short, and with an exponent below 1e-6. */
export function formatNumber(value: Fixed): string {
  const magnitude = value.units < 0n ? -value.units : value.units
  const tiny = magnitude !== 0n && value.scale > 6 && magnitude < 10n ** BigInt(value.scale - 6)
  return tiny ? formatExponent(value) : formatShort(value)
}

/** Cut to at most `digits` significant digits of the fraction; whole digits stay. */
export function limitDigits(value: Fixed, digits: number): Fixed {
  const length = (value.units < 0n ? -value.units : value.units).toString().length
  return length <= digits ? value : rescale(value, Math.max(0, value.scale - (length - digits)))
}

export const multiply = (a: Fixed, b: Fixed): Fixed => ({
  units: a.units * b.units,
  scale: a.scale + b.scale,
})

/** a / b with `scale` fraction digits, cut. */
export const divide = (a: Fixed, b: Fixed, scale: number): Fixed => ({
  units: (a.units * 10n ** BigInt(scale + b.scale)) / (b.units * 10n ** BigInt(a.scale)),
  scale,
})
