import { settings } from '../../app/config/settings.ts'
import type { Access, Dataset, Provider } from '../../collectors/provider.ts'
import { providers } from '../../collectors/registry.ts'
import { type TopicRow, topicTable } from '../../topics/table.ts'
import { backfillRow, exportRow, housekeepingRows } from './airflow-chores.ts'
import { catalogText } from './airflow-json.ts'
import { providerDoc } from './airflow-provider-doc.ts'

/** Outermost time of one task: three tries of a call and the publishing end long before. */
const executionTimeoutS = 40
const retries = 2

/** The pool and the connection of a provider have one name. */
const ownName = (provider: Provider): string => `cryptos_${provider.id}`

/** How a provider is reached where nobody gave a key; its keyed access where there is no other. */
const usualAccess = ({ keyless, keyed }: Provider): Access | undefined => keyless ?? keyed

/** Collected from where CRYPTOS_PROVIDERS says nothing. */
const usual: readonly string[] = settings.providers.fallback

/** Closed to the public by the way that it is reached without more settings: its DAG is there, paused, with this sentence. */
function disabledOf(provider: Provider): string | null {
  const retired = usualAccess(provider)?.retired
  return retired === undefined
    ? null
    : `${provider.title} is off with live data since ${retired.since}: ${retired.reason}`
}

const keyOf = (provider: Provider) =>
  provider.keyName === undefined
    ? null
    : { env: provider.keyName, connection: ownName(provider), required: provider.keyless === undefined }

const accessOf = ({ access }: Dataset): string => access ?? 'any'

const datasetRow = (dataset: Dataset) => ({
  id: dataset.id,
  kind: dataset.kind,
  access: accessOf(dataset),
  doc: dataset.doc,
})

/** Where two ways in have a history each, the one that is not closed. */
function backfillOf({ datasets, keyless }: Provider) {
  const histories = datasets.filter(({ kind }) => kind === 'history')
  const open = histories.find(({ access }) => !(access === 'keyless' && keyless?.retired !== undefined))
  const dataset = open ?? histories[0]
  return dataset === undefined ? null : { dataset: dataset.id, access: accessOf(dataset) }
}

function providerRow(provider: Provider) {
  const disabled = disabledOf(provider)
  return {
    id: provider.id,
    title: provider.title,
    dag_id: `collect_${provider.id}`,
    schedule: '* * * * *',
    pool: ownName(provider),
    pool_slots: 1,
    owner: 'cryptos',
    tags: ['cryptos', 'collect', provider.id, ...(disabled === null ? [] : ['disabled'])],
    doc: providerDoc(provider, disabled),
    disabled,
    paused: disabled !== null,
    listed: usual.includes(provider.id),
    key: keyOf(provider),
    execution_timeout_s: executionTimeoutS,
    retries,
    datasets: provider.datasets.filter(({ kind }) => kind !== 'history').map(datasetRow),
    backfill: backfillOf(provider),
  }
}

/** Which datasets fill a topic; the others are filled by the ledger, the judge and the stores. */
const kindsOf: Readonly<Record<string, readonly string[]>> = {
  'market.quotes.v1': ['quotes', 'market', 'history'],
  'market.metrics.v1': ['metrics'],
}

const topicRow = ({ name, used, doc }: TopicRow) => ({
  name,
  uri: `x-kafka://${name}`,
  kinds: kindsOf[name] ?? [],
  used,
  doc,
})

/** All that the DAGs are made of. Lists are in the order of the registry and of the topic table. */
export const airflowCatalogOf = () => ({
  version: 1,
  providers: providers.map(providerRow),
  topics: Object.values(topicTable()).map(topicRow),
  housekeeping: housekeepingRows,
  export: exportRow,
  backfill: backfillRow,
})

/** `airflow/catalog.json`. */
export const airflowCatalog = (): string => `${catalogText(airflowCatalogOf())}\n`
