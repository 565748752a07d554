import { Credits } from '../core/brands.ts'
import { parseIso } from '../core/time.ts'
import { VirtualClock } from '../core/virtual-clock.ts'
import { knownAssetRefs, pagesOf } from '../collectors/assets.ts'
import { datasetsOf } from '../collectors/poll-types.ts'
import type { Source } from '../collectors/poll-types.ts'
import type { Dataset, HttpAnswer, MappingContext, Page, Provider } from '../collectors/provider.ts'
import { providers } from '../collectors/registry.ts'
import { callOf } from '../collectors/request.ts'
import { sourceOf } from '../collectors/source.ts'
import { sandboxKey, type Sandbox, startSandbox } from '../sandbox/server.ts'
import { type BenchLine, median } from './line.ts'

const bar = 30_000
const rounds = 5
const roundMs = 150
const start = parseIso('2026-11-21T12:00:30Z')

/** One answer of a provider's twin to the page that a poll asks, and what it takes to read it. */
interface Subject {
  readonly name: string
  readonly dataset: Dataset
  readonly answer: HttpAnswer
  readonly context: MappingContext
  /** Of one answer. */
  readonly records: number
}

/**
 * [provider-parse:<name>]: judge and map of the answer of every provider's latest prices, as its twin sends it for all known assets.
 * Every record is compared with what the twin served. Providers take turns, so that the machine's noise meets all alike.
 */
export async function benchProviderParse(): Promise<BenchLine[]> {
  const clock = new VirtualClock(start)
  const sandbox = await startSandbox({ clock })
  try {
    const subjects: Subject[] = []
    for (const provider of providers) subjects.push(...(await subjectsOf(provider, sandbox, clock)))
    const rates = new Map(subjects.map(subject => [subject.name, [] as number[]]))
    for (let round = -1; round < rounds; round += 1)
      for (const subject of subjects) {
        const rate = rateOf(subject)
        if (round >= 0) rates.get(subject.name)?.push(rate)
      }
    return subjects.map(subject => lineOf(subject, median(rates.get(subject.name) ?? [])))
  } finally {
    await sandbox.close()
  }
}

/** The latest prices by each way to reach the provider. */
async function subjectsOf(provider: Provider, sandbox: Sandbox, clock: VirtualClock): Promise<Subject[]> {
  const ways = [provider.keyless && {}, provider.keyed && { key: sandboxKey }].filter(
    way => way !== undefined,
  )
  const found: Subject[] = []
  for (const way of ways) {
    const { source } = sourceOf(provider, { ...way, sandboxBaseUrl: sandbox.baseUrl(provider.id) })
    const dataset = datasetsOf(source).find(d => d.kind === 'quotes')
    if (!dataset || found.some(subject => subject.dataset === dataset)) continue
    const name = found.length === 0 ? provider.id : `${provider.id}/${dataset.id}`
    found.push(await subjectOf(name, source, dataset, { sandbox, clock }))
  }
  return found
}

async function subjectOf(
  name: string,
  source: Source,
  dataset: Dataset,
  { sandbox, clock }: { readonly sandbox: Sandbox; readonly clock: VirtualClock },
): Promise<Subject> {
  const { provider } = source
  const refs = knownAssetRefs(provider).filter(ref => dataset.assets?.has(ref.asset) ?? true)
  const currency = provider.currencies?.includes('USD') === false ? (provider.currencies[0] ?? 'USD') : 'USD'
  const [page] = pagesOf(dataset, refs, currency)
  if (!page) throw new Error(`${name} has no page`)
  const call = callOf(source, dataset.request(page), clock.now())
  const secret = call.secretHeader ? { [call.secretHeader.name]: call.secretHeader.value } : {}
  const response = await fetch(call.url, { headers: { ...call.headers, ...secret } })
  const body = new Uint8Array(await response.arrayBuffer())
  const answer = { status: response.status, headers: {}, body, receivedAt: clock.now() }
  const context = contextOf(provider, dataset, page)
  const served = sandbox.meter
    .entries()
    .at(-1)
    ?.values.filter(v => page.assets.some(a => a.sourceId === v.sourceId))
  return check({ name, dataset, answer, context }, served ?? [])
}

/** A parser that drops rows or digits would be fast. */
function check(
  subject: Omit<Subject, 'records'>,
  served: readonly { readonly sourceId: string; readonly price: string }[],
): Subject {
  const { name, dataset, answer, context } = subject
  const { records } = dataset.map(answer.body, context)
  const prices = new Map(served.map(value => [value.sourceId, value.price]))
  const wrong = records.filter(r => prices.size > 0 && prices.get(r.sourceId) !== r.price)
  if (records.length === 0 || wrong.length > 0)
    throw new Error(`${name}: ${records.length} records, ${wrong.length} of them not as they were served`)
  return { ...subject, records: records.length }
}

function contextOf(provider: Provider, dataset: Dataset, page: Page): MappingContext {
  return {
    ...{ provider: provider.id, dataset: dataset.id, page, origin: 'sandbox', runId: 'bench' },
    ...{ receivedAt: start, revision: 0, credits: Credits(0), rawRef: 'bench' },
  }
}

/** Records per CPU-second, user and system. */
function rateOf({ dataset, answer, context }: Subject): number {
  let records = 0
  const before = process.cpuUsage()
  const end = performance.now() + roundMs
  while (performance.now() < end) {
    if (dataset.judge(answer, context.page).kind === 'answered')
      records += dataset.map(answer.body, context).records.length
  }
  const { user, system } = process.cpuUsage(before)
  return records / ((user + system) / 1e6)
}

function lineOf({ name, answer, records }: Subject, rate: number): BenchLine {
  const value = Math.round(rate)
  const note = `judge and map, ${records} prices in ${answer.body.byteLength} bytes; compared with what was served`
  return { name: `provider-parse:${name}`, value, unit: 'prices/CPU-s', bar, ok: value >= bar, note }
}

if (import.meta.main) for (const line of await benchProviderParse()) console.log(JSON.stringify(line))
