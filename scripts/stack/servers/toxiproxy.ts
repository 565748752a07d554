import { goProgram } from '../fetch.ts'
import { httpReady } from '../probes.ts'
import type { Place, Server } from '../server.ts'

/** The proxy that makes faults of the network. It forgets its proxies when it ends. */
export const toxiproxyServer = (place: Place): Server => {
  const port = place.ports.toxiproxy.client
  return {
    name: 'toxiproxy',
    kind: 'toxiproxy',
    address: `http://127.0.0.1:${port}`,
    listens: [port],
    stopSignal: 'SIGTERM',
    prepare: async () => ({
      file: await goProgram('toxiproxy', place.say),
      args: ['-host', '127.0.0.1', '-port', String(port)],
    }),
    ready: () => httpReady(`http://127.0.0.1:${port}/version`),
  }
}
