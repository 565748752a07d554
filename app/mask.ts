/** Hides secrets by value, however they got into a text: as they are, URL-encoded, in base64, or in hex. */
export function createMask(secrets: readonly string[]): (text: string) => string {
  const forms = secrets
    .filter(secret => secret.length >= 6)
    .flatMap(secret => {
      const bytes = Buffer.from(secret)
      const base64 = bytes.toString('base64')
      return [
        secret,
        encodeURIComponent(secret),
        base64,
        base64.replaceAll('=', ''),
        bytes.toString('base64url'),
        bytes.toString('hex'),
      ]
    })
  const unique = [...new Set(forms)].sort((a, b) => b.length - a.length)
  return text => unique.reduce((masked, form) => masked.replaceAll(form, '[secret]'), text)
}

/** First and last characters of a secret that is long enough, for people who have several. */
export const hint = (secret: string): string =>
  secret.length >= 16 ? `${secret.slice(0, 2)}…${secret.slice(-2)} (${secret.length} characters)` : '(set)'
