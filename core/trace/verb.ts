// The verbs of a story, one handler each: how its line is read and how it is written. A handler's
// example is read and written by the tests, so it is right.

import type { Config } from '../broker/config.ts'
import type { Fault } from '../codec/fault.ts'
import type { Answer } from '../broker/input.ts'
import { E } from '../prelude.ts'
import type { Either } from '../prelude.ts'
import type { Act } from './act.ts'
import { configText, takeConfig } from './config-text.ts'
import type { Style } from './connect-text.ts'
import { isPacketWord, packetExamples, packetText } from './packet-text.ts'
import { takePacket, takePublishAlone } from './packet-text.ts'
import { spelled, takeSecret } from './property-text.ts'
import { takeRaw } from './raw.ts'
import { answerText, measuresText, showSpan } from './show.ts'
import type { Words } from './words.ts'
import {
  accept,
  fail,
  finish,
  hex,
  peek,
  quote,
  showBytes,
  take,
  takeNumber,
  takeQuoted,
  words,
} from './words.ts'

const spelledOut: Style = { secretText: spelled, ownId: null, payloadText: showBytes }

interface Verb {
  readonly example: string
  /** Reads what stands behind the verb. `name` is the client's, or empty. Null after a fault. */
  readonly read: (w: Words, name: string) => Act | null
}

const most = Number.MAX_SAFE_INTEGER

// Example: a open from "192.0.2.7" 40001
const open: Verb = {
  example: 'a open from "192.0.2.7" 40001',
  read: (w, name) => {
    const listener = accept(w, 'listener') ? takeQuoted(w, '"', 'the listener') : null
    const isFar = accept(w, 'from')
    const address = isFar ? takeQuoted(w, '"', 'the address') : null
    const port = isFar ? takeNumber(w, 'the port', 0, 0xffff) : null
    const nonce = accept(w, 'nonce') ? takeQuoted(w, '"', 'the nonce') : null
    return { _tag: 'Open', name, listener, address, port, nonce }
  },
}

/** A packet arrives; the first CONNECT of a client opens its connection. */
// Example: a> publish 'd/1' qos1 id7 "on"
const say: Verb = {
  example: `a> publish 'd/1' qos1 id7 "on"`,
  read: (w, name) => {
    const packet = takePacket(w, name)
    return packet === null ? null : { _tag: 'Say', name, packet }
  },
}

/** Bytes arrive and go through the real reader, for what is no packet. */
// Example: a> raw 30 [ "a/+" 'on' ]
const raw: Verb = {
  example: `a> raw 30 [ "a/+" 'on' ]`,
  read: (w, name) => {
    const text = w.tokens.slice(w.at).join(' ')
    const bytes = takeRaw(w)
    if (bytes.length === 0) fail(w, 'raw without bytes: write some, as in raw c000')
    return { _tag: 'Raw', name, text, bytes }
  },
}

/** The bytes of a recording were no packet; only what was wrong with them is known. */
// Example: a broke 0x81 "MQTT-2.1.3-1" "reserved flags are set" level 5
const broke: Verb = {
  example: 'a broke 0x81 "MQTT-2.1.3-1" "reserved flags are set" level 5',
  read: (w, name) => {
    const reason = takeNumber(w, 'a reason code', 0, 0xff)
    const clause = takeQuoted(w, '"', 'the clause')
    const detail = takeQuoted(w, '"', 'what was wrong')
    const level = accept(w, 'level') ? takeNumber(w, 'a level', 0, 5) : 1
    if (level === 1 || level === 2) fail(w, 'a level is missing: write level 0, 3, 4 or 5')
    const fault: Fault = { reason, clause, detail, level: level as Fault['level'] }
    return { _tag: 'Broke', name, fault }
  },
}

/** The socket is closed without a DISCONNECT. */
// Example: a lose
const lose: Verb = { example: 'a lose', read: (_, name) => ({ _tag: 'Gone', name, why: 'closed' }) }

/** The socket fails: a reset, a lost network. */
// Example: a fail
const failed: Verb = {
  example: 'a fail',
  read: (_, name) => ({ _tag: 'Gone', name, why: 'failed' }),
}

/** More of a packet has come, and much of it is still to come. */
// Example: a continued
const continued: Verb = {
  example: 'a continued',
  read: (_, name) => ({ _tag: 'Continued', name }),
}

