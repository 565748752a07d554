import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'

const mib = 1_024 * 1_024
/** Both halves of the young generation. */
const youngBytes = 16 * mib
const lookMs = 100
let isKept = false

/**
 * For a process that passes many records on and holds few: it keeps its heap small, at the price of some more collections. V8 would let
 * it grow to several times of what is alive, and take a guess from the first batches, while the young generation is tiny and everything
 * survives it, for good: that records live long, and are made in the old generation at once, where all that they hold stays with them
 * until a full collection. To be called before the first batch; it overrules what NODE_OPTIONS say of the same.
 */
export function keepHeapSmall(): void {
  if (isKept) return
  isKept = true
  setFlagsFromString('--no-allocation-site-pretenuring')
  // A full collection when the heap is half as large again as what was alive after the last one.
  setFlagsFromString('--heap-growing-percent=50')
  capYoung()
  setInterval(capYoung, lookMs).unref()
}

/** Its size is fixed at the start of the program, but not by how much it grows when too much survives. */
function capYoung(): void {
  const young = getHeapSpaceStatistics().find(space => space.space_name === 'new_space')
  const isFull = (young?.space_size ?? 0) >= youngBytes
  setFlagsFromString(`--semi-space-growth-factor=${isFull ? 1 : 2}`)
}
