import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { compileFunction } from 'node:vm'
import type { AxiosStatic } from 'axios'

let loaded: AxiosStatic | undefined

/**
 * axios in its build without Node's adapters; ours is `http-transport.ts`. It is evaluated with an empty global object, because it
 * looks whether fetch is there, for an adapter that is not used here, and that look alone makes Node load all of undici: 45 ms of
 * the start of each `cryptos collect`, four times what axios itself takes.
 */
export function loadAxios(): AxiosStatic {
  loaded ??= evaluate('axios/dist/browser/axios.cjs') as AxiosStatic
  return loaded
}

function evaluate(name: string): unknown {
  const require = createRequire(import.meta.url)
  const filename = require.resolve(name)
  const module = { exports: {} }
  const parameters = ['exports', 'require', 'module', 'globalThis', 'self', 'window']
  compileFunction(readFileSync(filename, 'utf8'), parameters, { filename }).call(
    module.exports,
    ...[module.exports, require, module, Object.create(null)],
  )
  return module.exports
}
