// Preload for `node --import`: hears the steps of the product (core/steps.ts) and kills or pauses its own process at one of them.
// A worker inherits the preload, so it reaches the pipeline's thread too. It is steered by the environment:
//   AT_STEP=<step>:<n>   the n-th time this thread announces the step …
//   AT_STEP_DO=kill|stop … SIGKILL or SIGSTOP to its own process
//   AT_STEP_MARK=<file>  written right before, with the step and its detail
//   AT_STEP_SENT=<file>  gets a line for each call that is about to be sent: `<process> <slot>`
//   AT_STEP_SETTLED=<file>  the same for each answer that the ledger said it has: a word that must hold after any death
import { subscribe } from 'node:diagnostics_channel'
import { appendFileSync, writeFileSync } from 'node:fs'

const [wanted, nth = '1'] = (process.env.AT_STEP ?? '').split(':')
const signal = process.env.AT_STEP_DO === 'stop' ? 'SIGSTOP' : 'SIGKILL'
const { AT_STEP_MARK: mark, AT_STEP_SENT: sent, AT_STEP_SETTLED: settled } = process.env
const logs = { sent, settled }
let left = Number(nth)

subscribe('cryptos:step', ({ step, detail }) => {
  if (logs[step]) appendFileSync(logs[step], `${process.pid} ${detail}\n`)
  if (step !== wanted) return
  left -= 1
  if (left !== 0) return
  if (mark) writeFileSync(mark, `${step} ${detail}`)
  process.kill(process.pid, signal)
})
