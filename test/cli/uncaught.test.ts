import { writeFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { expectNoTrace } from '../support/expectations.ts'
import { lastJson, program, startLine } from '../support/program.ts'
import { scratch } from '../support/scratch.ts'

it('what nobody caught ends the program with a sentence that does not show a key that came from a file', async () => {
  using place = scratch('uncaught')
  const key = `canary-${'0f3c6a1e'.repeat(3)}`
  const file = place.file('key')
  writeFileSync(file, key, { mode: 0o600 })
  // A defect that has the key in its message, at the test's word.
  const defect = `process.on('SIGUSR2', () => { throw new Error('refused: ${key}') })`
  const line = [process.execPath, '--import', `data:text/javascript,${encodeURIComponent(defect)}`, program]
  const running = startLine([...line, 'sandbox', '--port', '0', '--json'], {
    COINMARKETCAP_API_KEY_FILE: file,
  })
  await running.says('"url"')
  running.child.kill('SIGUSR2')
  const said = await running.ended
  expectNoTrace(said)
  expect(said.code).toBe(1)
  expect(lastJson(said)).toMatchObject({
    outcome: 'failed',
    code: 'CRY_INTERNAL',
    reason: 'refused: [secret]',
  })
  expect(`${said.stdout}${said.stderr}`).not.toContain(key)
})

it('what something has left open does not keep the program from its end', async () => {
  using place = scratch('left-open')
  const leak = 'setInterval(() => undefined, 200)'
  const line = [process.execPath, '--import', `data:text/javascript,${encodeURIComponent(leak)}`, program]
  const { code, stdout, stderr } = await startLine([...line, 'config', 'show', '--json'], {
    CRYPTOS_DATA_DIR: place.file('data'),
  }).ended
  expect(code).toBe(0)
  expect(JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '')).toMatchObject({ settings: {} })
  expect(stderr).toMatch(/still open 3 s after the end, and cut: .*Timeout/)
})
