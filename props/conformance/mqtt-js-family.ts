// MQTT.js, in this process.

import { Buffer } from 'node:buffer'
import { connect as connectMqtt } from 'mqtt'
import type { IClientOptions, IConnackPacket, IDisconnectPacket, MqttClient } from 'mqtt'
import { Mismatch, same, within } from './expect.ts'
import { Bell, expiryOf, patienceMs } from './family.ts'
import type {
  Family,
  Farewell,
  Listener,
  Message,
  Refusal,
  SubscribeOrder,
  Wish,
} from './family.ts'
import { defined, jsOf, propertiesOf, toldOf } from './mqtt-js-properties.ts'
import type { Qos } from './wire.ts'

const willOf = ({ will }: Wish): IClientOptions =>
  will === undefined ? {} : {
    will: {
      topic: will.topic,
      payload: Buffer.from(will.payload),
      qos: will.qos ?? 1,
      retain: will.retain ?? false,
      properties: {
        ...jsOf(will.properties),
        ...(will.delayS === undefined ? {} : { willDelayInterval: will.delayS }),
      },
    },
  }

const optionsOf = (wish: Wish): IClientOptions => ({
  host: '127.0.0.1',
  port: wish.port,
  protocol: 'mqtt',
  protocolVersion: wish.level,
  protocolId: wish.level === 3 ? 'MQIsdp' : 'MQTT',
  clientId: wish.id,
  clean: wish.clean ?? true,
  reconnectPeriod: 0,
  keepalive: wish.keepAliveS ?? 60,
  resubscribe: false,
  ...(wish.userName === undefined ? {} : { username: wish.userName }),
  ...(wish.password === undefined ? {} : { password: wish.password }),
  ...(wish.level < 5 ? {} : {
    properties: defined({
      sessionExpiryInterval: expiryOf(wish) ?? undefined,
      receiveMaximum: wish.receiveMaximum,
      maximumPacketSize: wish.packetBytesMax,
      topicAliasMaximum: wish.topicAliasMaximum,
      requestResponseInformation: wish.responseInformationWanted,
    }) as NonNullable<IClientOptions['properties']>,
  }),
  ...willOf(wish),
})

/** A client, and what it has told so far. */
class Connection {
  readonly client: MqttClient
  readonly messages: Message[] = []
  readonly trace: string[] = []
  /** The reason codes of each SUBACK and UNSUBACK. */
  readonly reasons: ReadonlyArray<number>[] = []
  /** The reason codes of PUBACK. */
  readonly acknowledged: number[] = []
  readonly bell = new Bell()
  readonly gone: Promise<void>
  connack: IConnackPacket | null = null
  isReady = false
  farewell: Farewell = { reason: null }

  constructor(wish: Wish) {
    this.client = connectMqtt(optionsOf(wish))
    // Without a listener it would be thrown; the rows see the trace and the end.
    this.client.on('error', () => {})
    this.client.on('message', (topic, payload, packet) => {
      this.messages.push({
        topic,
        payload: payload.toString(),
        qos: packet.qos,
        retain: packet.retain,
        properties: propertiesOf(packet.properties),
      })
      this.bell.ring()
    })
    this.client.on('connect', () => {
      this.isReady = true
      this.bell.ring()
    })
    this.client.on('packetsend', ({ cmd }) => this.trace.push(`sent ${cmd.toUpperCase()}`))
    this.client.on('packetreceive', (packet) => {
      this.trace.push(`received ${packet.cmd.toUpperCase()}`)
      if (packet.cmd === 'connack') this.connack ??= packet
      if ('granted' in packet) this.reasons.push([packet.granted].flat().map(Number))
      if (packet.cmd === 'puback') this.acknowledged.push(packet.reasonCode ?? 0)
      if (packet.cmd === 'disconnect') {
        this.farewell = {
          reason: packet.reasonCode ?? 0,
          sentence: packet.properties?.reasonString,
        }
      }
      this.bell.ring()
    })
    this.gone = new Promise<void>((resolve) => this.client.on('close', () => resolve()))
  }

  /** In words, for who waited in vain. */
  told(): string {
    return JSON.stringify({ trace: this.trace.slice(-10), messages: this.messages.slice(-5) })
  }
}

/** What is queued for the session may already be arriving when this resolves. */
const dial = async (
  wish: Wish,
): Promise<{ readonly connection: Connection; readonly refusal: Refusal }> => {
  const connection = new Connection(wish)
  await connection.bell.until(
    () => `MQTT.js connecting, so far ${connection.told()}`,
    () => connection.connack !== null,
  )
  const { connack } = connection
  if (connack === null) throw new Mismatch('MQTT.js', 'CONNACK', 'none')
  const reason = wish.level === 5 ? connack.reasonCode : connack.returnCode
  return { connection, refusal: { reason: reason ?? 0, told: toldOf(connack) } }
}

