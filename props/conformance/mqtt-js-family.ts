// MQTT.js, in this process.

import { Buffer } from 'node:buffer'
import { connect as connectMqtt } from 'mqtt'
import type { IClientOptions, IClientPublishOptions, MqttClient } from 'mqtt'
import { within } from './expect.ts'
import { Bell, expiryOf, patienceMs } from './family.ts'
import type { Family, Listener, Message, Properties, SubscribeOrder, Wish } from './family.ts'
import type { Qos } from './wire.ts'

type JsProperties = NonNullable<IClientPublishOptions['properties']>

/** Without what is undefined, which MQTT.js would take for a value. */
const defined = <A extends object>(all: A): A => JSON.parse(JSON.stringify(all))

/** In the order of their names' first appearance; MQTT.js has lists for names with several values. */
const userOf = (pairs: ReadonlyArray<readonly [string, string]>): Record<string, string[]> => {
  const found: Record<string, string[]> = {}
  for (const [name, value] of pairs) (found[name] ??= []).push(value)
  return found
}

const jsOf = (properties: Properties = {}): JsProperties => {
  const { correlationData, user, payloadFormat } = properties
  return {
    ...defined({
      messageExpiryInterval: properties.expiryS,
      contentType: properties.contentType,
      responseTopic: properties.responseTopic,
      topicAlias: properties.topicAlias,
    }),
    ...(payloadFormat === undefined ? {} : { payloadFormatIndicator: payloadFormat === 1 }),
    ...(correlationData === undefined ? {} : { correlationData: Buffer.from(correlationData) }),
    ...(user === undefined ? {} : { userProperties: userOf(user) }),
  } as JsProperties
}

const listOf = <A>(value: A | A[]): A[] => Array.isArray(value) ? value : [value]

const propertiesOf = (found: JsProperties = {}): Properties => ({
  payloadFormat: found.payloadFormatIndicator === undefined
    ? undefined
    : Number(found.payloadFormatIndicator),
  expiryS: found.messageExpiryInterval,
  contentType: found.contentType,
  responseTopic: found.responseTopic,
  correlationData: found.correlationData?.toString(),
  user: found.userProperties === undefined ? undefined : Object.entries(found.userProperties)
    .flatMap(([name, values]) => listOf(values).map((value) => [name, value] as const)),
  topicAlias: found.topicAlias,
  subscriptionIds: found.subscriptionIdentifier === undefined
    ? undefined
    : listOf(found.subscriptionIdentifier),
})

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
  ...(wish.level < 5 ? {} : {
    properties: defined({
      sessionExpiryInterval: expiryOf(wish) ?? undefined,
      receiveMaximum: wish.receiveMaximum,
      maximumPacketSize: wish.packetBytesMax,
      topicAliasMaximum: wish.topicAliasMaximum,
    }) as NonNullable<IClientOptions['properties']>,
  }),
  ...willOf(wish),
})

interface Connected {
  readonly client: MqttClient
  readonly sessionPresent: boolean
  readonly id: string
  readonly messages: Message[]
  readonly trace: string[]
  /** The reason codes of each SUBACK and UNSUBACK. */
  readonly reasons: ReadonlyArray<number>[]
  /** The reason codes of PUBACK. */
  readonly acknowledged: number[]
  readonly bell: Bell
  readonly gone: Promise<void>
}

/** Resolves once CONNACK has come; what is queued for the session may already be arriving then. */
const connectMqttJs = (wish: Wish): Promise<Connected> => {
  const client = connectMqtt(optionsOf(wish))
  const messages: Message[] = []
  const trace: string[] = []
  const reasons: ReadonlyArray<number>[] = []
  const acknowledged: number[] = []
  const bell = new Bell()
  client.on('message', (topic, payload, packet) => {
    messages.push({
      topic,
      payload: payload.toString(),
      qos: packet.qos,
      retain: packet.retain,
      properties: propertiesOf(packet.properties),
    })
    bell.ring()
  })
  client.on('packetsend', ({ cmd }) => trace.push(`sent ${cmd.toUpperCase()}`))
  client.on('packetreceive', (packet) => {
    trace.push(`received ${packet.cmd.toUpperCase()}`)
    if ('granted' in packet) reasons.push([packet.granted].flat().map(Number))
    if (packet.cmd === 'puback') acknowledged.push(packet.reasonCode ?? 0)
    bell.ring()
  })
  const gone = new Promise<void>((resolve) => client.on('close', () => resolve()))
  const connected = new Promise<Connected>((resolve, reject) => {
    client.once('error', reject)
    client.once('connect', ({ sessionPresent, properties }) => {
      client.on('error', () => {})
      const id = properties?.assignedClientIdentifier ?? wish.id
      resolve({ client, sessionPresent, id, messages, trace, reasons, acknowledged, bell, gone })
    })
  })
  return within(patienceMs, 'MQTT.js connecting', connected)
}

const subscribe = async (
  { client, reasons }: Connected,
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
  const connected = await connectMqttJs(wish)
  const { client, sessionPresent, id, messages, trace, reasons, bell, gone } = connected
  const granted = await subscribe(connected, filters, qos, order)
  const left = (): Promise<void> => within(patienceMs, 'the end of MQTT.js', gone)
  const unsubscribe = async (unwanted: ReadonlyArray<string>): Promise<ReadonlyArray<number>> => {
    const before = reasons.length
    await within(patienceMs, 'UNSUBACK for MQTT.js', client.unsubscribeAsync([...unwanted]))
    return reasons[before] ?? []
  }
  if (order.unsubscribe !== undefined) await unsubscribe(order.unsubscribe)
  return {
    messages,
    trace,
    sessionPresent,
    id,
    granted,
    heard: async (count) => {
      await bell.until(
        `${count} messages to ${wish.id}, so far ${JSON.stringify(messages.slice(-5))}`,
        () => messages.length >= count,
      )
      return messages
    },
    traced: (packet) => bell.until(`${packet} at ${wish.id}`, () => trace.includes(packet)),
    hold: () => {},
    gone: left,
    disconnect: () => within(patienceMs, 'MQTT.js ending', client.endAsync()),
    disconnectWithWill: () =>
      within(patienceMs, 'MQTT.js ending', client.endAsync(false, { reasonCode: 4 })),
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
  keepAliveMinS: 1,
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
  close: () => {},
}
