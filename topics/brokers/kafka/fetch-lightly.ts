import { createRequire } from 'node:module'
import { FetchedRecord } from './fetched-record.ts'
import type { BatchContext } from './fetched-record.ts'
import { kafkaJsVersion, readInVersion } from './internals.ts'

/** kafkajs' decoder of a record: what it is given of its bytes, and of the batch, which is one object for all records of a batch. */
type RecordDecoder = (decoder: { readonly buffer: Buffer }, batch: BatchContext & { log?: Buffer }) => unknown

const load = createRequire(import.meta.url)
const ofRecord = 'kafkajs/src/protocol/recordBatch/record/v0/decoder'
const ofBatch = 'kafkajs/src/protocol/recordBatch/v0/decoder'

/** All bytes that the record is a piece of: one object for its batch, where a piece for each record would live as long as that. */
const decodeRecord: RecordDecoder = ({ buffer }, batch) => {
  batch.log ??= Buffer.from(buffer.buffer)
  return new FetchedRecord(batch.log, buffer.byteOffset, buffer.byteOffset + buffer.length, batch)
}

/**
 * Makes kafkajs fetch `FetchedRecord`s in the place of its own records. Done only to the version that was read, and only before
 * kafkajs has loaded its decoder of batches, which takes that of records once.
 * @returns whether it is done
 */
export function fetchLightly(version = kafkaJsVersion()): boolean {
  const place = load.resolve(ofRecord)
  const loaded: NodeJS.Module | undefined = load.cache[place]
  if (loaded?.exports === decodeRecord) return true
  if (version !== readInVersion || load.cache[load.resolve(ofBatch)] !== undefined) return false
  load(ofRecord)
  const module: NodeJS.Module | undefined = load.cache[place]
  if (!module) return false
  module.exports = decodeRecord
  return true
}
