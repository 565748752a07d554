import { startWeb, type Web } from '../../dashboards/web/server.ts'
import { CryptosError } from '../../core/errors.ts'
import type { Sandbox } from '../../sandbox/server.ts'
import type { Context } from '../commands/command.ts'
import { startSandboxFor } from '../sandbox.ts'
import { errorFields } from '../log.ts'
import { Problems } from '../pipeline/problems.ts'
import { type RunningPipeline, startPipelineThread } from '../pipeline/supervise.ts'
import { openReader } from '../reader.ts'
import { done, type Result } from '../result.ts'
import { bannerText, liveSource, rememberSource, type Source, sandboxSource } from '../source.ts'
import { lockStore } from '../store-lock.ts'
import { openLedger, prepareFolder } from '../stores.ts'
import { version } from '../version.ts'
import { chooseSource } from './choose-source.ts'
import { statusReader } from './status-reader.ts'

export interface RunningUp {
  readonly url: string
  /** Rejects when the pipeline ended by itself. */
  readonly ended: Promise<void>
  stop(): Promise<Result>
}

/**
 * Everything in one process: the page in this thread, all writers in a thread of their own, the sandbox where no live source is.
 * @throws CryptosError what keeps it from starting; everything that was opened is closed then
 */
export async function runUp(context: Context): Promise<RunningUp> {
  const opened = new AsyncDisposableStack()
  try {
    prepareFolder(context.config.dataDir)
    const choice = await chooseSource(context)
    context.print(capital(choice.why))
    const source = await openSource(context, choice.kind, opened)
    const { pipeline, web } = await openParts(context, source, opened)
    rememberSource(context.config, source.kind)
    context.print(`Prices: ${web.url}  (data in ${source.folder}; Ctrl-C stops)`)
    if (context.json)
      process.stdout.write(
        `${JSON.stringify({ url: web.url, source: source.kind, folder: source.folder })}\n`,
      )
    return { url: web.url, ended: pipeline.ended, stop: () => stop(context, pipeline, opened) }
  } catch (error) {
    await opened.disposeAsync()
    throw error
  }
}

async function openSource(
  context: Context,
  kind: Source['kind'],
  opened: AsyncDisposableStack,
): Promise<Source> {
  if (kind === 'live') return lock(liveSource(context.config), opened)
  const sandbox: Pick<Sandbox, 'url' | 'close'> = await startSandboxFor(context)
  opened.defer(() => sandbox.close())
  return lock(sandboxSource(context.config, sandbox.url), opened)
}

function lock(source: Source, opened: AsyncDisposableStack): Source {
  prepareFolder(source.folder)
  opened.defer(lockStore(source.folder))
  return source
}

async function openParts(
  context: Context,
  source: Source,
  opened: AsyncDisposableStack,
): Promise<{ pipeline: RunningPipeline; web: Web }> {
  const { config, clock, log } = context
  const reader = await openReader(source, clock)
  opened.defer(() => reader.close())
  const ledger = await openLedger(config, source, clock)
  opened.defer(() => ledger.close())
  const problems = new Problems((name, what) =>
    what === null ? log.info({ name }, 'well again') : log.warn({ name }, what),
  )
  const web = await startWeb({
    port: config.port,
    host: config.host,
    ...(config.secrets.token === undefined ? {} : { token: config.secrets.token }),
    reader,
    feed: reader,
    status: statusReader(ledger, problems, clock, source.folder),
    clock,
    simulated: source.kind === 'sandbox' ? bannerText : null,
    version,
    log: line => log.info({}, line),
  })
  opened.defer(() => web.close())
  const pipeline = await startPipelineThread({ config, source }, problems)
  opened.defer(() => pipeline.stop().catch(error => log.debug(errorFields(error), 'the pipeline had ended')))
  return { pipeline, web }
}

async function stop(
  context: Context,
  pipeline: RunningPipeline,
  opened: AsyncDisposableStack,
): Promise<Result> {
  let failure: unknown
  if (!context.signal.aborted) await pipeline.ended.catch((error: unknown) => (failure = error))
  await opened.disposeAsync()
  if (failure instanceof CryptosError) throw failure
  return done('Stopped; nothing is lost.', { outcome: 'collected', reason: 'stopped as told' })
}

const capital = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
