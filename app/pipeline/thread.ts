import { parentPort, workerData } from 'node:worker_threads'
import { systemClock } from '../../host/clock.ts'
import { secretTexts } from '../config/load.ts'
import { openClockFile } from '../../sandbox/clock-file.ts'
import { toCryptosError } from '../../core/errors.ts'
import { createLog } from '../log.ts'
import type { PipelineMessage, PipelineStart, SupervisorMessage } from './messages.ts'
import { runPipeline } from './pipeline.ts'
import { Problems } from './problems.ts'

/** Entry of the worker thread: all writers live here, so that the page never waits for a database. */
const { config, source } = workerData as PipelineStart
const port = parentPort
const send = (message: PipelineMessage): void => port?.postMessage(message)
const stop = new AbortController()
port?.on('message', (message: SupervisorMessage) => {
  if (message.kind === 'stop') stop.abort(new DOMException('stopped', 'AbortError'))
})

const clock = config.sandboxClockFile === undefined ? systemClock : openClockFile(config.sandboxClockFile)
const log = createLog(config.logLevel, secretTexts(config))
/** Tells the supervisor what has changed, not every "still well". */
const problems = new Problems((name, what) => send({ kind: 'problem', name, what }), log)
try {
  await runPipeline({
    config,
    source,
    clock,
    log,
    signal: stop.signal,
    onReady: () => send({ kind: 'ready' }),
    onProblem: problems.set,
  })
  send({ kind: 'stopped' })
} catch (error) {
  const known = toCryptosError(error)
  send({ kind: 'failed', code: known.code, message: known.message })
} finally {
  port?.close()
}
