import type { ServerResponse } from 'node:http'

/** Resolves when the bytes have left: a connection that dies earlier takes them along. */
export const writeOut = (response: ServerResponse, bytes: Buffer): Promise<void> =>
  new Promise(resolve => void response.write(bytes, () => resolve()))
