// A state of the broker as a text, so that two states with the same text answer whatever comes next
// in the same way, as long as no time passes and nobody but these clients is there. Everything that
// a handler reads is in it, but for
//
// - owner tokens, which only say who may edit a record in place;
// - times, timers and the clock: here it is always 0;
// - counters, which nobody reads;
// - ranks (of opening, of joining): two connections of one client are compared by their ranks, so a
//   rank is told as the slot that has it, or as nobody's;
// - bytes on their way to a socket, of which it would take 64 KiB to make a difference;
// - nonces, addresses and listeners, which are the same for everybody;
// - contests, of which nothing comes but a note.
//
// That this is enough is a property of its own (exhaustive.test.ts): among the states found to have
// one digest, a sample is given every input there is.

import * as B from '../../core/data/bytes.ts'
import * as IntMap from '../../core/data/int-map.ts'
import * as Queue from '../../core/data/queue.ts'
import * as StrMap from '../../core/data/str-map.ts'
import * as Window from '../../core/data/window.ts'
import type { Filters, Gist, Message, Outgoing } from '../../core/broker/state.ts'
import type { Session, Subscription } from '../../core/broker/state.ts'
import { isSingle } from '../../core/broker/state.ts'
import type { Link, State } from '../../core/mod.ts'
import type { TopicName } from '../../core/topic/name.ts'
import { parseTopicName } from '../../core/topic/name.ts'
import * as Tree from '../../core/topic/tree.ts'
import { topic } from './client.ts'

const message = (one: Message | Gist): string => {
  const { topic, qos, retain, properties, bytes } = one
  const said = 'payload' in one ? String.fromCharCode(...B.view(one.payload)) : ''
  return `${topic} ${qos} ${retain} ${said} ${bytes} ` + JSON.stringify(properties)
}

const outgoing = (one: Outgoing): string =>
  one.stage === 'released'
    ? `released ${one.terms.qos}`
    : `${one.stage} ${one.terms.qos} ${one.terms.retain} ${one.terms.identifiers.join()} ` +
      message(one.message)

const subscription = (one: Subscription): string =>
  [one.session, one.filter, one.qos, one.noLocal, one.retainAsPublished, ...one.identifiers].join(
    ' ',
  )

const link = ({ conn, phase }: Link): string => {
  const key = `${conn.slot}.${conn.generation} ${phase.phase}`
  return phase.phase === 'Ready'
    ? `${key} ${phase.session} ${phase.level} ${phase.bridge} ${phase.keepAliveMs} ${
      IntMap.size(phase.aliases)
    }`
    : key
}

const session = (state: State, one: Session): string => {
  const slots = new Map([...IntMap.entries(state.links)].map(([slot, { opening }]) => [
    opening,
    slot,
  ]))
  return [
    one.number,
    one.clientId,
    one.expiryS,
    one.conn === null ? 'away' : `${one.conn.slot}.${one.conn.generation}`,
    one.level,
    one.will === null,
    one.inflightCountMax,
    one.packetBytesMax,
    one.aliasMax,
    one.isPaused,
    one.nextPacketId,
    ...[...Window.entries(one.window)].map(([id, entry]) => `window ${id} ${outgoing(entry)}`),
    `waiting ${one.waitingCount}`,
    ...[...Queue.entries(one.queue)].map((entry) => `queue ${outgoing(entry)}`),
    one.queuedBytes,
    ...[...Window.entries(one.incoming)].map(([id, entry]) =>
      `incoming ${id} ${slots.get(entry.opening) ?? 'nobody'} ${
        entry.message === null ? '' : message(entry.message)
      }`
    ),
    `receiving ${one.receivingCount} ${one.incomingBytes}`,
    ...[...StrMap.entries(one.subscriptions)].map(([, entry]) => subscription(entry)).sort(),
    `catch up ${Queue.size(one.catchUps)} ${StrMap.size(one.overtaken)} ${one.isCatching}`,
  ].join(', ')
}

const nameOf = (text: string): TopicName => {
  const parsed = parseTopicName(text)
  if (parsed._tag === 'Left') throw new Error(parsed.left)
  return parsed.right
}

const subscribers = ({ tree }: Filters): string =>
  `${Tree.size(tree)} ` +
  Tree.find(tree, nameOf(topic)).map((one) =>
    isSingle(one) ? subscription(one) : [
      ...[...IntMap.entries(one.direct)].map(([, each]) => subscription(each)),
      `groups ${StrMap.size(one.groups)}`,
    ].join()
  ).join('; ')

export const digest = (state: State): string =>
  [
    state.stopping,
    [...IntMap.entries(state.links)].map(([, one]) => link(one)).join('; '),
    IntMap.size(state.greeting),
    [...IntMap.entries(state.sessions)].map(([, one]) => session(state, one)).join('; '),
    state.nextSession,
    [...StrMap.entries(state.clients)].map((one) => one.join()).sort().join('; '),
    subscribers(state.filters),
    IntMap.size(state.turns),
    Tree.size(state.retained),
    Queue.size(state.catching),
  ].join('\n')
