import { readFileSync } from 'node:fs'

/** How a task instance stands, as Airflow's REST API tells it. */
export interface TaskInstance {
  readonly dag_id: string
  readonly dag_run_id: string
  readonly task_id: string
  readonly state: string | null
  readonly try_number: number
  readonly start_date: string | null
  readonly end_date: string | null
}

export interface DagRun {
  readonly dag_id: string
  readonly dag_run_id: string
  readonly state: string
  readonly run_type: string
}

/** Airflow as its users have it: by its REST API, after a login. */
export class Airflow {
  readonly url: string
  readonly #token: string
  private constructor(url: string, token: string) {
    this.url = url
    this.#token = token
  }

  static async login(
    url: string,
    passwordsFile: string,
    user: 'admin' | 'viewer' = 'admin',
  ): Promise<Airflow> {
    const passwords = JSON.parse(readFileSync(passwordsFile, 'utf8')) as Record<string, string>
    const response = await fetch(`${url}/auth/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username: user, password: passwords[user] }),
    })
    if (response.status !== 201) throw new Error(`login: ${response.status} ${await response.text()}`)
    const { access_token: token } = (await response.json()) as { readonly access_token: string }
    return new Airflow(url, token)
  }

  /** @throws Error with what Airflow said, for any answer but 2xx */
  async ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text.slice(0, 500)}`)
    return (text === '' ? undefined : JSON.parse(text)) as T
  }

  async pause(dag: string, isPaused: boolean): Promise<void> {
    await this.ask('PATCH', `/api/v2/dags/${dag}`, { is_paused: isPaused })
  }

  /** A run by hand, which stands for no period unless `logicalDate` is given. Its id. */
  async trigger(
    dag: string,
    more: { readonly logicalDate?: string; readonly conf?: unknown } = {},
  ): Promise<string> {
    const body = { logical_date: more.logicalDate ?? null, conf: more.conf ?? {} }
    return (await this.ask<DagRun>('POST', `/api/v2/dags/${dag}/dagRuns`, body)).dag_run_id
  }

  /** Every task instance there is, of all DAGs. */
  async tasks(): Promise<readonly TaskInstance[]> {
    const found: TaskInstance[] = []
    for (;;) {
      const page = await this.ask<{
        readonly task_instances: TaskInstance[]
        readonly total_entries: number
      }>('GET', `/api/v2/dags/~/dagRuns/~/taskInstances?limit=100&offset=${found.length}&order_by=id`)
      found.push(...page.task_instances)
      if (page.task_instances.length === 0 || found.length >= page.total_entries) return found
    }
  }

  /** What the operator pushed: the program's own result, of a skip and a failure too. */
  async resultOf({
    dag_id,
    dag_run_id,
    task_id,
  }: TaskInstance): Promise<Record<string, unknown> | undefined> {
    const run = encodeURIComponent(dag_run_id)
    const path = `/api/v2/dags/${dag_id}/dagRuns/${run}/taskInstances/${task_id}/xcomEntries/result`
    const entry = await this.ask<{ readonly value: Record<string, unknown> }>('GET', path).catch(
      (error: Error) => {
        if (error.message.includes(': 404 ')) return undefined
        throw error
      },
    )
    return entry?.value
  }

  /** Runs a task once more, as a person does with "clear". */
  async clear({ dag_id, dag_run_id, task_id }: TaskInstance): Promise<void> {
    await this.ask('POST', `/api/v2/dags/${dag_id}/clearTaskInstances`, {
      dry_run: false,
      dag_run_id,
      task_ids: [task_id],
      only_failed: false,
      reset_dag_runs: true,
    })
  }

  /** A key, where Airflow keeps secrets. */
  async addKey(connection: string, key: string): Promise<void> {
    await this.ask('POST', '/api/v2/connections', {
      connection_id: connection,
      conn_type: 'generic',
      password: key,
    })
  }
}
