import { setTimeout as sleep } from 'node:timers/promises'

/** Resolves when the page of an `up` shows a price. Gently: a page refuses those who ask too often. */
export async function untilPriced(url: string): Promise<void> {
  for (;;) {
    const response = await fetch(new URL('/api/v1/latest', url))
    const { assets = [] } = (await response.json()) as { readonly assets?: readonly unknown[] }
    if (assets.length > 0) return
    await sleep(100)
  }
}
