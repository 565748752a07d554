import { type Json, toJson } from '../../../../sandbox/json.ts'
import type { Reply, ServedValue } from '../../../../sandbox/types.ts'
import type { Refusal } from './limits.ts'

export const tooMany = 'bitstamp-rate-limit'
export type Said = Pick<Reply, 'status' | 'body' | 'code' | 'headers' | 'result' | 'served'>

export const served = (json: Json, values: readonly ServedValue[]): Said => ({
  ...{ status: 200, body: toJson(json), code: '0', result: 'served', served: values },
})

const refused = (status: number, body: string, code: string): Said => ({
  ...{ status, body, code, result: 'refused', served: [] },
  headers: { 'content-type': body.startsWith('<') ? 'text/html; charset=utf-8' : 'application/json' },
})

const page = (title: string, text: string): string =>
  `<!DOCTYPE html>\n<html lang="en"><head><title>${title}</title></head><body><h1>${text}</h1></body></html>\n`

/** The site's own page. */
export const notFound = (): Said => refused(404, page('Bitstamp', 'Page not found'), '404')

/** A code of the official list with its explanation. */
export const wrong = (status: number, code: string, reason: string): Said =>
  refused(status, toJson({ status: 'error', reason, response_code: code }), code)

/** A parameter that is not in its form. */
export const invalid = (field: string, message: string, code: string): Said =>
  refused(400, toJson({ code: 'validation_error', errors: [{ field, message, code }] }), 'validation_error')

export const broken = (status: number): Pick<Reply, 'status' | 'body' | 'code'> => ({
  ...{ status, body: toJson({ status: 'error', reason: 'Unknown server error.', response_code: '500.001' }) },
  code: '500.001',
})

/** The page of the firewall before the API. */
export const firewalled = (): Said =>
  refused(
    403,
    '<html style="height:100%"><head><META NAME="ROBOTS" CONTENT="NOINDEX, NOFOLLOW"></head><body>Request unsuccessful. Incapsula incident ID: 1-2</body></html>',
    '403',
  )

const limitText = 'Request rejected due to exceeded rate limit.'

export function limited(
  how: Refusal,
  { ip, waitMs }: { readonly ip: string; readonly waitMs: number },
): Said {
  const text = `${ip} blocked for ${Math.ceil(waitMs / 1_000)} seconds`
  const made: Readonly<Record<Refusal, () => Said>> = {
    'json-429': () => wrong(429, '400.002', limitText),
    'json-400': () => wrong(400, '400.002', limitText),
    'page-403': firewalled,
    'text-200': () => refused(200, text, 'blocked'),
  }
  return { ...made[how](), code: tooMany }
}
