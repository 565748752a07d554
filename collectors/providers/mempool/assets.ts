import { assetTable } from '../../assets.ts'

/** The endpoint has no other. */
export const assets = assetTable({ bitcoin: 'BTC' })

/** Currencies that the documented answer has; a server of one's own may have more. */
export const currencies = ['USD', 'EUR', 'GBP', 'CAD', 'CHF', 'AUD', 'JPY'] as const
