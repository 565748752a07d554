import type { HttpCall } from './http.ts'
import type { HttpRequest } from './provider.ts'
import type { Source } from './poll-types.ts'

/** The request of a dataset at a source: its URL holds no key, the key is a header of its own. */
export function callOf(
  source: Source,
  request: HttpRequest,
): Pick<HttpCall, 'url' | 'headers' | 'secretHeader'> {
  const query = new URLSearchParams(request.query).toString()
  const url = `${source.access.baseUrl}${request.path}${query === '' ? '' : `?${query}`}`
  const { keyHeader } = source.access
  if (keyHeader === undefined || source.key === undefined) return { url, headers: request.headers }
  return { url, headers: request.headers, secretHeader: { name: keyHeader, value: source.key() } }
}
