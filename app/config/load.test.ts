import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { isCryptosError } from '../../core/errors.ts'
import { type Environment, loadConfig, readConfig } from './load.ts'
import { otherNames, type Setting, settings } from './settings.ts'

const folder = mkdtempSync(join(tmpdir(), 'cryptos-config-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let count = 0
function file(text: string): string {
  const path = join(folder, `config-${count++}.json`)
  writeFileSync(path, text)
  return path
}
const withFile = (text: string): Environment => ({ CRYPTOS_CONFIG_FILE: file(text) })

/** The refusal of these settings, as `CODE sentence`. */
function refusal(env: Environment, overrides = {}): string {
  try {
    loadConfig(env, overrides)
  } catch (error) {
    if (isCryptosError(error)) return `${error.code} ${error.message}`
    throw error
  }
  return 'taken'
}

describe('the table of settings', () => {
  it.each(Object.values(settings))(
    'has a default for $env that its own check lets pass unchanged',
    setting => {
      const { schema, fallback } = setting as Setting
      expect(schema().safeParse(fallback)).toEqual({ success: true, data: fallback })
    },
  )
})

describe('precedence', () => {
  it('is command line over environment over file over default', () => {
    const env = { ...withFile('{"port": 3, "currency": "EUR"}'), CRYPTOS_PORT: '2' }
    expect(loadConfig(env, { port: '1' }).port).toBe(1)
    expect(loadConfig(env).port).toBe(2)
    expect(loadConfig(withFile('{"port": 3}')).port).toBe(3)
    expect(loadConfig({}).port).toBe(8377)
    expect(loadConfig(env).currency).toBe('EUR')
  })
  it('takes an option that was not given as not given', () => {
    expect(loadConfig({ CRYPTOS_PORT: '2' }, { port: undefined }).port).toBe(2)
  })
  it('reads lists from text and from JSON alike', () => {
    expect(loadConfig({ CRYPTOS_ASSETS: ' bitcoin, ETH ,' }).assetIds).toEqual(['bitcoin', 'ethereum'])
    expect(loadConfig(withFile('{"assets": ["bitcoin", "ETH"]}')).assetIds).toEqual(['bitcoin', 'ethereum'])
  })
  it('has a valid default for every setting', () => {
    expect(Object.keys(settings).length).toBeGreaterThan(20)
    expect(loadConfig({}).source).toBe('auto')
  })
})

describe('all that is wrong at once', () => {
  it('is told together; the rest is read, with the default for what is wrong', () => {
    const env = {
      ...withFile('{"port": 3, "prot": 1, "currency": "EUR"}'),
      ...{ CRYPTOS_LOG_LEVEL: 'loud', CRYPTOS_ASSETS: 'bitcoin,nonsuch,eth', COINMARKETCAP_API_KEY: 'a b' },
    }
    const { config, problems } = readConfig(env)
    expect(problems.map(p => [p.about, p.error.code, p.error.message.split(' ')[0]])).toEqual([
      ['setting', 'CRY_CONFIG_INVALID', 'prot'],
      ['setting', 'CRY_CONFIG_INVALID', 'CRYPTOS_LOG_LEVEL'],
      ['setting', 'CRY_CONFIG_INVALID', 'CRYPTOS_ASSETS:'],
      ['key', 'CRY_CONFIG_INVALID', 'COINMARKETCAP_API_KEY'],
    ])
    expect([config.port, config.currency, config.logLevel, config.assetIds, config.secrets]).toEqual([
      ...[3, 'EUR', 'info', ['bitcoin', 'ethereum'], {}],
    ])
    expect(() => loadConfig(env)).toThrow(/^prot in /)
  })
})

describe('what came from the command line', () => {
  it.each([
    [{ port: 'x' }, '--port can not be "x"'],
    [{ source: 'x' }, '--source can not be "x"'],
    [{ assets: 'bitcion' }, '--assets: "bitcion" is not a known asset'],
    [{ assets: '' }, '--assets is empty'],
    [{ sandboxSeed: '-1' }, '--seed can not be "-1"'],
  ])('is named as it was given: %j', (overrides, sentence) => {
    const env = { CRYPTOS_PORT: '1', CRYPTOS_ASSETS: 'bitcoin' }
    expect(refusal(env, overrides)).toContain(`CRY_CONFIG_INVALID ${sentence}`)
  })
})

describe('names', () => {
  it('refuses an unknown one and suggests the nearest', () => {
    expect(refusal({ CRYPTOS_PROT: '1' })).toBe(
      'CRY_CONFIG_INVALID CRYPTOS_PROT is not a setting; did you mean CRYPTOS_PORT?',
    )
    expect(refusal({ CRYPTOS_BATCH_MAX_RECORD: '1' })).toContain('did you mean CRYPTOS_BATCH_MAX_RECORDS?')
    expect(refusal({ CRYPTOS_XYZZY_PLUGH_FROTZ: '1' })).toBe(
      'CRY_CONFIG_INVALID CRYPTOS_XYZZY_PLUGH_FROTZ is not a setting',
    )
  })
  it('leads from the key with a prefix to the key without, and never tells the value', () => {
    const said = refusal({ CRYPTOS_COINMARKETCAP_API_KEY: 'canary-0123456789' })
    expect(said).toContain('did you mean COINMARKETCAP_API_KEY?')
    expect(said).not.toContain('canary')
  })
  it('leaves names of others alone, and knows those of the launcher and the tests', () => {
    expect(refusal({ PATH: '/bin', CRYPTO_PORT: '1', cryptos_port: '1' })).toBe('taken')
    for (const name of otherNames.filter(n => n !== 'CRYPTOS_CONFIG_FILE'))
      expect(refusal({ [name]: 'x' })).toBe('taken')
  })
  it('refuses an unknown one in the file too', () => {
    expect(refusal(withFile('{"prot": 1}'))).toMatch(/prot in .* is not a setting; did you mean port\?/)
    expect(refusal(withFile('{"__proto__": {"port": 1}}'))).toContain('__proto__ in')
  })
})

describe('values', () => {
  it.each([
    ['CRYPTOS_PORT', ''],
    ['CRYPTOS_PORT', 'abc'],
    ['CRYPTOS_PORT', '0x10'],
    ['CRYPTOS_PORT', '1e3'],
    ['CRYPTOS_PORT', '80.5'],
    ['CRYPTOS_PORT', '-1'],
    ['CRYPTOS_PORT', '65536'],
    ['CRYPTOS_RESERVE_SHARE', '0.91'],
    ['CRYPTOS_RESERVE_SHARE', 'NaN'],
    ['CRYPTOS_SOURCE', 'Live'],
    ['CRYPTOS_CURRENCY', 'usd'],
    ['CRYPTOS_DATA_DIR', ''],
    ['CRYPTOS_PLANS', 'basic-2026'],
    ['CRYPTOS_LOG_LEVEL', 'verbose'],
    ['CRYPTOS_SANDBOX_URL', 'http://127.0.0.1:99999'],
    ['CRYPTOS_SANDBOX_URL', 'http://evil.test:80'],
    ['CRYPTOS_SANDBOX_URL', 'https://127.0.0.1:80'],
    ['CRYPTOS_SANDBOX_URL', 'http://127.0.0.1:80@evil.test'],
    ['CRYPTOS_SANDBOX_URL', 'http://127.0.0.1:80/x'],
  ])('refuses %s=%j with a sentence that names it', (name, value) => {
    expect(refusal({ [name]: value })).toMatch(new RegExp(`^CRY_CONFIG_INVALID ${name} can not be `))
  })
  it.each(['null', 'true', '[5]', '{}', '5.5'])('refuses the port %s of a file', value => {
    expect(refusal(withFile(`{"port": ${value}}`))).toMatch(/^CRY_CONFIG_INVALID CRYPTOS_PORT can not be/)
  })
  it('suggests the asset that was meant', () => {
    expect(refusal({ CRYPTOS_ASSETS: 'bitcion' })).toContain(
      '"bitcion" is not a known asset; did you mean bitcoin?',
    )
    expect(refusal({ CRYPTOS_ASSETS: 'no-such-thing-at-all' })).toContain('cryptos assets lists them')
    expect(refusal({ CRYPTOS_ASSETS: ' , ' })).toContain('CRYPTOS_ASSETS is empty')
  })
})

describe('the settings file', () => {
  it('may be absent, unless it is named', () => {
    expect(refusal({})).toBe('taken')
    expect(refusal({ CRYPTOS_CONFIG_FILE: join(folder, 'none.json') })).toMatch(
      /none\.json can not be read \(ENOENT\)$/,
    )
    expect(refusal({ CRYPTOS_CONFIG_FILE: folder })).toMatch(/can not be read \(EISDIR\)$/)
  })
  it('is named with the place of its mistake, and never quoted: it may hold a key', () => {
    const said = refusal(withFile('{"port": 1,\n canary-0123456789'))
    expect(said).toMatch(/can not be read as JSON: look at line 2 column 2$/)
    expect(refusal(withFile('canary-0123456789'))).not.toContain('canary')
    expect(said).not.toContain('canary')
  })
  it.each(['[]', 'null', '1', '"x"'])('is an object, not %s', text => {
    expect(refusal(withFile(text))).toContain('is not a JSON object')
  })
  it('holds no secret: that is an unknown name, and the value is not told', () => {
    const said = refusal(withFile('{"coinmarketcapApiKey": "canary-0123456789"}'))
    expect(said).toContain('coinmarketcapApiKey in')
    expect(said).not.toContain('canary')
  })
})

describe('contradictions', () => {
  it.each<[Environment, string]>([
    [{ CRYPTOS_HOST: '0.0.0.0' }, 'set CRYPTOS_TOKEN_FILE too'],
    [{ CRYPTOS_SOURCE: 'live', CRYPTOS_SANDBOX_CLOCK_FILE: 'x' }, 'for simulated data only'],
    [{ COINMARKETCAP_API_KEY: 'a', COINMARKETCAP_API_KEY_FILE: '/b' }, 'are both set: keep one'],
    [{ COINMARKETCAP_API_KEY: '' }, 'COINMARKETCAP_API_KEY is empty'],
    [{ COINMARKETCAP_API_KEY: 'two words' }, 'COINMARKETCAP_API_KEY is empty or has spaces'],
    [{ COINMARKETCAP_API_KEY: 'a\nb' }, 'line breaks'],
  ])('refuses %j', (env, sentence) => {
    expect(refusal(env)).toContain(sentence)
  })
  it('takes another address with a token', () => {
    expect(refusal({ CRYPTOS_HOST: '0.0.0.0', CRYPTOS_TOKEN: 'a-token-of-20-letters' })).toBe('taken')
    for (const CRYPTOS_HOST of ['127.0.0.1', '::1', 'localhost'])
      expect(refusal({ CRYPTOS_HOST })).toBe('taken')
  })
})
