// mosquitto_sub and mosquitto_pub, a process for each client.

import { Mismatch, same, within } from './expect.ts'
import { Bell, expiryOf, patienceMs } from './family.ts'
import type { Family, Listener, Message, Properties, SubscribeOrder, Wish } from './family.ts'
import { Running } from './subject.ts'
import type { Level, Qos } from './wire.ts'

const versions = new Map<Level, string>([[3, 'mqttv31'], [4, 'mqttv311'], [5, 'mqttv5']])

type Carrier = 'connect' | 'publish' | 'subscribe' | 'will'

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
    ...property('connect', 'receive-maximum', wish.receiveMaximum),
    ...property('connect', 'maximum-packet-size', wish.packetBytesMax),
    ...property('connect', 'topic-alias-maximum', wish.topicAliasMaximum),
    ...willArgs(wish),
  ]
}

const mark = '\u0001'
const fields = ['%t', '%q', '%r', '%F', '%E', '%C', '%R', '%D', '%P', '%A', '%S', '%p']

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

const traceOf = (lines: ReadonlyArray<string>): ReadonlyArray<string> =>
  lines.flatMap((line) => {
    const found = packetPattern.exec(line)
    return found === null ? [] : [`${found[2] === 'sending' ? 'sent' : 'received'} ${found[3]}`]
  })

const grantedOf = (lines: ReadonlyArray<string>): ReadonlyArray<number> => {
  const found = lines.find((line) => line.startsWith('Subscribed (mid: 1): '))
  return found === undefined ? [] : found.slice(found.indexOf('): ') + 3).split(', ').map(Number)
}

const idOf = (lines: ReadonlyArray<string>): string | null =>
  lines.map((line) => packetPattern.exec(line))
    .find((found) => found?.[3] === 'SUBSCRIBE')?.[1] ?? null

const listenArgs = (
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
  ...(order.retainAsPublished === true ? ['--retain-as-published'] : []),
  ...property('subscribe', 'subscription-identifier', order.subscriptionId),
  ...filters.flatMap((filter) => ['-t', filter]),
  ...(order.unsubscribe ?? []).flatMap((filter) => ['-U', filter]),
]

const listen = async (
  wish: Wish,
  filters: ReadonlyArray<string>,
  qos: Qos,
  order: SubscribeOrder = {},
): Promise<Listener> => {
  const running = new Running(listenArgs(wish, filters, qos, order))
  const bell = new Bell()
  running.child.stdout?.on('data', () => bell.ring())
  void running.ended.then(() => bell.ring())
  const lines = (): string[] => running.stdout.split('\n').slice(0, -1)
  const messages = (): Message[] => lines().filter((line) => line.startsWith(mark)).map(messageOf)
  const traced = (packet: string): Promise<void> =>
    bell.until(`${packet} at ${wish.id}`, () => traceOf(lines()).includes(packet))
  await bell.until(
    `mosquitto_sub subscribing (${running.stderr})`,
    () => running.isEnded || lines().some((line) => line.startsWith('Subscribed (mid: 1)')),
  )
  if (running.isEnded) {
    throw new Mismatch('mosquitto_sub', 'subscribed', running.stdout + running.stderr)
  }
  if (order.unsubscribe !== undefined) await traced('received UNSUBACK')
  const end = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    running.signal(signal)
    await within(patienceMs, 'the end of mosquitto_sub', running.ended)
  }
  return {
    get messages() {
      return messages()
    },
    get trace() {
      return traceOf(lines())
    },
    sessionPresent: null,
    id: idOf(lines()),
    granted: grantedOf(lines()),
    heard: async (count) => {
      await bell.until(
        `${count} messages to ${wish.id}, so far ${JSON.stringify(messages().slice(-5))}`,
        () => messages().length >= count,
      )
      return messages()
    },
    traced,
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
    disconnectWithWill: () => end('SIGTERM'),
    abort: () => end('SIGKILL'),
    unsubscribe: null,
    publish: null,
  }
}

export const mosquittoFamily: Family = {
  name: 'mosquitto_sub and mosquitto_pub',
  keepAliveMinS: 5,
  // That is what mosquitto_sub sends when a signal ends it.
  disconnectsWithWill: (level) => level === 5,
  listen,
  publish: async (wish, topic, payloads, qos, order = {}) => {
    const single = payloads.length === 1
    const running = new Running([
      'mosquitto_pub',
      ...common(wish),
      '-d',
      '-q',
      String(qos),
      '-t',
      topic,
      ...(order.retain === true ? ['-r'] : []),
      ...carried('publish', order.properties),
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
  close: () => {},
}
