// mosquitto_sub and mosquitto_pub, a process for each client.

import type { Buffer } from 'node:buffer'
import { Mismatch, same, within } from './expect.ts'
import { Bell, patienceMs } from './family.ts'
import type { Family, Listener, Message, Refusal, SubscribeOrder, Wish } from './family.ts'
import { Lines } from './lines.ts'
import { listenArgs, mark, publishArgs } from './mosquitto-args.ts'
import { Running } from './subject.ts'
import type { Qos } from './wire.ts'

/** Only words without spaces can be told apart again in what mosquitto_sub prints. */
const userOf = (printed: string): ReadonlyArray<readonly [string, string]> =>
  printed.split(' ').map((pair) => {
    const [name = '', value = ''] = pair.split(':')
    return [name, value] as const
  })

const messageOf = (line: string): Message => {
  const [
    topic = '',
    qos,
    retain,
    format,
    expiry,
    type,
    answer,
    data,
    user,
    alias,
    id,
    payload = '',
  ] = line.slice(1).split(mark)
  const text = (field: string | undefined) => field === '' ? undefined : field
  const number = (field: string | undefined) =>
    text(field) === undefined ? undefined : Number(field)
  return {
    topic,
    payload,
    qos: Number(qos),
    retain: retain === '1',
    properties: {
      payloadFormat: number(format),
      expiryS: number(expiry),
      contentType: text(type),
      responseTopic: text(answer),
      correlationData: text(data),
      user: user === undefined || user === '' ? undefined : userOf(user),
      topicAlias: number(alias),
      subscriptionIds: text(id) === undefined ? undefined : [Number(id)],
    },
  }
}

/** `Client james sending CONNECT` and its like, which -d prints. */
const packetPattern = /^Client (.*) (sending|received) ([A-Z]+)\b/

const grantedPattern = /^Subscribed \(mid: 1\): (.*)$/

const connackPattern = /^Client .* received CONNACK \((\d+)\)/

const disconnectPattern = /^Received DISCONNECT \((\d+)\)/

/** A process of mosquitto_sub, and what it has told so far. */
class Subscriber {
  readonly running: Running
  readonly messages: Message[] = []
  readonly trace: string[] = []
  readonly bell = new Bell()
  granted: ReadonlyArray<number> | null = null
  id: string | null = null
  connack: number | null = null
  endReason: number | null = null
  private readonly lines = new Lines()

  constructor(args: ReadonlyArray<string>) {
    this.running = new Running(args)
    this.running.child.stdout?.on('data', (chunk: Buffer) => {
      for (const line of this.lines.take(chunk)) this.read(line)
      this.bell.ring()
    })
    void this.running.ended.then(() => this.bell.ring())
  }

  private read(line: string): void {
    if (line.startsWith(mark)) {
      this.messages.push(messageOf(line))
      return
    }
    const packet = packetPattern.exec(line)
    if (packet !== null) {
      const [, id = '', way, name = ''] = packet
      this.trace.push(`${way === 'sending' ? 'sent' : 'received'} ${name}`)
      // Before that it may be one that the broker has yet to choose.
      if (name === 'SUBSCRIBE') this.id = id
    }
    const number = (pattern: RegExp): number | null => {
      const found = pattern.exec(line)
      return found === null ? null : Number(found[1])
    }
    this.connack ??= number(connackPattern)
    this.endReason ??= number(disconnectPattern)
    const granted = grantedPattern.exec(line)?.[1]
    if (granted !== undefined) this.granted ??= granted.split(', ').map(Number)
  }

  get connects(): number {
    return this.trace.filter((packet) => packet === 'sent CONNECT').length
  }

  /** In words, for who waited in vain. */
  told(): string {
    return JSON.stringify({
      trace: this.trace.slice(-10),
      messages: this.messages.slice(-5),
      stderr: this.running.stderr,
    })
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    this.running.signal(signal)
    await within(patienceMs, 'the end of mosquitto_sub', this.running.ended)
  }
}

const listen = async (
  wish: Wish,
  filters: ReadonlyArray<string>,
  qos: Qos,
  order: SubscribeOrder = {},
): Promise<Listener> => {
  const subscriber = new Subscriber(listenArgs(wish, filters, qos, order))
  const { running, bell, messages, trace } = subscriber
  const traced = (packet: string): Promise<void> =>
    bell.until(
      () => `${packet} at ${wish.id}, so far ${subscriber.told()}`,
      () => trace.includes(packet),
    )
  try {
    await bell.until(
      () => `mosquitto_sub subscribing, so far ${subscriber.told()}`,
      () => running.isEnded || subscriber.granted !== null,
    )
    if (running.isEnded) {
      throw new Mismatch('mosquitto_sub', 'subscribed', running.stdout + running.stderr)
    }
    if (order.unsubscribe !== undefined) await traced('received UNSUBACK')
  } catch (error) {
    // Nobody else could end it, and it would keep this process from ending.
    running.signal('SIGKILL')
    throw error
  }
  return {
    messages,
    trace,
    told: null,
    id: subscriber.id,
    granted: subscriber.granted ?? [],
    heard: async (count) => {
      await bell.until(
        () => `${count} messages to ${wish.id}, so far ${subscriber.told()}`,
        () => messages.length >= count,
      )
      return messages
    },
    traced,
    hold: () => running.signal('SIGSTOP'),
    gone: async () => {
      running.signal('SIGCONT')
      // It ends when it is told why, or else connects again; both show that it had been cut off.
      await bell.until(
        () => `mosquitto_sub noticing that it has lost its connection, ${subscriber.told()}`,
        () => subscriber.endReason !== null || subscriber.connects > 1,
      )
      await subscriber.end('SIGKILL')
      return { reason: subscriber.endReason }
    },
    disconnect: () => subscriber.end('SIGTERM'),
    disconnectWithWill: () => subscriber.end('SIGTERM'),
    abort: () => subscriber.end('SIGKILL'),
    unsubscribe: null,
    publish: null,
  }
}

const refusal = async (wish: Wish): Promise<Refusal> => {
  const subscriber = new Subscriber(listenArgs(wish, ['never'], 0, {}))
  try {
    await within(patienceMs, () => `a refusal, ${subscriber.told()}`, subscriber.running.ended)
    return { reason: subscriber.connack ?? 0, told: null }
  } finally {
    subscriber.running.signal('SIGKILL')
  }
}

export const mosquittoFamily: Family = {
  name: 'mosquitto_sub and mosquitto_pub',
  retainHandlings: [0, 2],
  // That is what mosquitto_sub sends when a signal ends it.
  disconnectsWithWill: (level) => level === 5,
  listen,
  publish: async (wish, topic, payloads, qos, order = {}) => {
    const single = payloads.length === 1
    const running = new Running([
      ...publishArgs(wish, topic, qos, order),
      ...(single ? ['-m', payloads[0] ?? ''] : ['-l']),
    ])
    if (!single) running.child.stdin?.write(payloads.map((payload) => `${payload}\n`).join(''))
    running.child.stdin?.end()
    try {
      const end = await within(patienceMs, 'the end of mosquitto_pub', running.ended)
      same([end.status, running.stderr], [0, ''], 'status and standard error of mosquitto_pub')
    } finally {
      running.signal('SIGKILL')
    }
    return [...running.stdout.matchAll(/received PUBACK \(Mid: \d+, RC:(\d+)\)/g)]
      .map(([, reason]) => Number(reason))
  },
  refusal,
  close: () => {},
}
