// One of many processes that want the same quota: collects `argv[2]` slots of the paid provider, each its own, from slot `argv[3]` on,
// as fast as it can once stdin says `go`; then prints the outcomes as one line of JSON.
import { once } from 'node:events'
import { openCollecting } from '../../app/collecting.ts'
import { loadConfig } from '../../app/config/load.ts'
import { createLog } from '../../app/log.ts'
import { sandboxSource } from '../../app/source.ts'
import { sweep } from '../../app/sweep.ts'
import type { Pace } from '../../collectors/pace.ts'
import { addMs, MINUTE } from '../../core/time.ts'
import { openClockFile } from '../../sandbox/clock-file.ts'

const [, , count = '', first = ''] = process.argv
const config = loadConfig(process.env)
const clock = openClockFile(config.sandboxClockFile ?? '')
const noPace: Pace = { schedule: (_turn, work) => work(), close: async () => undefined }
const signal = new AbortController().signal
const log = createLog('silent', [])
const source = sandboxSource(config, config.sandboxUrl ?? '')
const collecting = await openCollecting({ config, clock, log, signal }, source, ['coinmarketcap'])
const route = collecting.routes[0]!
process.stdout.write('loaded\n')
await once(process.stdin, 'data')
const slots = Array.from({ length: Number(count) }, (_, i) =>
  addMs(clock.now(), -(Number(first) + i) * MINUTE),
)
const results = await Promise.all(
  slots.map(period =>
    sweep(
      { ...collecting.ports, pace: noPace },
      { route, dataset: route.provider.datasets[0]!, config, signal, period },
    ),
  ),
)
await collecting.close()
process.stdin.destroy()
process.stdout.write(`${JSON.stringify(results.map(r => r.outcome))}\n`)
