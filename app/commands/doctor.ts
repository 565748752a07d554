import { examine } from '../doctor.ts'
import { done, fromOutcome } from '../result.ts'
import type { Action, Define } from './command.ts'

const run: Action = async ({ config, problems }) => {
  const findings = await examine(config, problems)
  const bad = findings.filter(f => !f.ok)
  const text = findings.map(f => `${f.ok ? 'ok  ' : 'BAD '} ${f.name}: ${f.what}`).join('\n')
  if (bad.length === 0) return done(text, { ok: true, findings })
  const reason = bad.map(f => `${f.name}: ${f.what}`).join('; ')
  return { ...fromOutcome('misconfigured', reason, { ok: false, findings }), text, isReport: true }
}

export const define: Define = (program, act) => {
  program
    .command('doctor')
    .description('look at settings, folder, disk, databases, port and key, without calling anyone')
    .action(act(run, undefined, { showsProblems: true }))
}
