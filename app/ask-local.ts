import { get } from 'node:http'

export interface LocalAnswer {
  readonly status: number
  /** undefined = it was no JSON. */
  readonly body: unknown
}

const deadlineMs = 1_000
const maxBytes = 100_000

/** Asks a program of this machine for JSON. Never a provider: those go through `collectors/http.ts` and a permit. */
export function askLocal(
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<LocalAnswer | undefined> {
  return new Promise(resolve => {
    const request = get(url, { headers, agent: false, signal: AbortSignal.timeout(deadlineMs) }, response => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (part: string) => {
        text += part
        if (text.length > maxBytes) request.destroy()
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: parsed(text) }))
      response.on('error', () => resolve(undefined))
      response.on('close', () => resolve(undefined))
    })
    request.on('error', () => resolve(undefined))
  })
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
