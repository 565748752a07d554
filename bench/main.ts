import { execFileSync } from 'node:child_process'
import { cpus, loadavg, release } from 'node:os'
import { benchStart } from './collect-start.ts'
import { benchFirstPrice } from './first-price.ts'
import { benchDetectors } from './detectors.ts'
import type { BenchLine } from './line.ts'
import { benchParse } from './parse.ts'
import { benchPermits } from './permits.ts'
import { benchProviderParse } from './provider-parse.ts'
import { benchStore } from './store.ts'
import { benchUp } from './up.ts'

/** `npm run bench [-- --json] [-- --only name,…]`: every bar of the product, measured here and now. */
const benches: Readonly<Record<string, () => Promise<BenchLine[]>>> = {
  parse: benchParse,
  detectors: benchDetectors,
  'provider-parse': benchProviderParse,
  permits: benchPermits,
  store: benchStore,
  start: benchStart,
  up: benchUp,
  'first-price': benchFirstPrice,
  // Loaded when it is wanted: drivers of servers have no place in the process of the others.
  stack: async () => (await import('./stack.ts')).benchStack(),
  airflow: async () => (await import('./airflow.ts')).benchAirflow(),
}

const json = process.argv.includes('--json')
const onlyAt = process.argv.indexOf('--only')
const only = onlyAt < 0 ? Object.keys(benches) : (process.argv[onlyAt + 1] ?? '').split(',')

const git = (): string => {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
  } catch {
    return 'no git'
  }
}

function print(line: BenchLine): void {
  if (json) {
    console.log(JSON.stringify(line))
    return
  }
  const bar = line.bar === null ? '' : `  (bar ${line.bar} ${line.unit}: ${line.ok ? 'ok' : 'MISSED'})`
  console.log(`${line.name.padEnd(28)} ${line.value} ${line.unit}${bar}${line.note ? `  ${line.note}` : ''}`)
}

const machine = `${cpus()[0]?.model ?? 'unknown'} x${cpus().length}, Linux ${release()}, Node ${process.versions.node}, SQLite ${process.versions['sqlite']}, git ${git()}, load ${loadavg()[0]?.toFixed(2)}`
if (!json) console.log(machine)
else {
  console.error(machine)
  print({ name: 'machine', value: 0, unit: '', bar: null, ok: true, note: machine })
}

let missed = 0
for (const name of only) {
  const bench = benches[name]
  if (!bench) throw new Error(`no bench is named ${name}: ${Object.keys(benches).join(', ')}`)
  for (const line of await bench()) {
    print(line)
    if (!line.ok) missed += 1
  }
}
if (missed > 0) process.exitCode = 1
