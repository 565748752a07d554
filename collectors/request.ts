import type { EpochMicros } from '../core/brands.ts'
import type { HttpCall } from './http.ts'
import type { HttpRequest } from './provider.ts'
import type { Source } from './poll-types.ts'

/** The request of a dataset at a source: its URL holds no key, the key is a header of its own. */
export function callOf(
  source: Source,
  request: HttpRequest,
  now: EpochMicros,
): Pick<HttpCall, 'url' | 'headers' | 'secretHeader'> {
  const query = new URLSearchParams(request.query).toString()
  const url = `${source.access.baseUrl}${request.path}${query === '' ? '' : `?${query}`}`
  const { authorize } = source.access
  if (authorize === undefined || source.key === undefined) return { url, headers: request.headers }
  return { url, headers: request.headers, secretHeader: authorize(source.key(), now) }
}
