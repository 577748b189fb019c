// Three families of clients behind one face, so that the rows about them are written once: the
// command line tools of mosquitto (a process per client), Paho for Python and MQTT.js.

import { Buffer } from 'node:buffer'
import { spawnSync } from 'node:child_process'
import * as path from 'node:path'
import { connect as connectMqtt } from 'mqtt'
import type { IClientOptions, MqttClient } from 'mqtt'
import { root } from '../runtimes.ts'
import { Mismatch, same, skipped, within } from './expect.ts'
import { Running } from './subject.ts'
import type { Level, Qos } from './wire.ts'

const patienceMs = 8_000

export interface Message {
  readonly topic: string
  readonly payload: string
  readonly qos: number
  readonly retain: boolean
}

export interface Wish {
  readonly level: Level
  readonly port: number
  readonly id: string
  /** Without it the session is kept while the client is away. */
  readonly clean?: boolean
  readonly will?: { readonly topic: string; readonly payload: string; readonly retain?: boolean }
}

/** A connected client that has subscribed. */
export interface Listener {
  readonly messages: ReadonlyArray<Message>
  /** Whether CONNACK told of a session; null where the client does not say. */
  readonly sessionPresent: boolean | null
  /** Waits for this many messages. */
  heard(count: number): Promise<ReadonlyArray<Message>>
  /** Makes a client that would connect again by itself wait with that until `gone`. */
  hold(): void
  /** Waits for the broker to have ended the connection. */
  gone(): Promise<void>
  disconnect(): Promise<void>
  /** Ends the connection without DISCONNECT. */
  abort(): Promise<void>
  /** Null where the client cannot. */
  readonly unsubscribe: ((filters: ReadonlyArray<string>) => Promise<void>) | null
}

export interface Family {
  readonly name: string
  /** Whether `disconnect` is DISCONNECT with reason 0x04, which does not discard the will. */
  disconnectsWithWill(level: Level): boolean
  listen(wish: Wish, filters: ReadonlyArray<string>, qos: Qos): Promise<Listener>
  /** Connects, publishes all payloads in order, waits until all are acknowledged, disconnects. */
  publish(
    wish: Wish,
    topic: string,
    payloads: ReadonlyArray<string>,
    qos: Qos,
    retain?: boolean,
  ): Promise<void>
  /** Ends what the family keeps running. */
  close(): void
}

/** Wakes those who wait for something to have become true. */
class Bell {
  private readonly waiting = new Set<() => void>()

  ring(): void {
    for (const look of [...this.waiting]) look()
  }

