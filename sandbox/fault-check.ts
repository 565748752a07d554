import { CryptosError } from '../core/errors.ts'
import { bodyChanges } from './body-changes.ts'
import type { FaultKind, FaultSpec } from './fault-kinds.ts'
import { twins } from './registry.ts'

/** Which member, beside the common ones, a kind has, and of which type; `?` = may be missing. */
const members: Record<FaultKind, Readonly<Record<string, string>>> = {
  delay: { ms: 'number?', virtualMs: 'number?', when: 'string?' },
  'slow-body': { bytesPerSecond: 'number' },
  'cut-body': { bytes: 'number?' },
  'server-error': { status: 'number?', charged: 'boolean' },
  'rate-limited': { retryAfterSeconds: 'number?' },
  'lost-answer': {},
  'foreign-use': { credits: 'number' },
  'error-200': { like: 'string?', charged: 'boolean?' },
  html: { type: 'string?', charged: 'boolean?' },
  maintenance: { retryAfterSeconds: 'number?', charged: 'boolean?' },
  text: { status: 'number?', charged: 'boolean?' },
  cloudflare: { status: 'number?', retryAfterSeconds: 'number?', charged: 'boolean?' },
  redirect: { status: 'number?', location: 'string?', charged: 'boolean?' },
  deprecated: { body: 'string?', charged: 'boolean?' },
  'gzip-bomb': { megabytes: 'number?' },
  'endless-body': {},
  'big-body': { bytes: 'number?' },
  'content-type': { type: 'string?' },
  'encoding-name': { name: 'string?' },
  'clock-offset': { ms: 'number' },
  overcharge: { factor: 'number?' },
  'replace-body': { body: 'string', status: 'number?', charged: 'boolean?' },
  'change-body': {
    change: 'string',
    all: 'boolean?',
    digits: 'number?',
    factor: 'string?',
    currency: 'string?',
    ms: 'number?',
  },
}
/** Members that take words of a closed list. */
const words: Readonly<Record<string, readonly string[]>> = {
  'delay.when': ['before', 'after'],
  'error-200.like': ['server-error', 'rate-limited'],
  'deprecated.body': ['empty', 'notice', 'kept'],
  'change-body.change': bodyChanges,
}
const common = { kind: 'string', times: 'number?', provider: 'string?', endpoint: 'string?', skip: 'number?' }

/** Checks a fault that came over HTTP. @throws CryptosError CRY_VALUE_INVALID that names the member */
export function checkFault(value: unknown): FaultSpec {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid('a fault is an object')
  const given = value as Record<string, unknown>
  const kind = given['kind']
  if (typeof kind !== 'string' || !Object.hasOwn(members, kind))
    throw invalid(`kind is one of ${Object.keys(members).join(', ')}`)
  const types: Record<string, string> = { ...common, ...members[kind as FaultKind] }
  for (const name of Object.keys(given))
    if (!Object.hasOwn(types, name))
      throw invalid(`${kind} has no member ${JSON.stringify(name.slice(0, 40))}`)
  for (const [name, type] of Object.entries(types)) {
    checkMember(given, name, type)
    checkWord(given, kind, name)
  }
  const provider = given['provider']
  if (provider !== undefined && !twins.some(twin => twin.id === provider))
    throw invalid(`provider is one of ${twins.map(twin => twin.id).join(', ')}`)
  return given as unknown as FaultSpec
}

function checkMember(given: Record<string, unknown>, name: string, type: string): void {
  const value = given[name]
  if (value === undefined && type.endsWith('?')) return
  if (name === 'times' && value === null) return
  if (typeof value !== type.replace('?', '')) throw invalid(`${name} must be a ${type.replace('?', '')}`)
  const negative = typeof value === 'number' && value < 0 && name !== 'ms' && name !== 'digits'
  if (negative || (typeof value === 'number' && !Number.isFinite(value)))
    throw invalid(`${name} must be 0 or more`)
}

function checkWord(given: Record<string, unknown>, kind: string, name: string): void {
  const list = words[`${kind}.${name}`]
  const value = given[name]
  if (list && value !== undefined && !list.includes(String(value)))
    throw invalid(`${name} is one of ${list.join(', ')}`)
}

const invalid = (why: string): CryptosError => new CryptosError('CRY_VALUE_INVALID', `fault: ${why}`)
