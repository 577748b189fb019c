// One publication as an answer: who published it and when, whom it was for, and what became of it
// for each client.

import type { DropReason } from '../broker/note.ts'
import { isBridgeState, isReserved } from '../broker/reserved.ts'
import { askedAs } from '../config/explain-words.ts'
import * as IntMap from '../data/int-map.ts'
import * as Window from '../data/window.ts'
import { missedText } from './explain-drop.ts'
import { effectsOf, matchingIn, sessionFor } from './explain-facts.ts'
import type { Moment, Publication } from './explain-facts.ts'
import { whyDeniedSince } from './explain-rights.ts'
import { dated, since } from './explain-time.ts'
import type { Ground } from './explain-wait.ts'
import { besides, copyText, nearestMiss, whenFollowed, whyNot } from './explain-why.ts'
import { hex, name, plural, shellWord } from './words.ts'

const byText = ({ by }: Publication): string => {
  switch (by._tag) {
    case 'Client':
      return `by ${name(by.clientId)}`
    case 'Will':
      return `as the will of ${name(by.clientId)}`
    case 'Broker':
      return 'by the broker itself'
    case 'Earlier':
      return by.clientId === null ? 'by somebody' : `by ${name(by.clientId)}`
  }
}

const headText = (publication: Publication, { clock, what }: Ground): string => {
  const { topic, by, at, qos, retain, bytes, mountPoint } = publication
  const when = by._tag !== 'Earlier'
    ? `at ${dated(at, clock)}`
    : by.mountedAt === null
    ? `before the ${what} began`
    : `before a reload put it behind a mount point at ${dated(at, clock)}`
  const id = by._tag === 'Client' && by.packetId > 0 ? ` and packet id ${by.packetId}` : ''
  const mounted = mountPoint === ''
    ? ''
    : `, for whom it is ${name(topic.slice(mountPoint.length))} (mount_point ${mountPoint}),`
  const who = `${byText(publication)}${mounted}`
  return `${name(topic)} was published ${when} ${who} with QoS ${qos}${id}` +
    `${retain ? ', to be retained' : ''}: ${plural(bytes, 'byte')}.` +
    (by._tag === 'Earlier' && by.mountedAt !== null
      ? ` --message ${shellWord(askedAs(topic))} has all of it.`
      : '')
}

// These keep a message from everybody; the others may only keep it from being retained.
const always: ReadonlySet<DropReason> = new Set<DropReason>([
  'not allowed',
  'too large',
  'payload format invalid',
  'expired',
])

const refusalText = (
  why: DropReason,
  publication: Publication,
  moment: Moment,
  ground: Ground,
): string => {
  const { config } = moment.before
  switch (why) {
    case 'not allowed': {
      const { by, topic } = publication
      const source = 'clientId' in by && by.clientId !== null
        ? (sessionFor(moment.before, by.clientId) ?? sessionFor(moment.after, by.clientId))?.source
        : null
      const rule = source === null || source === undefined
        ? null
        : whyDeniedSince(config, source, 'write', topic, moment.after, ground)
      if (rule !== null) return `its publisher may not write it, denied by ${rule}`
      if (topic === '$share' || topic.startsWith('$share/')) {
        return 'nobody could subscribe to such a topic'
      }
      return isReserved(topic) || isBridgeState(topic)
        ? 'only the broker publishes to such topics'
        : 'its publisher may not write it'
    }
    case 'too large':
      return `its payload is more than message_size_limit ${config.payloadBytesMax}`
    case 'payload format invalid':
      return 'its payload is said to be UTF-8 and is not'
    case 'expired':
      return 'its Message Expiry Interval was over before it was published'
    case 'retained store full':
      return 'there are as many retained messages as may be'
    case 'memory short':
      return 'the broker was short of memory'
    case 'store full':
      return 'the store was full'
    case 'queue full':
    case 'back-pressure':
    case 'offline':
    case 'no subscriber':
    case 'session ended':
      return why
  }
}

/** Why a message that went to others was not retained. */
const unretainedText = (publication: Publication, ground: Ground): ReadonlyArray<string> => {
  const { moment, topic } = publication
  if (moment === null) return []
  for (const effect of effectsOf(publication, moment)) {
    if (effect._tag !== 'Note' || effect.note._tag !== 'Dropped') continue
    const { clientId, why, topic: dropped } = effect.note
    if (clientId !== null || dropped !== topic) continue
    if (why === 'retained store full' || why === 'memory short' || why === 'store full') {
      return [`It was not retained: ${refusalText(why, publication, moment, ground)}.`]
    }
  }
  return []
}

/** What there is to say of it as the retained message of its topic. */
const retainedText = (publication: Publication, ground: Ground): ReadonlyArray<string> => {
  const { by, retained, releasedAt } = publication
  const { clock } = ground
  if (retained === null) return publication.retain ? unretainedText(publication, ground) : []
  const { until, why } = retained
  if (until === null) {
    // What was released since was not retained before.
    const isOld = by._tag === 'Earlier' && releasedAt === null
    return isOld ? ['It was retained all the time.'] : []
  }
  const end = why === 'replaced'
    ? 'when another one took its place'
    : why === 'expired'
    ? 'when its time was over'
    : 'when it was deleted'
  return [`It was retained until ${since(until, clock)}, ${end}.`]
}

