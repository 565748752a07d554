import { errorKinds } from '../../core/errors.ts'
import { outcomes } from '../../core/outcomes.ts'
import { page, table } from './table.ts'

const reactions: Readonly<Record<string, string>> = {
  retry: 'try again later (exit 1)',
  wait: 'wait as long as told, then go on',
  'dead-letter': 'keep the bytes aside, go on with the rest',
  stop: 'stop: a person has to act',
}

/** `docs/reference/errors.md`. */
export const errorReference = (): string =>
  page(
    'Errors',
    'Every error that the product reports has one of these codes. The reaction is decided in one place, `classify()` in `core/errors.ts`.',
    table(
      ['code', 'what happened', 'what the program does', 'what you do'],
      Object.entries(errorKinds).map(([code, k]) => [
        `\`${code}\``,
        k.meaning,
        `${reactions[k.reaction] ?? k.reaction}${k.reaction === 'stop' ? ` (exit ${k.exit})` : ''}`,
        k.remedy,
      ]),
    ),
  )

/** `docs/reference/outcomes.md`. */
export const outcomeReference = (): string =>
  page(
    'Outcomes',
    'How a run ended: the closed list of `core/outcomes.ts`. The exit code is what Airflow and cron see: 0 done, 99 skipped, 1 failed and worth a retry, 2 never to be retried.',
    table(
      ['outcome', 'exit', 'meaning'],
      Object.entries(outcomes).map(([name, o]) => [`\`${name}\``, String(o.exit), o.meaning]),
    ),
  )
