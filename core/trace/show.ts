// Every input, effect, packet and note as one line of text, for logs, stories and replays: the same
// line for the same value on every runtime, in the words of the standard. Whatever a client chose
// stands in quotation marks with its surprises escaped; secrets are blanked. README.md has the
// grammar.

import type { Effect, Question } from '../broker/effect.ts'
import type { Answer, Command, Conn, Input, Measures, Millis, Peer } from '../broker/input.ts'
import type { Note } from '../broker/note.ts'
import { NEVER } from '../broker/state.ts'
import type { Fault } from '../codec/fault.ts'
import type { Level, Packet } from '../codec/packet.ts'
import { toGrant, toReturnCode } from '../codec/reason.ts'
import { absurd } from '../prelude.ts'
import { configText } from './config-text.ts'
import type { PayloadText, Style } from './connect-text.ts'
import { packetText } from './packet-text.ts'
import type { SecretText } from './property-text.ts'
import { blanked } from './property-text.ts'
import { showWrite } from './record.ts'
import { hex, quote, showBytes } from './words.ts'

/** What a connection is called. */
export type NameOf = (conn: Conn) => string

/** A name that says all there is to say about a connection: `c3.17` is slot 3, generation 17. */
export const explicitName: NameOf = ({ slot, generation }) => `c${slot}.${generation}`

const harmless: Style = { secretText: blanked, ownId: null, payloadText: showBytes }

/** A packet: `publish 'd/1' qos2 id7 dup "on"`. */
export const showPacket = (packet: Packet, payloadText: PayloadText = showBytes): string =>
  packetText(packet, payloadText === showBytes ? harmless : { ...harmless, payloadText })

/** A packet as a server says it in this level: below 5 with the return codes of the level. */
const showSent = (packet: Packet, level: Level, payloadText: PayloadText): string => {
  if (level === 5 || packet._tag === 'Publish') return showPacket(packet, payloadText)
  if (packet._tag === 'Connack') {
    return showPacket({ ...packet, reason: toReturnCode(packet.reason) })
  }
  if (packet._tag === 'Suback') {
    return showPacket({
      ...packet,
      reasons: packet.reasons.map((reason) => toGrant(reason, level)),
    })
  }
  return packet._tag === 'Unsuback' ? showPacket({ ...packet, reasons: [] }) : showPacket(packet)
}

const showPeer = ({ address, port }: Peer): string => `from ${quote(address, '"')} ${port}`

/** An effect: `a< puback id7`, `a close 0x8e`; notes begin with a hyphen. */
export const showEffect = (
  effect: Effect,
  nameOf: NameOf = explicitName,
  payloadText: PayloadText = showBytes,
): string => {
  switch (effect._tag) {
    case 'Send':
      // What waits for the disk says so.
      return `${nameOf(effect.conn)}${effect.when === 'durable' ? '<|' : '<'} ` +
        showSent(effect.packet, effect.level, payloadText)
    case 'Multicast':
      return `${effect.conns.map(nameOf).join(' ')}< ${
        showSent(effect.packet, effect.level, payloadText)
      }`
    case 'Close':
      return `${nameOf(effect.conn)} close ${hex(effect.reason)}`
    case 'Pause':
    case 'Resume':
      return `${nameOf(effect.conn)} ${effect._tag.toLowerCase()}`
    case 'Judge':
      return `${nameOf(effect.conn)} judge ${questionText(effect.question)}`
    case 'Ask': {
      const { _tag, userName } = effect.query
      const what = _tag === 'ScramSalt' ? 'salt' : 'proof'
      return `${nameOf(effect.conn)} ask ${what} ${quote(userName, "'")}`
    }
    case 'Persist':
      return `store ${effect.writes.map((one) => showWrite(one, payloadText)).join(', ')}`
    case 'Note':
      return showNote(effect.note, nameOf)
    default:
      return absurd(effect)
  }
}

const questionText = ({ clientId, userName, password, peer }: Question): string =>
  [
    quote(clientId, "'"),
    ...(userName === null ? [] : ['user', quote(userName, '"')]),
    ...(password === null ? [] : ['password', blanked(password)]),
    showPeer(peer),
  ].join(' ')

const faultText = ({ clause, detail }: Fault): string => ` [${clause}] ${quote(detail, '"')}`

