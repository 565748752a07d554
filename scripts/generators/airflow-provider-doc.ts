import type { Access, Dataset, Provider } from '../../collectors/provider.ts'
import { every, limits } from './providers.ts'
import { table } from './table.ts'

const accessText = (name: string, access: Access | undefined): string[] =>
  access === undefined ? [] : [`- ${name}: ${limits(access.limits)} (\`${access.baseUrl}\`)`]

const datasetRow = ({ id, kind, access, intervalMs, doc }: Dataset): string[] => [
  `\`${id}\``,
  kind,
  access === undefined ? 'with or without a key' : access === 'keyed' ? 'with a key' : 'without a key',
  kind === 'history' ? 'by `cryptos_backfill`' : `every ${every(intervalMs)}`,
  doc,
]

/** What the page of the DAG says: what comes, what may be spent, and how to read a skip. Markdown. */
export const providerDoc = (provider: Provider, disabled: string | null): string =>
  [
    `### ${provider.title}`,
    `${provider.doc}.`,
    ...(disabled === null ? [] : [closedText(provider, disabled)]),
    '#### What it collects',
    table(['dataset', 'kind', 'access', 'asked', 'what'], provider.datasets.map(datasetRow)),
    'One task for each dataset that `CRYPTOS_DATASETS` wants. The DAG ticks each minute; the planner decides whether a call is due, so an interval is as short as the quota allows and no shorter.',
    '#### What may be spent',
    limitsText(provider),
    '#### How to read a run',
    skipText,
    ...(provider.attribution === undefined ? [] : [`To be shown beside its data: ${provider.attribution}`]),
    `How its API was found to behave: \`collectors/providers/${provider.id}/NOTES.md\`; its limits and datasets beside those of the others: \`docs/reference/providers.md\`.`,
  ].join('\n\n')

const closedText = (provider: Provider, disabled: string): string =>
  [
    `> **Paused.** ${disabled}.`,
    `> Whoever still has access sets \`CRYPTOS_RETIRED_PROVIDERS=${provider.id}\`${provider.keyed && provider.keyless ? `, or the key \`${provider.keyName ?? ''}\`,` : ''} and unpauses the DAG. With simulated data it runs as it is.`,
  ].join('\n')

const limitsText = (provider: Provider): string =>
  [
    ...accessText('without a key', provider.keyless),
    ...accessText(`with \`${provider.keyName ?? 'a key'}\``, provider.keyed),
    ...Object.entries(provider.plans ?? {}).map(([name, plan]) => `- plan \`${name}\`: ${limits(plan)}`),
    provider.usage === undefined
      ? '- it tells no usage of its own: the ledger counts'
      : '- it tells its usage: `cryptos_reconcile` compares it with the ledger',
  ].join('\n')

const skipText = [
  '- **success**: the answer is in the outbox and its records are in the topic',
  '- **skipped**: no call was made, and none was needed or allowed: `not-due` (too early), `already-done` (the slot was answered before), `denied-by-quota` (a call could pass the limit), `frozen`, `source-disabled`. The reason is on the task, and in the list of skips of the Quota page',
  '- **up for retry**: the source or the network failed; the next try is at the time that the collector named',
  '- **failed**: a key or a setting is wrong (no retry), or the tries are used up',
].join('\n')
