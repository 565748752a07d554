import { delimiter, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { secrets } from '../../../app/config/settings.ts'
import type { Addresses } from '../addresses.ts'
import { environmentOf, quoted } from '../environment.ts'
import { airflowPaths } from './airflow-files.ts'

const program = fileURLToPath(new URL('../../../bin/cryptos.mjs', import.meta.url))

/** Names that are of this machine's session, of the launcher or of tests, and none of a task's business. */
const own = /^CRYPTOS_(STACK_|BENCH_|LAUNCHED$|SPENDER$|GATE_)/
const system = ['HOME', 'USER', 'LOGNAME', 'TMPDIR', 'TZ', 'SSL_CERT_FILE', 'NODE_EXTRA_CA_CERTS']

/** The program's secrets as text: every task would inherit all of them. The name of a file is handed on. */
const secretTexts: ReadonlySet<string> = new Set(Object.values(secrets).map(({ env }) => env))

/** As a word of a command line that Python's shlex splits. */
const word = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : quoted(text))

/** The settings of cryptos and the files of keys that the caller has; their paths as they are seen from anywhere. */
function ofCaller(caller: NodeJS.ProcessEnv): Record<string, string> {
  const found = Object.entries(caller).flatMap(([name, value]): [string, string][] => {
    const isWanted = (name.startsWith('CRYPTOS_') && !own.test(name)) || name.endsWith('_API_KEY_FILE')
    if (!isWanted || !value || secretTexts.has(name)) return []
    return [[name, /_(FILE|DIR)$/.test(name) ? resolve(value) : value]]
  })
  return Object.fromEntries(found)
}

/** What the tasks are to know: later ones win. A secret that is there as a file is not given as text too. */
function ofTasks(
  addresses: Addresses,
  caller: NodeJS.ProcessEnv,
  more: Readonly<Record<string, string>>,
): Record<string, string> {
  const { airflow: _, ...servers } = addresses
  const all: Record<string, string> = {
    CRYPTOS_DATA_DIR: join(addresses.folder, 'cryptos'),
    CRYPTOS_COMMAND: `${word(process.execPath)} ${word(program)}`,
    ...ofCaller(caller),
    ...environmentOf(servers),
    ...more,
  }
  return Object.fromEntries(Object.entries(all).filter(([name]) => all[`${name}_FILE`] === undefined))
}

export interface AirflowEnvironment {
  readonly addresses: Addresses
  /** Folder of the Python environment. */
  readonly venv: string
  /** `NAME=value`, by which the processes are known. */
  readonly mark: string
  readonly more?: Readonly<Record<string, string>> | undefined
}

/** The whole environment of one of Airflow's processes, which its tasks inherit. No secret is in it. */
export function airflowEnvironment(
  { addresses, venv, mark, more = {} }: AirflowEnvironment,
  caller: NodeJS.ProcessEnv = process.env,
): Record<string, string> {
  const kept = system.flatMap(name => (caller[name] ? [[name, caller[name]] as const] : []))
  const [markName = '', markValue = ''] = mark.split(/=(.*)/s)
  return {
    ...Object.fromEntries(kept),
    PATH: [join(venv, 'bin'), caller['PATH'] ?? ''].join(delimiter),
    LANG: 'C.UTF-8',
    AIRFLOW_HOME: airflowPaths(addresses.folder).home,
    PYTHONUNBUFFERED: '1',
    // Else a process that names itself overwrites what /proc shows of its environment, and with it the mark.
    SPT_NOENV: '1',
    ...ofTasks(addresses, caller, more),
    [markName]: markValue,
  }
}
