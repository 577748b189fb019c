// Where Sabethes and mosquitto 2.0 differ, and why. What is not in this list has to be the same.

import type { Request, Step, Talk, Will } from './talk.ts'

/** Those that are known to make a difference. */
type Option =
  | 'max_inflight_messages'
  | 'max_queued_messages'
  | 'max_packet_size'
  | 'max_keepalive'
  | 'max_qos'
  | 'max_topic_alias'
  | 'message_size_limit'
  | 'persistent_client_expiration'
  | 'retain_available'

/** Where in a conversation a difference shows itself, and to whom. */
export interface Place {
  readonly talk: Talk
  readonly index: number
  readonly step: Step
  readonly who: string
  /** Lines that both brokers are configured with besides. */
  readonly lines: ReadonlyArray<string>
}

export interface Difference {
  readonly name: string
  /** What decides: mosquitto 2.1, which differs from 2.0 there, or a clause of the standard. */
  readonly reason: string
  /** Lines that only mosquitto says, and lines that only Sabethes says. */
  readonly theirs?: RegExp
  readonly ours?: RegExp
  /** Whether one of theirs and one of ours stand for each other; else either may stand alone. */
  readonly pairs?: (theirs: string, ours: string) => boolean
  /** What the other broker must have said for a line to stand alone. */
  readonly besides?: (line: string, other: string) => boolean
  /** The option that both have to be configured with, if it is not so by default. */
  readonly under?: Option
  /** Where it may happen. */
  readonly at: (place: Place) => boolean
  /**
   * The two are not in the same state afterwards, and the conversation ends: when it was seen, or
   * wherever it may happen, since nobody may see it at once (a queue, a retained message).
   */
  readonly parts?: 'when seen' | 'always'
}

/** Words that are taken out of a line, whoever says it, before anything is compared. */
export interface Silence {
  readonly name: string
  readonly reason: string
  readonly under?: Option
  readonly words: RegExp
}

export const silences: ReadonlyArray<Silence> = [
  {
    name: 'Maximum Packet Size is announced',
    reason: 'mosquitto 2.1 announces its limit, 2.0 has none',
    words: /(?<=^CONNACK .*)maximumPacketSize=2000000 /,
  },
  {
    name: 'a Session Expiry Interval that is not the wanted one is told',
    reason: 'the client is to use it (section 3.2.2.3.2 of MQTT 5); 2.0 says nothing',
    under: 'persistent_client_expiration',
    words: /(?<=^CONNACK .*)sessionExpiryInterval=\d+ /,
  },
  {
    name: 'a refusal says what would be allowed',
    reason: 'accepted: Maximum QoS in a CONNACK that refuses a will',
    under: 'max_qos',
    words: /(?<=^CONNACK 9b) \{.*\}/,
  },
]

/** How mosquitto is told to be, where 2.0 can do what 2.1 does. */
export const configurationWith = (lines: ReadonlyArray<string>): ReadonlyArray<string> => [
  // One copy for each subscription that overlaps is the default of 2.1.
  'allow_duplicate_messages true',
  ...lines,
]

const isConfigured = (option: Option, lines: ReadonlyArray<string>): boolean =>
  lines.some((line) => line.split(' ')[0] === option)

/** Whether a difference or a silence can be met with these lines. */
export const applies = (
  { under }: { readonly under?: Option },
  lines: ReadonlyArray<string>,
): boolean => under === undefined || isConfigured(under, lines)

const requestsOf = (step: Step): ReadonlyArray<Request> =>
  step.act === 'subscribe' ? step.requests : []

/** What the client's connection before the step was like, and whether it has ended by then. */
const connectionBefore = ({ talk, index, step }: Place) => {
  let ending: Extract<Step, { readonly act: 'disconnect' | 'drop' }> | null = null
  for (const before of talk.steps.slice(0, index).reverse()) {
    if (before.who !== step.who) continue
    if (before.act === 'drop' || before.act === 'disconnect') ending ??= before
    if (before.act === 'connect') return { connect: before, ending }
  }
  return null
}

/** The will that a client had, or has, when it goes on with this step. */
const willBefore = (place: Place): Will | null => {
  const found = connectionBefore(place)
  if (found === null) return null
  const { connect: { will, level }, ending } = found
  if (ending === null) return will
  if (ending.act === 'disconnect' && (level < 5 || ending.reason === 0)) return null
  return will !== null && will.delayed && level === 5 ? will : null
}

/** Whether a connection is taken over whose will was to be published at once. */
const isWillTakenOver = (place: Place): boolean => {
  const found = connectionBefore(place)
  if (place.step.act !== 'connect' || found === null || found.ending !== null) return false
  const { will, level } = found.connect
  return will !== null && !(will.delayed && level === 5)
}

