import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach } from 'vitest'
import { ledgerContract } from '../ledger.contract.ts'
import { openSqliteLedger } from './sqlite.ts'

const dir = mkdtempSync(join(tmpdir(), 'cryptos-ledger-'))
let file = ''
let count = 0
beforeEach(() => {
  count += 1
  file = join(dir, `ledger-${count}.db`)
})
afterAll(() => rmSync(dir, { recursive: true }))

ledgerContract({ name: 'sqlite', open: (clock, options) => openSqliteLedger({ file, clock, ...options }) })
