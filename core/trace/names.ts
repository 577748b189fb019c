// Who is who in a recording: connections by the client identifiers of their sessions.

import { rulesOf } from '../broker/config.ts'
import type { Config } from '../broker/config.ts'
import type { State } from '../broker/state.ts'
import * as IntMap from '../data/int-map.ts'
import type { TopicFilter } from '../topic/filter.ts'
import { match } from '../topic/match.ts'
import { isTopicName } from '../topic/name.ts'
import type { Batch } from './replay.ts'

/** Whether a topic is asked for, by its whole name or by that behind a listener's mount point. */
export const isAskedFor = (
  filter: TopicFilter,
  topic: string,
  { listeners }: Pick<Config, 'listeners'>,
): boolean => {
  const isOne = (name: string): boolean => isTopicName(name) && match(filter, name)
  return isOne(topic) ||
    listeners.some(([, { mountPoint }]) =>
      mountPoint !== '' && topic.startsWith(mountPoint) && isOne(topic.slice(mountPoint.length))
    )
}

/** Client identifiers by the generation of the connection. */
export class Names {
  private readonly clients = new Map<number, string>()
  /** What stands in front of their topics, where there is anything. */
  private readonly mountPoints = new Map<number, string>()
  /** Of connections that were not let in when they were last heard of. */
  private readonly listeners = new Map<number, string>()

  /** Who is connected at the beginning. */
  know(state: State): void {
    IntMap.each(state.sessions, ({ conn, clientId }) => {
      if (conn !== null) this.clients.set(conn.generation, clientId)
    })
    IntMap.each(state.links, ({ conn, listener, phase }) => {
      const rules = phase.phase === 'Ready' ? phase.rules : rulesOf(state.config, listener)
      this.mount(conn.generation, rules.mountPoint)
      if (phase.phase !== 'Ready') this.listeners.set(conn.generation, listener)
    })
  }

  /** To be told of every run: whoever connected in it is known behind it. */
  learn({ inputs, after }: Pick<Batch, 'inputs' | 'after'>): void {
    for (const input of inputs) {
      if (input._tag === 'Opened') {
        this.listeners.set(input.conn.generation, input.listener)
        this.mount(input.conn.generation, rulesOf(after.config, input.listener).mountPoint)
      }
      if (!('conn' in input)) continue
      const isConnect = input._tag === 'Arrived' && input.packet._tag === 'Connect'
      // Who has to prove who it is may have another name afterwards.
      if (!isConnect && input._tag !== 'Judged' && input._tag !== 'Answered') continue
      const { conn } = input
      const link = IntMap.get(after.links, conn.slot)
      const ready = link?.conn.generation === conn.generation && link.phase.phase === 'Ready'
        ? link.phase
        : null
      // What counts for it is what does in the moment in which it is let in, and a reload may have
      // come in the same run.
      const listener = this.listeners.get(conn.generation)
      if (ready !== null) this.mount(conn.generation, ready.rules.mountPoint)
      else if (listener !== undefined) {
        this.mount(conn.generation, rulesOf(after.config, listener).mountPoint)
      }
      const session = ready === null ? undefined : IntMap.get(after.sessions, ready.session)
      if (session !== undefined) {
        this.clients.set(conn.generation, session.clientId)
        this.listeners.delete(conn.generation)
      } else if (input._tag === 'Arrived' && input.packet._tag === 'Connect') {
        this.clients.set(conn.generation, input.packet.clientId)
      }
    }
  }

  of(generation: number): string | undefined {
    return this.clients.get(generation)
  }

  /** The mount point of its listener. */
  mountPointOf(generation: number): string {
    return this.mountPoints.get(generation) ?? ''
  }

  /** What the broker knows a topic of the connection by; empty where there is none. */
  wholeOf(generation: number, topic: string): string {
    return topic === '' ? '' : this.mountPointOf(generation) + topic
  }

  private mount(generation: number, mountPoint: string): void {
    if (mountPoint !== '') this.mountPoints.set(generation, mountPoint)
    else this.mountPoints.delete(generation)
  }
}
