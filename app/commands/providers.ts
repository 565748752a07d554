import type { SourceView } from '../../core/ports/reader.ts'
import { checkNames } from '../check-names.ts'
import { done } from '../result.ts'
import { settledKind } from '../source.ts'
import { sourceViews } from '../source-views.ts'
import { type Action, type Define, sourceOption, withSource } from './command.ts'

/** Lists every provider; calls nobody. */
const list: Action = async ({ config }) => {
  checkNames(config)
  const source = { kind: settledKind(config) }
  const views = sourceViews(config, source)
  const whose = source.kind === 'live' ? 'With live data:' : 'With simulated data:'
  return done([whose, ...views.map(lineOf)].join('\n'), { source: source.kind, providers: views })
}

function lineOf({ provider, isOn, why, access, currency, datasets, attribution }: SourceView): string {
  const state = isOn ? `on, ${access}, ${currency ?? ''}` : `off: ${why}`
  const more = [
    `datasets: ${datasets.join(', ') || 'none without a key'}`,
    ...(attribution === null ? [] : [attribution]),
  ]
  return [`${provider.padEnd(16)} ${state}`, ...more.map(line => `${' '.repeat(17)}${line}`)].join('\n')
}

export const define: Define = (program, act) => {
  program
    .command('providers')
    .description('every provider: on or off, and why')
    .option(...sourceOption)
    .action(act(list, withSource))
}
