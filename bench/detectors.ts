import { type Score, score, type ScoreRow, tableOf } from '../processors/judge/score.contract.ts'
import { type BenchLine, percentile, round } from './line.ts'

const bar = 0.95
const days = 30
const cleanSeeds = [11]
const faultSeeds = [21, 22]

/**
 * [detectors]: the judge over simulated months of 6 sources and 6 assets. Clean months must raise no flag at all; months with injected
 * lies give recall, precision and delay of each detector. The seeds are fixed: the numbers are the same on every machine, but for the
 * throughput. The bar is on all lies together, those on thin and quiet markets too, where some can not be told from honest rest; each
 * detector has its line. A false alarm anywhere misses the bar, whatever the recall.
 */
export async function benchDetectors(): Promise<BenchLine[]> {
  const clean = cleanSeeds.map(seed => score({ seed, days, withFaults: false }))
  const lying = faultSeeds.map(seed => score({ seed, days, withFaults: true }))
  const table = tableOf(lying)
  return await Promise.resolve([
    summaryOf(table, clean, lying),
    ...table.map(lineOf),
    ...throughputOf([...clean, ...lying]),
  ])
}

const alarmsOf = (scores: readonly Score[]): number => scores.reduce((n, s) => n + s.falseAlarms.length, 0)
const sum = (scores: readonly Score[], of: (s: Score) => number): number =>
  scores.reduce((n, s) => n + of(s), 0)

function summaryOf(table: readonly ScoreRow[], clean: readonly Score[], lying: readonly Score[]): BenchLine {
  const injected = table.reduce((n, row) => n + row.injected, 0)
  const found = table.reduce((n, row) => n + row.found, 0)
  const worst = Math.min(...table.map(row => row.recall))
  const value = round(found / injected, 4)
  const false_ = `${alarmsOf(clean)} false alarms in ${clean.length} clean months of ${sum(clean, s => s.quotes)} records, ${alarmsOf(lying)} in ${lying.length} months with lies`
  return {
    ...{ name: 'detectors', value, unit: 'recall', bar },
    ok: value >= bar && alarmsOf(clean) + alarmsOf(lying) === 0,
    note: `${found} of ${injected} lies, the worst detector ${round(worst, 3)}; ${false_}`,
  }
}

function lineOf({ flag, injected, found, recall, falseAlarms, precision, delays }: ScoreRow): BenchLine {
  const delay = [0.5, 0.95, 1].map(share => `${Math.round(percentile(delays, share))}`).join(' / ')
  return {
    ...{ name: `detectors:${flag}`, value: round(recall, 3), unit: 'recall', bar: null, ok: true },
    note: `${found} of ${injected} injected; precision ${round(precision, 4)}, ${falseAlarms} false alarms; minutes until flagged ${delay} (median, p95, most)`,
  }
}

function throughputOf(scores: readonly Score[]): BenchLine[] {
  const rate = sum(scores, s => s.quotes) / sum(scores, s => s.observeCpuSeconds)
  const minutes = (scores.length * days * 1_440) / sum(scores, s => s.minuteCpuSeconds)
  const told = { bar: null, ok: true }
  return [
    { name: 'detectors-throughput', value: Math.round(rate), unit: 'quotes/CPU-s', ...told },
    {
      ...{ name: 'detectors-minutes', value: Math.round(minutes), unit: 'minutes/CPU-s', ...told },
      note: 'consensus, spread and role of 13 prices each',
    },
  ]
}

if (import.meta.main) for (const line of await benchDetectors()) console.log(JSON.stringify(line))