/** Why a publication went to nobody at all; null where it was routed, or still is to be. */
const whyRefused = (publication: Publication, ground: Ground): string | null => {
  const { moment, by, topic } = publication
  if (moment === null) return null
  const effects = effectsOf(publication, moment)
  const { input } = moment
  const notes = effects.flatMap((effect) => effect._tag === 'Note' ? [effect.note] : [])
  const isRefused = effects.some((effect) =>
    effect._tag === 'Send' &&
    (effect.packet._tag === 'Puback' || effect.packet._tag === 'Pubrec') &&
    effect.packet.reason >= 0x80 && 'conn' in input &&
    effect.conn.generation === input.conn.generation
  )
  for (const note of notes) {
    if (note._tag !== 'Dropped' || note.clientId !== null || note.topic !== topic) continue
    if (note.why === 'no subscriber' || !(always.has(note.why) || isRefused)) continue
    return refusalText(note.why, publication, moment, ground)
  }
  if (by._tag !== 'Client' || input._tag !== 'Arrived' || input.packet._tag !== 'Publish') {
    return null
  }
  for (const note of notes) {
    if (note._tag !== 'ConnectionEnded' || note.conn.generation !== input.conn.generation) continue
    const { ending, reason, fault } = note
    const words = ending === 'memory short' || ending === 'store full'
      ? refusalText(ending, publication, moment, ground)
      : `${ending} ${hex(reason)}${fault === null ? '' : `, ${fault.detail} [${fault.clause}]`}`
    return `its publisher's connection was ended for it: ${words}`
  }
  return null
}

/** What there is to say of a message that waits for its release; null where it does not. */
const heldText = (publication: Publication, { clock, last, what }: Ground): string | null => {
  const { held, releasedAt, voidAt } = publication
  if (held === null) return null
  if (voidAt !== null) {
    return `Its publisher never released it (PUBREL): at ${since(voidAt, clock)} it published ` +
      `something else with packet id ${held.packetId}.`
  }
  if (releasedAt !== null) return `It was released at ${since(releasedAt, clock)} (PUBREL).`
  const session = IntMap.get(last.sessions, held.session)
  return session !== undefined && Window.get(session.incoming, held.packetId)?.message !== undefined
    ? `Its publisher had not released it (PUBREL) when the ${what} ended.`
    : 'Its publisher never released it (PUBREL), and its identifier or session was given up.'
}

const shownMax = 20

const matchedText = ({ topic }: Publication, { before }: Moment): string => {
  const { direct, groups } = matchingIn(before, topic)
  const words = [...direct, ...groups.flat()].flatMap(({ session, filter, qos }) => {
    const found = IntMap.get(before.sessions, session)
    return found === undefined ? [] : [`${name(filter)} of ${name(found.clientId)} with QoS ${qos}`]
  })
  if (words.length === 0) return 'It matched no subscription.'
  const more = words.length > shownMax ? ` and ${words.length - shownMax} more` : ''
  return `It matched ${words.sort().slice(0, shownMax).join(', ')}${more}.`
}

/** Whom it concerns: who has a copy, who had a subscription, and who had one at another time. */
const concerned = (publication: Publication, ground: Ground): ReadonlyArray<string> => {
  const { moment, copies, topic, missed, retained } = publication
  const clients = new Set([...copies, ...missed].map(({ clientId }) => clientId))
  if (moment !== null) {
    const { direct, groups } = matchingIn(moment.before, topic)
    for (const { session } of [...direct, ...groups.flat()]) {
      const found = IntMap.get(moment.before.sessions, session)
      if (found !== undefined) clients.add(found.clientId)
    }
    for (const { clientId } of ground.changes) clients.add(clientId)
  } else if (retained !== null) {
    for (const { clientId, what } of ground.changes) if (what === 'refused') clients.add(clientId)
  }
  return [...clients].sort()
}

const forClient = (
  clientId: string,
  publication: Publication,
  refused: string | null,
  ground: Ground,
): string => {
  const { copies, moment, held, releasedAt, missed } = publication
  const told = [
    ...copies.filter((copy) => copy.clientId === clientId)
      .map((copy) => copyText(copy, publication, ground)),
    ...missed.filter((one) => one.clientId === clientId)
      .map((one) => missedText(one, publication, ground)),
  ]
  if (told.length > 0) {
    return [...told, ...besides(clientId, publication, ground)].join('; and ')
  }
  if (refused !== null) return `not delivered: ${refused}`
  if (held !== null && releasedAt === null) {
    return 'not delivered: its publisher had not released it (PUBREL)'
  }
  return moment === null
    ? `it was not waiting for it ${whenFollowed(publication, ground)}, and was not sent it since` +
      nearestMiss(clientId, -Infinity, ground)
    : `not delivered: ${whyNot(clientId, publication, moment, ground)}`
}

const linesMax = 100

/** The answer about one publication; `client` null for every client that it concerns. */
export const aboutPublication = (
  publication: Publication,
  client: string | null,
  ground: Ground,
): ReadonlyArray<string> => {
  const { moment, again } = publication
  const refused = whyRefused(publication, ground)
  const held = heldText(publication, ground)
  const isRouted = moment !== null && refused === null &&
    (publication.held === null || publication.releasedAt !== null)
  const lines = [
    [
      headText(publication, ground),
      ...(held === null ? [] : [held]),
      ...(again === 0
        ? []
        : [`Before that it came again ${again === 1 ? 'once' : `${again} times`}.`]),
      ...(refused === null ? [] : [`It went to nobody: ${refused}.`]),
      ...(isRouted ? [matchedText(publication, moment)] : []),
      ...(refused === null ? retainedText(publication, ground) : []),
    ].join(' '),
  ]
  const clients = client === null ? concerned(publication, ground) : [client]
  for (const one of clients.slice(0, linesMax)) {
    lines.push(`  ${name(one)}: ${forClient(one, publication, refused, ground)}.`)
  }
  if (clients.length > linesMax) {
    lines.push(`  ${plural(clients.length - linesMax, 'more client')}: name one with --client.`)
  }
  return lines
}
