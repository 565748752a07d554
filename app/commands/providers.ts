import type { SourceView } from '../../core/ports/reader.ts'
import { done } from '../result.ts'
import { settledKind } from '../source.ts'
import { sourceViews } from '../source-views.ts'
import { type Action, type Define, sourceOption, withSource } from './command.ts'

/** Lists every provider; calls nobody. */
const list: Action = async ({ config }) => {
  const source = { kind: settledKind(config) }
  const views = sourceViews(config, source)
  return done(views.map(lineOf).join('\n'), { source: source.kind, providers: views })
}

function lineOf({ provider, isOn, why, access, currency, datasets }: SourceView): string {
  const state = isOn ? `on, ${access}, ${currency ?? ''}` : `off: ${why}`
  return `${provider.padEnd(16)} ${state}\n${' '.repeat(17)}datasets: ${datasets.join(', ') || 'none without a key'}`
}

export const define: Define = (program, act) => {
  program
    .command('providers')
    .description('every provider: on or off, and why')
    .option(...sourceOption)
    .action(act(list, withSource))
}
