// What mosquitto_sub and mosquitto_pub are started with.

import { expiryOf } from './family.ts'
import type { Properties, PublishOrder, SubscribeOrder, Wish } from './family.ts'
import type { Level, Qos } from './wire.ts'

const versions = new Map<Level, string>([[3, 'mqttv31'], [4, 'mqttv311'], [5, 'mqttv5']])

type Carrier = 'connect' | 'disconnect' | 'publish' | 'subscribe' | 'will'

const property = (carrier: Carrier, name: string, value: string | number | undefined): string[] =>
  value === undefined ? [] : ['-D', carrier, name, String(value)]

const carried = (carrier: Carrier, properties: Properties = {}): string[] => [
  ...property(carrier, 'payload-format-indicator', properties.payloadFormat),
  ...property(carrier, 'message-expiry-interval', properties.expiryS),
  ...property(carrier, 'content-type', properties.contentType),
  ...property(carrier, 'response-topic', properties.responseTopic),
  ...property(carrier, 'correlation-data', properties.correlationData),
  ...property(carrier, 'topic-alias', properties.topicAlias),
  ...(properties.user ?? []).flatMap(([name, value]) => [
    '-D',
    carrier,
    'user-property',
    name,
    value,
  ]),
]

const willArgs = ({ will }: Wish): string[] =>
  will === undefined ? [] : [
    '--will-topic',
    will.topic,
    '--will-payload',
    will.payload,
    '--will-qos',
    String(will.qos ?? 1),
    ...(will.retain === true ? ['--will-retain'] : []),
    ...property('will', 'will-delay-interval', will.delayS),
    ...carried('will', will.properties),
  ]

const common = (wish: Wish): string[] => {
  const expiryS = expiryOf(wish)
  return [
    '-h',
    '127.0.0.1',
    '-p',
    String(wish.port),
    '-V',
    versions.get(wish.level) ?? '',
    ...(wish.id === '' ? [] : ['-i', wish.id]),
    ...(wish.keepAliveS === undefined ? [] : ['-k', String(wish.keepAliveS)]),
    ...(expiryS === null ? [] : ['-x', String(expiryS)]),
    ...(wish.userName === undefined ? [] : ['-u', wish.userName, '-P', wish.password ?? '']),
    ...property('disconnect', 'session-expiry-interval', wish.sessionExpiryAtEndS),
    ...property('connect', 'receive-maximum', wish.receiveMaximum),
    ...property('connect', 'maximum-packet-size', wish.packetBytesMax),
    ...property('connect', 'topic-alias-maximum', wish.topicAliasMaximum),
    ...willArgs(wish),
  ]
}

/** Between the fields of a printed message, and before the first. */
export const mark = '\u0001'
const fields = ['%t', '%q', '%r', '%F', '%E', '%C', '%R', '%D', '%P', '%A', '%S', '%p']

export const listenArgs = (
  wish: Wish,
  filters: ReadonlyArray<string>,
  qos: Qos,
  order: SubscribeOrder,
): string[] => [
  // Into a pipe it would keep its lines until it has a block of them.
  'stdbuf',
  '-oL',
  'mosquitto_sub',
  ...common(wish),
  ...(wish.clean === false ? ['-c'] : []),
  // With -d it tells of its packets, so that the row knows when it has subscribed.
  '-d',
  '-q',
  String(qos),
  '-F',
  mark + fields.join(mark),
  // It asks for retain handling 2, and prints no retained message either.
  ...(order.retainHandling === 2 ? ['-R'] : []),
  ...(order.retainAsPublished === true ? ['--retain-as-published'] : []),
  ...property('subscribe', 'subscription-identifier', order.subscriptionId),
  ...filters.flatMap((filter) => ['-t', filter]),
  ...(order.unsubscribe ?? []).flatMap((filter) => ['-U', filter]),
]

export const publishArgs = (
  wish: Wish,
  topic: string,
  qos: Qos,
  order: PublishOrder,
): string[] => [
  'mosquitto_pub',
  ...common(wish),
  '-d',
  '-q',
  String(qos),
  '-t',
  topic,
  ...(order.retain === true ? ['-r'] : []),
  ...carried('publish', order.properties),
]
