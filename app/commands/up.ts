import { once } from 'node:events'
import { runUp } from '../up/up.ts'
import type { Define } from './command.ts'

/** All is closed and the result is about to be printed: what still keeps the process alive by then is a leak, and must not. */
const endSoon = (): void => void setTimeout(() => process.exit(), leakDeadlineMs).unref()
const leakDeadlineMs = 1_000

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
          // What it ended with is told by stop, when all is closed.
          const ended = up.ended.catch(() => undefined)
          if (!context.signal.aborted) await Promise.race([once(context.signal, 'abort'), ended])
          try {
            return await up.stop()
          } finally {
            endSoon()
          }
        },
        o => ({ source: o['source'], port: o['port'], assets: o['assets'], providers: o['providers'] }),
      ),
    )
}
