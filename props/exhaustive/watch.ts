// The broker under watch: the real `step`, and beside its state what an onlooker has to remember
// to tell whether it may say what it says. Everything that is promised at a single step is a law
// here; what is promised in the end is in search.ts.

import type { Effect } from '../../core/broker/effect.ts'
import type { Conn, Input } from '../../core/broker/input.ts'
import * as I from '../../core/broker/input.ts'
import type { Packet, Publish } from '../../core/codec/packet.ts'
import type { Config, State } from '../../core/mod.ts'
import { defaults, initial, step } from '../../core/mod.ts'
import { broken, levelOf } from './client.ts'
import type { Setting } from './setting.ts'
import { letters, packetIdMax } from './setting.ts'
import type { ConnName, Event } from './text.ts'
import { text } from './text.ts'

/** A message on its way to the subscriber, as seen from outside. */
interface Exchange {
  readonly packetId: number
  readonly letter: string
  readonly qos: number
  /** Whether its PUBREC has come. */
  readonly isReleased: boolean
  /** The connections on which its PUBLISH and its PUBREL were sent last. */
  readonly publishedOn: ConnName
  readonly releasedOn: ConnName | null
}

/** What an onlooker remembers. */
export interface Notebook {
  /** Whose session the broker has: a CONNECT has reached it. */
  readonly known: { readonly p: boolean; readonly s: boolean }
  /** The connection of each client, as far as the broker can know. */
  readonly online: { readonly p: ConnName | null; readonly s: ConnName | null }
  readonly exchanges: ReadonlyArray<Exchange>
  /** Identifiers of the publisher's QoS 2 messages that were not released. */
  readonly held: ReadonlyArray<number>
}

export interface Watched {
  readonly state: State
  readonly notebook: Notebook
}

export interface Said {
  readonly conn: ConnName
  readonly packet: Packet
}

/** What the broker does at an event. */
export interface Answer {
  readonly after: Watched
  readonly said: ReadonlyArray<Said>
  /** The connection that it closes, if it does. */
  readonly closed: ConnName | null
}

const conns: { readonly [name in ConnName]: Conn } = {
  p1: { slot: 0, generation: 1 },
  p2: { slot: 1, generation: 2 },
  p3: { slot: 2, generation: 3 },
  s1: { slot: 3, generation: 4 },
  s2: { slot: 4, generation: 5 },
  s3: { slot: 5, generation: 6 },
}

const names: ReadonlyArray<ConnName> = ['p1', 'p2', 'p3', 's1', 's2', 's3']

const nameOf = ({ slot }: Conn): ConnName => names[slot]!

const sideOf = (conn: ConnName): 'p' | 's' => conn.startsWith('p') ? 'p' : 's'

const configOf = ({ inflightCountMax, receiveMaximum }: Setting): Config => ({
  ...defaults,
  inflightCountMax,
  receiveMaximum,
  packetIdMax,
})

export const beginning = (setting: Setting): Watched => ({
  state: initial(configOf(setting), { at: 0, wall: 0, seed: 1 }),
  notebook: {
    known: { p: false, s: false },
    online: { p: null, s: null },
    exchanges: [],
    held: [],
  },
})

const nonce = '00000000-0000-4000-8000-000000000000'

/** The inputs that an event comes to; a CONNECT comes with its connection. */
export const inputsOf = ({ conn, packet }: Event): ReadonlyArray<Input> => {
  const name = conns[conn]
  if (packet === null) return [I.closed(name, 0, 'failed')]
  const arrived = I.arrived(name, 0, packet)
  return packet._tag === 'Connect'
    ? [I.opened(name, 0, nonce, 'test', { address: '127.0.0.1', port: 1 }), arrived]
    : [arrived]
}

/** The fold of the real `step`. */
export const take = (
  state: State,
  inputs: ReadonlyArray<Input>,
): readonly [State, ReadonlyArray<Effect>] => {
  let current = state
  const all: Effect[] = []
  for (const input of inputs) {
    const [next, effects] = step(current, input)
    current = next
    all.push(...effects)
  }
  return [current, all]
}

