import * as z from 'zod/mini'
import { providerKeys } from './provider-keys.ts'
import { list, matching, oneOf, pairs, share, text, wholeNumber } from './schemas.ts'
import { serverSecrets, serverSettings } from './server-settings.ts'
import { setting } from './setting.ts'

export type { Setting } from './setting.ts'

/** Every setting, once: reader, type, default and documentation come from this table. */
export const settings = {
  dataDir: setting(
    'CRYPTOS_DATA_DIR',
    text,
    '.cryptos',
    'Folder of the ledger, the log and the store; private to the user. Live and sandbox data have a folder each inside it. A local disk, never NFS',
  ),
  source: setting(
    'CRYPTOS_SOURCE',
    () => oneOf('auto', 'live', 'sandbox'),
    'auto',
    '`live` = the real providers, `sandbox` = simulated ones, `auto` = for `up`: live if any answers or a key is set, else sandbox; for other commands: live with a key, sandbox with CRYPTOS_SANDBOX_URL, else as `up` (or the first `collect`) took it last',
  ),
  port: setting(
    'CRYPTOS_PORT',
    () => wholeNumber(0, 65_535),
    8377,
    'Port of the page and the web API; 0 = any free one',
  ),
  host: setting(
    'CRYPTOS_HOST',
    text,
    '127.0.0.1',
    'Address that the page listens on; anything but a loopback address needs CRYPTOS_TOKEN_FILE',
  ),
  assets: setting(
    'CRYPTOS_ASSETS',
    list,
    ['bitcoin', 'ethereum', 'solana', 'xrp', 'cardano', 'dogecoin'],
    'Assets to collect, by id or unambiguous symbol, separated by commas',
  ),
  currency: setting(
    'CRYPTOS_CURRENCY',
    () => matching(/^[A-Z]{3,5}$/, 'a currency code such as USD is wanted'),
    'USD',
    'Currency of the prices',
  ),
  providers: setting(
    'CRYPTOS_PROVIDERS',
    list,
    [
      ...['coinmarketcap', 'coindesk', 'bitcoinaverage', 'kraken'],
      ...['coinbase', 'binance', 'coinpaprika', 'mempool'],
    ],
    'Providers to collect from, separated by commas (`cryptos providers` lists them)',
  ),
  datasets: setting(
    'CRYPTOS_DATASETS',
    list,
    ['quotes'],
    'What to collect: kinds (`quotes`, `market`, `metrics`) of every provider, or single ones as `provider/dataset`; all share the credits of a provider',
  ),
  topAssets: setting(
    'CRYPTOS_TOP_ASSETS',
    () => wholeNumber(0, 5_000),
    0,
    'Datasets of market data that can list the largest assets are asked for so many of them, new listings included; 0 = for the wanted assets',
  ),
  spotSources: setting(
    'CRYPTOS_SPOT_SOURCES',
    list,
    [],
    'Which source serves the spot price of an asset, first choice first; without a word in the order of CRYPTOS_PROVIDERS. Where one is dead, denied or insane, the next serves, and it is told',
  ),
  retiredProviders: setting(
    'CRYPTOS_RETIRED_PROVIDERS',
    list,
    [],
    'Providers that are closed to the public and that you still have access to: without a word they are off in live mode',
  ),
  minIntervalSeconds: setting(
    'CRYPTOS_MIN_INTERVAL_SECONDS',
    () => wholeNumber(0, 86_400),
    0,
    'Never ask a provider for the same page more often than this; 0 = as the provider folder says',
  ),
  reserveShare: setting(
    'CRYPTOS_RESERVE_SHARE',
    () => share(0, 0.9),
    0.02,
    'Share of a credit quota that even pacing leaves for people and repairs',
  ),
  plans: setting(
    'CRYPTOS_PLANS',
    pairs,
    [],
    'Plans of keys as `provider=plan`, separated by commas: their limits hold until the key itself tells; without a word the free plan of each provider, or the smallest there has been where the provider tells its usage (see docs/how-to/use-a-key.md)',
  ),
  sharedKeys: setting(
    'CRYPTOS_SHARED_KEYS',
    list,
    [],
    'Providers whose key other programs use too: the ledger then keeps 2 % free',
  ),
  batchMaxRecords: setting(
    'CRYPTOS_BATCH_MAX_RECORDS',
    () => z.optional(wholeNumber(1, 100_000)),
    undefined,
    'A micro-batch is stored when it has this many records; without it 3000, and 6000 for Cassandra',
  ),
  batchMaxBytes: setting(
    'CRYPTOS_BATCH_MAX_BYTES',
    () => wholeNumber(1_000, 100_000_000),
    4_000_000,
    'A micro-batch is stored when it has this many bytes',
  ),
  batchMaxAgeMs: setting(
    'CRYPTOS_BATCH_MAX_AGE_MS',
    () => wholeNumber(0, 60_000),
    100,
    'A micro-batch is stored when its oldest record has waited this many milliseconds; one of Kafka up to a second later while the topic has what it lacks',
  ),
  httpConnectTimeoutMs: setting(
    'CRYPTOS_HTTP_CONNECT_TIMEOUT_MS',
    // The caps of these two are the constants of the quota ledger, by which it knows when a call is over.
    () => wholeNumber(100, 5_000),
    5_000,
    'Milliseconds to connect to a provider',
  ),
  httpDeadlineMs: setting(
    'CRYPTOS_HTTP_DEADLINE_MS',
    () => wholeNumber(200, 20_000),
    20_000,
    'Milliseconds from connecting to the last byte of an answer',
  ),
  httpMaxBytes: setting(
    'CRYPTOS_HTTP_MAX_BYTES',
    // As base64 in a dead letter it must fit into a message of 16 MiB.
    () => wholeNumber(1_000, 12_000_000),
    12_000_000,
    'Largest answer, on the wire and inflated',
  ),
  outboxMaxBytes: setting(
    'CRYPTOS_OUTBOX_MAX_BYTES',
    () => wholeNumber(100_000, 100_000_000_000),
    2_000_000_000,
    'Bytes of unpublished answers at which spending stops; nothing is ever dropped',
  ),
  outboxRetentionHours: setting(
    'CRYPTOS_OUTBOX_RETENTION_HOURS',
    () => wholeNumber(1, 8_760),
    24,
    'Hours that published raw answers are kept',
  ),
  quotesRetentionDays: setting(
    'CRYPTOS_QUOTES_RETENTION_DAYS',
    () => wholeNumber(1, 36_500),
    7,
    'Days that the topics of prices and of the records beside them keep what travelled (the store keeps its rows)',
  ),
  judgementsRetentionDays: setting(
    'CRYPTOS_JUDGEMENTS_RETENTION_DAYS',
    () => wholeNumber(1, 36_500),
    7,
    "Days that the store keeps what each minute's consensus was made of, and who served (the price of the consensus stays, as a row of its own)",
  ),
  spender: setting(
    'CRYPTOS_SPENDER',
    () =>
      z.optional(
        matching(
          /^[^/\p{Cc}\p{Cs}\u2028\u2029][^\p{Cc}\p{Cs}\u2028\u2029]{0,299}$/u,
          'a name and a run such as collect_kraken/run-1 is wanted, of at most 300 characters, none of them a control character',
        ),
      ),
    undefined,
    'For whom calls are made, as `name/run` (such as an Airflow DAG and its run): kept with each run, and `quota status` sums calls and credits by the part before the first `/`',
  ),
  logLevel: setting(
    'CRYPTOS_LOG_LEVEL',
    () => oneOf('trace', 'debug', 'info', 'warn', 'error', 'silent'),
    'info',
    'Least level that is logged, on stderr',
  ),
  sandboxUrl: setting(
    'CRYPTOS_SANDBOX_URL',
    () =>
      z.optional(
        matching(/^http:\/\/(127\.0\.0\.1|localhost):\d{1,5}$/, 'http://127.0.0.1:PORT is wanted').check(
          z.refine(url => URL.canParse(url), 'http://127.0.0.1:PORT is wanted, with a port up to 65535'),
        ),
      ),
    undefined,
    'A sandbox that already runs (`cryptos sandbox`); only a loopback address. With it and without a key, the source `auto` means `sandbox` (`up` alone still asks the live sources first)',
  ),
  sandboxPort: setting(
    'CRYPTOS_SANDBOX_PORT',
    () => wholeNumber(0, 65_535),
    0,
    'Port of `cryptos sandbox`; 0 = any free one',
  ),
  sandboxSeed: setting(
    'CRYPTOS_SANDBOX_SEED',
    () => wholeNumber(0, 4_294_967_295),
    1,
    'Seed of the simulated prices',
  ),
  sandboxPrices: setting(
    'CRYPTOS_SANDBOX_PRICES',
    () => z.optional(z.string('a text is wanted')),
    undefined,
    'CSV file (time, asset, price) that the sandbox plays instead of its seeded walk',
  ),
  sandboxClockFile: setting(
    'CRYPTOS_SANDBOX_CLOCK_FILE',
    () => z.optional(z.string('a text is wanted')),
    undefined,
    'Virtual clock shared by the processes of a simulation; refused with live data',
  ),
  ...serverSettings,
} as const

