/** Sequences that are each in order as one in order. Memory: one item of each. */
export async function* merge<T>(
  sources: readonly AsyncIterable<T>[],
  isBefore: (a: T, b: T) => boolean,
): AsyncIterable<T> {
  const iterators = sources.map(source => source[Symbol.asyncIterator]())
  try {
    const heads = await Promise.all(iterators.map(iterator => iterator.next()))
    for (;;) {
      let first = -1
      for (const [i, head] of heads.entries()) {
        const best = heads[first]
        if (!head.done && (!best || best.done || isBefore(head.value, best.value))) first = i
      }
      const [found, iterator] = [heads[first], iterators[first]]
      if (!found || found.done || !iterator) return
      yield found.value
      heads[first] = await iterator.next()
    }
  } finally {
    await Promise.all(iterators.map(iterator => iterator.return?.()))
  }
}
