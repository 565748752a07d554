import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { Trial } from '../processors/judge/score.contract.ts'
import { type Score, type ScoreRow, tableOf } from '../processors/judge/tally.contract.ts'
import { type BenchLine, percentile, round } from './line.ts'

const bar = 0.95
const days = 30
/**
 * Months that nobody has looked at while a rule or a figure of the judge was changed: seeds 1 to 9 are for that. Whoever looks at a miss
 * of one of these months and then changes the judge has used the month up, and must choose other seeds here.
 */
const faultSeeds = [101, 102, 103, 104]
const cleanSeeds = [105]

/**
 * [detectors]: the judge over simulated months of 6 sources and 6 assets. Clean months must raise no flag at all; months with injected
 * lies give recall, precision and delay of each detector. The bar is on every detector, over the lies that could be seen (what that is:
 * `processors/judge/sight.contract.ts`); the others are counted beside it. A flag in a clean month misses it; what is raised in a month
 * with lies on a row that carries none is told as precision. The numbers are the same on every machine, but for the throughput.
 */
export async function benchDetectors(): Promise<BenchLine[]> {
  const trials: Trial[] = [...cleanSeeds, ...faultSeeds].map(seed => ({
    ...{ seed, days, withFaults: faultSeeds.includes(seed) },
  }))
  const scores = await scoresOf(trials)
  const clean = scores.slice(0, cleanSeeds.length)
  const lying = scores.slice(cleanSeeds.length)
  const table = tableOf(lying)
  return [summaryOf(table, clean, lying), ...table.map(lineOf), ...throughputOf(scores)]
}

/** Each trial in a thread of its own, as many at once as there are processors (at most 4: a month needs some hundred megabytes). */
async function scoresOf(trials: readonly Trial[]): Promise<readonly Score[]> {
  const scores: Score[] = []
  let next = 0
  const work = async (): Promise<void> => {
    while (next < trials.length) {
      const index = next
      next += 1
      const trial = trials[index]
      if (trial) scores[index] = await scoreOf(trial)
    }
  }
  await Promise.all(Array.from({ length: Math.min(4, availableParallelism()) }, work))
  return scores
}

const scoreOf = (trial: Trial): Promise<Score> =>
  new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./detectors-worker.ts', import.meta.url), { workerData: trial })
    worker.once('message', resolve)
    worker.once('error', reject)
    worker.once('exit', code => reject(new Error(`a month ended with code ${code} and no score`)))
  })

const alarmsOf = (scores: readonly Score[]): number => scores.reduce((n, s) => n + s.falseAlarms.length, 0)
const sum = (scores: readonly Score[], of: (s: Score) => number): number =>
  scores.reduce((n, s) => n + of(s), 0)

function summaryOf(table: readonly ScoreRow[], clean: readonly Score[], lying: readonly Score[]): BenchLine {
  const visible = table.reduce((n, row) => n + row.visible, 0)
  const found = table.reduce((n, row) => n + row.found, 0)
  const invisible = table.reduce((n, row) => n + row.invisible, 0)
  const alarms = alarmsOf(clean)
  const worst = Math.min(...table.map(row => row.recall))
  const months = `${alarms} false alarms in ${clean.length} clean month(s) of ${sum(clean, s => s.quotes)} records, ${alarmsOf(lying)} in ${lying.length} with lies of ${sum(lying, s => s.quotes)}`
  return {
    ...{ name: 'detectors', value: round(worst, 3), unit: 'recall of the worst', bar },
    ok: worst >= bar && alarms === 0,
    note: `all together ${found} of ${visible} lies that could be seen, beside ${invisible} that could not; ${months}`,
  }
}

function lineOf(row: ScoreRow): BenchLine {
  const delay = [0.5, 0.95, 1].map(share => `${Math.round(percentile(row.delays, share))}`).join(' / ')
  const seen = `${row.found} of ${row.visible} that could be seen; of ${row.invisible} that could not, ${row.invisibleFound}`
  const precision = `precision ${round(row.strictPrecision, 4)} strict, ${round(row.precision, 4)} lenient, ${row.falseAlarms} false alarms`
  return {
    ...{ name: `detectors:${row.flag}`, value: round(row.recall, 3), unit: 'recall', bar },
    ok: row.recall >= bar,
    note: `${seen}; ${precision}; minutes until flagged ${delay} (median, p95, most)`,
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
