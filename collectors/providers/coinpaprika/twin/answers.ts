import { toJson } from '../../../../sandbox/json.ts'
import type { Reply, ServedValue } from '../../../../sandbox/types.ts'

/** Codes that a client which keeps its limits never gets. */
export const tooMany = 'too many requests'
export const monthSpent = 'monthly calls limit exceeded'

/** A reply without its scope. */
export type Answer = Omit<Reply, 'scope'>

export const failed = (status: number, error: string, code = error): Answer => ({
  ...{ status, body: toJson({ error }), code, credits: 0, result: 'refused', served: [] },
})

export const served = (body: string, values: readonly ServedValue[] = []): Answer => ({
  ...{ status: 200, body, code: '0', credits: 1, result: 'served', served: values },
})

/** What a CDN says in a data centre. */
export const html429 = (): Answer => ({
  ...failed(429, tooMany),
  body: '<!DOCTYPE html><html><head><title>429 Too Many Requests</title></head><body>Slow down.</body></html>',
  headers: { 'content-type': 'text/html; charset=utf-8' },
})
