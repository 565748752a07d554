/** A DAG that starts one command by the clock. `command` is what follows `cryptos`; `--json` is the operator's to add. */
interface Chore {
  readonly dag_id: string
  readonly schedule: string
  readonly owner: string
  readonly tags: readonly string[]
  readonly doc: string
  readonly command: readonly string[]
  readonly execution_timeout_s: number
  readonly retries: number
}

const chore = (
  name: string,
  { schedule, command, timeoutS = 300, retries = 1 }: ChoreTimes,
  doc: readonly string[],
): Chore => ({
  dag_id: `cryptos_${name}`,
  schedule,
  owner: 'cryptos',
  tags: ['cryptos', 'housekeeping'],
  doc: doc.join('\n\n'),
  command,
  execution_timeout_s: timeoutS,
  retries,
})

interface ChoreTimes {
  readonly schedule: string
  readonly command: readonly string[]
  readonly timeoutS?: number
  readonly retries?: number
}

export const housekeepingRows: readonly Chore[] = [
  chore('reconcile', { schedule: '*/10 * * * *', command: ['quota', 'reconcile'], timeoutS: 60 }, [
    'Asks each provider that tells its usage for its own figure, and adopts the higher one: the ledger never believes that less was spent.',
    'Costs 0 credits and one call of the minute for each key. **Skipped** where no provider with a usage endpoint has a key, or where the quota denies even that call.',
  ]),
  chore('audit', { schedule: '17 * * * *', command: ['audit'], timeoutS: 900 }, [
    'Rows in = rows out: every answer that the ledger took, against the topic and each configured store, by hash.',
    '**Failed** means a difference: `cryptos audit` shows it, `cryptos audit --repair` writes what is missing again. Nothing is deleted.',
  ]),
  chore('retention', { schedule: '43 * * * *', command: ['housekeeping'], timeoutS: 600 }, [
    'Removes what its retention no longer keeps: published answers of the outbox, records of the topics, judgements of the stores. A second run at once removes nothing.',
    'Kafka removes by itself what is too old, so its count is 0 there.',
  ]),
  chore(
    'dead_letters',
    { schedule: '7 * * * *', command: ['dlq', 'report', '--since', '2h'], timeoutS: 120, retries: 0 },
    [
      'Counts the messages and answers of the last two hours that could not be used, by stage and code: twice the time between two runs, so that none is missed when a run is late, and one may be told twice.',
      '**Failed** means that there are new ones: `cryptos dlq list` names them, `cryptos dlq show <id>` shows the bytes, `cryptos dlq replay <id>` sends them again after a fix.',
    ],
  ),
  chore('freshness', { schedule: '*/10 * * * *', command: ['freshness'], timeoutS: 120, retries: 0 }, [
    'Looks whether each wanted dataset of each enabled provider has an answer that is young enough for the pace that the quota allows now.',
    '**Failed** means that one has not. Its reason tells the two causes apart that a grid of green and pink squares hides: nothing ran at all, or all that ran was skipped.',
    '**Skipped** means that nothing is wanted.',
  ]),
]

/** Started by its assets, or by hand. */
export const exportRow = {
  dag_id: 'cryptos_export',
  owner: 'cryptos',
  tags: ['cryptos', 'export'],
  doc: 'Writes the stored prices of the last day as CSV, with every digit, whenever a collector has published new ones. The file is replaced at once, so a reader never sees half of it.',
  execution_timeout_s: 600,
  retries: 1,
}

/** Started by hand, with its parameters. */
export const backfillRow = {
  dag_id: 'cryptos_backfill',
  owner: 'cryptos',
  tags: ['cryptos', 'backfill'],
  doc: [
    'Past prices of whole days: provider, assets, from, to.',
    'The first task shows the credits that it would cost beside those that are left, and skips the rest when they are not there: nothing is sent then. What was answered by an earlier run is not paid again, so the same parameters go on where a run ended.',
    '**Skipped** after some calls means that the quota denied the next one: what came is kept. The run does not wait; `retryAt` of its result says when the same parameters may go on.',
  ].join('\n\n'),
  execution_timeout_s: 3_600,
  retries: 2,
}
