// What a line of a story asks for. Most acts are one input; those that only make sense while the
// story is played (a client that comes back, time that passes) are left to play.ts.

import type { Config } from '../broker/config.ts'
import type { Answer, Gone, Measures, Millis, Revocation } from '../broker/input.ts'
import type { Fault } from '../codec/fault.ts'
import type { Packet, Publish } from '../codec/packet.ts'

export type Act =
  /** A connection comes in; what is null is as usual. */
  | {
    readonly _tag: 'Open'
    readonly name: string
    readonly listener: string | null
    readonly address: string | null
    readonly port: number | null
    readonly nonce: string | null
  }
  | { readonly _tag: 'Say'; readonly name: string; readonly packet: Packet }
  | {
    readonly _tag: 'Raw'
    readonly name: string
    /** The bytes as they are written in the story. */
    readonly text: string
    readonly bytes: Uint8Array
  }
  /** More of a large packet has come. */
  | { readonly _tag: 'Continued'; readonly name: string }
  | { readonly _tag: 'Broke'; readonly name: string; readonly fault: Fault }
  | { readonly _tag: 'Gone'; readonly name: string; readonly why: Gone }
  | { readonly _tag: 'Reopen'; readonly name: string }
  /** Null for all that was sent so far. */
  | { readonly _tag: 'Written'; readonly name: string; readonly total: number | null }
  | { readonly _tag: 'Judged'; readonly name: string; readonly reason: number }
  /** A null nonce is one that the story makes up. */
  | {
    readonly _tag: 'Answered'
    readonly name: string
    readonly answer: Answer
    readonly nonce: string | null
  }
  | { readonly _tag: 'Tick'; readonly ms: Millis }
  | { readonly _tag: 'At'; readonly at: Millis }
  /** Null for the clock of the story. */
  | { readonly _tag: 'Ticked'; readonly wall: number | null }
  | Measures & { readonly _tag: 'Measured' }
  | { readonly _tag: 'Memory'; readonly isShort: boolean }
  | { readonly _tag: 'Store'; readonly isFull: boolean }
  | { readonly _tag: 'Reconfigure'; readonly config: Config }
  | { readonly _tag: 'Stop' }
  | { readonly _tag: 'Redirect' }
  | { readonly _tag: 'Kick'; readonly clientId: string }
  | { readonly _tag: 'Publish'; readonly packet: Publish }
  | { readonly _tag: 'Shut'; readonly listener: string }
  | { readonly _tag: 'Revoke'; readonly revocation: Revocation }
  | { readonly _tag: 'Quiet' }
  | { readonly _tag: 'Deadline' }
  /** Null for the broker as a whole. */
  | { readonly _tag: 'State'; readonly clientId: string | null }