/** Secrets, those of providers by the provider's name: only from the environment or a file that others can not read, never from the command line. */
export const secrets = {
  ...providerKeys,
  ...serverSecrets,
  token: {
    env: 'CRYPTOS_TOKEN',
    doc: 'Token that the page asks for when it listens beyond this machine; or CRYPTOS_TOKEN_FILE',
  },
} as const satisfies Readonly<Record<string, { readonly env: string; readonly doc: string }>>

/** The command-line options that stand for a setting. */
export const optionNames: Readonly<Partial<Record<SettingName, string>>> = {
  source: '--source',
  port: '--port',
  assets: '--assets',
  currency: '--currency',
  providers: '--providers',
  spender: '--spender',
  sandboxPort: '--port',
  sandboxSeed: '--seed',
  sandboxPrices: '--prices',
}

/** Names that the launcher, tests and benchmarks read; known, so that they are no errors. */
export const otherNames = [
  'CRYPTOS_CONFIG_FILE',
  'CRYPTOS_LAUNCHED',
  'CRYPTOS_CAPTURES',
  'CRYPTOS_COMMAND',
  'CRYPTOS_CHROMIUM',
  'CRYPTOS_LIVE',
  'CRYPTOS_STACK_CACHE',
  'CRYPTOS_STACK_FOLDER',
  'CRYPTOS_KILLS',
  'CRYPTOS_CUT_MS',
  'CRYPTOS_SCREENSHOTS',
  'CRYPTOS_EXPORT_DIR',
] as const

type Settings = typeof settings
export type SettingName = keyof Settings
export type SettingValues = { readonly [Name in SettingName]: z.output<ReturnType<Settings[Name]['schema']>> }
/** `token`, one of a server's, or the name of a provider that takes a key. */
export type SecretName = string
