import { channel } from 'node:diagnostics_channel'

/** The durable steps of one sample's way, in order. Each is announced right after it is durable (sent: just before the bytes leave). */
export const steps = [
  'reserve',
  'sent',
  'received',
  'settled',
  'published',
  'marked',
  'stored',
  'committed',
] as const
export type Step = (typeof steps)[number]

const stepChannel = channel('cryptos:step')

/** Announces a step on the diagnostics channel `cryptos:step` as `{ step, detail }`; costs nothing while nobody listens. */
export function announce(step: Step, detail = ''): void {
  if (stepChannel.hasSubscribers) stepChannel.publish({ step, detail })
}
