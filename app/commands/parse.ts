import { readFileSync } from 'node:fs'
import type { EpochMicros } from '../../core/brands.ts'
import { CryptosError } from '../../core/errors.ts'
import { parseIso } from '../../core/time.ts'
import { providers } from '../../collectors/registry.ts'
import type { Provider } from '../../collectors/provider.ts'
import { parseBody } from '../../collectors/parse-body.ts'
import { providerNamed } from '../provider-named.ts'
import { exitCodeOf } from '../../core/outcomes.ts'
import { done, fromOutcome } from '../result.ts'
import type { Action, Define } from './command.ts'

function readBody(file: string): Uint8Array {
  try {
    return new Uint8Array(readFileSync(file === '-' ? 0 : file))
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code ?? 'unknown'
    throw new CryptosError('CRY_USAGE', `--file ${file} can not be read (${why})`, { cause })
  }
}

function statusOf(given: unknown): number {
  const status = Number(given ?? 200)
  if (Number.isInteger(status) && status >= 100 && status <= 599) return status
  throw new CryptosError('CRY_USAGE', `--status ${String(given)} is not an HTTP status from 100 to 599`)
}

/** When a saved answer came: a day that was under way then is no daily close. */
function receivedAtOf(options: Readonly<Record<string, unknown>>): EpochMicros | undefined {
  const text = options['receivedAt']
  if (text === undefined) return undefined
  try {
    return parseIso(String(text))
  } catch (cause) {
    const sentence = `--received-at: "${String(text).slice(0, 60)}" is not a time such as 2026-11-21T12:00:00Z`
    throw new CryptosError('CRY_USAGE', sentence, { cause })
  }
}

/** One product a call, and the answer does not name it. */
const namesNoAsset = (provider: Provider, dataset: string | undefined): boolean =>
  provider.datasets.find(d => d.id === (dataset ?? 'quotes'))?.pageSize === 1

const run: Action = async (context, [name = ''], options) => {
  const provider = providerNamed(name, 'CRY_USAGE')
  const asset = options['asset'] as string | undefined
  const dataset = options['dataset'] as string | undefined
  const parsed = parseBody(provider, readBody(String(options['file'])), {
    status: statusOf(options['status']),
    ...(dataset === undefined ? {} : { dataset }),
    ...(asset === undefined ? {} : { asset }),
    currency: String(options['currency'] ?? context.config.currency),
    receivedAt: receivedAtOf(options) ?? context.clock.now(),
  })
  if ('outcome' in parsed) {
    const { outcome, reason } = parsed
    return { exit: exitCodeOf(outcome), json: { outcome, reason }, text: `${outcome}: ${reason}` }
  }
  const isGuess = asset === undefined && namesNoAsset(provider, dataset)
  if (isGuess && parsed.records.length > 0) {
    const reason = `an answer of ${provider.title} does not say which asset it is about: name it with --asset`
    return fromOutcome('misconfigured', reason, {}, 'CRY_USAGE')
  }
  const text = parsed.records.map(
    r => `${r.asset} ${r.price} ${r.currency} at ${new Date(r.observedAt / 1_000).toISOString()}`,
  )
  const { records, missing, metrics = [] } = parsed
  const figures = metrics.map(m => [m.name, m.value, m.currency].filter(part => part !== undefined).join(' '))
  const gaps = missing.map(m => `${m.sourceId}: ${m.reason}`)
  return done([...text, ...figures, ...gaps].join('\n'), {
    records,
    missing,
    ...(figures.length > 0 && { metrics }),
  })
}

export const define: Define = (program, act) => {
  program
    .command('parse')
    .description("run a saved answer through a provider's own check and mapping")
    .argument('<provider>', providers.map(p => p.id).join(', '))
    .requiredOption('--file <body>', 'file with the answer; - is standard input')
    .option('--dataset <id>', 'dataset of the provider')
    .option('--status <n>', 'HTTP status that came with it', '200')
    .option('--asset <id>', 'asset, for answers that do not say which one they are about')
    .option('--received-at <time>', 'when it came; now without a word')
    .option('--currency <code>', 'currency to pick')
    .action(act(run))
}
