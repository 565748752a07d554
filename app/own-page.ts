import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { isCryptosError } from '../core/errors.ts'
import { hostInUrl } from '../dashboards/web/guard.ts'
import { askLocal } from './ask-local.ts'
import type { Config } from './config/load.ts'
import { lockStore } from './store-lock.ts'

/**
 * Whether what listens on the port is a `cryptos up`: its `/health` answers as ours does, or it does not answer at all while a
 * cryptos holds one of the folders of these data.
 */
export async function isOwnPage(config: Config): Promise<boolean> {
  const { host, port, secrets, dataDir } = config
  const address = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  const headers = secrets['token'] === undefined ? {} : { authorization: `Bearer ${secrets['token']}` }
  const answer = await askLocal(`http://${hostInUrl(address)}:${port}/health`, headers)
  if (answer === undefined) return ['live', 'sandbox'].some(kind => isHeld(join(dataDir, kind)))
  const { status, body } = answer as { status: number; body: Health | undefined }
  if (status === 401) return body?.error?.code === 'WEB_TOKEN'
  return (status === 200 && body?.status === 'ok') || (status === 503 && body?.status === 'degraded')
}

interface Health {
  readonly status?: unknown
  readonly error?: { readonly code?: unknown }
}

function isHeld(folder: string): boolean {
  if (!existsSync(join(folder, 'lock.db'))) return false
  try {
    lockStore(folder)()
    return false
  } catch (error) {
    return isCryptosError(error) && error.code === 'CRY_STORE_LOCKED'
  }
}
