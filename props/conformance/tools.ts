// What the rows about other people's clients are written with.

import { same } from './expect.ts'
import type { Family, Listener, PublishOrder, Refusal, SubscribeOrder, Wish } from './family.ts'
import type { Stage } from './row.ts'
import type { Level, Qos } from './wire.ts'

export const qoses: ReadonlyArray<Qos> = [0, 1, 2]

export type Play = (stage: Stage, tools: Tools) => Promise<void>

/** By the feature that each is about. */
export type Plays = { readonly [feature: string]: Play }

/** The family's verbs with the level and the broker filled in. */
export class Tools {
  readonly family: Family
  readonly level: Level
  private readonly stage: Stage

  constructor(stage: Stage, family: Family, level: Level) {
    this.stage = stage
    this.family = family
    this.level = level
  }

  private wish(name: string, more: Partial<Wish>): Wish {
    return { level: this.level, port: this.stage.broker.port, id: this.stage.own(name), ...more }
  }

  /** Without a look at what has been granted. */
  async ask(
    name: string,
    filters: ReadonlyArray<string>,
    qos: Qos,
    more: Partial<Wish> = {},
    order: SubscribeOrder = {},
  ): Promise<Listener> {
    const listener = await this.family.listen(this.wish(name, more), filters, qos, order)
    this.stage.afterwards(() => {
      // Whoever is gone already cannot be ended again, and nobody waits for the others.
      listener.abort().catch(() => {})
    })
    return listener
  }

  async listen(
    name: string,
    filters: ReadonlyArray<string>,
    qos: Qos,
    more: Partial<Wish> = {},
    order: SubscribeOrder = {},
  ): Promise<Listener> {
    const listener = await this.ask(name, filters, qos, more, order)
    same(listener.granted, filters.map(() => qos), 'reasons of SUBACK')
    return listener
  }

  /** A client that leaves its identifier to the broker. */
  nameless(filters: ReadonlyArray<string>, qos: Qos): Promise<Listener> {
    return this.listen('', filters, qos, { id: '' })
  }

  refusal(name: string, more: Partial<Wish> = {}): Promise<Refusal> {
    return this.family.refusal(this.wish(name, more))
  }

  say(topic: string, payload: string | ReadonlyArray<string>, qos: Qos, order: PublishOrder = {}) {
    const all = typeof payload === 'string' ? [payload] : payload
    return this.family.publish(this.wish('speaker', {}), topic, all, qos, order)
  }
}

export const payloads = (listener: Listener): string[] =>
  listener.messages.map(({ payload }) => payload)
