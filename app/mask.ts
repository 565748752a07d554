/** Secrets shorter than this would blank out ordinary words. */
const leastMasked = 6

/** Hides secrets by value, however they got into a text: as they are, URL-encoded, inside JSON, in base64, or in hex. */
export function createMask(secrets: readonly string[]): (text: string) => string {
  const forms = secrets.filter(secret => secret.length >= leastMasked).flatMap(formsOf)
  const unique = [...new Set(forms)].sort((a, b) => b.length - a.length)
  return text => unique.reduce((masked, form) => masked.replaceAll(form, '[secret]'), text)
}

/** Every text of a value that JSON can hold, masked; its shape stays. */
export function maskDeep(value: unknown, mask: (text: string) => string): unknown {
  if (typeof value === 'string') return mask(value)
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(member => maskDeep(member, mask))
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, maskDeep(member, mask)]))
}

function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret)
  const hex = bytes.toString('hex')
  const url = encodeURIComponent(secret)
  const lowerUrl = url.replaceAll(/%[0-9A-F]{2}/g, found => found.toLowerCase())
  const inJson = JSON.stringify(secret).slice(1, -1)
  return [secret, url, lowerUrl, inJson, hex, hex.toUpperCase(), ...base64Forms(bytes)]
}

/**
 * The base64 of a longer text has a secret at one of three bit offsets; of each, the characters that the secret alone
 * decides. The whole form comes too, so that no character of it is left over.
 */
function base64Forms(bytes: Buffer): string[] {
  const whole = bytes.toString('base64')
  const inside = [0, 1, 2].map(shift => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64')
    return text.slice(Math.ceil((shift * 4) / 3), Math.floor(((shift + bytes.length) * 4) / 3))
  })
  const all = [whole, whole.replaceAll('=', ''), ...inside.filter(form => form.length >= leastMasked)]
  return all.flatMap(form => [form, form.replaceAll('+', '-').replaceAll('/', '_')])
}

/** First and last characters of a secret that is long enough, for people who have several. */
export const hint = (secret: string): string =>
  secret.length >= 16 ? `${secret.slice(0, 2)}…${secret.slice(-2)} (${secret.length} characters)` : '(set)'