/** The client comes back: its last CONNECT again, without Clean Start, on a new connection. */
// Example: a reopen
const reopen: Verb = { example: 'a reopen', read: (_, name) => ({ _tag: 'Reopen', name }) }

/** The socket has taken this many bytes since it was opened, or all that was sent. */
// Example: a written 70000
const written: Verb = {
  example: 'a written 70000',
  read: (w, name) => {
    const total = accept(w, 'all') ? null : takeNumber(w, 'a number of bytes, or all,', 0, most)
    return { _tag: 'Written', name, total }
  },
}

/** Whoever was asked about a client gives his answer, 0x00 for yes. */
// Example: a judged 0x87
const judged: Verb = {
  example: 'a judged 0x87',
  read: (w, name) => ({ _tag: 'Judged', name, reason: takeNumber(w, 'a reason code', 0, 0xff) }),
}

const takeAnswer = (w: Words): Answer => {
  if (accept(w, 'salt')) {
    const salt = takeSecret(w, 'a salt')
    if (!accept(w, 'iterations')) fail(w, 'a salt goes with its iterations: write iterations 4096')
    return { _tag: 'ScramSalt', salt, iterations: takeNumber(w, 'how many iterations', 1, most) }
  }
  if (accept(w, 'signature')) {
    return { _tag: 'ScramSignature', signature: takeSecret(w, 'a signature') }
  }
  if (!accept(w, 'refused')) fail(w, 'an answer is salt, signature or refused: refused 0x87')
  return { _tag: 'Refused', reason: takeNumber(w, 'a reason code', 0, 0xff) }
}

/** Whoever keeps the secrets answers what was asked about a client. */
// Example: a answered salt "pepper" iterations 4096
const answered: Verb = {
  example: 'a answered salt "pepper" iterations 4096',
  read: (w, name) => {
    const answer = takeAnswer(w)
    const nonce = accept(w, 'nonce') ? takeQuoted(w, '"', 'a nonce') : null
    return { _tag: 'Answered', name, answer, nonce }
  },
}

/** Time passes, and the broker is woken whenever it wants to be. */
// Example: tick +30s
const tick: Verb = {
  example: 'tick +30s',
  read: (w) => {
    const token = take(w)
    const found = /^\+([0-9]{1,12})(ms|s)$/.exec(token)
    if (found === null) fail(w, `tick wants a span of time, not ${token}: write +30s or +1500ms`)
    const factor = found?.[2] === 's' ? 1000 : 1
    return { _tag: 'Tick', ms: Number(found?.[1] ?? 0) * factor }
  },
}

/** What follows happens at this moment, in milliseconds; nobody is told of it. */
// Example: at 1000500
const at: Verb = {
  example: 'at 1000500',
  read: (w) => ({ _tag: 'At', at: takeNumber(w, 'a time in milliseconds', 0, most) }),
}

/** The broker is woken once, with the clock on the wall at this time. */
// Example: ticked wall 1800000000500
const ticked: Verb = {
  example: 'ticked wall 1800000000500',
  read: (w) => {
    const wall = accept(w, 'wall') ? takeNumber(w, 'a time in Unix milliseconds', 0, most) : null
    return { _tag: 'Ticked', wall }
  },
}

/** The process has run short of memory, or has enough of it again. */
// Example: memory short
const memory: Verb = {
  example: 'memory short',
  read: (w) => {
    if (accept(w, 'short')) return { _tag: 'Memory', isShort: true }
    if (!accept(w, 'free')) fail(w, 'memory is short or free: write memory short')
    return { _tag: 'Memory', isShort: false }
  },
}

/** The store takes nothing more, or takes writes again. */
// Example: store full
const store: Verb = {
  example: 'store full',
  read: (w) => {
    if (accept(w, 'full')) return { _tag: 'Store', isFull: true }
    if (!accept(w, 'free')) fail(w, 'a store is full or free: write store full')
    return { _tag: 'Store', isFull: false }
  },
}