/** Sorts effects into what is said and what is closed; whatever else is done is against the law. */
const sorted = (event: Event, effects: ReadonlyArray<Effect>): Omit<Answer, 'after'> => {
  const said: Said[] = []
  let closed: ConnName | null = null
  for (const effect of effects) {
    switch (effect._tag) {
      case 'Send':
        said.push({ conn: nameOf(effect.conn), packet: effect.packet })
        break
      case 'Close': {
        const name = nameOf(effect.conn)
        const isTakenOver = event.packet?._tag === 'Connect' && name !== event.conn &&
          sideOf(name) === sideOf(event.conn)
        if (!isTakenOver) broken(`${name} is closed with 0x${effect.reason.toString(16)}`)
        closed = name
        break
      }
      case 'Note':
        if (effect.note._tag === 'Dropped') broken(`a message is dropped: ${effect.note.why}`)
        if (effect.note._tag === 'SessionEnded') broken(`a session ends: ${effect.note.why}`)
        if (effect.note._tag === 'Stale') broken(`${effect.note.input} is taken for stale`)
        break
      default:
        broken(`the broker answers with ${effect._tag}`)
    }
  }
  const farewell = said.find(({ packet }) => packet._tag === 'Disconnect')
  if (farewell !== undefined && farewell.conn !== closed) broken('DISCONNECT without a close')
  return { said, closed }
}

/** What the packets to the publisher and the first ones to the subscriber have to be. */
const answersTo = (
  setting: Setting,
  { known, held }: Notebook,
  { conn, packet }: Event,
): ReadonlyArray<string> => {
  if (packet === null) return []
  const five = levelOf(setting, sideOf(conn) === 'p' ? 'publisher' : 'subscriber') === 5
  switch (packet._tag) {
    case 'Connect': {
      // A session is there from the first CONNECT on, whatever became of its CONNACK.
      const isPresent = known[sideOf(conn)] && packet.level > 3 // [MQTT-3.2.2-3]
      return [`${conn} < CONNACK${isPresent ? ' present' : ''}`]
    }
    case 'Subscribe':
      return [`${conn} < SUBACK ${setting.granted}`]
    case 'Publish':
      return [`${conn} < ${packet.qos === 1 ? 'PUBACK' : 'PUBREC'} ${packet.packetId}`]
    case 'Pubrel': {
      const isUnknown = five && !held.includes(packet.packetId)
      return [`${conn} < PUBCOMP ${packet.packetId}${isUnknown ? ' 0x92' : ''}`]
    }
    case 'Pubrec':
      return [`${conn} < PUBREL ${packet.packetId}`]
    default:
      return []
  }
}

const isDelivery = ({ conn, packet }: Said): boolean =>
  sideOf(conn) === 's' && (packet._tag === 'Publish' || packet._tag === 'Pubrel')

const checkAnswers = (
  setting: Setting,
  notebook: Notebook,
  event: Event,
  said: ReadonlyArray<Said>,
): void => {
  const expected = answersTo(setting, notebook, event)
  const isFarewell = ({ packet }: Said) => packet._tag === 'Disconnect' && packet.reason === 0x8e
  const isAnswer = (one: Said) =>
    event.packet?._tag === 'Pubrec' ? one.packet._tag === 'Pubrel' : !isDelivery(one)
  const answers = said.filter((one) => isAnswer(one) && !isFarewell(one))
    .map(({ conn, packet }) => `${conn} < ${text(packet)}`)
  if (answers.join() !== expected.join()) {
    broken(`the answer is "${answers.join()}", not "${expected.join()}"`)
  }
}

/** What the event itself changes in the notebook. */
const noteEvent = (notebook: Notebook, { conn, packet }: Event): Notebook => {
  const { known, online, exchanges, held } = notebook
  const side = sideOf(conn)
  if (packet === null) return { ...notebook, online: { ...online, [side]: null } }
  switch (packet._tag) {
    case 'Connect':
      return {
        ...notebook,
        known: { ...known, [side]: true },
        online: { ...online, [side]: conn },
      }
    case 'Publish':
      return packet.qos === 1 || held.includes(packet.packetId)
        ? notebook
        : { ...notebook, held: [...held, packet.packetId].sort() }
    case 'Pubrel':
      return { ...notebook, held: held.filter((one) => one !== packet.packetId) }
    case 'Puback':
    case 'Pubcomp':
      return { ...notebook, exchanges: exchanges.filter((one) => one.packetId !== packet.packetId) }
    case 'Pubrec':
      return {
        ...notebook,
        exchanges: exchanges.map((one) =>
          one.packetId === packet.packetId ? { ...one, isReleased: true } : one
        ),
      }
    default:
      return notebook
  }
}

