// Paho for Python: one process of paho_peer.py plays all of its clients.

import { Buffer } from 'node:buffer'
import * as path from 'node:path'
import { root } from '../runtimes.ts'
import { Mismatch, same } from './expect.ts'
import { Bell, expiryOf } from './family.ts'
import type {
  Family,
  Farewell,
  Listener,
  Message,
  Refusal,
  SubscribeOrder,
  Wish,
} from './family.ts'
import { Lines } from './lines.ts'
import { pahoOf, propertiesOf, toldOf } from './paho-properties.ts'
import type { PahoProperties } from './paho-properties.ts'
import { Running } from './subject.ts'
import type { Qos } from './wire.ts'

interface Event {
  readonly client: string
  readonly event: string
  readonly reason?: number
  readonly present?: boolean
  readonly reasons?: ReadonlyArray<number>
  readonly topic?: string
  readonly payload?: string
  readonly qos?: number
  readonly retain?: boolean
  readonly properties?: PahoProperties
  /** `sent` or `received` and the packet's name. */
  readonly packet?: string
  readonly message?: string
}

export const python = '/usr/bin/python3'

/** One Python process that plays all Paho clients. */
class Paho {
  private readonly running: Running
  private readonly told = new Map<string, Event[]>()
  private readonly bell = new Bell()
  private readonly lines = new Lines()
  private count = 0

  constructor() {
    this.running = new Running([python, path.join(root, 'props/conformance/paho_peer.py')])
    this.running.child.stdout?.on('data', (chunk: Buffer) => this.hear(chunk))
  }

  private hear(chunk: Buffer): void {
    for (const line of this.lines.take(chunk)) {
      const told: Event = JSON.parse(line)
      this.events(told.client).push(told)
    }
    this.bell.ring()
  }

  events(name: string): Event[] {
    const found = this.told.get(name) ?? []
    this.told.set(name, found)
    return found
  }

  of(name: string, event: string): Event[] {
    return this.events(name).filter((told) => told.event === event)
  }

  private tail(name: string): string {
    return JSON.stringify(this.events(name).slice(-10))
  }

  fresh(id: string): string {
    return `${id} ${this.count++}`
  }

  order(name: string, op: string, more: object): void {
    this.running.child.stdin?.write(`${JSON.stringify({ client: name, op, ...more })}\n`)
  }

  async wait(name: string, event: string, count = 1): Promise<ReadonlyArray<Event>> {
    const failed = (): Event[] => this.of(name, 'error')
    await this.bell.until(
      () => `${count} times ${event} at ${name}, so far ${this.tail(name)}`,
      () => this.of(name, event).length >= count || failed().length > 0 || this.running.isEnded,
    )
    if (failed().length > 0 || this.running.isEnded) {
      throw new Mismatch(
        `Paho waiting for ${event}`,
        event,
        failed()[0]?.message ?? this.running.stderr,
      )
    }
    return this.of(name, event)
  }

  until(name: string, what: string, holdsNow: () => boolean): Promise<void> {
    return this.bell.until(() => `${what} at ${name}, so far ${this.tail(name)}`, holdsNow)
  }

  /** Gives what CONNACK says, good or bad. */
  async dial(wish: Wish): Promise<{ readonly name: string; readonly connack: Event }> {
    const name = this.fresh(wish.id)
    this.order(name, 'connect', {
      level: wish.level,
      port: wish.port,
      id: wish.id,
      clean: wish.clean ?? true,
      keepAliveS: wish.keepAliveS ?? 60,
      properties: {
        SessionExpiryInterval: expiryOf(wish) ?? undefined,
        ReceiveMaximum: wish.receiveMaximum,
        MaximumPacketSize: wish.packetBytesMax,
        TopicAliasMaximum: wish.topicAliasMaximum,
        RequestResponseInformation: wish.responseInformationWanted === true ? 1 : undefined,
      },
      userName: wish.userName,
      password: wish.password,
      will: wish.will === undefined ? null : {
        ...wish.will,
        qos: wish.will.qos ?? 1,
        retain: wish.will.retain ?? false,
        properties: { ...pahoOf(wish.will.properties), WillDelayInterval: wish.will.delayS },
      },
    })
    const [connack] = await this.wait(name, 'connack')
    if (connack === undefined) throw new Mismatch('Paho', 'CONNACK', 'none')
    return { name, connack }
  }

