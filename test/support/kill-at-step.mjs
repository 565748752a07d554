// Preload for `node --import`: hears the steps of the product (core/steps.ts) and kills or pauses its own process at one of them.
// A worker inherits the preload, so it reaches the pipeline's thread too. It is steered by the environment:
//   AT_STEP=<step>:<n>   the n-th time this thread announces the step …
//   AT_STEP_DO=kill|stop … SIGKILL or SIGSTOP to its own process
//   AT_STEP_MARK=<file>  written right before, with the step and its detail
//   AT_STEP_SENT=<file>  gets a line for each call that is about to be sent: `<process> <slot>`
import { subscribe } from 'node:diagnostics_channel'
import { appendFileSync, writeFileSync } from 'node:fs'

const [wanted, nth = '1'] = (process.env.AT_STEP ?? '').split(':')
const signal = process.env.AT_STEP_DO === 'stop' ? 'SIGSTOP' : 'SIGKILL'
const { AT_STEP_MARK: mark, AT_STEP_SENT: sent } = process.env
let left = Number(nth)

subscribe('cryptos:step', ({ step, detail }) => {
  if (sent && step === 'sent') appendFileSync(sent, `${process.pid} ${detail}\n`)
  if (step !== wanted) return
  left -= 1
  if (left !== 0) return
  if (mark) writeFileSync(mark, `${step} ${detail}`)
  process.kill(process.pid, signal)
})
