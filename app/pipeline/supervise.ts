import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { CryptosError, type ErrorCode, errorKinds, toCryptosError } from '../../core/errors.ts'
import { SECOND } from '../../core/time.ts'
import type { PipelineMessage, PipelineStart, SupervisorMessage } from './messages.ts'
import { untilSignal } from '../until-signal.ts'
import type { Problems } from './problems.ts'

/** design: `up` and `process` end within 10 s of a signal; what is left of that is for the page. */
const stopDeadlineMs = 8 * SECOND

/** Batches are small and short-lived: a larger nursery would only be held, never needed. */
const maxYoungGenerationSizeMb = 8

/** The pipeline in its own thread. */
export interface RunningPipeline {
  /** Resolves when the pipeline stopped as told. @throws CryptosError why it ended by itself */
  readonly ended: Promise<void>
  stop(): Promise<void>
}

/**
 * Resolves when the stores are open. What it ends with is a problem too, for as long as the page is still there.
 * @throws CryptosError when the stores can not be opened; the signal's reason when that fires before they are
 */
export async function startPipelineThread(
  start: PipelineStart,
  problems: Problems,
  signal: AbortSignal,
): Promise<RunningPipeline> {
  signal.throwIfAborted()
  const worker = openWorker(start)
  const { ready, ended } = listen(worker, problems)
  const stop = (): Promise<void> => stopThread(worker, ended)
  try {
    await untilSignal(ready, signal)
    return { ended, stop }
  } catch (error) {
    // Why it does not start is told by the error; that the thread ends with it is no news.
    await stop().catch(() => undefined)
    throw error
  }
}

function openWorker(start: PipelineStart): Worker {
  const source = join(import.meta.dirname, 'thread.ts')
  return new Worker(existsSync(source) ? source : join(import.meta.dirname, 'thread.js'), {
    workerData: start,
    resourceLimits: { maxYoungGenerationSizeMb },
  })
}

function listen(worker: Worker, problems: Problems): { ready: Promise<void>; ended: Promise<void> } {
  const ready = Promise.withResolvers<void>()
  const ended = Promise.withResolvers<void>()
  ready.promise.catch(() => undefined)
  ended.promise.catch(() => undefined)
  let isOver = false
  const fail = (why: string, code: ErrorCode = 'CRY_INTERNAL', cause?: unknown): void => {
    if (isOver) return
    isOver = true
    problems.set('pipeline', `nothing is collected or stored any more: ${why}`)
    const error = new CryptosError(code, why, { cause })
    ready.reject(error)
    ended.reject(error)
  }
  worker.on('message', (message: PipelineMessage) => {
    if (message.kind === 'ready') ready.resolve()
    else if (message.kind === 'problem') problems.set(message.name, message.what)
    else if (message.kind === 'failed') fail(message.message, codeOf(message.code))
    else ended.resolve()
  })
  worker.on('error', cause =>
    fail(`the pipeline's thread ended: ${String(cause)}`, toCryptosError(cause).code, cause),
  )
  worker.on('exit', code => fail(`the pipeline's thread ended with ${code}`))
  ended.promise.then(
    () => (isOver = true),
    () => undefined,
  )
  return { ready: ready.promise, ended: ended.promise }
}

const codeOf = (text: string): ErrorCode =>
  Object.hasOwn(errorKinds, text) ? (text as ErrorCode) : 'CRY_INTERNAL'

/** Ends the thread within the deadline, whatever it is doing. */
async function stopThread(worker: Worker, ended: Promise<void>): Promise<void> {
  worker.postMessage({ kind: 'stop' } satisfies SupervisorMessage)
  const timer = setTimeout(() => void worker.terminate(), stopDeadlineMs)
  try {
    await ended
  } finally {
    clearTimeout(timer)
    await worker.terminate()
  }
}
