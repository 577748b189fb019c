// Whether the words for a message that was dropped for a client are true: why it was, and the
// numbers that go with it.

import { endedWords, since } from './day.ts'
import type { Day, Session, Step } from './day.ts'
import type { Publication } from './publications.ts'

/** What is said of each reason, with the number or the rest that there is to check. */
const words: ReadonlyArray<readonly [why: string, RegExp]> = [
  [
    'queue full',
    new RegExp(
      '^its queue was full' +
        '(?:, with (\\d+) messages? of \\d+ bytes?(?:, (\\d+) of them of QoS 0)?' +
        '(, and would have had too many with this one)?)? \\((.+?)\\); (.+)$',
      's',
    ),
  ],
  ['expired', /^its Message Expiry Interval was over before it could be sent$/],
  ['too large', /^it is larger than the Maximum Packet Size of the client, (\d+) bytes?$/],
  [
    'back-pressure',
    new RegExp(
      '^it was of QoS 0 and (\\d+) bytes? waited already for its socket: with it they would be ' +
        'more than (\\d+)$',
    ),
  ],
  ['offline', /^(?:QoS 0|it) does not wait for who is away \((.+?)\)(.+)$/s],
  [
    'not allowed',
    new RegExp(
      '^(?:the client may not read it(?:, denied by .+)?|' +
        "it is not behind the mount point '(.*)' of the client)$",
      's',
    ),
  ],
  ['memory short', /^the broker was short of memory and it would have had to wait: (.+)$/s],
]

/** The reason that the words are for; null where they are for none. */
export const reasonIn = (text: string): string | null =>
  words.find(([, pattern]) => pattern.test(text))?.[0] ?? null

const between = 'its old connection had just ended and the new one had not begun'

/**
 * Why a session could not be sent more at once. `true` where the words are so, else what they
 * should have been.
 */
export const isWaitTrue = (
  text: string,
  session: Session,
  config: Step['config'],
  day: Day,
  isBack: boolean,
): boolean => {
  const { packetIdMax, inflightBytesMax } = config
  if (isBack) return text === between
  if (session.line === null) return text === `it was away since ${since(day, session.offlineAt)}`
  const most = session.flying
  if (session.mayBeGone > 0) {
    const fewer = { ...session, flying: most - 1, mayBeGone: session.mayBeGone - 1 }
    if (isWaitTrue(text, fewer, config, day, isBack)) return true
  }
  const sent = `${most === 1 ? '1 message' : `${most} messages`} had been sent to it and not ` +
    'acknowledged'
  if (most >= Math.min(session.sentCountMax, packetIdMax)) {
    return text === `${sent}, as many as may be (its Receive Maximum or max_inflight_messages)`
  }
  const bytes = /^(.+), \d+ bytes?, which is as much as may be \(max_inflight_bytes (\d+)\)$/s
    .exec(text)
  if (bytes !== null) return bytes[1] === sent && bytes[2] === String(inflightBytesMax)
  if (text.startsWith('what it has received (PUBREC)')) {
    return session.received > 0 && text.endsWith(`(max_inflight_bytes ${inflightBytesMax})`) &&
      inflightBytesMax > 0
  }
  if (text.startsWith('a reload has allowed more')) {
    return day.steps.some(({ input }) => input._tag === 'Reconfigured')
  }
  const socket = /^(?:\d+ messages? stood before it and )?(\d+) bytes? waited for its socket$/s
    .exec(text)
  return socket !== null && Number(socket[1]) === session.unwritten
}

/** Whether the client left in the step, and lost something before it did. */
const isLeaving = (old: Session, session: Session, clientId: string, { notes }: Step): boolean => {
  if (old.line === null || session.line !== null) return false
  const dropped = notes.findIndex((one) => one._tag === 'Dropped' && one.clientId === clientId)
  const ended = notes.findIndex((one) =>
    one._tag === 'ConnectionEnded' && one.clientId === clientId
  )
  return dropped >= 0 && dropped < ended
}