/** What the shell knows of the process: bytes received, the heap, packets and bytes that wait. */
// Example: measured 4096 heap 1000000 waiting 2 120
const measured: Verb = {
  example: 'measured 4096 heap 1000000 waiting 2 120',
  read: (w) => {
    const receivedBytes = takeNumber(w, 'bytes received', 0, most)
    if (!accept(w, 'heap')) fail(w, 'the heap is missing: write heap 0 where it is not known')
    const heapBytes = takeNumber(w, 'the heap', 0, most)
    const waits = accept(w, 'waiting')
    const waitingPackets = waits ? takeNumber(w, 'packets that wait', 0, most) : 0
    const waitingBytes = waits ? takeNumber(w, 'bytes that wait', 0, most) : 0
    return { _tag: 'Measured', receivedBytes, heapBytes, waitingPackets, waitingBytes }
  },
}

/** The operator gives a new configuration: the defaults, but for what is named. */
// Example: reconfigure keepAliveMaxS=60
const reconfigure: Verb = {
  example: 'reconfigure keepAliveMaxS=60',
  read: (w) => ({ _tag: 'Reconfigure', config: takeConfig(w) }),
}

/** The operator stops the broker. */
// Example: stop
const stop: Verb = { example: 'stop', read: () => ({ _tag: 'Stop' }) }

/** The operator sends all clients to another server. */
// Example: redirect
const redirect: Verb = { example: 'redirect', read: () => ({ _tag: 'Redirect' }) }

/** The operator ends the connection of a client. */
// Example: kick 'a'
const kick: Verb = {
  example: "kick 'a'",
  read: (w) => ({ _tag: 'Kick', clientId: takeQuoted(w, "'", 'a client identifier') }),
}

/** The broker publishes something of its own; the identifier says nothing. */
// Example: publish 'd/1' qos2 id1 "on"
const publish: Verb = {
  example: `publish 'd/1' qos2 id1 "on"`,
  read: (w) => {
    const packet = takePublishAlone(w)
    return packet === null ? null : { _tag: 'Publish', packet }
  },
}

/** The operator takes a listener away, and with it those who came in through it. */
// Example: shut "1884"
const shut: Verb = {
  example: 'shut "1884"',
  read: (w) => ({ _tag: 'Shut', listener: takeQuoted(w, '"', 'the listener') }),
}

/** Users of a listener have other passwords, or none: who came in as one of them has to go. */
// Example: revoke "1883" "u" "v"
const revoke: Verb = {
  example: 'revoke "1883" "u" "v"',
  read: (w) => {
    const listener = takeQuoted(w, '"', 'the listener')
    const userNames: string[] = []
    while (peek(w) !== '' && w.fault === null) userNames.push(takeQuoted(w, '"', 'a user name'))
    return { _tag: 'Revoke', revocation: { listener, userNames } }
  },
}

/** First in a stanza: what comes of it is not written down. */
// Example: quiet
const quiet: Verb = { example: 'quiet', read: () => ({ _tag: 'Quiet' }) }

/** Prints when the broker wants to be woken. */
// Example: deadline
const deadline: Verb = { example: 'deadline', read: () => ({ _tag: 'Deadline' }) }

/** Prints a few facts about the broker, or about a session. */
// Example: state 'a'
const state: Verb = {
  example: "state 'a'",
  read: (w) => {
    const clientId = peek(w) === '' ? null : takeQuoted(w, "'", 'a client identifier')
    return { _tag: 'State', clientId }
  },
}

/** What happens to a client: `a lose`. */
const clientVerbs = new Map<string, Verb>(
  Object.entries({ open, lose, fail: failed, reopen, continued, written, judged, answered, broke }),
)

/** What happens to all, or to the story: `tick +30s`. */
const plainVerbs = new Map<string, Verb>(
  Object.entries({
    tick,
    at,
    ticked,
    measured,
    memory,
    store,
    reconfigure,
    stop,
    redirect,
    kick,
    publish,
    shut,
    revoke,
    quiet,
    deadline,
    state,
  }),
)

/** A line for every verb, and for every packet behind `a>`. */
export const examples: ReadonlyArray<string> = [
  ...[...clientVerbs.values(), say, raw, ...plainVerbs.values()].map((verb) => verb.example),
  ...Object.values(packetExamples).map((text) => `a> ${text.replace("connect 'a'", 'connect')}`),
]

const namePattern = /^[a-z][a-z0-9.-]{0,40}$/

/** Whether a client of a story may be called that. */
export const isName = (text: string): boolean => namePattern.test(text) && !plainVerbs.has(text)

