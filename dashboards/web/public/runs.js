import { byId, el } from './dom.js'
import { formatClock, formatCount, formatDay } from './format.js'
import { groupRuns } from './run-groups.js'

/**
 * @typedef {{ runId: string, provider: string, dataset: string, startedAt: string, endedAt: string, durationMs: number,
 *   outcome: string, meaning: string, exitCode: number, reason: string, credits: number, records: number, retryAt: string | null }} RunView
 * @typedef {{ runs: RunView[] }} RunsView
 */

const columns = ['Time', 'Source', 'Outcome', 'Reason', 'Records', 'Credits', 'Took']

/** What is shown until more is asked for. */
const few = 12
let showsAll = false

/** @param {RunsView} view */
export function showRuns({ runs }) {
  const place = byId('runs')
  if (runs.length === 0)
    return place.replaceChildren(
      el('p', { class: 'empty' }, 'No runs yet: the first one shows up here in a few seconds.'),
    )
  const groups = groupRuns(runs)
  const head = el('tr', {}, ...columns.map(name => el('th', { scope: 'col' }, name)))
  const table = el(
    'table',
    {},
    el('caption', { class: 'hidden' }, 'The newest runs of the collectors, newest first'),
    el('thead', {}, head),
    el('tbody', {}, ...groups.slice(0, showsAll ? groups.length : few).map(rowOf)),
  )
  place.replaceChildren(table, ...(groups.length > few ? [moreOf(runs, groups.length)] : []))
}

/** @param {RunView[]} runs @param {number} lines */
function moreOf(runs, lines) {
  const button = el(
    'button',
    { class: 'more', type: 'button', 'aria-expanded': String(showsAll) },
    showsAll ? `Show the newest ${few}` : `Show all ${lines}`,
  )
  button.addEventListener('click', () => {
    showsAll = !showsAll
    showRuns({ runs })
    byId('runs').querySelector('button')?.focus()
  })
  return button
}

/** @param {import('./run-groups.js').RunGroup} group */
function rowOf({ newest: run, count, records, credits, longestMs }) {
  const kind = run.exitCode === 0 ? 'done' : run.exitCode === 99 ? 'skipped' : 'failed'
  const ended = Date.parse(run.endedAt)
  const time = el(
    'time',
    { datetime: run.endedAt, title: `${formatDay(ended)} (${run.endedAt})` },
    formatClock(ended),
  )
  const outcome = el('span', { class: 'outcome', 'data-kind': kind, title: run.meaning }, run.outcome)
  const again = run.retryAt ? `, again at ${formatClock(Date.parse(run.retryAt))}` : ''
  return el(
    'tr',
    {},
    cell('time', time),
    cell(
      'source',
      `${run.provider} `,
      el('small', {}, count > 1 ? `${run.dataset} × ${count}` : run.dataset),
    ),
    cell('what', outcome),
    cell('reason', (run.reason || (run.outcome === 'collected' ? '' : run.meaning)) + again),
    cell('num', formatCount(records)),
    cell('num', formatCount(credits)),
    cell('num', `${formatCount(longestMs)} ms`),
  )
}

/** @param {string} name @param {...(Node | string)} children */
const cell = (name, ...children) => el('td', { class: name }, ...children)
