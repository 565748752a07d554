import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { CryptosError, type ErrorCode, errorKinds } from '../../core/errors.ts'
import { SECOND } from '../../core/time.ts'
import type { PipelineMessage, PipelineStart, SupervisorMessage } from './messages.ts'
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

/** Resolves when the stores are open. @throws CryptosError when they can not be opened */
export async function startPipelineThread(
  start: PipelineStart,
  problems: Problems,
): Promise<RunningPipeline> {
  const source = join(import.meta.dirname, 'thread.ts')
  const worker = new Worker(existsSync(source) ? source : join(import.meta.dirname, 'thread.js'), {
    workerData: start,
    resourceLimits: { maxYoungGenerationSizeMb },
  })
  const ready = Promise.withResolvers<void>()
  const ended = Promise.withResolvers<void>()
  const fail = (error: CryptosError): void => {
    ready.reject(error)
    ended.reject(error)
  }
  worker.on('message', (message: PipelineMessage) => {
    if (message.kind === 'ready') ready.resolve()
    else if (message.kind === 'problem') problems.set(message.name, message.what)
    else if (message.kind === 'stopped') ended.resolve()
    else fail(new CryptosError(codeOf(message.code), message.message))
  })
  worker.on('error', cause =>
    fail(new CryptosError('CRY_INTERNAL', `the pipeline's thread ended: ${String(cause)}`, { cause })),
  )
  worker.on('exit', code =>
    fail(new CryptosError('CRY_INTERNAL', `the pipeline's thread ended with ${code}`)),
  )
  ended.promise.catch(() => undefined)
  await ready.promise
  return { ended: ended.promise, stop: () => stopThread(worker, ended.promise) }
}

const codeOf = (text: string): ErrorCode =>
  Object.hasOwn(errorKinds, text) ? (text as ErrorCode) : 'CRY_INTERNAL'

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
