// The topics of `$SYS` that the broker itself publishes to, in the order in which it does.

import type { TopicName } from '../topic/name.ts'

const root = '$SYS/broker/'

const plainNames = [
  'version',
  'uptime',
  'clients/total',
  'clients/inactive',
  'clients/disconnected',
  'clients/active',
  'clients/connected',
  'clients/expired',
  'clients/maximum',
  'messages/stored',
  'messages/received',
  'messages/sent',
  'store/messages/count',
  'store/messages/bytes',
  'subscriptions/count',
  'shared_subscriptions/count',
  'retained messages/count',
  'heap/current',
  'heap/maximum',
  'publish/messages/dropped',
  'publish/messages/received',
  'publish/messages/sent',
  'publish/bytes/received',
  'publish/bytes/sent',
  'bytes/received',
  'bytes/sent',
  'connections/socket/count',
  'packet/out/count',
  'packet/out/bytes',
]

/** What there are moving averages of. */
const loadNames = [
  'messages/received',
  'messages/sent',
  'publish/dropped',
  'publish/received',
  'publish/sent',
  'bytes/received',
  'bytes/sent',
  'sockets',
  'connections',
]

/** Minutes that the averages look back. */
export const minutes: ReadonlyArray<number> = [1, 5, 15]

export const averageCount = loadNames.length * minutes.length

export const loadCount = loadNames.length

const names = [
  ...plainNames,
  ...loadNames.flatMap((name) => minutes.map((minute) => `load/${name}/${minute}min`)),
]

/** All of them; they are as short and plain as any topic name could be. */
export const sysTopics: ReadonlyArray<TopicName> = names.map((name) =>
  `${root}${name}` as TopicName
)

const own: ReadonlySet<string> = new Set(sysTopics)

/** Whether the broker publishes to this topic itself. */
export const isOwnTopic = (topic: string): boolean =>
  topic.charCodeAt(0) === 0x24 /* $ */ && own.has(topic)
