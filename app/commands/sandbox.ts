import { once } from 'node:events'
import { twins } from '../../sandbox/registry.ts'
import { startSandbox } from '../../sandbox/server.ts'
import { sandboxPrices } from '../sandbox.ts'
import { count } from '../plural.ts'
import { done } from '../result.ts'
import type { Action, Define } from './command.ts'

const run: Action = async ({ config, clock, signal, print, json }) => {
  const sandbox = await startSandbox({ port: config.sandboxPort, clock, prices: sandboxPrices(config) })
  if (json) process.stdout.write(`${JSON.stringify({ url: sandbox.url })}\n`)
  print(
    `The sandbox plays ${count(twins.length, 'provider')} at ${sandbox.url} (simulated prices; cryptos providers lists them). Ctrl-C stops it.`,
  )
  print(`Collect from it: CRYPTOS_SANDBOX_URL=${sandbox.url} cryptos collect kraken --source sandbox`)
  if (!signal.aborted) await once(signal, 'abort')
  await sandbox.close()
  return done('', { stopped: true })
}

export const define: Define = (program, act) => {
  program
    .command('sandbox')
    .description('a simulator of the providers that enforces their limits and misbehaves on request')
    .option('--port <n>', 'port; 0 = any free one')
    .option('--seed <n>', 'seed of the prices')
    .option('--prices <csv>', 'play a recorded series: time, asset, price')
    .action(act(run, o => ({ sandboxPort: o['port'], sandboxSeed: o['seed'], sandboxPrices: o['prices'] })))
}
