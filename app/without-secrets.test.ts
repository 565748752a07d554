import { describe, expect, it } from 'vitest'
import type { HttpClient } from '../collectors/http.ts'
import { withoutSecrets } from './without-secrets.ts'

const canary = 'canary-5a1e'
let closed = 0
const answering = (text: string): HttpClient => ({
  send: async () => ({ status: 200, headers: {}, body: Buffer.from(text), receivedAt: 0 as never }),
  close: () => {
    closed += 1
  },
})
const body = async (text: string, secrets: readonly string[]): Promise<string> =>
  Buffer.from((await withoutSecrets(answering(text), secrets).send({} as never)).body).toString()

describe('an answer', () => {
  it('never holds the key that was sent, wherever and however often it stands', async () => {
    const text = `${canary}{"a":"${canary}${canary}","b":"é"}${canary}`
    expect(await body(text, ['other-key', canary])).toBe(text.replaceAll(canary, '***********'))
  })
  it('is otherwise as it was sent', async () => {
    expect(await body('{"price":64000.10}', [canary])).toBe('{"price":64000.10}')
    expect(await body(`{"a":"${canary}"}`, [])).toBe(`{"a":"${canary}"}`)
  })
  it('comes from a client that is closed with it', () => {
    withoutSecrets(answering(''), [canary]).close()
    expect(closed).toBe(1)
  })
})
