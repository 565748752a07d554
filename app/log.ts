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

/** pino is loaded at the first line that is written, because a collector that has nothing to say should not pay for it. */
export function createLog(level: string, secrets: readonly string[]): Log {
  const mask = createMask(secrets)
  let logger: Logger | undefined
  const open = (): Logger => {
    const pino = createRequire(import.meta.url)('pino') as typeof import('pino').pino
    const destination = { write: (line: string) => void process.stderr.write(mask(line)) }
    return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination)
  }
  const write = (at: 'debug' | 'info' | 'warn' | 'error') => (fields: object, message: string) => {
    logger ??= open()
    logger[at](fields, message)
  }
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
}
