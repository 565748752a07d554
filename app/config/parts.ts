import type { SettingValues } from './settings.ts'

/** Stores that a batch can be written into. */
export const storeNames = ['sqlite', 'cassandra', 'influxdb'] as const
export type StoreName = (typeof storeNames)[number]
export const isStoreName = (name: string): name is StoreName =>
  (storeNames as readonly string[]).includes(name)

/** Which adapter stands behind each port. */
export interface Parts {
  readonly ledger: 'sqlite' | 'postgres'
  readonly broker: 'embedded' | 'kafka'
  /** Where `process` stores, each a consumer group of its own. */
  readonly stores: readonly StoreName[]
}

/** The profile's parts, each as its own setting says where it says anything. */
export function partsOf(config: Pick<SettingValues, 'profile' | 'ledger' | 'broker' | 'sinks'>): Parts {
  const isFull = config.profile === 'full'
  const stores = [...new Set(config.sinks.filter(isStoreName))]
  return {
    ledger: config.ledger === 'auto' ? (isFull ? 'postgres' : 'sqlite') : config.ledger,
    broker: config.broker === 'auto' ? (isFull ? 'kafka' : 'embedded') : config.broker,
    stores: stores.length > 0 ? stores : isFull ? ['cassandra', 'influxdb'] : ['sqlite'],
  }
}
