import { join } from 'node:path'
import { addressesOf } from '../addresses.ts'
import { airflowVenv } from '../airflow-venv.ts'
import type { Launch, Place, Server } from '../server.ts'
import { recordedAtMs } from '../state.ts'
import { airflowEnvironment } from './airflow-environment.ts'
import { airflowUrl } from './airflow-files.ts'
import type { Component, Health } from './airflow-health.ts'
import { healthOf, isHealthy } from './airflow-health.ts'
import { setUpAirflow } from './airflow-setup.ts'

interface Part {
  readonly name: string
  readonly component: Component
  readonly args: readonly string[]
}

/** Without --skip-serve-logs two of them would serve logs to every address of the machine. */
const parts: readonly Part[] = [
  { name: 'airflow-api', component: 'metadatabase', args: ['api-server'] },
  { name: 'airflow-scheduler', component: 'scheduler', args: ['scheduler', '--skip-serve-logs'] },
  { name: 'airflow-dags', component: 'dag_processor', args: ['dag-processor'] },
  { name: 'airflow-triggerer', component: 'triggerer', args: ['triggerer', '--skip-serve-logs'] },
]

/** Alone it takes 10 s; where 16 programs wait for 2 cores it took 100. */
const slow = { readyLimitMs: 300_000, askEveryMs: 500 }

const markOf = (place: Place): string => `STACK_PROCESS=${place.folder}`

function environment(place: Place, venv: string): Record<string, string> {
  const addresses = addressesOf(place.stackFolder, place)
  return airflowEnvironment({ addresses, venv, mark: markOf(place), more: place.airflowEnv })
}

/** Health is told by the API alone; of the others it must be of a heart that beats since this start. */
async function isReady(place: Place, { name, component }: Part): Promise<boolean> {
  const health: Health | undefined = await healthOf(airflowUrl(place))
  return health !== undefined && isHealthy(health, component, recordedAtMs(place.stackFolder, name) ?? 0)
}

/** The four processes of Airflow with its LocalExecutor; tasks are children of the scheduler. */
export function airflowServers(at: (name: string) => Place): Server[] {
  let ready: Promise<string> | undefined
  const setUp = async (place: Place): Promise<string> => {
    const venv = await airflowVenv(place.say)
    await setUpAirflow(place, venv, environment(place, venv))
    return venv
  }
  return parts.map(part => {
    const place = at(part.name)
    const prepare = async (): Promise<Launch> => {
      // Once for those that start together.
      ready ??= setUp(place)
      const venv = await ready
      return { file: join(venv, 'bin', 'airflow'), args: part.args, env: environment(place, venv) }
    }
    return {
      name: part.name,
      kind: 'airflow',
      address: airflowUrl(place),
      listens: part.name === 'airflow-api' ? [place.ports.airflow.client] : [],
      stopSignal: 'SIGTERM',
      mark: markOf(place),
      slow,
      prepare,
      ready: () => isReady(place, part),
    }
  })
}
