import { byId, el } from './dom.js'
import { formatClock, formatCount, formatDay, formatSpan, group } from './format.js'

/**
 * @typedef {{ window: string, limit: number | null, used: number, reserved: number, left: number | null, resetsAt: string }} QuotaWindow
 * @typedef {{ scope: string, provider: string, plan: string, frozen: string | null, pausedWhy?: string | null, windows: QuotaWindow[],
 *   runsOutAt: string | null, lastReconciledAt: string | null, drift: number | null }} Scope
 * @typedef {{ scopes: Scope[] }} QuotaView
 */

/** Share of a limit from which a bar warns. */
const nearEnd = 0.9

/** Draws all scopes anew; they change seldom. @param {QuotaView} view @param {number} now the server's time */
export function showQuota({ scopes }, now) {
  const place = byId('quota')
  if (scopes.length === 0)
    return place.replaceChildren(
      el('p', { class: 'empty' }, 'No quota yet: each key appears here with its first call.'),
    )
  place.replaceChildren(...scopes.map(scope => scopeOf(scope, now)))
}

/** @param {Scope} scope @param {number} now */
function scopeOf(scope, now) {
  const title = el(
    'h3',
    {},
    scope.provider,
    el('span', { class: 'tag' }, planText(scope.plan)),
    el('code', { title: scope.scope }, shorten(scope.scope)),
  )
  const frozen = scope.frozen
    ? [el('p', { class: 'alarm' }, el('b', {}, 'Frozen'), ` ${scope.frozen}: no call is made.`)]
    : []
  // The provider's own word, with the time: it refused the key or the address until then.
  const paused = scope.pausedWhy
    ? [el('p', { class: 'alarm' }, el('b', {}, 'Paused'), ` ${scope.pausedWhy}`)]
    : []
  return el(
    'article',
    { class: 'scope' },
    title,
    ...frozen,
    ...paused,
    ...scope.windows.flatMap(w => (w.limit === null ? [] : [windowOf(scope, w, w.limit, now)])),
    ...unlimitedOf(scope.windows),
    ...paceOf(scope, now),
  )
}

/** @param {string} scope */
const shorten = scope => (scope.length > 14 ? `${scope.slice(0, 12)}…` : scope)

/** One line for all windows without a limit. @param {QuotaWindow[]} windows */
function unlimitedOf(windows) {
  const free = windows.filter(w => w.limit === null)
  if (free.length === 0) return []
  const used = free
    .filter(w => w.used > 0)
    .map(w => `${formatCount(w.used)} used ${w.window === 'day' ? 'today' : `this ${w.window}`}`)
  const parts = [`No limit by ${free.map(w => w.window).join(' or ')}`, used.join(', ')].filter(Boolean)
  return [el('p', { class: 'pace' }, `${parts.join(': ')}.`)]
}

/** @param {Scope} scope @param {QuotaWindow} w @param {number} limit @param {number} now */
function windowOf(scope, w, limit, now) {
  const share = limit > 0 ? (w.used + w.reserved) / limit : 1
  const level = share >= 1 ? 'full' : share >= nearEnd ? 'near' : 'fine'
  const left = el('span', {}, el('b', {}, `${formatCount(w.left ?? 0)} left`), ` of ${formatCount(limit)}`)
  const used = el('span', {}, `${formatCount(w.used)} used · ${formatCount(w.reserved)} reserved`)
  return el(
    'div',
    { class: 'window', 'data-level': level },
    el('p', { class: 'pair' }, el('b', {}, `This ${w.window}`), left),
    barOf(scope, w, limit),
    el('p', { class: 'pair under' }, used, resetOf(w.resetsAt, now)),
  )
}

/** @param {string} resetsAt @param {number} now */
function resetOf(resetsAt, now) {
  const at = Date.parse(resetsAt)
  const when = at - now < 12 * 3_600_000 ? formatClock(at).slice(0, 5) : formatDay(at)
  const text = at > now ? `resets ${when}, in ${formatSpan(at - now)}` : 'resets with the next call'
  return el('time', { datetime: resetsAt, title: resetsAt }, text)
}

/** @param {Scope} scope @param {QuotaWindow} w @param {number} limit */
function barOf(scope, w, limit) {
  const part = (/** @type {string} */ name, /** @type {number} */ value) => {
    const bar = el('i', { class: name })
    bar.style.width = `${limit > 0 ? Math.min(100, (value / limit) * 100) : 100}%`
    return bar
  }
  const label = `${scope.provider}, this ${w.window}: ${w.used} used and ${w.reserved} reserved of ${limit}`
  const meter = { role: 'meter', 'aria-label': label, 'aria-valuemin': '0', 'aria-valuemax': String(limit) }
  return el(
    'div',
    { class: 'bar', ...meter, 'aria-valuenow': String(Math.min(limit, w.used + w.reserved)) },
    part('used', w.used),
    part('reserved', w.reserved),
  )
}

/** `basic plan`; a plan that is a sum of credits says so by itself: `15,000 credits a month`. @param {string} plan */
export const planText = plan =>
  /^\d/.test(plan) ? plan.replace(/\d+/, digits => group(digits)) : `${plan} plan`

/** @param {Scope} scope @param {number} now */
function paceOf(scope, now) {
  const { runsOutAt, lastReconciledAt, drift } = scope
  const text = paceText(scope, now)
  const pace = text && runsOutAt !== null ? el('b', { class: 'warn', title: runsOutAt }, text) : text
  const checked = lastReconciledAt
    ? `Compared with the provider ${formatSpan(now - Date.parse(lastReconciledAt))} ago: ${driftText(drift)}.`
    : ''
  const parts = [pace, checked].filter(part => part !== '')
  return parts.length > 0
    ? [el('p', { class: 'pace' }, ...parts.flatMap((part, i) => (i ? [' ', part] : [part])))]
    : []
}

/** How long the credits last. Nothing to say where only the calls of a minute are limited. @param {Pick<Scope, 'runsOutAt' | 'windows' | 'frozen'>} scope @param {number} now */
export function paceText({ runsOutAt, windows, frozen }, now) {
  if (frozen) return ''
  const at = runsOutAt === null ? Number.NaN : Date.parse(runsOutAt)
  if (at <= now) return 'Used up.'
  if (at > now) return `Runs out ${formatDay(at)}, in ${formatSpan(at - now)}, at the pace of the last hour.`
  const credits = windows.filter(w => w.limit !== null && ['day', 'month'].includes(w.window))
  if (credits.length === 0) return ''
  return credits.some(w => (w.left ?? 0) <= 0)
    ? 'Used up.'
    : 'At the pace of the last hour it lasts until the reset.'
}

/** The provider's figure minus ours, in words. @param {number | null} drift */
export const driftText = drift =>
  drift === null || drift === 0
    ? 'no difference'
    : `the provider counts ${formatCount(Math.abs(drift))} ${drift > 0 ? 'more' : 'less'}`
