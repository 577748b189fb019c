// `$SYS` of the dumb broker: everything is counted anew from what is there and what was said.

import { encodeUtf8 } from '../../core/codec/utf8.ts'
import * as B from '../../core/data/bytes.ts'
import { isTopicName } from '../../core/topic/name.ts'
import { queuedBytes } from './deliver.ts'
import { keep } from './retain.ts'
import { publishKept } from './route.ts'
import type { Model } from './state.ts'
import { isOwn } from './sys-topic.ts'
import { bytesOf, NEVER, sizeOf } from './state.ts'

/** Adds what was said since the last time to the sums. */
export const addUp = (model: Model): void => {
  const { sums } = model
  for (const said of model.said.slice(sums.counted)) {
    if (said._tag === 'Noted') {
      if (/^dropped .* \d (queue full|back-pressure|memory short|store full)$/.test(said.line)) {
        sums.dropped++
      }
      if (/^session .* expired/.test(said.line)) sums.expired++
    }
    if (said._tag !== 'Sent') continue
    sums.sent++
    sums.sentBytes += sizeOf(said.level, said.packet)
    if (said.packet._tag !== 'Publish') continue
    sums.sentPublishes++
    sums.sentPayload += B.size(said.packet.payload)
  }
  sums.counted = model.said.length
}

const averaged = (model: Model): ReadonlyArray<readonly [string, number]> => [
  ['messages/received', model.sums.received],
  ['messages/sent', model.sums.sent],
  ['publish/dropped', model.sums.dropped],
  ['publish/received', model.sums.receivedPublishes],
  ['publish/sent', model.sums.sentPublishes],
  ['bytes/received', model.sums.receivedBytes],
  ['bytes/sent', model.sums.sentBytes],
  ['sockets', model.sums.opened],
  ['connections', model.sums.connects],
]

const facts = (model: Model): ReadonlyArray<readonly [string, string | number]> => {
  const { sums, sessions, retained } = model
  const online = model.links.filter((one) => one.phase === 'ready').length
  const away = sessions.length - online
  const sum = (of: (session: Model['sessions'][number]) => number): number =>
    sessions.reduce((all, one) => all + of(one), 0)
  const stored = retained.length +
    sum((one) => one.queue.length + one.window.length + one.incoming.length)
  const bytes =
    retained.filter((one) => !isOwn(one.topic)).reduce((a, one) => a + bytesOf(one), 0) +
    sum((one) =>
      queuedBytes(one) +
      one.incoming.reduce((a, { message }) => a + (message === null ? 0 : bytesOf(message)), 0)
    )
  return [
    ['version', model.config.version],
    ['uptime', `${Math.floor((model.now - model.began) / 1000)} seconds`],
    ['clients/total', sessions.length],
    ['clients/inactive', away],
    ['clients/disconnected', away],
    ['clients/active', online],
    ['clients/connected', online],
    ['clients/expired', sums.expired],
    ['clients/maximum', sums.most],
    ['messages/stored', stored],
    ['messages/received', sums.received],
    ['messages/sent', sums.sent],
    ['store/messages/count', stored],
    ['store/messages/bytes', bytes],
    [
      'subscriptions/count',
      sum((one) => one.subscriptions.filter(({ group }) => group === null).length),
    ],
    [
      'shared_subscriptions/count',
      sum((one) => one.subscriptions.filter(({ group }) => group !== null).length),
    ],
    ['retained messages/count', retained.length],
    ['heap/current', sums.heap || ''],
    ['heap/maximum', sums.heapMost || ''],
    ['publish/messages/dropped', sums.dropped],
    ['publish/messages/received', sums.receivedPublishes],
    ['publish/messages/sent', sums.sentPublishes],
    ['publish/bytes/received', sums.receivedPayload],
    ['publish/bytes/sent', sums.sentPayload],
    ['bytes/received', sums.receivedBytes],
    ['bytes/sent', sums.sentBytes],
    ['connections/socket/count', model.links.length],
    ['packet/out/count', sums.waitingPackets],
    ['packet/out/bytes', sums.waitingBytes],
  ]
}

/** A round, if it is time for one. */
export const report = (model: Model, wall: number): void => {
  if (model.sysAt > model.now) return
  addUp(model)
  const minutesGone = (model.now - model.reportedAt) / 60_000
  const found = facts(model).map(([name, value]) => [name, String(value)])
  for (const [name, count] of averaged(model)) {
    const before = model.loads.get(name) ?? { count: 0, averages: [0, 0, 0] }
    const averages = before.averages.map((average, i) => {
      if (minutesGone === 0) return average
      const rate = (count - before.count) / minutesGone
      return rate + (average - rate) * Math.exp(-minutesGone / [1, 5, 15][i]!)
    })
    model.loads.set(name, { count, averages })
    averages.forEach((one, i) => found.push([`load/${name}/${[1, 5, 15][i]}min`, one.toFixed(2)]))
  }
  model.reportedAt = model.now
  for (const [name, value] of found) {
    const topic = `$SYS/broker/${name}`
    if (value === '' || model.reported.get(topic) === value || !isTopicName(topic)) continue
    model.reported.set(topic, value!)
    const payload = B.of(encodeUtf8(value!))
    publishKept(model, null, {
      topic,
      qos: 2,
      retain: true,
      payload,
      properties: {},
      expiresAt: NEVER,
      who: null,
    })
  }
  const { sysIntervalMs } = model.config
  model.sysAt = model.now + sysIntervalMs - wall % sysIntervalMs
}

/** The operator has begun or ended the reports. */
export const changed = (model: Model, before: number): void => {
  const { sysIntervalMs } = model.config
  if (sysIntervalMs === before) return
  model.sysAt = sysIntervalMs === 0 ? NEVER : Math.min(model.sysAt, model.now)
  if (sysIntervalMs > 0) return
  for (const message of model.retained.filter((one) => isOwn(one.topic))) {
    keep(model, { ...message, payload: B.empty })
  }
  model.reported.clear()
}
