import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach } from 'vitest'
import { stackServers, uniqueName } from '../../test/stack/servers.ts'
import { ledgerContract } from '../ledger.contract.ts'
import type { LedgerContract } from '../ledger.fixture.ts'
import { ledgerTimeContract } from '../ledger-time.contract.ts'
import { outboxContract } from '../outbox.contract.ts'
import { pauseContract } from '../pause.contract.ts'
import { sharedLedgerContract } from '../shared-ledger.contract.ts'
import { spendingContract } from '../spending.contract.ts'
import { openPostgresLedger } from './postgres.ts'

const { url } = stackServers().postgres
const folder = mkdtempSync(join(tmpdir(), 'cryptos-postgres-'))
let schema = ''
beforeEach(() => {
  schema = uniqueName('ledger')
})
afterAll(() => rmSync(folder, { recursive: true }))

const contract: LedgerContract = {
  name: 'postgres',
  open: (clock, options) =>
    openPostgresLedger({ url, schema, clock, time: 'clock', spoolFolder: join(folder, schema), ...options }),
}
ledgerContract(contract)
ledgerTimeContract(contract)
outboxContract(contract)
pauseContract(contract)
sharedLedgerContract(contract)
spendingContract(contract)