const knownVerbs = (): string =>
  `NAME> with a packet or raw, NAME with one of ${[...clientVerbs.keys()].join(', ')}, or one of ` +
  [...plainVerbs.keys()].join(', ')

/** Reads one line. Left: what is wrong with it and what to do about it. */
export const readAct = (line: string): Either<string, Act> => {
  const w = words(line)
  const first = take(w)
  const plain = plainVerbs.get(first)
  let act: Act | null = null
  if (w.fault !== null) return E.left(w.fault)
  if (plain !== undefined) act = plain.read(w, '')
  else {
    const speaks = first.endsWith('>')
    const name = speaks ? first.slice(0, -1) : first
    const verb = speaks ? verbOfSpeech(w) : clientVerbs.get(take(w))
    if (verb === undefined) fail(w, `${first} begins no line: a line is ${knownVerbs()}`)
    else if (!isName(name)) {
      fail(w, `${name} is no name for a client: write a word in small letters`)
    } else act = verb.read(w, name)
  }
  if (w.fault === null) finish(w)
  return w.fault !== null || act === null ? E.left(w.fault ?? 'no line') : E.right(act)
}

const verbOfSpeech = (w: Words): Verb | undefined => {
  if (accept(w, 'raw')) return raw
  if (!isPacketWord(peek(w))) {
    fail(w, `${peek(w)} is no packet: one of ${Object.keys(packetExamples).join(', ')}, or raw`)
  }
  return say
}

const optional = (word: string, text: string | null): ReadonlyArray<string> =>
  text === null ? [] : [word, quote(text, '"')]

const plainConfig = (config: Config): string => ['reconfigure', ...configText(config)].join(' ')

/** The line of an act: what readAct reads as the same act. */
export const writeAct = (act: Act): string => {
  switch (act._tag) {
    case 'Open': {
      const { name, listener, address, port, nonce } = act
      const from = address === null ? [] : ['from', quote(address, '"'), String(port ?? 0)]
      const rest = [...optional('listener', listener), ...from, ...optional('nonce', nonce)]
      return [name, 'open', ...rest].join(' ')
    }
    case 'Say':
      return `${act.name}> ${packetText(act.packet, { ...spelledOut, ownId: act.name })}`
    case 'Raw':
      return `${act.name}> raw ${act.text}`
    case 'Broke': {
      const { reason, clause, detail, level } = act.fault
      return `${act.name} broke ${hex(reason)} ${quote(clause, '"')} ${quote(detail, '"')} ` +
        `level ${level}`
    }
    case 'Gone':
      return `${act.name} ${act.why === 'closed' ? 'lose' : 'fail'}`
    case 'Continued':
      return `${act.name} continued`
    case 'Reopen':
      return `${act.name} reopen`
    case 'Written':
      return `${act.name} written ${act.total ?? 'all'}`
    case 'Judged':
      return `${act.name} judged ${hex(act.reason)}`
    case 'Answered':
      return `${act.name} answered ${answerText(act.answer, spelled)}` +
        (act.nonce === null ? '' : ` nonce ${quote(act.nonce, '"')}`)
    case 'Tick':
      return `tick +${showSpan(act.ms)}`
    case 'At':
      return `at ${act.at}`
    case 'Ticked':
      return act.wall === null ? 'ticked' : `ticked wall ${act.wall}`
    case 'Measured':
      return measuresText(act)
    case 'Memory':
      return act.isShort ? 'memory short' : 'memory free'
    case 'Store':
      return act.isFull ? 'store full' : 'store free'
    case 'Reconfigure':
      return plainConfig(act.config)
    case 'Kick':
      return `kick ${quote(act.clientId, "'")}`
    case 'Publish':
      return packetText(act.packet, spelledOut)
    case 'Revoke': {
      const { listener, userNames } = act.revocation
      return ['revoke', ...[listener, ...userNames].map((name) => quote(name, '"'))].join(' ')
    }
    case 'Shut':
      return `shut ${quote(act.listener, '"')}`
    case 'State':
      return act.clientId === null ? 'state' : `state ${quote(act.clientId, "'")}`
    case 'Stop':
    case 'Redirect':
    case 'Quiet':
    case 'Deadline':
      return act._tag.toLowerCase()
  }
}
