import type { TestProject } from 'vitest/node'
import type { ServerName } from '../../scripts/stack/pins.ts'
import { portsOf } from '../../scripts/stack/ports.ts'
import { addresses, missingTools, status } from '../../scripts/stack/stack.ts'
import { commonServers, wantAirflow } from './needed.ts'
import type { ProvidedStack } from './provided.ts'
import { freePortOffset, throwAwayStack } from './throw-away.ts'

type Say = (line: string) => void

interface Started {
  readonly stack: ProvidedStack
  readonly stop?: () => Promise<void>
}

/** Tests drop their keyspaces, of which Cassandra would keep every row. */
const settings = { cassandra: { auto_snapshot: 'false' } }
/** The tests of others may run beside it. */
const readyLimitMs = 180_000

const inCi = (): boolean => ['true', '1'].includes(process.env['CI'] ?? '')

/** A server that is not there: a failure in CI, elsewhere its tests are skipped and one reads why. */
function reportMissing(reasons: ReadonlyMap<ServerName, string>, say: Say): void {
  for (const [server, reason] of reasons) say(`SKIPPED without ${server}: ${reason}`)
  if (reasons.size > 0 && inCi()) throw new Error('in CI every server must be there')
}

/** Servers that run already are used and left running: a test then starts in a second. */
async function useRunning(folder: string, servers: readonly ServerName[], say: Say): Promise<Started> {
  const all = await status(folder)
  const ready = new Set(all.filter(each => each.state === 'ready').map(each => each.kind))
  const missing = servers.filter(name => !ready.has(name))
  const how = (name: ServerName): string => `npm run stack -- up ${name} --folder ${folder}`
  reportMissing(
    new Map(missing.map(name => [name, `it does not run in CRYPTOS_STACK_FOLDER (${how(name)})`])),
    say,
  )
  return { stack: { ...addresses(folder), missing } }
}

/** Airflow's tasks ask simulated providers, which a test starts at `stackServers().airflow.sandboxUrl`. */
const simulated = (portOffset: number): Record<string, string> => ({
  CRYPTOS_SOURCE: 'sandbox',
  CRYPTOS_SANDBOX_URL: `http://127.0.0.1:${portsOf(portOffset, 1).airflow.sandbox}`,
})

async function startAll(all: readonly ServerName[], say: Say): Promise<Started> {
  const reasons = new Map<ServerName, string>()
  for (const { server, error } of missingTools(all)) {
    reasons.set(server, [reasons.get(server), error.message].filter(Boolean).join('; '))
  }
  reportMissing(reasons, say)
  const missing = [...reasons.keys()]
  const servers = all.filter(name => !missing.includes(name))
  const portOffset = await freePortOffset()
  const airflowEnv = simulated(portOffset)
  const started = await throwAwayStack({ servers, portOffset, airflowEnv, say, settings, readyLimitMs })
  return { stack: { ...started.addresses, missing }, stop: started.stop }
}

/** Starts the real servers once for the whole run, and stops them at its end. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const say: Say = line => console.error(line)
  const folder = process.env['CRYPTOS_STACK_FOLDER']
  const begun = performance.now()
  const asked = wantAirflow(project.vitest.state.getPaths())
  const servers: readonly ServerName[] = asked ? [...commonServers, 'airflow'] : commonServers
  const { stack, stop } = folder ? await useRunning(folder, servers, say) : await startAll(servers, say)
  say(`servers are ready after ${((performance.now() - begun) / 1000).toFixed(1)} s in ${stack.folder}`)
  project.provide('stack', stack)
  return async () => stop?.()
}
