import { examine } from '../doctor.ts'
import type { Action, Define } from './command.ts'

const run: Action = async ({ config }) => {
  const findings = await examine(config)
  const bad = findings.filter(f => !f.ok)
  const text = findings.map(f => `${f.ok ? 'ok  ' : 'BAD '} ${f.name}: ${f.what}`)
  return { exit: bad.length === 0 ? 0 : 2, json: { ok: bad.length === 0, findings }, text: text.join('\n') }
}

export const define: Define = (program, act) => {
  program
    .command('doctor')
    .description('look at folder, disk, databases, port and key, without calling anyone')
    .action(act(run))
}
