export type Component = 'metadatabase' | 'scheduler' | 'triggerer' | 'dag_processor'

/** What `/api/v2/monitor/health` answers: `{"scheduler":{"status":"healthy","latest_scheduler_heartbeat":"2026-…Z"}, …}`. */
export type Health = Readonly<Partial<Record<Component, Readonly<Record<string, string | null>>>>>

/** Undefined when it does not answer, or something else answers. */
export async function healthOf(url: string): Promise<Health | undefined> {
  try {
    const response = await fetch(`${url}/api/v2/monitor/health`, { signal: AbortSignal.timeout(5000) })
    const answer: unknown = await response.json()
    return response.ok && typeof answer === 'object' && answer !== null ? (answer as Health) : undefined
  } catch {
    // Nothing listens yet, or it does not answer: there is no health to tell.
    return undefined
  }
}

/** Whether a component is healthy by a heartbeat that is not older than `sinceMs`: for 30 s a dead one still counts as healthy there. */
export function isHealthy(health: Health, component: Component, sinceMs: number): boolean {
  const found = health[component]
  if (found?.['status'] !== 'healthy') return false
  if (component === 'metadatabase') return true
  return Date.parse(found[`latest_${component}_heartbeat`] ?? '') >= sinceMs
}
