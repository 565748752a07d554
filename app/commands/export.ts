import { pipeline } from 'node:stream/promises'
import { findAsset } from '../../core/assets.ts'
import { type AssetId, EpochMicros } from '../../core/brands.ts'
import { CryptosError } from '../../core/errors.ts'
import { addMs, MINUTE } from '../../core/time.ts'
import { parseTime } from '../../dashboards/web/times.ts'
import { partsOf, storeNames } from '../config/parts.ts'
import { parseDuration } from '../duration.ts'
import { type ExportKind, exportKinds, exportLines } from '../export/lines.ts'
import { writeWhole } from '../export/whole-file.ts'
import { openStoreReader } from '../open-store.ts'
import { count } from '../plural.ts'
import { done, type Result } from '../result.ts'
import { settledSource } from '../settled-source.ts'
import { storeNamed } from '../store-option.ts'
import { using } from '../using.ts'
import { type Action, type Define, sourceOption, withSource } from './command.ts'

/** As the web API takes times. @throws CryptosError CRY_USAGE */
function timeOf(option: string, text: unknown, now: EpochMicros, fallback: EpochMicros): EpochMicros {
  if (text === undefined) return fallback
  const given = String(text)
  try {
    return parseTime(option, given, now)
  } catch (cause) {
    throw new CryptosError(
      'CRY_USAGE',
      `${option}: "${given.slice(0, 60)}" is not a time such as 2026-11-21, 2026-11-21T12:00:00Z, now or -6h`,
      { cause },
    )
  }
}

function assetOf(text: unknown): { asset?: AssetId } {
  if (text === undefined) return {}
  const asset = findAsset(String(text))
  if (!asset)
    throw new CryptosError(
      'CRY_USAGE',
      `--asset: "${String(text).slice(0, 60)}" is not a known asset: cryptos assets lists them`,
    )
  return { asset: asset.id }
}

/** A reader of the pipe that has seen enough (`| head`) ends the export, and is no error. */
async function writeOut(lines: AsyncIterable<string>, file: string | undefined): Promise<void> {
  try {
    await (file === undefined ? pipeline(lines, process.stdout, { end: false }) : writeWhole(lines, file))
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code ?? ''
    if (file === undefined && (why === 'EPIPE' || why === 'ERR_STREAM_PREMATURE_CLOSE')) return
    if (why === 'ENOSPC' || why === 'EDQUOT' || why === 'EFBIG')
      throw new CryptosError(
        'CRY_DISK_FULL',
        `no space left to write ${file ?? 'standard output'} (${why})`,
        {
          cause,
        },
      )
    if (!fileErrors.has(why)) throw cause
    throw new CryptosError(
      'CRY_USAGE',
      `--out ${file} can not be written (${why}): name a file in a folder that you can write`,
      { cause },
    )
  }
}

const fileErrors = new Set([
  'ENOENT',
  'ENOTDIR',
  'EISDIR',
  'EACCES',
  'EBUSY',
  'EPERM',
  'EROFS',
  'ELOOP',
  'ENAMETOOLONG',
])

function kindOf(text: unknown): ExportKind {
  const kind = exportKinds.find(k => k === text)
  if (kind !== undefined) return kind
  throw new CryptosError('CRY_USAGE', `--kind is one of ${exportKinds.join(', ')}`)
}

const run: Action = async (context, _args, options): Promise<Result> => {
  const now = context.clock.now()
  const since = EpochMicros(Math.max(0, addMs(now, -parseDuration(String(options['since']), '--since'))))
  const from = timeOf('--from', options['from'], now, since)
  const to = timeOf('--to', options['to'], now, addMs(now, MINUTE))
  const kind = kindOf(options['kind'])
  const range = { from, to, ...assetOf(options['asset']) }
  if (kind === 'metrics' && range.asset)
    throw new CryptosError('CRY_USAGE', '--asset: figures of the whole market are of no asset')
  const file = options['out'] as string | undefined
  const asJson = options['format'] === 'jsonl'
  if (!asJson && options['format'] !== 'csv') throw new CryptosError('CRY_USAGE', '--format is csv or jsonl')
  if (context.json && file === undefined)
    throw new CryptosError(
      'CRY_USAGE',
      '--json needs --out: without it the rows themselves go to standard output (--format jsonl gives them as JSON)',
    )
  const sink = options['sink']
  const store = sink === undefined ? partsOf(context.config).stores[0] : storeNamed(String(sink))
  const place = { ...context, source: settledSource(context) }
  return using(await openStoreReader(store ?? 'sqlite', place), async reader => {
    const counted = { rows: 0 }
    await writeOut(exportLines(reader, { kind, range, asJson }, counted), file)
    return done(file === undefined ? '' : `${count(counted.rows, 'row')} written to ${file}`, {
      ...counted,
      ...(file === undefined ? {} : { file }),
    })
  })
}

export const define: Define = (program, act) => {
  program
    .command('export')
    .description(
      'what is stored, as CSV or JSON lines, with every digit: prices, or what is known beside them',
    )
    .option('--out <file>', 'file; else standard output')
    .option('--kind <kind>', exportKinds.join(', '), 'quotes')
    .option('--format <csv|jsonl>', 'format', 'csv')
    .option(
      '--sink <name>',
      `out of this store: ${storeNames.join(', ')}; without it the first that \`process\` stores into`,
    )
    .option('--asset <id>', 'only this asset')
    .option('--since <duration>', 'how far back', '24h')
    .option('--from <time>', 'from this time on, instead of --since: 2026-11-21, 2026-11-21T12:00:00Z, -6h')
    .option('--to <time>', 'up to this time, which does not belong to it')
    .option(...sourceOption)
    .action(act(run, withSource))
}
