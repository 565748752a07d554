import { once } from 'node:events'
import { runUp } from '../up/up.ts'
import type { Define } from './command.ts'

export const define: Define = (program, act) => {
  program
    .command('up')
    .description('collect, store and show, all in this one process')
    .option('--source <auto|live|sandbox>', 'where the data come from')
    .option('--port <n>', 'port of the page; 0 = any free one')
    .option('--assets <list>', 'assets, by id or symbol, separated by commas')
    .option('--providers <list>', 'providers, separated by commas')
    .action(
      act(
        async context => {
          const up = await runUp(context)
          if (!context.signal.aborted) await Promise.race([once(context.signal, 'abort'), up.ended])
          return await up.stop()
        },
        o => ({ source: o['source'], port: o['port'], assets: o['assets'], providers: o['providers'] }),
      ),
    )
}
