import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A line to a server on this machine that can keep what is on its way, and hand it over later. */
export interface Relay extends AsyncDisposable {
  readonly port: number
  /** From the next piece that `isMeant` on, nothing more reaches the server. */
  hold(isMeant: (piece: Buffer) => boolean): void
  readonly isHolding: boolean
  /** Hands over what was kept. Resolves when the server has answered to it. */
  release(): Promise<void>
}

export async function openRelay(to: number): Promise<Relay> {
  let isMeant: ((piece: Buffer) => boolean) | undefined
  let kept: { readonly server: Socket; readonly piece: Buffer }[] | undefined
  const sockets = new Set<Socket>()
  const pass = (server: Socket, piece: Buffer): void => {
    if (isMeant?.(piece)) kept ??= []
    if (kept) kept.push({ server, piece })
    else server.write(piece)
  }
  const listener = createServer(client => {
    const server = connect(to, '127.0.0.1')
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.add(one)
      one.on('error', () => other.destroy())
      one.on('close', () => other.destroy())
    }
    client.on('data', (piece: Buffer) => pass(server, piece))
    server.pipe(client)
  }).listen(0, '127.0.0.1')
  await once(listener, 'listening')
  return {
    port: (listener.address() as AddressInfo).port,
    hold: meant => {
      isMeant = meant
    },
    get isHolding() {
      return kept !== undefined
    },
    release: async () => {
      const pieces = kept ?? []
      isMeant = undefined
      kept = undefined
      const servers = [...new Set(pieces.map(({ server }) => server))]
      const answers = servers.map(server => once(server, 'data'))
      for (const { server, piece } of pieces) server.write(piece)
      await Promise.all(answers)
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      listener.close()
      await once(listener, 'close')
    },
  }
}
