import { createRequire } from 'node:module'
import type { Logger } from 'pino'
import { isCryptosError } from '../core/errors.ts'
import { createMask } from './mask.ts'

export type LogFields = Readonly<Record<string, unknown>>

/** Structured log lines on stderr, as pino writes them. */
export interface Log {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** An error as fields: code, sentence and causes; never an object of a client library, which may hold headers. */
export function errorFields(error: unknown): LogFields {
  if (!(error instanceof Error)) return { error: String(error) }
  const own = isCryptosError(error) ? { code: error.code } : { code: error.name, stack: error.stack }
  return {
    ...own,
    error: error.message,
    ...(error.cause instanceof Error ? { cause: error.cause.message } : {}),
  }
}

const secretName =
  /api[-_]?key|private[-_]?key|token|secret|passw|passphrase|authorization|cookie|credential/i
const deepest = 6
const levels = ['trace', 'debug', 'info', 'warn', 'error', 'silent']

/** What may be logged of a value: errors become fields, members with a secret's name are blanked, whatever they hold. */
export function safeFields(value: unknown, depth = 0): unknown {
  if (typeof value === 'bigint') return String(value)
  if (typeof value !== 'object' || value === null) return value
  if (depth >= deepest) return '[too deep]'
  if (value instanceof Error) return errorFields(value)
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`
  if (value instanceof Map || value instanceof Set)
    return safeFields(value instanceof Map ? Object.fromEntries(value) : [...value], depth)
  if (Array.isArray(value)) return value.map(member => safeFields(member, depth + 1))
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      secretName.test(name) && member !== undefined && member !== null
        ? '[secret]'
        : safeFields(member, depth + 1),
    ]),
  )
}

/** pino is loaded at the first line that is written, because a collector that has nothing to say should not pay for it. */
export function createLog(
  level: string,
  secrets: readonly string[],
  write: (line: string) => void = line => void process.stderr.write(line),
): Log {
  const mask = createMask(secrets)
  let logger: Logger | undefined
  const open = (): Logger => {
    const pino = createRequire(import.meta.url)('pino') as typeof import('pino').pino
    const destination = { write: (line: string) => write(mask(line)) }
    return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination)
  }
  const at = (name: 'debug' | 'info' | 'warn' | 'error') => (fields: object, message: string) => {
    if (levels.indexOf(name) < levels.indexOf(level)) return
    logger ??= open()
    logger[name](safeFields(fields) as object, message)
  }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}
