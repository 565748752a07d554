import { DAY, HOUR, MINUTE } from '../../core/time.ts'

/** `3 d 12 h`, `5 h`, `12 min`: two parts at most, the smaller one cut. */
export function durationText(ms: number): string {
  const days = Math.floor(ms / DAY)
  const hours = Math.floor((ms % DAY) / HOUR)
  const minutes = Math.floor((ms % HOUR) / MINUTE)
  const parts = [[days, 'd'], [hours, 'h'], ...(days > 0 ? [] : [[minutes, 'min'] as const])] as const
  const shown = parts.filter(([n]) => n > 0).map(([n, unit]) => `${n} ${unit}`)
  return shown.length === 0 ? 'less than a minute' : shown.slice(0, 2).join(' ')
}
