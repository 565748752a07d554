/** A currency that prices are converted to, by CoinMarketCap's id. */
export interface ConvertCurrency {
  readonly id: number
  readonly symbol: string
}

/** 2781 = USD is in recorded answers; the other fiat ids are from memory. */
export const currencies: readonly ConvertCurrency[] = [
  { id: 2781, symbol: 'USD' },
  { id: 2790, symbol: 'EUR' },
  { id: 2791, symbol: 'GBP' },
  { id: 2797, symbol: 'JPY' },
  { id: 1, symbol: 'BTC' },
  { id: 1027, symbol: 'ETH' },
]
