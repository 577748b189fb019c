// Three families of clients behind one face, so that the rows about them are written once: the
// command line tools of mosquitto (a process per client), Paho for Python and MQTT.js.

import { within } from './expect.ts'
import type { Level, Qos } from './wire.ts'

/** Long, for machines that are busy with other things; nothing that passes waits so long. */
export const patienceMs = 20_000

/** The shortest that mosquitto_sub takes, and long enough for a client that is busy. */
export const keepAliveS = 5

/** What MQTT 5 lets a message, a will or a subscription carry. */
export interface Properties {
  readonly payloadFormat?: number | undefined
  readonly expiryS?: number | undefined
  readonly contentType?: string | undefined
  readonly responseTopic?: string | undefined
  readonly correlationData?: string | undefined
  readonly user?: ReadonlyArray<readonly [name: string, value: string]> | undefined
  readonly topicAlias?: number | undefined
  readonly subscriptionIds?: ReadonlyArray<number> | undefined
}

export interface Message {
  readonly topic: string
  readonly payload: string
  readonly qos: number
  readonly retain: boolean
  readonly properties: Properties
}

export interface Will {
  readonly topic: string
  readonly payload: string
  /** 1 when missing. */
  readonly qos?: Qos
  readonly retain?: boolean
  readonly delayS?: number
  readonly properties?: Properties
}

export interface Wish {
  readonly level: Level
  readonly port: number
  /** Empty to have the broker choose. */
  readonly id: string
  /** Without it the session is kept while the client is away. */
  readonly clean?: boolean
  readonly will?: Will
  readonly keepAliveS?: number
  /** Ten minutes for a session that is kept, when missing. */
  readonly sessionExpiryS?: number
  /** What DISCONNECT changes it to. */
  readonly sessionExpiryAtEndS?: number
  readonly userName?: string
  readonly password?: string
  readonly responseInformationWanted?: boolean
  readonly receiveMaximum?: number
  readonly packetBytesMax?: number
  readonly topicAliasMaximum?: number
}

export interface SubscribeOrder {
  readonly noLocal?: boolean
  readonly retainAsPublished?: boolean
  readonly retainHandling?: 0 | 1 | 2
  readonly subscriptionId?: number
  /** Unsubscribes from these once it has subscribed, and waits for UNSUBACK. */
  readonly unsubscribe?: ReadonlyArray<string>
}

export interface PublishOrder {
  readonly retain?: boolean
  /** A topic alias is sent with the topic the first time, and afterwards in its place. */
  readonly properties?: Properties
}

/** What CONNACK tells beside its reason. */
export interface Told {
  readonly sessionPresent: boolean
  readonly assignedId?: string | undefined
  readonly receiveMaximum?: number | undefined
  readonly maximumQos?: number | undefined
  readonly retainAvailable?: boolean | undefined
  readonly packetBytesMax?: number | undefined
  readonly topicAliasMaximum?: number | undefined
  readonly wildcardAvailable?: boolean | undefined
  readonly subscriptionIdentifiersAvailable?: boolean | undefined
  readonly sharedAvailable?: boolean | undefined
  readonly responseInformation?: string | undefined
  readonly serverReference?: string | undefined
}

export interface Refusal {
  /** The reason or return code of CONNACK. */
  readonly reason: number
  /** Null where the client does not say. */
  readonly told: Told | null
}

/** What DISCONNECT from the broker says, as far as the client passes it on. */
export interface Farewell {
  readonly reason: number | null
  readonly sentence?: string | undefined
}

/** A connected client that has subscribed. */
export interface Listener {
  readonly messages: ReadonlyArray<Message>
  /** Null where the client does not say. */
  readonly told: Told | null
  /** The client identifier as the client knows it after CONNACK. */
  readonly id: string | null
  /** The reason codes of SUBACK. */
  readonly granted: ReadonlyArray<number>
  /** Packets in their order: `sent CONNECT`, `received CONNACK` and so on. */
  readonly trace: ReadonlyArray<string>
  /** Waits for this many messages. */
  heard(count: number): Promise<ReadonlyArray<Message>>
  /** Waits for a packet to have been sent or received. */
  traced(packet: string): Promise<void>
  /** Makes a client that would connect again by itself wait with that until `gone`. */
  hold(): void
  /** Waits for the broker to have ended the connection. */
  gone(): Promise<Farewell>
  disconnect(): Promise<void>
  /** DISCONNECT with reason 0x04: the will is published all the same. */
  disconnectWithWill(): Promise<void>
  /** Ends the connection without DISCONNECT. */
  abort(): Promise<void>
  /** Gives the reason codes of UNSUBACK, where it has some. Null where the client cannot. */
  readonly unsubscribe: ((filters: ReadonlyArray<string>) => Promise<ReadonlyArray<number>>) | null
  /** Publishes by the same connection at QoS 1. Null where the client cannot. */
  readonly publish: ((topic: string, payload: string) => Promise<void>) | null
}

export type FamilyName = 'mosquitto_sub and mosquitto_pub' | 'Paho for Python' | 'MQTT.js'

export interface Family {
  readonly name: FamilyName
  /** What the client can ask for. */
  readonly retainHandlings: ReadonlyArray<0 | 1 | 2>
  /** Whether `disconnect` is DISCONNECT with reason 0x04, which does not discard the will. */
  disconnectsWithWill(level: Level): boolean
  listen(
    wish: Wish,
    filters: ReadonlyArray<string>,
    qos: Qos,
    order?: SubscribeOrder,
  ): Promise<Listener>
  /**
   * Connects, publishes all payloads in order, waits until all are acknowledged, disconnects.
   * Gives the reason codes of PUBACK, as far as the client shows them.
   */
  publish(
    wish: Wish,
    topic: string,
    payloads: ReadonlyArray<string>,
    qos: Qos,
    order?: PublishOrder,
  ): Promise<ReadonlyArray<number>>
  /** Connects in vain. */
  refusal(wish: Wish): Promise<Refusal>
  /** Ends what the family keeps running. */
  close(): void
}

/** Seconds for which the session of this client outlives its connection; null where none is. */
export const expiryOf = (wish: Wish): number | null =>
  wish.level < 5 ? null : wish.sessionExpiryS ?? (wish.clean === false ? 600 : null)

/** Wakes those who wait for something to have become true. */
export class Bell {
  private readonly waiting = new Set<() => void>()

  ring(): void {
    for (const look of [...this.waiting]) look()
  }

  until(what: string | (() => string), holdsNow: () => boolean): Promise<void> {
    const attempt = new Promise<void>((resolve) => {
      const look = (): void => {
        if (!holdsNow()) return
        this.waiting.delete(look)
        resolve()
      }
      this.waiting.add(look)
      look()
    })
    return within(patienceMs, what, attempt)
  }
}
