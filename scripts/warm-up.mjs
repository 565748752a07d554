// Fills Node's compile cache once after the set-up, so that the first start need not strip types (less time, 25 MB less memory).
import { enableCompileCache } from 'node:module'
import { join } from 'node:path'
import { root } from './setup.mjs'

enableCompileCache(join(root, 'node_modules', '.cache', 'cryptos'))
const parts = [
  'app/main.ts',
  'app/run-action.ts',
  'app/commands/up.ts',
  'app/commands/collect.ts',
  'app/pipeline/pipeline.ts',
  'sandbox/clock-file.ts',
]
await Promise.all(parts.map(part => import(join(root, part))))
