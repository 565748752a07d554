import type { Reply, ServedValue } from '../../../../sandbox/types.ts'

/** What an endpoint answers; the twin adds who asked and what it cost. */
export interface Answer {
  readonly status: number
  readonly body: string
  readonly code: string
  readonly served: readonly ServedValue[]
  readonly headers?: Readonly<Record<string, string>>
}

export const servedAnswer = (body: string, served: readonly ServedValue[]): Answer => ({
  ...{ status: 200, body, code: '0', served },
})

/** One line of text, as the Bitcoin Price Index told its errors. */
export const textAnswer = (status: number, text: string): Answer => ({
  ...{ status, body: text, code: text, served: [] },
  headers: { 'content-type': 'text/html; charset=UTF-8' },
})

export function replyOf(answer: Answer, by: Pick<Reply, 'scope' | 'keyIn' | 'credits'>): Reply {
  return { ...answer, ...by, result: answer.status === 200 && answer.code === '0' ? 'served' : 'refused' }
}
