import { connect, createServer, type Socket } from 'node:net'

/** What happens to a COMMIT: the server does it and its answer is lost, or it never gets there. */
export type Loss = 'answer' | 'question'

export interface TcpProxy {
  readonly port: number
  /** COMMITs that were lost so far, each with its connection. */
  readonly lost: number
  /** Loses the next COMMIT, and refuses every connection from then on until `heal`, if told so. */
  loseNext(loss: Loss, thenRefuse?: boolean): void
  /** From now on no answer gets through, and no connection is closed: a server that hangs. */
  hang(): void
  heal(): void
  close(): Promise<void>
}

/** The message of a simple query: 'Q', length, text, NUL. */
const commit = Buffer.concat([Buffer.from('Q'), Buffer.from([0, 0, 0, 11]), Buffer.from('COMMIT\0')])

/** A proxy before a PostgreSQL server that can tell a COMMIT from other questions. */
export async function openTcpProxy(host: string, port: number): Promise<TcpProxy> {
  const open = new Set<Socket>()
  const state = {
    next: undefined as Loss | undefined,
    thenRefuse: false,
    refuses: false,
    lost: 0,
    hangs: false,
  }
  const server = createServer(client => {
    if (state.refuses) return void client.destroy()
    const upstream = connect(port, host)
    let isLosing: Loss | undefined
    const end = (): void => {
      for (const socket of [client, upstream]) socket.destroy()
      for (const socket of [client, upstream]) open.delete(socket)
    }
    for (const socket of [client, upstream]) {
      open.add(socket)
      socket.on('error', end).on('close', end)
    }
    const lose = (): void => {
      state.lost += 1
      if (state.thenRefuse) state.refuses = true
      end()
      if (state.refuses) for (const socket of open) socket.destroy()
    }
    client.on('data', bytes => {
      if (state.next && bytes.includes(commit)) {
        isLosing = state.next
        state.next = undefined
        if (isLosing === 'question') return lose()
      }
      upstream.write(bytes)
    })
    upstream.on('data', bytes => {
      if (isLosing) lose()
      else if (!state.hangs) client.write(bytes)
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as { port: number }).port,
    get lost() {
      return state.lost
    },
    loseNext: (loss, thenRefuse = false) => Object.assign(state, { next: loss, thenRefuse }),
    heal: () => Object.assign(state, { refuses: false, hangs: false, next: undefined }),
    hang: () => Object.assign(state, { hangs: true }),
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        for (const socket of open) socket.destroy()
      }),
  }
}
