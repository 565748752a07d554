import { expect, it } from 'vitest'
import { EpochMicros } from '../core/brands.ts'
import { countLetters } from './dead-letter-report.ts'

const letter = (stage: string, code: string, at: number) => ({
  ...{ stage, code, at: EpochMicros(at), id: `${stage}/${code}/${at}`, reason: `at ${at}` },
})

it('counts by stage and code from a moment on, the most first, each with its newest', async () => {
  const letters = [
    letter('collectors', 'CRY_PROVIDER_PAYLOAD', 99),
    letter('sink.sqlite', 'CRY_RECORD_INVALID', 100),
    letter('collectors', 'CRY_PROVIDER_PAYLOAD', 300),
    letter('collectors', 'CRY_PROVIDER_PAYLOAD', 200),
    letter('collectors', 'CRY_RECORD_INVALID', 150),
  ]
  expect(await countLetters(letters, EpochMicros(100))).toEqual([
    {
      ...{ stage: 'collectors', code: 'CRY_PROVIDER_PAYLOAD', count: 2, newestAt: 300 },
      ...{ id: 'collectors/CRY_PROVIDER_PAYLOAD/300', reason: 'at 300' },
    },
    expect.objectContaining({ stage: 'collectors', code: 'CRY_RECORD_INVALID', count: 1, newestAt: 150 }),
    expect.objectContaining({ stage: 'sink.sqlite', code: 'CRY_RECORD_INVALID', count: 1 }),
  ])
  expect(await countLetters(letters, EpochMicros(301))).toEqual([])
})