const connectMqttJs = async (wish: Wish): Promise<Connection> => {
  const { connection, refusal } = await dial(wish)
  same(refusal.reason, 0, 'reason of CONNACK')
  await connection.bell.until('MQTT.js taking CONNACK for good', () => connection.isReady)
  return connection
}

const subscribe = async (
  { client, reasons }: Connection,
  filters: ReadonlyArray<string>,
  qos: Qos,
  order: SubscribeOrder,
): Promise<ReadonlyArray<number>> => {
  const options = {
    qos,
    ...(order.noLocal === undefined ? {} : { nl: order.noLocal }),
    ...(order.retainAsPublished === undefined ? {} : { rap: order.retainAsPublished }),
    ...(order.retainHandling === undefined ? {} : { rh: order.retainHandling }),
    ...(order.subscriptionId === undefined
      ? {}
      : { properties: { subscriptionIdentifier: order.subscriptionId } }),
  }
  const before = reasons.length
  // MQTT.js takes a refusal of one filter for the failure of all; the reason codes say more.
  const done = client.subscribeAsync([...filters], options).catch((error: unknown) => {
    if (reasons.length === before) throw error
  })
  await within(patienceMs, 'SUBACK for MQTT.js', done)
  return reasons[before] ?? []
}

const listen = async (
  wish: Wish,
  filters: ReadonlyArray<string>,
  qos: Qos,
  order: SubscribeOrder = {},
): Promise<Listener> => {
  const connection = await connectMqttJs(wish)
  const { client, connack, messages, trace, reasons, bell } = connection
  const granted = await subscribe(connection, filters, qos, order)
  const told = connack === null ? null : toldOf(connack)
  const left = async (): Promise<Farewell> => {
    await within(patienceMs, () => `the end of MQTT.js, ${connection.told()}`, connection.gone)
    return connection.farewell
  }
  const end = (options: Partial<IDisconnectPacket>): Promise<void> =>
    within(patienceMs, 'MQTT.js ending', client.endAsync(false, options))
  const unsubscribe = async (unwanted: ReadonlyArray<string>): Promise<ReadonlyArray<number>> => {
    const before = reasons.length
    await within(patienceMs, 'UNSUBACK for MQTT.js', client.unsubscribeAsync([...unwanted]))
    return reasons[before] ?? []
  }
  if (order.unsubscribe !== undefined) await unsubscribe(order.unsubscribe)
  return {
    messages,
    trace,
    told,
    id: told?.assignedId ?? wish.id,
    granted,
    heard: async (count) => {
      await bell.until(
        () => `${count} messages to ${wish.id}, so far ${connection.told()}`,
        () => messages.length >= count,
      )
      return messages
    },
    traced: (packet) =>
      bell.until(
        () => `${packet} at ${wish.id}, so far ${connection.told()}`,
        () => trace.includes(packet),
      ),
    hold: () => {},
    gone: left,
    disconnect: () =>
      end(
        wish.sessionExpiryAtEndS === undefined
          ? {}
          : { reasonCode: 0, properties: { sessionExpiryInterval: wish.sessionExpiryAtEndS } },
      ),
    disconnectWithWill: () => end({ reasonCode: 4 }),
    abort: async () => {
      client.stream.destroy()
      await left()
    },
    unsubscribe,
    publish: async (topic, payload) => {
      await within(
        patienceMs,
        'MQTT.js publishing',
        client.publishAsync(topic, payload, { qos: 1 }),
      )
    },
  }
}

export const mqttJsFamily: Family = {
  name: 'MQTT.js',
  retainHandlings: [0, 1, 2],
  disconnectsWithWill: () => false,
  listen,
  publish: async (wish, topic, payloads, qos, { retain = false, properties } = {}) => {
    const { client, acknowledged } = await connectMqttJs(wish)
    const options = { qos, retain, ...(properties && { properties: jsOf(properties) }) }
    // MQTT.js pays no heed to Receive Maximum, so it is given no more than that at once.
    for (let at = 0; at < payloads.length; at += 20) {
      const sent = payloads.slice(at, at + 20).map((payload, index) => {
        const known = properties?.topicAlias !== undefined && at + index > 0
        return client.publishAsync(known ? '' : topic, payload, options)
      })
      await within(patienceMs, 'MQTT.js publishing', Promise.all(sent))
    }
    await within(patienceMs, 'MQTT.js ending', client.endAsync())
    return acknowledged
  },
  refusal: async (wish) => (await dial(wish)).refusal,
  close: () => {},
}
