// Who is who in a recording: connections by the client identifiers of their sessions.

import type { State } from '../broker/state.ts'
import * as IntMap from '../data/int-map.ts'
import type { Batch } from './replay.ts'

/** Client identifiers by the generation of the connection. */
export class Names {
  private readonly clients = new Map<number, string>()

  /** Who is connected at the beginning. */
  know(state: State): void {
    IntMap.each(state.sessions, ({ conn, clientId }) => {
      if (conn !== null) this.clients.set(conn.generation, clientId)
    })
  }

  /** To be told of every run: whoever connected in it is known behind it. */
  learn({ inputs, after }: Pick<Batch, 'inputs' | 'after'>): void {
    for (const input of inputs) {
      if (input._tag !== 'Arrived' || input.packet._tag !== 'Connect') continue
      const { conn, packet } = input
      const link = IntMap.get(after.links, conn.slot)
      const session = link?.conn.generation === conn.generation && link.phase.phase === 'Ready'
        ? IntMap.get(after.sessions, link.phase.session)
        : undefined
      this.clients.set(conn.generation, session?.clientId ?? packet.clientId)
    }
  }

  of(generation: number): string | undefined {
    return this.clients.get(generation)
  }
}
