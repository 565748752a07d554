import { describe, expect, it } from 'vitest'
import { defaultConstants } from '../../quota/policy/constants.ts'
import { topicTable } from '../../topics/table.ts'
import { loadConfig } from './load.ts'

const wanted = (name: string, value: number) => loadConfig({ [name]: String(value) })

describe('the largest values', () => {
  it.each([
    ['CRYPTOS_HTTP_CONNECT_TIMEOUT_MS', defaultConstants.connectMs],
    ['CRYPTOS_HTTP_DEADLINE_MS', defaultConstants.totalDeadlineMs],
  ] as const)('%s: no call lasts longer than the ledger reckons with', (name, most) => {
    expect(() => wanted(name, most)).not.toThrow()
    expect(() => wanted(name, most + 1)).toThrow(name)
  })

  it('an answer fits into a dead letter with all of its bytes', () => {
    const most = 12_000_000
    expect(wanted('CRYPTOS_HTTP_MAX_BYTES', most).httpMaxBytes).toBe(most)
    expect(() => wanted('CRYPTOS_HTTP_MAX_BYTES', most + 1)).toThrow('CRYPTOS_HTTP_MAX_BYTES')
    const room = topicTable().deadLetters.maxMessageBytes - Math.ceil(most / 3) * 4
    expect(room).toBeGreaterThan(500_000)
  })
})