const notePublish = (
  setting: Setting,
  notebook: Notebook,
  conn: ConnName,
  packet: Publish,
): Notebook => {
  const { exchanges } = notebook
  const letter = String.fromCharCode(packet.payload.buffer[packet.payload.start]!)
  const { packetId, qos, dup } = packet
  const what = text(packet)
  const expected = Math.min(setting.publishes[letters.indexOf(letter)]!, setting.granted)
  if (qos !== expected) broken(`${what}: its QoS is not ${expected}`) // [MQTT-3.8.4-8]
  if (packetId < 1 || packetId > packetIdMax) broken(`${what}: no such identifier`)
  const found = exchanges.find((one) => one.packetId === packetId)
  if (found === undefined) {
    if (dup) broken(`${what}: DUP on a first delivery`)
    // What is unfinished goes on before anything new begins.
    if (exchanges.some((one) => !isResumed(one, conn))) broken(`${what}: overtakes a redelivery`)
  } else {
    if (found.letter !== letter || found.isReleased || found.publishedOn === conn) {
      broken(`${what}: the identifier is in use`) // [MQTT-2.2.1-4]
    }
    if (!dup) broken(`${what}: no DUP on a redelivery`) // [MQTT-3.3.1-1]
    checkOrder(exchanges, found, conn, what)
  }
  const next: Exchange = {
    packetId,
    letter,
    qos,
    isReleased: false,
    publishedOn: conn,
    releasedOn: null,
  }
  const after = found === undefined
    ? [...exchanges, next]
    : exchanges.map((one) => one === found ? next : one)
  const max = Math.min(
    setting.inflightCountMax,
    setting.subscriberLevel < 5 ? 2 : setting.subscriberReceiveMaximums[Number(conn[1]) - 1]!,
  )
  if (after.filter((one) => one.publishedOn === conn).length > max) { // [MQTT-3.3.4-9]
    broken(`${what}: more than ${max} in flight`)
  }
  return { ...notebook, exchanges: after }
}

const isResumed = (one: Exchange, conn: ConnName): boolean =>
  one.publishedOn === conn || one.releasedOn === conn

/** Redelivery is in the order of the first delivery. [MQTT-4.6.0-5] */
const checkOrder = (
  exchanges: ReadonlyArray<Exchange>,
  found: Exchange,
  conn: ConnName,
  what: string,
): void => {
  for (const one of exchanges) {
    if (one === found) return
    if (!isResumed(one, conn)) broken(`${what}: before what was sent earlier`)
  }
}

const notePubrel = (notebook: Notebook, conn: ConnName, packet: Packet): Notebook => {
  const { exchanges } = notebook
  const what = text(packet)
  const found = exchanges.find((one) =>
    packet._tag === 'Pubrel' && one.packetId === packet.packetId
  )
  if (found === undefined || found.qos !== 2) return broken(`${what}: releases nothing`)
  if (!found.isReleased) broken(`${what}: before PUBREC`)
  if (found.releasedOn === conn) broken(`${what}: twice on a connection`)
  if (found.releasedOn !== null) checkOrder(exchanges, found, conn, what)
  const after = exchanges.map((one) => one === found ? { ...one, releasedOn: conn } : one)
  return { ...notebook, exchanges: after }
}

/** Gives the broker an event; throws where it breaks a law. */
export const advance = (setting: Setting, before: Watched, event: Event): Answer => {
  const [state, effects] = take(before.state, inputsOf(event))
  const { said, closed } = sorted(event, effects)
  checkAnswers(setting, before.notebook, event, said)
  let notebook = noteEvent(before.notebook, event)
  for (const { conn, packet } of said) {
    if (packet._tag === 'Disconnect') continue
    if (notebook.online[sideOf(conn)] !== conn) broken(`${conn} < ${text(packet)}: it is gone`)
    if (sideOf(conn) === 'p') continue
    if (packet._tag === 'Publish') notebook = notePublish(setting, notebook, conn, packet)
    if (packet._tag === 'Pubrel') notebook = notePubrel(notebook, conn, packet)
  }
  return { after: { state, notebook }, said, closed }
}
