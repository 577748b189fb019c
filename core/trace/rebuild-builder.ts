// A broker that is being brought about input by input, and which part of another one is wanted.

import type { Effect } from '../broker/effect.ts'
import type { Conn, Input } from '../broker/input.ts'
import * as I from '../broker/input.ts'
import type { Message, Session, State } from '../broker/state.ts'
import { step } from '../broker/step.ts'
import * as B from '../data/bytes.ts'
import * as IntMap from '../data/int-map.ts'
import * as StrMap from '../data/str-map.ts'
import type { TopicFilter } from '../topic/filter.ts'
import * as Tree from '../topic/tree.ts'

/** Which part of a broker is wanted. */
export interface Part {
  /** Whose session is wanted. */
  readonly client: (clientId: string) => boolean
  /** What of others is wanted: that they are there, and may speak. */
  readonly speaker: (conn: Conn) => boolean
  /** Who is away and wanted all the same, for what becomes of his will. */
  readonly leaver: (session: Session) => boolean
  /** What is wanted of what is retained. */
  readonly topic: (topic: string) => boolean
  /** What is wanted of messages on their way. */
  readonly message: (topic: string) => boolean
  /** Whether there is anything for a shared group of this filter. */
  readonly share: (filter: TopicFilter) => boolean
}

// Less than any broker's limit for what a socket has not taken.
const thirstBytes = 32 * 1024

/** A broker that is being brought about. */
export class Builder {
  state: State
  readonly inputs: Array<Input> = []
  readonly untold: Array<string> = []

  constructor(state: State) {
    this.state = state
  }

  feed(input: Input): ReadonlyArray<Effect> {
    const [state, effects] = step(this.state, input)
    this.state = state
    this.inputs.push(input)
    for (const effect of effects) {
      // Whoever is in the state was let in.
      if (effect._tag === 'Judge') this.feed(I.judged(effect.conn, input.at, 0))
    }
    return effects
  }

  sessionNow(clientId: string): Session | undefined {
    const number = StrMap.get(this.state.clients, clientId)
    return number === undefined ? undefined : IntMap.get(this.state.sessions, number)
  }

  /** The Retain Handling of who has had what is retained; the usual one where there is nothing. */
  get unlessRetained(): 0 | 2 {
    return this.state.retained.size === 0 ? 0 : 2
  }

  /** Whether what is retained on its topic is left as it is by publishing this as retained. */
  isRetained({ topic, payload, qos }: Message): boolean {
    const found = Tree.get(this.state.retained, topic)
    return found === undefined
      ? B.size(payload) === 0
      : found.qos === qos && B.equals(found.payload, payload)
  }

  /** The socket takes what there is, where that is much. */
  drink(conn: Conn): void {
    const link = IntMap.get(this.state.links, conn.slot)
    if (link?.phase.phase !== 'Ready') return
    const session = IntMap.get(this.state.sessions, link.phase.session)
    if (session === undefined || session.sentBytes - session.takenBytes < thirstBytes) return
    this.feed(I.written(conn, this.state.now, session.sentBytes))
  }
}
