import type { CryptosError } from '../../core/errors.ts'
import { isFetched } from './fetch.ts'
import type { ServerName } from './pins.ts'
import { serverNames } from './pins.ts'
import type { Tool } from './toolchain.ts'
import { findTool, missingTool, toolsOf } from './toolchain.ts'

/** What is missing on this machine to run these servers, as errors that say how to get it. */
export function missingTools(
  servers: readonly ServerName[] = serverNames,
): { server: ServerName; error: CryptosError }[] {
  return servers.flatMap(server => {
    const fetched = server === 'postgres' || server === 'airflow' || isFetched(server)
    const tools: Tool[] = [...toolsOf[server].run, ...(fetched ? [] : toolsOf[server].fetch)]
    return tools
      .filter(tool => findTool(tool) === undefined)
      .map(tool => ({ server, error: missingTool(tool, server) }))
  })
}