  async connect(wish: Wish): Promise<string> {
    const { name, connack } = await this.dial(wish)
    same(connack.reason, 0, 'reason of CONNACK')
    return name
  }

  close(): void {
    this.running.signal('SIGKILL')
  }
}

const messagesOf = (paho: Paho, name: string): Message[] =>
  paho.of(name, 'message').map((told) => ({
    topic: told.topic ?? '',
    payload: Buffer.from(told.payload ?? '', 'base64').toString(),
    qos: told.qos ?? 0,
    retain: told.retain ?? false,
    properties: propertiesOf(told.properties),
  }))

const encoded = (payload: string): string => Buffer.from(payload).toString('base64')

const listen = async (
  paho: Paho,
  wish: Wish,
  filters: ReadonlyArray<string>,
  qos: Qos,
  order: SubscribeOrder = {},
): Promise<Listener> => {
  const name = await paho.connect(wish)
  paho.order(name, 'subscribe', { level: wish.level, filters, qos, ...order })
  const [suback] = await paho.wait(name, 'suback')
  const left = async (): Promise<Farewell> => {
    const [gone] = await paho.wait(name, 'gone')
    return { reason: gone?.reason ?? null, sentence: gone?.properties?.ReasonString }
  }
  const end = async (op: 'disconnect' | 'abort', more: object = {}): Promise<void> => {
    paho.order(name, op, more)
    await left()
  }
  const unsubscribe = async (unwanted: ReadonlyArray<string>): Promise<ReadonlyArray<number>> => {
    const before = paho.of(name, 'unsuback').length
    paho.order(name, 'unsubscribe', { filters: unwanted })
    const told = await paho.wait(name, 'unsuback', before + 1)
    return told[before]?.reasons ?? []
  }
  if (order.unsubscribe !== undefined) await unsubscribe(order.unsubscribe)
  const [connack] = paho.of(name, 'connack')
  const told = connack === undefined ? null : toldOf(connack.present ?? false, connack.properties)
  const trace = (): ReadonlyArray<string> =>
    paho.of(name, 'packet').map(({ packet }) => packet ?? '')
  return {
    get messages() {
      return messagesOf(paho, name)
    },
    get trace() {
      return trace()
    },
    told,
    id: told?.assignedId ?? wish.id,
    granted: suback?.reasons ?? [],
    heard: async (count) => {
      await paho.wait(name, 'message', count)
      return messagesOf(paho, name)
    },
    traced: (packet) => paho.until(name, packet, () => trace().includes(packet)),
    hold: () => {},
    gone: left,
    disconnect: () => end('disconnect', { sessionExpiryS: wish.sessionExpiryAtEndS }),
    disconnectWithWill: () => end('disconnect', { withWill: true }),
    abort: () => end('abort'),
    unsubscribe,
    publish: async (topic, payload) => {
      const before = paho.of(name, 'published').length
      paho.order(name, 'publish', { topic, payload: encoded(payload), qos: 1, retain: false })
      await paho.wait(name, 'published', before + 1)
    },
  }
}

export const pahoFamily = (): Family => {
  const paho = new Paho()
  return {
    name: 'Paho for Python',
    retainHandlings: [0, 1, 2],
    disconnectsWithWill: () => false,
    listen: (wish, filters, qos, order) => listen(paho, wish, filters, qos, order),
    publish: async (wish, topic, payloads, qos, { retain = false, properties } = {}) => {
      const name = await paho.connect(wish)
      payloads.forEach((payload, index) =>
        paho.order(name, 'publish', {
          topic: properties?.topicAlias !== undefined && index > 0 ? '' : topic,
          payload: encoded(payload),
          qos,
          retain,
          properties: properties === undefined ? null : pahoOf(properties),
        })
      )
      await paho.wait(name, 'published', payloads.length)
      paho.order(name, 'disconnect', {})
      await paho.wait(name, 'gone')
      return []
    },
    refusal: async (wish) => {
      const { connack } = await paho.dial(wish)
      const { reason = 0 } = connack
      return {
        reason,
        told: toldOf(connack.present ?? false, connack.properties),
      } satisfies Refusal
    },
    close: () => paho.close(),
  }
}
