import { describe, expect, it } from 'vitest'
import { free } from '../judging.ts'
import type { Dataset, Provider } from '../provider.ts'
import { kraken } from '../providers/kraken/index.ts'
import { refsOf, type TwinCase } from './test-twin.ts'
import { endsWell, faultCases, keepsAll } from './twin-checks.ts'

/** Kraken with something that is wrong in its quotes. */
function planted(change: (own: Dataset) => Partial<Dataset>, more: Partial<Provider> = {}): TwinCase {
  const [own] = kraken.datasets
  if (!own) throw new Error('no dataset')
  const dataset = { ...own, ...change(own) }
  const provider = { ...kraken, ...more, datasets: [dataset] }
  return { provider, dataset, currency: 'USD', assets: refsOf(provider, undefined), key: undefined }
}

const faultOf = (kind: string) => {
  const found = faultCases.find(f => f.fault.kind === kind)
  if (!found) throw new Error(kind)
  return found
}

describe('the checks of a provider against its twin', { timeout: 120_000 }, () => {
  it('let a good one pass', async () => {
    await keepsAll(
      planted(() => ({})),
      3,
    )
    await endsWell(
      planted(() => ({})),
      faultOf('html'),
    )
  })

  it('see a price of another field', async () => {
    const kase = planted(own => ({
      map: (body, context) => {
        const text = new TextDecoder().decode(body).replaceAll('"a":', '"q":').replaceAll('"c":', '"z":')
        return own.map(new TextEncoder().encode(text.replaceAll('"b":', '"c":')), context)
      },
    }))
    await expect(keepsAll(kase, 2)).rejects.toThrow()
  })

  it('see a lost row', async () => {
    const kase = planted(own => ({
      map: (body, context) => {
        const mapped = own.map(body, context)
        return { ...mapped, records: mapped.records.slice(1) }
      },
    }))
    await expect(keepsAll(kase, 2)).rejects.toThrow()
  })

  it('see a pace that passes the limit', async () => {
    const { keyless } = kraken
    if (!keyless) throw new Error('no access')
    const wide = { ...keyless, limits: { ...keyless.limits, callsPerMinute: 60_000 } }
    const kase = planted(() => ({ refreshMs: 1, intervalMs: 1, pageSize: 1 }), { keyless: wide })
    await expect(keepsAll(kase, 10)).rejects.toThrow()
  })

  it('see an error that is taken for an answer', async () => {
    const kase = planted(() => ({ judge: () => ({ kind: 'answered', charge: free }) }))
    await expect(endsWell(kase, faultOf('rate-limited'))).rejects.toThrow(/payload-invalid|rate-limited/)
  })

  it('see an outcome of the wrong class', async () => {
    const wrong = {
      kind: 'refused',
      outcome: 'bad-request',
      reason: 'x',
      charge: free,
      retryAt: null,
    } as const
    const kase = planted(own => ({
      judge: (answer, page) => (answer.status > 499 ? wrong : own.judge(answer, page)),
    }))
    await expect(endsWell(kase, faultOf('server-error'))).rejects.toThrow(/bad-request/)
  })
})
