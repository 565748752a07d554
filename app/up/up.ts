import { startWeb, type Web } from '../../dashboards/web/server.ts'
import type { ChangeFeed, MarketReader, QuoteReader, StatusReader } from '../../core/ports/reader.ts'
import { SECOND } from '../../core/time.ts'
import type { Sandbox } from '../../sandbox/server.ts'
import type { Context } from '../commands/command.ts'
import { startSandboxFor } from '../sandbox.ts'
import { errorFields } from '../log.ts'
import { Problems } from '../pipeline/problems.ts'
import { startPipelineThread } from '../pipeline/supervise.ts'
import { openReader } from '../reader.ts'
import { noteSandbox } from '../running-sandbox.ts'
import { type Result, stopped } from '../result.ts'
import { bannerText, liveSource, rememberSource, type Source, sandboxSource } from '../source.ts'
import { openLedger, prepareFolder } from '../stores.ts'
import { version } from '../version.ts'
import { chooseSource } from './choose-source.ts'
import { lockSources } from './lock-sources.ts'
import { statusReader } from './status-reader.ts'
import { watchStores } from './watch-stores.ts'

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
    const { source, why } = await openSource(context, opened)
    context.print(capital(why))
    const { url, ended } = await openParts(context, source, opened)
    rememberSource(context.config, source.kind)
    context.print(`Prices: ${url}  (data in ${source.folder}; Ctrl-C stops)`)
    if (context.json)
      process.stdout.write(`${JSON.stringify({ url, source: source.kind, folder: source.folder })}\n`)
    return { url, ended, stop: () => stop(context, ended, opened) }
  } catch (error) {
    await closeAll(context, opened)
    throw error
  }
}

/** The locks come first: a second `up` must not call anybody before it is refused. */
async function openSource(
  context: Context,
  opened: AsyncDisposableStack,
): Promise<{ readonly source: Source; readonly why: string }> {
  const { config, signal } = context
  const locks = lockSources(config)
  opened.defer(() => locks.release())
  const choice = await chooseSource(context)
  signal.throwIfAborted()
  if (choice.kind === 'live') {
    locks.keepOnly(liveSource(config))
    return { source: liveSource(config), why: choice.why }
  }
  locks.keepOnly(sandboxSource(config, ''))
  const sandbox: Pick<Sandbox, 'url' | 'close'> = await startSandboxFor(context)
  opened.defer(() => sandbox.close())
  opened.defer(noteSandbox(sandboxSource(config, '').folder, sandbox.url))
  return { source: sandboxSource(config, sandbox.url), why: choice.why }
}

async function openParts(
  context: Context,
  source: Source,
  opened: AsyncDisposableStack,
): Promise<{ readonly url: string; readonly ended: Promise<void> }> {
  const { config, clock, signal } = context
  const reader = await openReader(source, clock)
  opened.defer(() => reader.close())
  const ledger = await openLedger(config, source, clock)
  opened.defer(() => ledger.close())
  // The pipeline's thread logs its own.
  const problems = new Problems()
  const status = statusReader({ ledger, problems, clock, config, source })
  const web = await openWeb(context, source, { reader, status })
  opened.defer(() => web.close())
  const pipeline = await startPipelineThread({ config, source }, problems, signal)
  opened.defer(() => pipeline.stop().catch(() => undefined))
  const watch = watchStores({ reader, ledger, clock, problems })
  opened.defer(() => watch.stop())
  const ended = Promise.race([pipeline.ended, watch.failed])
  ended.catch(() => undefined)
  return { url: web.url, ended }
}

function openWeb(
  { config, clock, log }: Context,
  source: Source,
  { reader, status }: { reader: QuoteReader & MarketReader & ChangeFeed; status: StatusReader },
): Promise<Web> {
  const { port, host, secrets } = config
  return startWeb({
    ...{ port, host, reader, status, clock, version },
    ...(secrets['token'] === undefined ? {} : { token: secrets['token'] }),
    feed: reader,
    market: reader,
    simulated: source.kind === 'sandbox' ? bannerText : null,
    log: line => log.info({}, line),
  })
}

async function stop(context: Context, ended: Promise<void>, opened: AsyncDisposableStack): Promise<Result> {
  let failure: unknown
  if (!context.signal.aborted) await ended.catch((error: unknown) => (failure = error))
  await closeAll(context, opened)
  if (failure !== undefined) throw failure
  return stopped('Stopped; nothing is lost.')
}

/** design: `up` ends within 10 s of a signal. */
const closeDeadlineMs = 9 * SECOND

/** What can not be closed, or not in time, must not hide why it is closed: the process ends soon after. */
async function closeAll({ log }: Context, opened: AsyncDisposableStack): Promise<void> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error('closing takes too long')), closeDeadlineMs)
  try {
    await Promise.race([opened.disposeAsync(), late.promise])
  } catch (error) {
    log.warn(errorFields(error), 'not everything could be closed')
  } finally {
    clearTimeout(timer)
  }
}

const capital = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
