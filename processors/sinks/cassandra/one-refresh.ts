import type cassandra from 'cassandra-driver'

type Refresh = (left?: unknown) => Promise<void>

/**
 * The driver may look for a new control connection twice at once after a server died: by a timer, and because a socket closed. The second
 * takes away what the first has just found, which then throws where nobody waits for it, and that ends the program
 * (cassandra-driver 4.10, lib/control-connection.js, `_refresh`). Here who comes while one looks gets what that one finds.
 * @returns whether the driver has what is replaced
 */
export function refreshOneAtATime(client: cassandra.Client): boolean {
  const control = (client as unknown as { readonly controlConnection?: { _refresh?: Refresh } })
    .controlConnection
  const refresh = control?._refresh
  if (!control || typeof refresh !== 'function') return false
  let looking: Promise<void> | undefined
  control._refresh = left => {
    // With the servers that are left it is the same look, going on.
    if (left !== undefined) return refresh.call(control, left)
    looking ??= refresh.call(control).finally(() => (looking = undefined))
    return looking
  }
  return true
}
