import { lockStore } from '../store-lock.ts'
import { openSink, runProcessing } from '../processing.ts'
import { Problems } from '../pipeline/problems.ts'
import { stopped } from '../result.ts'
import { settledSource } from '../settled-source.ts'
import { openBroker, prepareFolder } from '../stores.ts'
import { using } from '../using.ts'
import { type Action, type Define, sourceOption, withSource } from './command.ts'

const run: Action = async context => {
  const { config, clock, log, signal } = context
  const source = settledSource(context)
  prepareFolder(source.folder)
  const unlock = lockStore(source.folder)
  try {
    return await using(await openBroker(config, source, clock), async broker =>
      using(await openSink(source, clock), async sink => {
        context.print(`Storing into ${source.folder}. Ctrl-C stops it.`)
        const counters = await runProcessing(
          { config, broker, sink, clock, log, onProblem: new Problems(undefined, log).set },
          signal,
        )
        const { written, superseded, dead } = counters
        return stopped(`stored ${written}, superseded ${superseded}, dead ${dead}`, { ...counters })
      }),
    )
  } finally {
    unlock()
  }
}

export const define: Define = (program, act) => {
  program
    .command('process')
    .description('store what comes into the topics, until Ctrl-C')
    .option(...sourceOption)
    .action(act(run, withSource))
}
