import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { askLocal } from './ask-local.ts'

const noteIn = (folder: string): string => join(folder, 'sandbox.url')
const loopbackUrl = /^http:\/\/(127\.0\.0\.1|localhost):\d{1,5}$/

/**
 * Notes the sandbox of this `up` in the folder of the simulated data, so that commands beside it ask the meter that knows its calls.
 * @returns the function that takes the note back
 */
export function noteSandbox(folder: string, url: string): () => void {
  writeFileSync(noteIn(folder), url, { mode: 0o600 })
  return () => rmSync(noteIn(folder), { force: true })
}

/** The sandbox of an `up` that runs now; a note that a killed one left leads nowhere and counts for nothing. */
export async function runningSandbox(folder: string): Promise<string | undefined> {
  const url = notedUrl(folder)
  if (url === undefined) return undefined
  const answer = await askLocal(`${url}/_sandbox/health`)
  const isSandbox = (answer?.body as { readonly ok?: unknown } | undefined)?.ok === true
  return isSandbox ? url : undefined
}

function notedUrl(folder: string): string | undefined {
  try {
    const url = readFileSync(noteIn(folder), 'utf8')
    return loopbackUrl.test(url) ? url : undefined
  } catch {
    // No `up` with simulated data has run here.
    return undefined
  }
}
