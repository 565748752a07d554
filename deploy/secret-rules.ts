/** Words of passwords that every attacker tries first. Removed before the rest is measured. */
const knownWords = [
  ...[
    'changeme',
    'change-me',
    'change_me',
    'password',
    'passwort',
    'secret',
    'example',
    'default',
    'letmein',
  ],
  ...['admin', 'root', 'user', 'test', 'guest', 'qwerty', 'welcome', 'token', 'pass'],
  ...['cassandra', 'kafka', 'influxdb', 'influx', 'postgres', 'grafana', 'airflow', 'cryptos', 'docker'],
]

const leastLength = 20
const leastDifferent = 10

/**
 * Why a text can not be a password of this installation; undefined = it can. Never repeats the text.
 * Only characters that no server's language quotes are allowed: the same text stands in JAAS, CQL, InfluxQL, SQL and URLs.
 */
export function whyWeak(text: string): string | undefined {
  if (text === '') return 'is empty'
  if (!/^[A-Za-z0-9._~-]+$/.test(text))
    return 'has other characters than letters, digits, dot, dash, underscore and tilde (no line break at its end either)'
  if (text.length < leastLength) return `has fewer than ${leastLength} characters`
  const rest = knownWords.reduce((left, word) => left.replaceAll(word, ''), text.toLowerCase())
  if (rest.length < leastLength / 2) return 'is made of words that everybody tries'
  if (new Set(rest).size < leastDifferent) return 'repeats too few characters'
  return undefined
}

/** What is wrong with the secrets of an installation, as sentences. One text for two users is wrong too. */
export function wrongSecrets(secrets: ReadonlyMap<string, string>): string[] {
  const owners = new Map<string, string>()
  return [...secrets].flatMap(([name, text]) => {
    const why = whyWeak(text)
    const owner = owners.get(text)
    owners.set(text, name)
    if (why !== undefined) return [`${name} ${why}`]
    return owner === undefined ? [] : [`${name} is the same as ${owner}`]
  })
}
