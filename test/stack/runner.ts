import type { RunnerTask, RunnerTestFile } from 'vitest'
import { inject, TestRunner } from 'vitest'
import { neededBy } from './needed.ts'
import './provided.ts'

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
