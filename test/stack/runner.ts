import type { RunnerTask, RunnerTestFile, RunnerTestSuite } from 'vitest'
import { inject, TestRunner } from 'vitest'
import { neededBy } from './needed.ts'
import './provided.ts'
import { revive } from './revive.ts'

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

  override async onBeforeRunSuite(suite: RunnerTestSuite): Promise<void> {
    await super.onBeforeRunSuite(suite)
    const { folder } = inject('stack')
    if ('filepath' in suite && suite.mode !== 'skip') await revive(folder)
  }
}