/** Whether the words are true of a message that was dropped for a client in a step, for `why`. */
export const isLossTrue = (
  text: string,
  why: string,
  clientId: string,
  publication: Publication,
  step: Step,
  day: Day,
): boolean => {
  const found = words.find(([one]) => one === why)?.[1].exec(text) ?? null
  const old = step.before.get(clientId)
  const session = step.after.get(clientId) ?? old
  if (found === null || session === undefined) return false
  const { next } = step
  const isBack = session.line !== null && old !== undefined && old.line !== session.line
  const isWait = (some: string): boolean =>
    old !== undefined && isLeaving(old, session, clientId, step)
      ? old.flying < Math.min(old.sentCountMax, next.packetIdMax)
        ? some === 'what was sent to it in the same moment had taken its room'
        : isWaitTrue(some, old, next, day, false)
      : isWaitTrue(some, session, next, day, isBack)
  switch (why) {
    case 'queue full': {
      const limits = `max_queued_messages ${next.queuedCountMax}, ` +
        `max_queued_bytes ${next.queuedBytesMax}`
      const count = found[1] === undefined ? null : Number(found[1])
      // What it had when it left, others of its groups may have got.
      if (count !== null && old?.line !== null && session.line === null) return false
      // What waits of QoS 0 takes no room from what is above.
      const hasQos0 = step.notes.some((one) =>
        one._tag === 'Dropped' && one.clientId === clientId && one.why === why &&
        one.topic === publication.topic && one.qos === 0
      )
      const inTheWay = count === null ? 0 : hasQos0 ? count : count - Number(found[2] ?? 0)
      const isLong = next.queuedCountMax > 0 && inTheWay >= next.queuedCountMax
      const isFull = count === null || isLong || (next.queuedBytesMax > 0 && count > 0)
      const isByBytes = count !== null && !isLong
      return found[4] === limits && isFull && isByBytes === (found[3] !== undefined) &&
        isWait(found[5]!)
    }
    case 'too large':
      return Number(found[1]) === session.lately.connect?.properties.maximumPacketSize
    case 'back-pressure': {
      // Where the connection has ended in the same step, it was dropped before.
      const { unwritten } = session.line === null && old !== undefined ? old : session
      return Number(found[2]) === next.unwrittenBytesMax && Number(found[1]) === unwritten
    }
    case 'offline': {
      const isPlain = text.startsWith('QoS 0')
      const limits = `queue_qos0_messages ${next.queueQos0}` +
        (isPlain ? '' : `, shared_subscription_offline ${next.sharedOffline}`)
      const when = isBack
        ? `; ${between}`
        : `, as the client was since ${since(day, session.offlineAt)}`
      return found[1] === limits && found[2] === when &&
        isPlain === (next.sharedOffline === 'queue')
    }
    case 'not allowed':
      return found[1] === undefined ||
        (found[1] === session.mountPoint && !publication.topic.startsWith(session.mountPoint + ''))
    case 'memory short':
      return isWait(found[1]!)
    default:
      return true
  }
}

/** Why messages on the topic were dropped for the client in a step, as they were routed. */
export const dropsIn = (
  { topic }: Publication,
  { notes }: Step,
  clientId: string,
): ReadonlyArray<string> =>
  notes.flatMap((note) =>
    note._tag === 'Dropped' && note.clientId === clientId && note.topic === topic &&
      note.why !== 'session ended' && note.why !== 'expired'
      ? [note.why]
      : []
  )

/** Why the client's session ended in a step, in words; null where it did not. */
export const endIn = ({ notes }: Step, clientId: string): string | null => {
  const note = notes.find((one) => one._tag === 'SessionEnded' && one.clientId === clientId)
  return note?._tag === 'SessionEnded' ? endedWords[note.why]! : null
}
