import type { DecimalString, EpochMicros } from '../core/brands.ts'
import { AssetId, DecimalString as decimal } from '../core/brands.ts'
import { CryptosError, toCryptosError } from '../core/errors.ts'
import { parseIso } from '../core/time.ts'
import type { PriceSource } from './prices.ts'

interface Point {
  readonly at: EpochMicros
  readonly price: DecimalString
}

/**
 * Prices from CSV text with the header `time,asset,price` (and, where wanted, `currency`; else USD): ISO times in UTC, assets by our
 * names, the digits kept as they are. A price holds until the asset's next row; before its first row there is none, so let a series
 * begin two minutes before the clock does. Rows may come in any order.
 * @throws CryptosError CRY_VALUE_INVALID with the line's number
 */
export function recordedSeries(csvText: string): PriceSource {
  const series = readRows(csvText)
  return {
    priceAt: ({ asset, currency, at }) => lastBefore(series.get(`${asset}|${currency}`) ?? [], at)?.price,
  }
}

function readRows(csvText: string): Map<string, Point[]> {
  const [header = '', ...lines] = csvText.replace(/^\uFEFF/, '').split(/\r?\n/)
  const columns = header.split(',').map(name => name.trim().toLowerCase())
  const want = ['time', 'asset', 'price']
  const known = columns.every(name => want.includes(name) || name === 'currency')
  if (!known || !want.every(name => columns.includes(name)) || new Set(columns).size !== columns.length)
    throw invalid(
      1,
      `the header must be time,asset,price[,currency], not ${JSON.stringify(header.slice(0, 80))}`,
    )
  const series = new Map<string, Point[]>()
  lines.forEach((line, index) => {
    if (line.trim() !== '') addRow(series, columns, line, index + 2)
  })
  if (series.size === 0) throw invalid(2, 'there is no row')
  for (const [key, points] of series) sortPoints(key, points)
  return series
}

function addRow(
  series: Map<string, Point[]>,
  columns: readonly string[],
  line: string,
  lineNumber: number,
): void {
  const cells = line.split(',').map(cell => cell.trim())
  if (cells.length !== columns.length)
    throw invalid(lineNumber, `${columns.length} columns wanted, ${cells.length} found`)
  const cell = (name: string): string => cells[columns.indexOf(name)] ?? ''
  try {
    const price = decimal(cell('price'))
    if (price.startsWith('-')) throw new CryptosError('CRY_VALUE_INVALID', `a price below zero: ${price}`)
    const currency = columns.includes('currency') ? cell('currency').toUpperCase() : 'USD'
    const key = `${AssetId(cell('asset'))}|${currency}`
    const points = series.get(key) ?? []
    series.set(key, points)
    points.push({ at: parseIso(cell('time')), price })
  } catch (error) {
    throw invalid(lineNumber, toCryptosError(error).message)
  }
}

function sortPoints(key: string, points: Point[]): void {
  points.sort((a, b) => a.at - b.at)
  points.forEach((point, index) => {
    const next = points[index + 1]
    if (next?.at === point.at && next.price !== point.price)
      throw new CryptosError(
        'CRY_VALUE_INVALID',
        `price series: two prices of ${key} at ${new Date(point.at / 1_000).toISOString()}`,
      )
  })
}

function lastBefore(points: readonly Point[], at: EpochMicros): Point | undefined {
  let [low, high] = [0, points.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((points[middle]?.at ?? Number.POSITIVE_INFINITY) <= at) low = middle + 1
    else high = middle
  }
  return points[low - 1]
}

const invalid = (line: number, why: string): CryptosError =>
  new CryptosError('CRY_VALUE_INVALID', `price series, line ${line}: ${why}`)
