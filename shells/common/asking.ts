// What the broker asks of whoever runs it: who may connect, and what methods of authentication want
// to know. An answer that fails is a refusal, and a line in the log.

import type { Ask, Query, Question } from '../../core/broker/effect.ts'
import * as Input from '../../core/broker/input.ts'
import type { Conn } from '../../core/broker/input.ts'

const NOT_AUTHORIZED = 0x87
const SERVER_UNAVAILABLE = 0x88

export type Judge = (question: Question) => Promise<number>
export type Know = (query: Query) => Promise<Input.Answer>

/** Where answers go, and what they need. */
export interface Asker {
  now(): number
  nonce(): string
  tell(input: Input.Input): void
  complain(text: string): void
}

/** An error for the log, with where it came from. */
export const traceOf = (error: unknown): string =>
  error instanceof Error ? error.stack ?? error.message : String(error)

/** Asks whether a client may connect; without a judge it may not. */
export const askWho = (
  asker: Asker,
  judge: Judge | null,
  conn: Conn,
  question: Question,
): void => {
  const answer = (reason: number): void => asker.tell(Input.judged(conn, asker.now(), reason))
  if (judge === null) return answer(NOT_AUTHORIZED)
  judge(question).then(answer, (error: unknown) => {
    asker.complain(`asking who may connect failed: ${traceOf(error)}`)
    answer(SERVER_UNAVAILABLE)
  })
}

/** Asks what a method wants to know; without anybody who knows its client is refused. */
export const askWhat = (asker: Asker, know: Know | null, { conn, query }: Ask): void => {
  const answer = (found: Input.Answer): void =>
    asker.tell(Input.answered(conn, asker.now(), asker.nonce(), found))
  if (know === null) return answer({ _tag: 'Refused', reason: NOT_AUTHORIZED })
  know(query).then(answer, (error: unknown) => {
    asker.complain(`asking about a user failed: ${traceOf(error)}`)
    answer({ _tag: 'Refused', reason: SERVER_UNAVAILABLE })
  })
}