/** Whether a session ends at this step while its will is delayed. */
const isWillOfEndedSession = (place: Place): boolean => {
  const { step } = place
  const found = connectionBefore(place)
  const will = willBefore(place)
  if (found === null || will === null || !will.delayed || found.connect.level < 5) return false
  const { expiryS } = found.connect
  if (step.act === 'connect') return step.clean || (found.ending === null && (expiryS ?? 0) === 0)
  if (step.act !== 'drop' && step.act !== 'disconnect') return false
  // DISCONNECT may not give a lasting session to a connection that began without one.
  return (expiryS ?? 0) === 0 || (step.act === 'disconnect' && step.expiryS === 0)
}

/** Whether the client has made a subscription again, and with other options. */
const hasOtherOptions = ({ talk, index, who }: Place): boolean => {
  const options = new Map<string, string>()
  for (const step of talk.steps.slice(0, index + 1)) {
    if (step.who !== who) continue
    for (const { filter, noLocal, retainAsPublished } of requestsOf(step)) {
      const these = `${noLocal} ${retainAsPublished}`
      if ((options.get(filter) ?? these) !== these) return true
      options.set(filter, these)
    }
  }
  return false
}

/** Whether there may be room for only some of what comes to the client. */
const isNarrow = ({ talk, index, who, lines }: Place): boolean => {
  if (isConfigured('max_inflight_messages', lines)) return true
  for (const step of talk.steps.slice(0, index + 1).reverse()) {
    if (step.who !== who) continue
    if (step.act === 'hold') return true
    if (step.act === 'connect') return step.level === 5 && step.receiveMaximum !== null
  }
  return false
}

/** Whether the client has a narrow window, and refuses messages or takes no large ones. */
const mayLeak = ({ talk, index, who, lines }: Place): boolean => {
  const isNarrowAnyway = isConfigured('max_inflight_messages', lines)
  let hasRefused = false
  for (const step of talk.steps.slice(0, index + 1).reverse()) {
    if (step.who !== who) continue
    if (step.act === 'hold' && step.what === 'refuse') hasRefused = true
    if (step.act === 'connect') {
      if (step.level < 5) return false
      const hasLimit = isNarrowAnyway || step.receiveMaximum !== null
      return hasLimit && (hasRefused || step.packetBytesMax !== null)
    }
  }
  return false
}

/** A delivery without what differs between copies of a message for several subscriptions. */
const copied = (line: string): string =>
  line.replace(/ q[12]( retain)?/, '').replace(/subscriptionIdentifier=\d+/, '')
    .replace(/[{} ]+/g, ' ').trim()

const isShared = ({ filter }: Request): boolean => filter.startsWith('$share')

/** Whether somebody who has subscribed with others may be away, or may take no large messages. */
const hasUnfitMember = ({ talk, index }: Place): boolean => {
  const members = new Set<string>()
  const unfit = new Set<string>()
  for (const step of talk.steps.slice(0, index + 1)) {
    if (requestsOf(step).some(isShared)) members.add(step.who)
    if (step.act === 'drop' || step.act === 'disconnect') unfit.add(step.who)
    if (step.act === 'connect') {
      unfit.delete(step.who)
      if (step.level === 5 && step.packetBytesMax !== null) unfit.add(step.who)
    }
  }
  return [...members].some((one) => unfit.has(one))
}

/** Whether a group has or had three members, or two of whom one may have come later or gone. */
const hasTurnsInDoubt = ({ talk, index, lines }: Place): boolean => {
  const isRefused = (step: Step): boolean =>
    isConfigured('retain_available', lines) && step.act === 'publish' && step.retain
  const members = new Map<string, Set<string>>()
  for (const step of talk.steps.slice(0, index + 1)) {
    const isLeaving = step.act === 'unsubscribe' || step.act === 'drop' ||
      step.act === 'disconnect' || (step.act === 'connect' && step.clean) || isRefused(step)
    for (const group of members.values()) {
      if (isLeaving && group.size > 1 && group.has(step.who)) return true
    }
    for (const { filter } of requestsOf(step).filter(isShared)) {
      const group = members.get(filter) ?? new Set()
      members.set(filter, group.add(step.who))
      if (group.size > 2) return true
    }
  }
  return false
}

/** Whether the client may send more than it has room for, of QoS 1 and 2. */
const mayExceed = ({ talk, index, step }: Place): boolean =>
  step.act === 'publish' && step.qos > 0 &&
  talk.steps.slice(0, index).some((one) =>
    one.who === step.who && one.act === 'publish' && one.qos > 0 &&
    (one.withheld || one.joined === true)
  )

const isOld = ({ step }: Place): boolean => step.act === 'connect' && step.level < 5

