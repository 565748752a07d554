/** The chart as a slider: its stops are the points that some provider has, counted from 1. */

/** @param {readonly number[]} times @param {readonly ArrayLike<number | null | undefined>[]} columns @param {number} from what is before it is out of sight */
export const stopsOf = (times, columns, from) =>
  times.flatMap((time, i) =>
    time >= from && columns.some(column => typeof column[i] === 'number') ? [i] : [],
  )

/**
 * Where a key leads among the stops; undefined = not a key of the slider.
 * @param {{ key: string, shiftKey: boolean }} event
 * @param {number} now -1 = nowhere yet, which is behind the newest
 * @param {number} count
 */
export function stopAfter({ key, shiftKey }, now, count) {
  const at = now < 0 ? count : now
  const jump = shiftKey ? 10 : 1
  /** @type {Record<string, number>} */
  const targets = {
    ArrowLeft: at - jump,
    ArrowDown: at - jump,
    ArrowRight: at + jump,
    ArrowUp: at + jump,
    PageDown: at - 10,
    PageUp: at + 10,
    Home: 0,
    End: count - 1,
  }
  const target = targets[key]
  return target === undefined || count === 0 ? undefined : Math.min(count - 1, Math.max(0, target))
}

/** What assistive technology reads of it. Without a point it stands at the newest. @param {number} now @param {number} count @param {string} text */
export const sliderValues = (now, count, text) => ({
  'aria-valuemin': String(Math.min(1, count)),
  'aria-valuemax': String(count),
  'aria-valuenow': String(now < 0 ? count : now + 1),
  'aria-valuetext': now < 0 || !text ? text || 'no prices yet' : `${text}, point ${now + 1} of ${count}`,
})
