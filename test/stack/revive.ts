import { restart, status } from '../../scripts/stack/stack.ts'

/** Starts what the file before has left dead or paused, so that one failure is one failure. Returns the names. */
export async function revive(folder: string): Promise<readonly string[]> {
  const notReady = (await status(folder)).filter(server => server.state !== 'ready')
  // It needs the others.
  const isLast = (kind: string): number => Number(kind === 'airflow')
  const ill = notReady.sort((a, b) => isLast(a.kind) - isLast(b.kind)).map(server => server.name)
  for (const name of ill) await restart(folder, name)
  if (ill.length > 0) console.warn(`the test file before left ${ill.join(', ')} down: started again`)
  return ill
}
