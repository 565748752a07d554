import { collectOnce } from '../../app/collecting.ts'
import type { Action } from '../../app/commands/command.ts'
import { fromOutcome } from '../../app/result.ts'
import { runAction } from '../../app/run-action.ts'
import { liveSource } from '../../app/source.ts'

/**
 * `collect` and `up` with the user's own key, sent to a simulator at CRYPTOS_SANDBOX_URL. The program itself sends its own
 * sandbox key there, never the user's, so this puts its parts together otherwise: all else is as it is.
 */
const collect: Action = async context => {
  const source = sourceOf(context.config)
  const results = await collectOnce(context, source, { names: ['coinmarketcap'], period: 'now' })
  const first = results[0]
  return fromOutcome(first?.outcome ?? 'failed', first?.reason ?? '', { pages: first?.pages })
}

const up: Action = async context => {
  const { runPipeline } = await import('../../app/pipeline/pipeline.ts')
  const { startWeb } = await import('../../dashboards/web/server.ts')
  const { openReader } = await import('../../app/reader.ts')
  const { openLedger } = await import('../../app/stores.ts')
  const { statusReader } = await import('../../app/up/status-reader.ts')
  const { Problems } = await import('../../app/pipeline/problems.ts')
  const { config, clock, log } = context
  const source = sourceOf(config)
  const problems = new Problems((name, what) => log.warn({ name }, what ?? 'well again'))
  const reader = await openReader(source, clock)
  const ledger = await openLedger(config, source, clock)
  const status = statusReader({ ledger, problems, clock, config, source })
  const stores = { reader, feed: reader, market: reader, status }
  const web = await startWeb({ port: 0, ...stores, clock, simulated: null, version: '0' })
  const stop = new AbortController()
  const onReady = (): void => void process.stdout.write(`${web.url}\n`)
  const running = runPipeline({
    ...context,
    source,
    signal: AbortSignal.any([context.signal, stop.signal]),
    onReady,
    onProblem: (name, what) => problems.set(name, what),
  })
  await running
  await web.close()
  await reader.close()
  await ledger.close()
  return fromOutcome('aborted', 'stopped')
}

const sourceOf = (config: Parameters<typeof liveSource>[0]) => ({
  ...liveSource(config),
  sandboxUrl: config.sandboxUrl ?? '',
})

const action = process.argv[2] === 'up' ? up : collect
const result = await runAction({ action, args: [], options: {}, json: true, overrides: {} })
process.stdout.write(`${JSON.stringify(result.json)}\n`)
