import { EpochMicros } from '../../../core/brands.ts'
import { marketSinkContract } from '../../market.contract.ts'
import { sinkContract } from '../../sink.contract.ts'
import { openStore } from './stack.contract.ts'

sinkContract('influxdb', () => openStore(), {
  earliest: EpochMicros(Date.UTC(2009, 0, 1) * 1_000),
  feedsChanges: false,
})

marketSinkContract('influxdb', async () => {
  const { sink, reader, close } = await openStore()
  return { sink: sink.market, reader, close }
})
