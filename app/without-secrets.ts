import type { HttpClient } from '../collectors/http.ts'

const star = 0x2a

/**
 * A client whose answers never hold a secret: a provider that repeats the key in an error would bring it into the raw answer, the
 * run's reason, the dead letters and the page. It is overwritten by stars of the same length, so that the rest stays as it was sent.
 */
export function withoutSecrets(http: HttpClient, secrets: readonly string[]): HttpClient {
  const needles = secrets.filter(secret => secret.length >= 6).map(secret => Buffer.from(secret))
  if (needles.length === 0) return http
  return {
    send: async call => {
      const answer = await http.send(call)
      return { ...answer, body: blank(answer.body, needles) }
    },
    close: () => http.close(),
  }
}

function blank(body: Uint8Array, needles: readonly Buffer[]): Uint8Array {
  let bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  for (const needle of needles) {
    if (!bytes.includes(needle)) continue
    bytes = Buffer.from(bytes)
    for (let at = bytes.indexOf(needle); at >= 0; at = bytes.indexOf(needle, at))
      bytes.fill(star, at, at + needle.length)
  }
  return bytes
}
