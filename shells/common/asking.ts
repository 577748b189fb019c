// What the broker asks of whoever runs it: who may connect, and what methods of authentication want
// to know. An answer that fails is a refusal, and a line in the log.

import { NOT_AUTHORIZED, SERVER_UNAVAILABLE } from '../../core/codec/reason-code.ts'
import type { Ask, Query, Question } from '../../core/broker/effect.ts'
import * as Input from '../../core/broker/input.ts'
import type { Conn } from '../../core/broker/input.ts'

/**
 * Answers 0 for yes, or the reason code of CONNACK that turns the client away. `isWanted`: whether
 * the connection is still there, for whoever has let the question wait.
 */
export type Judge = (question: Question, isWanted: () => boolean) => Promise<number>
/** Answers what an authentication method asks; a failure refuses the client. */
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

const isReason = (answer: unknown): answer is number =>
  answer === 0 || (Number.isInteger(answer) && Number(answer) >= 0x80 && Number(answer) <= 0xff)

/** What somebody answers who may throw instead, or answer at once, whatever his type says. */
const answerOf = <A>(work: () => Promise<A>): Promise<A> => {
  try {
    return Promise.resolve(work())
  } catch (error) {
    return Promise.reject(error)
  }
}

/** Asks whether a client may connect; without a judge, and without an answer, it may not. */
export const askWho = (
  asker: Asker,
  judge: Judge | null,
  conn: Conn,
  question: Question,
  isWanted: () => boolean,
): void => {
  const answer = (reason: number): void => asker.tell(Input.judged(conn, asker.now(), reason))
  if (judge === null) return answer(NOT_AUTHORIZED)
  const hear = (reason: unknown): void => {
    if (isReason(reason)) return answer(reason)
    asker.complain(
      `the judge answered ${String(reason)}, which is no reason code, and its client was turned ` +
        'away: 0 lets it in, 0x80 to 0xff do not, as 0x86 for a wrong name or password',
    )
    answer(NOT_AUTHORIZED)
  }
  answerOf(() => judge(question, isWanted)).then(hear, (error: unknown) => {
    asker.complain(`asking who may connect failed: ${traceOf(error)}`)
    answer(SERVER_UNAVAILABLE)
  })
}

/** Asks what a method wants to know; without anybody who knows its client is refused. */
export const askWhat = (asker: Asker, know: Know | null, { conn, query }: Ask): void => {
  const answer = (found: Input.Answer): void =>
    asker.tell(Input.answered(conn, asker.now(), asker.nonce(), found))
  if (know === null) return answer({ _tag: 'Refused', reason: NOT_AUTHORIZED })
  answerOf(() => know(query)).then(answer, (error: unknown) => {
    asker.complain(`asking about a user failed: ${traceOf(error)}`)
    answer({ _tag: 'Refused', reason: SERVER_UNAVAILABLE })
  })
}
