import type { RunnerTask, RunnerTestFile } from 'vitest'
import { inject, TestRunner } from 'vitest'
import type { ServerName } from '../../scripts/stack/pins.ts'
import { serverNames } from '../../scripts/stack/pins.ts'
import './provided.ts'

/** The servers that a test file needs: those that its path names, or all; the compose file is checked without any. */
export function neededBy(path: string): readonly ServerName[] {
  if (path.includes('compose')) return []
  const named = serverNames.filter(name => path.includes(name))
  return named.length > 0 ? named : serverNames
}

function skip(task: RunnerTask): void {
  task.mode = 'skip'
  if (task.type === 'suite') task.tasks.forEach(skip)
}

/** Skips whole files, their hooks too, where a server is missing. */
export default class StackRunner extends TestRunner {
  onCollected(files: RunnerTestFile[]): void {
    const { missing } = inject('stack')
    for (const file of files) if (neededBy(file.name).some(name => missing.includes(name))) skip(file)
  }
}
