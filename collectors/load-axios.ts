import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { compileFunction } from 'node:vm'
import type { AxiosStatic } from 'axios'

let loaded: AxiosStatic | undefined

/**
 * axios in its build without Node's adapters; ours is `http-transport.ts`. It is evaluated without fetch and its
 * kin, because it looks whether they are there, for an adapter that is not used here, and that look alone makes Node load all of
 * undici: a large part of the start of each `cryptos collect`, and several times what axios itself takes.
 */
export function loadAxios(): AxiosStatic {
  loaded ??= evaluate('axios/dist/browser/axios.cjs') as AxiosStatic
  return loaded
}

/** Globals that Node brings with undici at the first look, and the other names of the global object. */
const unseen = ['self', 'window', 'FormData', 'Headers', 'Request', 'Response', 'fetch']

function evaluate(name: string): unknown {
  const require = createRequire(import.meta.url)
  const filename = require.resolve(name)
  const module = { exports: {} }
  const parameters = ['exports', 'require', 'module', 'globalThis', ...unseen]
  compileFunction(readFileSync(filename, 'utf8'), parameters, { filename }).call(
    module.exports,
    ...[module.exports, require, module, Object.create(null)],
  )
  return module.exports
}
