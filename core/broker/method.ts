// What an authentication method of MQTT 5 (section 4.12) is: a name and three pure steps. What
// wants a secret, a hash or chance is asked of the shell and comes back as an answer, so a method
// holds nothing but what its client has said and been told.

import type { Bytes } from '../data/bytes.ts'
import { NOT_AUTHORIZED } from '../codec/reason-code.ts'
import type { Query } from './effect.ts'
import type { Answer } from './input.ts'

/** The methods that there are. */
export type MethodName = 'SCRAM-SHA-256'

/** How far an exchange has come; holds no secret. */
export type Exchange =
  | {
    readonly step: 'salt' // asked of the shell
    readonly userName: string
    /** The client's header about channel binding, as it has to come back. */
    readonly header: string
    /** What the client has said, without its header. */
    readonly bare: string
    /** The client's half of the nonce. */
    readonly nonce: string
  }
  | {
    readonly step: 'final' // awaited from the client
    readonly userName: string
    readonly header: string
    /** What both have said so far, of what the client has to sign. */
    readonly said: string
    /** Both halves of the nonce. */
    readonly nonce: string
  }
  | { readonly step: 'proof'; readonly userName: string } // asked of the shell

/** What a step comes to. */
export type Turn =
  | { readonly _tag: 'Ask'; readonly query: Query; readonly exchange: Exchange }
  | { readonly _tag: 'Challenge'; readonly data: Bytes; readonly exchange: Exchange }
  | { readonly _tag: 'Success'; readonly userName: string; readonly data: Bytes | null }
  | { readonly _tag: 'Failure'; readonly reason: number; readonly detail: string }

/** One method: a step each for its beginning, for what the client and what the shell answers. */
export interface Method {
  readonly name: MethodName
  /** The data of CONNECT, or of the AUTH that asks for another authentication; lent, or missing. */
  readonly begin: (data: Bytes | null) => Turn
  /** The client has answered a challenge. */
  readonly proceed: (exchange: Exchange, data: Bytes | null) => Turn
  /** The shell has answered a question; the nonce is new for every answer. */
  readonly resolve: (exchange: Exchange, answer: Answer, nonce: string) => Turn
}

/** The end of an exchange without success. */
export const failure = (detail: string, reason = NOT_AUTHORIZED): Turn => ({
  _tag: 'Failure',
  reason,
  detail,
})
