/** A composition as the compose binary understands it: `config --format json`. */
export interface Composition {
  readonly services: Readonly<Record<string, Service>>
  readonly secrets?: Readonly<Record<string, { readonly file?: string; readonly environment?: string }>>
}

export interface Service {
  readonly profiles?: readonly string[]
  readonly image?: string
  readonly build?: { readonly args?: object }
  readonly user?: string
  readonly command?: readonly string[] | null
  readonly entrypoint?: readonly string[] | null
  readonly environment?: Readonly<Record<string, string | null>>
  readonly ports?: readonly { readonly host_ip?: string; readonly target: number }[]
  readonly volumes?: readonly {
    readonly type: string
    readonly source?: string
    readonly read_only?: boolean
  }[]
  readonly secrets?: readonly { readonly source: string }[]
  readonly healthcheck?: { readonly test?: readonly string[]; readonly disable?: boolean }
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly cap_drop?: readonly string[]
  readonly cap_add?: readonly string[]
  readonly security_opt?: readonly string[]
  readonly read_only?: boolean
  readonly privileged?: boolean
  readonly network_mode?: string
  readonly pid?: string
  readonly mem_limit?: string | number
  readonly pids_limit?: number
}

type Rule = (service: Service, name: string, all: Composition) => readonly (string | false)[]

/** Profiles that there are. */
export const profiles = ['core', 'dashboards', 'airflow'] as const

/** Images that know no other user by a fixed number: without capabilities, root of the container can do little. */
const rootImages = /^influxdb:1\.8\./

const image: Rule = ({ image: name = '', build }) => [
  !/^[\w./-]+:v?\d+\.\d+(\.\d+)?(-[a-z][\w.]*)?(@sha256:[0-9a-f]{64})?$/.test(name) &&
    `has the image "${name}", which is not pinned to a version`,
  build?.args !== undefined && 'has arguments of a build, which stay in the layers of the image',
]

const ports: Rule = ({ ports: list = [] }) =>
  list.map(p => p.host_ip !== '127.0.0.1' && `publishes port ${p.target} on ${p.host_ip ?? 'all addresses'}`)

const health: Rule = ({ ports: list = [], healthcheck }) => {
  const isChecked = healthcheck?.disable !== true && (healthcheck?.test ?? ['NONE'])[0] !== 'NONE'
  return [list.length > 0 && !isChecked && 'listens and has no health check']
}

const hardening: Rule = (s, name) => [
  !s.cap_drop?.includes('ALL') && 'keeps capabilities',
  (s.cap_add ?? []).length > 0 && 'adds capabilities',
  !s.security_opt?.includes('no-new-privileges:true') && 'may gain privileges',
  s.read_only !== true && 'can write into its image',
  s.privileged === true && 'is privileged',
  (s.network_mode === 'host' || s.pid === 'host') && 'shares a name space with the machine',
  s.mem_limit === undefined && 'has no limit of memory',
  s.pids_limit === undefined && 'has no limit of processes',
  !isPlainUser(s) && `runs ${name} as root`,
]

function isPlainUser({ user, image: name = '' }: Service): boolean {
  if (rootImages.test(name)) return user === '0:0'
  return user !== undefined && /^[1-9]\d*(:\d+)?$/.test(user)
}

const mounts: Rule = ({ volumes = [] }) =>
  volumes.map(v => {
    if (v.type !== 'bind') return false
    if (/docker\.sock|^\/(var\/run|run|etc|proc|sys)?$/.test(v.source ?? '')) return `mounts ${v.source}`
    return v.read_only !== true && `mounts ${v.source} so that it can be written`
  })

const secretName = /(PASSWORD|PASSWD|TOKEN|SECRET|API_KEY|JAAS_CONFIG)$/i
const secretText = /password\s*=|:\/\/[^/\s:@]+:[^/\s@]+@|PRIVATE KEY/i

const openSecrets: Rule = ({ environment = {}, command, entrypoint }) => [
  ...Object.entries(environment).map(
    ([name, text]) =>
      (secretName.test(name) || secretText.test(text ?? '')) && `has a secret in its environment: ${name}`,
  ),
  ...[...(command ?? []), ...(entrypoint ?? [])].map(
    word => /--?password|password=/i.test(word) && 'has a secret in its command',
  ),
]

const waiting: Rule = ({ depends_on: needed = {} }, _name, { services }) =>
  Object.entries(needed).map(([other, { condition }]) => {
    const isServer = (services[other]?.ports ?? []).length > 0
    const wanted = isServer ? 'service_healthy' : 'service_completed_successfully'
    return condition !== wanted && `waits for ${other} until ${condition}, not ${wanted}`
  })

const checkedSecrets: Rule = (_service, name, { services }) => {
  const seen = new Set([name])
  for (const one of seen) for (const next of Object.keys(services[one]?.depends_on ?? {})) seen.add(next)
  return [!seen.has('secrets') && 'starts before the secrets are checked']
}

const known: Rule = ({ profiles: list = [] }) => [
  (list.length === 0 || list.some(p => !(profiles as readonly string[]).includes(p))) &&
    'is of no profile, or of an unknown one',
]

const rules = [image, ports, health, hardening, mounts, openSecrets, waiting, checkedSecrets, known]

/** What is wrong with a composition, as sentences that begin with the name of the service. */
export function problemsOf(all: Composition): string[] {
  const ofServices = Object.entries(all.services).flatMap(([name, service]) =>
    rules
      .flatMap(rule => rule(service, name, all))
      .flatMap(said => (said === false ? [] : [`${name} ${said}`])),
  )
  const ofSecrets = Object.entries(all.secrets ?? {}).flatMap(([name, { file }]) =>
    file === undefined ? [`the secret ${name} is no file`] : [],
  )
  return [...ofServices, ...ofSecrets]
}