/** A note: `- dropped 'd/1' qos1 for 'b': queue full`. */
export const showNote = (note: Note, nameOf: NameOf = explicitName): string => {
  switch (note._tag) {
    case 'ConnectionOpened':
      return `- ${nameOf(note.conn)} opened: listener ${quote(note.listener, '"')} ` +
        showPeer(note.peer)
    case 'ClientConnected':
      return `- ${nameOf(note.conn)} connected: ${quote(note.clientId, "'")} v${note.level}` +
        (note.cleanStart ? ' clean-start' : '') +
        (note.keepAliveS === 0 ? '' : ` keep-alive ${note.keepAliveS}`) +
        (note.userName === null ? '' : ` user ${quote(note.userName, '"')}`) +
        (note.sessionPresent ? ' session-present' : '')
    case 'ConnectionEnded': {
      const id = note.clientId === null ? '' : ` ${quote(note.clientId, "'")}`
      return `- ${nameOf(note.conn)} ended${id}: ${note.ending} ${hex(note.reason)}` +
        (note.fault === null ? '' : faultText(note.fault))
    }
    case 'Subscribed':
      return `- subscribed ${quote(note.clientId, "'")} ${quote(note.filter, "'")} qos${note.qos}`
    case 'Unsubscribed':
      return `- unsubscribed ${quote(note.clientId, "'")} ${quote(note.filter, "'")}`
    case 'TooManySubscriptions':
      return `- too many subscriptions of ${quote(note.clientId, "'")}: ` +
        `${note.count} refused from ${quote(note.filter, "'")} on`
    case 'Dropped': {
      const whom = note.clientId === null ? '' : ` for ${quote(note.clientId, "'")}`
      return `- dropped ${quote(note.topic, "'")} qos${note.qos}${whom}: ${note.why}`
    }
    case 'Denied':
      return `- denied ${note.what} ${quote(note.topic, "'")} of ${quote(note.clientId, "'")}`
    case 'SessionEnded':
      return `- session ${quote(note.clientId, "'")} ended: ${note.why}` +
        (note.messages === 0 ? '' : `, ${note.messages} messages`)
    case 'WillPublished':
      return `- will of ${quote(note.clientId, "'")} published: ${quote(note.topic, "'")}`
    case 'Contested': {
      const [holder, rival] = note.peers
      return `- ${quote(note.clientId, "'")} contested ${showPeer(holder)} and ${showPeer(rival)}`
    }
    case 'MemoryShort':
      return '- memory short'
    case 'MemoryFree':
      return '- memory free'
    case 'StoreFull':
      return '- store full'
    case 'StoreFree':
      return '- store free'
    case 'Stale':
      return `- stale ${nameOf(note.conn)}: ${quote(note.input, '"')}`
    default:
      return absurd(note)
  }
}

/**
 * An input as the line that a story has for it; the time is no part of it, but for a tick, which
 * is nothing else.
 */
export const showInput = (
  input: Input,
  nameOf: NameOf = explicitName,
  payloadText: PayloadText = showBytes,
): string => {
  switch (input._tag) {
    case 'Opened':
      return `${nameOf(input.conn)} open listener ${quote(input.listener, '"')} ` +
        `${showPeer(input.peer)} nonce ${quote(input.nonce, '"')}`
    case 'Arrived':
      return `${nameOf(input.conn)}> ${showPacket(input.packet, payloadText)}`
    case 'Broke':
      return `${nameOf(input.conn)} broke ${hex(input.fault.reason)} ` +
        `${quote(input.fault.clause, '"')} ${quote(input.fault.detail, '"')} ` +
        `level ${input.fault.level}`
    case 'Closed':
      return `${nameOf(input.conn)} ${input.why === 'closed' ? 'lose' : 'fail'}`
    case 'Continued':
      return `${nameOf(input.conn)} continued`
    case 'Written':
      return `${nameOf(input.conn)} written ${input.total}`
    case 'Judged':
      return `${nameOf(input.conn)} judged ${hex(input.reason)}`
    case 'Answered':
      return `${nameOf(input.conn)} answered ${answerText(input.answer, blanked)} ` +
        `nonce ${quote(input.nonce, '"')}`
    case 'Measured':
      return measuresText(input)
    case 'Ticked':
      return `ticked wall ${input.wall}`
    case 'MemoryShort':
      return 'memory short'
    case 'MemoryFree':
      return 'memory free'
    case 'StoreFull':
      return 'store full'
    case 'StoreFree':
      return 'store free'
    case 'Reconfigured':
      return ['reconfigure', ...configText(input.config)].join(' ')
    case 'Commanded':
      return showCommand(input.command, payloadText)
    default:
      return absurd(input)
  }
}

/** The answer to an Ask effect. */
export const answerText = (answer: Answer, secretText: SecretText): string => {
  switch (answer._tag) {
    case 'ScramSalt':
      return `salt ${secretText(answer.salt)} iterations ${answer.iterations}`
    case 'ScramSignature':
      return `signature ${secretText(answer.signature)}`
    case 'Refused':
      return `refused ${hex(answer.reason)}`
    default:
      return absurd(answer)
  }
}

/** What the shell has measured; what waits is left out where nothing does. */
export const measuresText = (some: Measures): string => {
  const { receivedBytes, heapBytes, waitingPackets, waitingBytes } = some
  const waiting = waitingPackets === 0 && waitingBytes === 0
    ? ''
    : ` waiting ${waitingPackets} ${waitingBytes}`
  return `measured ${receivedBytes} heap ${heapBytes}${waiting}`
}

const showCommand = (command: Command, payloadText: PayloadText): string => {
  switch (command._tag) {
    case 'Stop':
      return 'stop'
    case 'Kick':
      return `kick ${quote(command.clientId, "'")}`
    case 'Revoke': {
      const { listener, userNames } = command.revocation
      return ['revoke', ...[listener, ...userNames].map((name) => quote(name, '"'))].join(' ')
    }
    case 'Shut':
      return `shut ${quote(command.listener, '"')}`
    case 'Redirect':
      return 'redirect'
    case 'Publish':
      return showPacket(command.packet, payloadText)
    default:
      return absurd(command)
  }
}

/** A span of time in the largest unit that leaves it whole: `30s`, `1500ms`. */
export const showSpan = (ms: Millis): string => ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`

/** When the broker wants to be woken, seen from now. */
export const showDeadline = (deadline: Millis, now: Millis): string =>
  deadline === NEVER ? 'deadline never' : `deadline +${showSpan(Math.max(0, deadline - now))}`
