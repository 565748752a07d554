import { expect } from 'vitest'
import { isOutcome } from '../../core/outcomes.ts'
import { type Ended, lastJson } from './program.ts'

export interface Answer {
  readonly code: number
  readonly json: Readonly<Record<string, unknown>>
}

const stackLine = /^\s+at .+[:(]\d+|node:internal|file:\/\//m

/** No stack trace, nothing of Node's own about a crash. */
export function expectNoTrace(said: Ended): void {
  expect(`${said.stdout}${said.stderr}`).not.toMatch(stackLine)
}

export interface Refusal {
  readonly exit: 1 | 2
  /** All that people are told, on stderr: the sentence. */
  readonly sentence: RegExp
  readonly code: string
  readonly outcome?: string
}

/** One sentence and one line that says what to do, on stderr and nowhere else. */
export function expectSentence(said: Ended, { exit, sentence, code }: Refusal): void {
  expectNoTrace(said)
  const lines = said.stderr.trimEnd().split('\n')
  expect(lines[0]).toMatch(sentence)
  expect(lines.slice(1)).toEqual([expect.stringMatching(new RegExp(`^  ${code}: \\S.{4}`))])
  expect(said.code).toBe(exit)
}

/** The same as one JSON object, the last line of stdout. */
export function expectJson(said: Ended, { exit, sentence, code, outcome }: Refusal): void {
  expectNoTrace(said)
  expectAnswer(
    { code: said.code ?? -1, json: lastJson(said) },
    { exit, sentence, code, ...(outcome === undefined ? {} : { outcome }) },
  )
}

export function expectAnswer(answer: Answer, { exit, sentence, code, outcome }: Refusal): void {
  const { json } = answer
  expect(json).toMatchObject({ code, reason: expect.stringMatching(sentence), remedy: expect.any(String) })
  expect(isOutcome(String(json['outcome']))).toBe(true)
  if (outcome !== undefined) expect(json['outcome']).toBe(outcome)
  expect(answer.code).toBe(exit)
}
