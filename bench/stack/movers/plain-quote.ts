/** What the loops read of a quote: whatever JSON.parse gives. */
export interface PlainQuote {
  readonly provider: string
  readonly asset: string
  readonly symbol: string
  readonly sourceId: string
  readonly currency: string
  readonly price: string
  readonly marketCap?: string
  readonly volume24h?: string
  readonly supply?: string
  readonly change24h?: string
  readonly observedAt: number
  readonly observedBy: string
  readonly receivedAt: number
  readonly revision: number
  readonly origin: string
  readonly runId: string
  readonly credits: number
  readonly rawRef: string
}

export const parseQuote = (value: Buffer | null): PlainQuote =>
  JSON.parse(value?.toString('utf8') ?? 'null') as PlainQuote