const isPublish = ({ step }: Place): boolean => step.act === 'publish'

const isOwnNoLocal = ({ talk, index, step }: Place): boolean =>
  talk.steps.slice(0, index).some((one) =>
    one.who === step.who && requestsOf(one).some(({ noLocal }) => noLocal)
  )

/** The topic and the payload of a delivery. */
export const messageOf = (line: string): string => line.split(' ').slice(1, 3).join(' ')

/** What a message is called that is delivered or released. */
const nameOf = (line: string): string | undefined => /\bm\d+/.exec(line)?.[0]

const delivery = /^(PUBLISH|PUBREL) /

export const differences: ReadonlyArray<Difference> = [
  // Those that explain a line by another come first: the others would take one of the two away.
  {
    name: 'who names an identifier that is not in use is told so',
    reason:
      'Packet Identifier not found (sections 3.6.2.1 and 3.7.2.1 of MQTT 5); 2.0 says success',
    theirs: /^(PUBCOMP \d+ 00|PUBREL of nothing)$/,
    ours: /^(PUBCOMP \d+|PUBREL of nothing) 92$/,
    pairs: () => true,
    at: ({ step }) => step.act === 'stray',
  },
  {
    name: 'a full window takes another retained message',
    reason: 'the order of topics is open, and there is room for some of them',
    theirs: /^(PUBLISH .* q[12] retain|PUBREL of m)/,
    ours: /^(PUBLISH .* q[12] retain|PUBREL of m)/,
    pairs: (theirs, ours) => theirs.slice(0, 6) === ours.slice(0, 6),
    at: (place) => place.step.act === 'subscribe' && isNarrow(place),
    parts: 'when seen',
  },
  {
    name: 'a full window takes another copy',
    reason:
      'which of several copies of a message comes first is open, and here there is room for one',
    theirs: /^PUBLISH .* q[12]/,
    ours: /^PUBLISH .* q[12]/,
    pairs: (theirs, ours) => copied(theirs) === copied(ours),
    at: isNarrow,
    parts: 'when seen',
  },
  {
    name: 'a full window takes more copies, because the one that fills it comes last',
    reason: 'as before: a copy of QoS 2 that waits for its release keeps others out',
    theirs: /^PUBLISH .* q[12]/,
    ours: /^PUBLISH .* q[12]/,
    besides: (line, other) => copied(line) === copied(other),
    at: isNarrow,
    parts: 'when seen',
  },
  {
    name: 'DISCONNECT tells of a take-over',
    reason: 'mosquitto 2.1 says 0x8E, 2.0 closes in silence [MQTT-3.1.4-3]',
    ours: /^DISCONNECT 0 8e$/,
    at: ({ step }) => step.act === 'connect',
  },
  {
    name: 'a shared subscription brings no retained messages',
    reason: 'section 4.8.2 of MQTT 5: they are not sent when one is made; 2.0 sends them',
    theirs: delivery,
    at: ({ step }) => requestsOf(step).some(isShared),
    parts: 'when seen',
  },
  {
    name: 'nobody but oneself, who wants no local messages, is nobody',
    reason: 'PUBACK 0x10 says that nobody matched; 2.0 counts a subscription that it passes over',
    theirs: /^PUBACK \d+ 00$/,
    ours: /^PUBACK \d+ 10$/,
    pairs: () => true,
    at: (place) => place.step.act === 'publish' && isOwnNoLocal(place),
  },
  {
    name: 'the will of a connection that is taken over is published',
    reason: 'the server closes it without DISCONNECT from the client [MQTT-3.1.2-8]; 2.0 drops it',
    ours: delivery,
    at: isWillTakenOver,
    parts: 'always',
  },
  {
    name: 'a connection that is taken over does not hear its own will',
    reason:
      'DISCONNECT is the last packet on a connection [MQTT-3.14.4-1]; 2.0 sends the will first',
    theirs: delivery,
    at: (place) =>
      place.step.act === 'connect' && place.who.endsWith(' before') && willBefore(place) !== null,
  },
  {
    name: 'a delayed will comes with the end of its session',
    reason:
      'after the delay or with the session, what is first [MQTT-3.1.2-8]; 2.0 waits or drops it',
    ours: delivery,
    at: isWillOfEndedSession,
    parts: 'always',
  },
  {
    name: 'a subscription that is made again has its new options',
    reason: 'it replaces the old one [MQTT-3.8.4-3]; 2.0 keeps No Local and Retain As Published',
    theirs: delivery,
    ours: delivery,
    at: hasOtherOptions,
    parts: 'when seen',
  },
  {
    name: 'what is refused, or too large, leaves room for the next one',
    reason: 'it is not in flight any more (section 4.9 of MQTT 5); 2.0 sends less from then on',
    ours: delivery,
    at: mayLeak,
    parts: 'when seen',
  },
  {
    name: 'a QoS 2 message that has become too large to be sent again is released',
    reason: 'the client may have it, so its identifier stays in use; 2.0 uses it for another',
    ours: /^PUBREL of m/,
    at: ({ step }) => step.act === 'connect' && step.packetBytesMax !== null,
    parts: 'when seen',
  },
  {
    name: 'the members of a group take turns in the order in which they joined',
    reason: 'a fixed order; in 2.0 the order depends on whose turn it was when somebody joined',
    theirs: delivery,
    ours: delivery,
    at: hasTurnsInDoubt,
    parts: 'when seen',
  },
  {
    name: 'a shared message does not go to a member who is away or has no room, and would lose it',
    reason: 'another takes the turn; 2.0 loses the message',
    ours: delivery,
    at: hasUnfitMember,
    parts: 'when seen',
  },
  {
    name: 'what is sent beyond the Receive Maximum ends the connection',
    reason: 'as section 4.9 of MQTT 5 says; 2.0 says PUBREC 0x97, and drops it before level 5',
    under: 'max_inflight_messages',
    theirs: /./,
    ours: /./,
    at: mayExceed,
    parts: 'always',
  },
  {
    name: 'a publish that no queue has room for is refused',
    reason: 'Quota exceeded (section 3.4.2.1 of MQTT 5), so that it is not lost; 2.0 says success',
    under: 'max_queued_messages',
    theirs: /^PUB(ACK|REC) \d+ 00$/,
    ours: /^PUB(ACK|REC) \d+ 97$/,
    pairs: () => true,
    at: isPublish,
  },
  {
    name: 'a full queue takes another copy',
    reason:
      'which of several copies of a message comes first is open, and here there is room for one',
    under: 'max_queued_messages',
    theirs: delivery,
    ours: delivery,
    besides: (line, other) => nameOf(line) === nameOf(other),
    at: ({ step }) => step.act === 'connect',
    parts: 'when seen',
  },
  {
    name: 'DISCONNECT tells of a packet that is too large',
    reason: 'before the server closes it says why [MQTT-4.13.1-1]; 2.0 closes in silence',
    under: 'max_packet_size',
    ours: /^(DISCONNECT 0 95$|SUBACK|UNSUBACK|PUB(ACK|REC|LISH))/,
    at: ({ step }) => step.act === 'publish' || step.act === 'subscribe',
  },
  {
    name: 'a payload that is too large is refused by a code that PUBACK and PUBREC may have',
    reason: '0x95 is none of theirs (sections 3.4.2.1 and 3.5.2.1 of MQTT 5)',
    under: 'message_size_limit',
    theirs: /^PUB(ACK|REC) \d+ 95$/,
    ours: /^PUB(ACK|REC) \d+ 83$/,
    pairs: (theirs, ours) => theirs.slice(0, -2) === ours.slice(0, -2),
    at: isPublish,
  },
  {
    name: 'who wants a longer keep alive and cannot be told another is refused',
    reason: 'mosquitto 2.1 refuses old clients, 2.0 leaves them their keep alive',
    under: 'max_keepalive',
    theirs: /./,
    ours: /./,
    at: isOld,
    parts: 'always',
  },
  {
    name: 'DISCONNECT tells of an alias that is too high, and the will is published',
    reason:
      'the client has sent no DISCONNECT [MQTT-3.1.2-8]; 2.0 drops the will, and what it has ' +
      'said is lost if more has come',
    under: 'max_topic_alias',
    ours: /^(DISCONNECT 0 94$|SUBACK|UNSUBACK|PUB(ACK|REC|REL|LISH))/,
    at: ({ step }) => step.act === 'publish' && step.alias > 0,
    parts: 'always',
  },
  {
    name: 'DISCONNECT tells that nothing may be retained',
    reason: 'Retain not supported [MQTT-3.2.2-14]; 2.0 closes in silence, and what it owed is lost',
    under: 'retain_available',
    ours: /^(DISCONNECT 0 9a$|SUBACK|UNSUBACK|PUB(ACK|REC|LISH))/,
    at: ({ step }) => step.act === 'publish' && step.retain,
    parts: 'when seen',
  },
  {
    name: 'DISCONNECT tells of a QoS that is too high',
    reason: 'QoS not supported [MQTT-3.2.2-11]; 2.0 closes in silence, and what it owed is lost',
    under: 'max_qos',
    ours: /^(DISCONNECT 0 9b$|SUBACK|UNSUBACK|PUB(ACK|REC|LISH))/,
    at: ({ step }) => step.act === 'publish' && step.qos > 0,
    parts: 'when seen',
  },
]