  until(what: string, holdsNow: () => boolean): Promise<void> {
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

// ---- mosquitto_sub and mosquitto_pub

const versions = new Map<Level, string>([[3, 'mqttv31'], [4, 'mqttv311'], [5, 'mqttv5']])

const common = (wish: Wish): string[] => [
  '-h',
  '127.0.0.1',
  '-p',
  String(wish.port),
  '-V',
  versions.get(wish.level) ?? '',
  '-i',
  wish.id,
  ...(wish.clean === false ? ['-c'] : []),
  ...(wish.will === undefined
    ? []
    : ['--will-topic', wish.will.topic, '--will-payload', wish.will.payload, '--will-qos', '1']),
  ...(wish.will?.retain === true ? ['--will-retain'] : []),
]

const mark = '\u0001'

const messageOf = (line: string): Message => {
  const [topic = '', qos = '', retain = '', payload = ''] = line.slice(1).split(mark)
  return { topic, payload, qos: Number(qos), retain: retain === '1' }
}

const mosquittoListen = async (
  wish: Wish,
  filters: ReadonlyArray<string>,
  qos: Qos,
): Promise<Listener> => {
  const running = new Running([
    // Into a pipe it would keep its lines until it has a block of them.
    'stdbuf',
    '-oL',
    'mosquitto_sub',
    ...common(wish),
    // With -d it tells of its packets, so that the row knows when it has subscribed.
    '-d',
    '-q',
    String(qos),
    '-F',
    `${mark}%t${mark}%q${mark}%r${mark}%p`,
    ...filters.flatMap((filter) => ['-t', filter]),
  ])
  const bell = new Bell()
  running.child.stdout?.on('data', () => bell.ring())
  void running.ended.then(() => bell.ring())
  const lines = (): string[] => running.stdout.split('\n').slice(0, -1)
  const messages = (): Message[] =>
    lines().filter((line) => line.startsWith(mark)).map(messageOf)
  await bell.until(
    `mosquitto_sub subscribing (${running.stderr})`,
    () => running.isEnded || lines().some((line) => line.startsWith('Subscribed (mid: 1)')),
  )
  if (running.isEnded) {
    throw new Mismatch('mosquitto_sub', 'subscribed', running.stdout + running.stderr)
  }
  const end = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    running.signal(signal)
    await within(patienceMs, 'the end of mosquitto_sub', running.ended)
  }
  return {
    get messages() {
      return messages()
    },
    sessionPresent: null,
    heard: async (count) => {
      await bell.until(
        `${count} messages to ${wish.id}, so far ${JSON.stringify(messages().slice(-5))}`,
        () => messages().length >= count,
      )
      return messages()
    },
    hold: () => running.signal('SIGSTOP'),
    gone: async () => {
      running.signal('SIGCONT')
      // It ends when it is told why, or else connects again; both show that it had been cut off.
      await bell.until(
        'mosquitto_sub noticing that it has lost its connection',
        () =>
          running.stdout.includes('Received DISCONNECT (142)') ||
          lines().filter((line) => line.endsWith('sending CONNECT')).length > 1,
      )
      await end('SIGKILL')
    },
    disconnect: () => end('SIGTERM'),
    abort: () => end('SIGKILL'),
    unsubscribe: null,
  }
}

export const mosquittoFamily: Family = {
  name: 'mosquitto_sub and mosquitto_pub',
  // That is what mosquitto_sub sends when a signal ends it.
  disconnectsWithWill: (level) => level === 5,
  listen: mosquittoListen,
  publish: async (wish, topic, payloads, qos, retain = false) => {
    const single = payloads.length === 1
    const running = new Running([
      'mosquitto_pub',
      ...common(wish),
      '-q',
      String(qos),
      '-t',
      topic,
      ...(retain ? ['-r'] : []),
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
  },
  close: () => {},
}

// ---- Paho

interface Told {
  readonly client: string
  readonly event: string
  readonly reason?: number
  readonly present?: boolean
  readonly reasons?: ReadonlyArray<number>
  readonly topic?: string
  readonly payload?: string
  readonly qos?: number
  readonly retain?: boolean
  readonly message?: string
}

const python = '/usr/bin/python3'

/** One Python process that plays all Paho clients. */
class Paho {
  private readonly running: Running
  private readonly told = new Map<string, Told[]>()
  private readonly bell = new Bell()
  private rest = ''
  private count = 0

  constructor() {
    this.running = new Running([python, path.join(root, 'props/conformance/paho_peer.py')])
    this.running.child.stdout?.on('data', (chunk) => this.hear(String(chunk)))
  }

  private hear(chunk: string): void {
    const lines = (this.rest + chunk).split('\n')
    this.rest = lines.pop() ?? ''
    for (const line of lines) {
      const told: Told = JSON.parse(line)
      this.events(told.client).push(told)
    }
    this.bell.ring()
  }

  events(name: string): Told[] {
    const found = this.told.get(name) ?? []
    this.told.set(name, found)
    return found
  }

  of(name: string, event: string): Told[] {
    return this.events(name).filter((told) => told.event === event)
  }

  fresh(id: string): string {
    return `${id} ${this.count++}`
  }

  order(name: string, op: string, more: object): void {
    this.running.child.stdin?.write(`${JSON.stringify({ client: name, op, ...more })}\n`)
  }

  async wait(name: string, event: string, count = 1): Promise<ReadonlyArray<Told>> {
    const failed = (): Told[] => this.of(name, 'error')
    await this.bell.until(
      `${count} times ${event} at ${name}, so far ${JSON.stringify(this.events(name).slice(-5))}`,
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

  async connect(wish: Wish): Promise<string> {
    const name = this.fresh(wish.id)
    this.order(name, 'connect', {
      level: wish.level,
      port: wish.port,
      id: wish.id,
      clean: wish.clean ?? true,
      keepAliveS: 60,
      will: wish.will === undefined
        ? null
        : { ...wish.will, qos: 1, retain: wish.will.retain ?? false },
    })
    const [connack] = await this.wait(name, 'connack')
    same(connack?.reason, 0, 'reason of CONNACK')
    return name
  }

  close(): void {
    this.running.signal('SIGKILL')
  }
}

export const pahoFamily = (): Family => {
  const paho = new Paho()
  const messages = (name: string): Message[] =>
    paho.of(name, 'message').map((told) => ({
      topic: told.topic ?? '',
      payload: Buffer.from(told.payload ?? '', 'base64').toString(),
      qos: told.qos ?? 0,
      retain: told.retain ?? false,
    }))
  return {
    name: 'Paho for Python',
    disconnectsWithWill: () => false,
    listen: async (wish, filters, qos) => {
      const name = await paho.connect(wish)
      paho.order(name, 'subscribe', { level: wish.level, filters, qos })
      const [suback] = await paho.wait(name, 'suback')
      same(suback?.reasons, filters.map(() => qos), 'reasons of SUBACK')
      const end = async (op: 'disconnect' | 'abort'): Promise<void> => {
        paho.order(name, op, {})
        await paho.wait(name, 'gone')
      }
      return {
        get messages() {
          return messages(name)
        },
        sessionPresent: paho.of(name, 'connack')[0]?.present ?? null,
        heard: async (count) => {
          await paho.wait(name, 'message', count)
          return messages(name)
        },
        hold: () => {},
        gone: async () => {
          await paho.wait(name, 'gone')
        },
        disconnect: () => end('disconnect'),
        abort: () => end('abort'),
        unsubscribe: async (unwanted) => {
          paho.order(name, 'unsubscribe', { filters: unwanted })
          await paho.wait(name, 'unsuback')
        },
      }
    },
    publish: async (wish, topic, payloads, qos, retain = false) => {
      const name = await paho.connect(wish)
      for (const payload of payloads) {
        const encoded = Buffer.from(payload).toString('base64')
        paho.order(name, 'publish', { topic, payload: encoded, qos, retain })
      }
      await paho.wait(name, 'published', payloads.length)
      paho.order(name, 'disconnect', {})
      await paho.wait(name, 'gone')
    },
    close: () => paho.close(),
  }
}

// ---- MQTT.js

const optionsOf = (wish: Wish): IClientOptions => ({
  host: '127.0.0.1',
  port: wish.port,
  protocol: 'mqtt',
  protocolVersion: wish.level,
  protocolId: wish.level === 3 ? 'MQIsdp' : 'MQTT',
  clientId: wish.id,
  clean: wish.clean ?? true,
  reconnectPeriod: 0,
  keepalive: 60,
  resubscribe: false,
  ...(wish.level === 5 && wish.clean === false
    ? { properties: { sessionExpiryInterval: 600 } }
    : {}),
  ...(wish.will === undefined
    ? {}
    : {
      will: {
        topic: wish.will.topic,
        payload: Buffer.from(wish.will.payload),
        qos: 1 as const,
        retain: wish.will.retain ?? false,
      },
    }),
})

interface Connected {
  readonly client: MqttClient
  readonly sessionPresent: boolean
  readonly messages: Message[]
  readonly bell: Bell
  readonly gone: Promise<void>
}

/** Resolves once CONNACK has come; what is queued for the session may already be arriving then. */
const connectMqttJs = (wish: Wish): Promise<Connected> => {
  const client = connectMqtt(optionsOf(wish))
  const messages: Message[] = []
  const bell = new Bell()
  client.on('message', (topic, payload, packet) => {
    messages.push({ topic, payload: payload.toString(), qos: packet.qos, retain: packet.retain })
    bell.ring()
  })
  const gone = new Promise<void>((resolve) => client.on('close', () => resolve()))
  const connected = new Promise<Connected>((resolve, reject) => {
    client.once('error', reject)
    client.once('connect', (connack) => {
      client.on('error', () => {})
      resolve({ client, sessionPresent: connack.sessionPresent, messages, bell, gone })
    })
  })
  return within(patienceMs, 'MQTT.js connecting', connected)
}

export const mqttJsFamily: Family = {
  name: 'MQTT.js',
  disconnectsWithWill: () => false,
  listen: async (wish, filters, qos) => {
    const { client, sessionPresent, messages, bell, gone } = await connectMqttJs(wish)
    const granted = await within(
      patienceMs,
      'SUBACK for MQTT.js',
      client.subscribeAsync([...filters], { qos }),
    )
    same(granted.map((grant) => grant.qos), filters.map(() => qos), 'granted')
    const left = (): Promise<void> => within(patienceMs, 'the end of MQTT.js', gone)
    return {
      messages,
      sessionPresent,
      heard: async (count) => {
        await bell.until(
          `${count} messages to ${wish.id}, so far ${JSON.stringify(messages.slice(-5))}`,
          () => messages.length >= count,
        )
        return messages
      },
      hold: () => {},
      gone: left,
      disconnect: () => within(patienceMs, 'MQTT.js ending', client.endAsync()),
      abort: async () => {
        client.stream.destroy()
        await left()
      },
      unsubscribe: async (unwanted) => {
        await within(patienceMs, 'UNSUBACK for MQTT.js', client.unsubscribeAsync([...unwanted]))
      },
    }
  },
  publish: async (wish, topic, payloads, qos, retain = false) => {
    const { client } = await connectMqttJs(wish)
    // MQTT.js pays no heed to Receive Maximum, so it is given no more than that at once.
    for (let at = 0; at < payloads.length; at += 20) {
      const acknowledged = payloads.slice(at, at + 20)
        .map((payload) => client.publishAsync(topic, payload, { qos, retain }))
      await within(patienceMs, 'MQTT.js publishing', Promise.all(acknowledged))
    }
    await within(patienceMs, 'MQTT.js ending', client.endAsync())
  },
  close: () => {},
}

const runs = (program: string, args: ReadonlyArray<string>): boolean => {
  const end = spawnSync(program, [...args])
  return end.error === undefined && (end.status === 0 || program.startsWith('mosquitto'))
}

/** The families that can be used here; for each of the others one line says what is missing. */
export const familiesHere = (): ReadonlyArray<Family> => {
  const found: Family[] = []
  if (runs('mosquitto_sub', ['--help']) && runs('mosquitto_pub', ['--help'])) {
    found.push(mosquittoFamily)
  } else {
    skipped('rows with mosquitto_sub', 'mosquitto-clients')
  }
  if (runs(python, ['-c', 'import paho.mqtt.client'])) found.push(pahoFamily())
  else skipped('rows with Paho', 'python3-paho-mqtt')
  found.push(mqttJsFamily)
  return found
}
