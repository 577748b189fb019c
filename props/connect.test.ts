// What a client is told when it connects and when it may not stay: sentences for those who want
// them, where answers go, which other server to try, why a payload is refused; never more than the
// client can take, and never a code that its packet does not have.

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Config } from '../core/broker/config.ts'
import { informationFor } from '../core/broker/inform.ts'
import { encode } from '../core/codec/mod.ts'
import type { Properties } from '../core/codec/properties.ts'
import * as B from '../core/data/bytes.ts'
import {
  arrived,
  broke,
  commanded,
  type Conn,
  createReader,
  defaultLimits,
  defaults,
  initial,
  type Input,
  judged,
  Packet,
  reconfigured,
  type State,
  step,
} from '../core/mod.ts'
import type { Effect } from '../core/mod.ts'
import { opened } from '../core/mod.ts'
import { restlessHistory } from './gen/histories.ts'
import { runs } from './gen/settings.ts'
import { line } from './model/compare.ts'
import { play } from './model/play.ts'

const connect = suite('connect')

/** A broker and what it said to each connection. */
class Desk {
  state: State
  readonly said: Packet[][] = []
  readonly ended: boolean[] = []

  constructor(config: Partial<Config> = {}) {
    this.state = initial({ ...defaults, ...config }, { at: 0, wall: 0, seed: 1 })
  }

  feed(input: Input): void {
    const [state, effects] = step(this.state, input)
    this.state = state
    for (const effect of effects) {
      if (effect._tag === 'Send') this.said[effect.conn.slot]?.push(effect.packet)
      if (effect._tag === 'Close') this.ended[effect.conn.slot] = true
    }
  }

  open(): Conn {
    const conn = { slot: this.said.length, generation: 1 }
    this.said.push([])
    this.ended.push(false)
    this.feed(opened(conn, 0, `NONCE-${conn.slot}`, 'test', { address: '::1', port: 1 }))
    return conn
  }

  say(conn: Conn, packet: Packet): void {
    this.feed(arrived(conn, 0, packet))
  }

  /** Connects; MQTT 5 unless said otherwise. */
  client(wish: Partial<Parameters<typeof Packet.connect>[0]> = {}): Conn {
    const conn = this.open()
    this.say(conn, Packet.connect({ clientId: `c${conn.slot}`, ...wish }))
    return conn
  }

  /** What a connection was told since it was last looked at, in words. */
  heard(conn: Conn): string {
    const words = (this.said[conn.slot] ?? []).splice(0).map(told)
    return [...words, ...(this.ended[conn.slot] ? ['close'] : [])].join('; ')
  }
}

const shown: ReadonlyArray<keyof Properties> = [
  'reasonString',
  'serverReference',
  'responseInformation',
  'sessionExpiryInterval',
]

const told = (packet: Packet): string => {
  const codes = 'reason' in packet ? [packet.reason] : 'reasons' in packet ? packet.reasons : []
  const { properties }: { readonly properties?: Properties } = packet._tag === 'Pingreq' ||
      packet._tag === 'Pingresp'
    ? {}
    : packet
  const more = shown.flatMap((key) => properties?.[key] === undefined ? [] : [properties[key]])
  return [packet._tag, ...codes.map((code) => code.toString(16)), ...more].join(' ')
}

const five = (properties: Properties) => ({ properties })

connect('with reason strings a broker says the same, and why', () => {
  const explained = new Map<string, number>()
  const bare = (effect: Effect): string => {
    if (effect._tag !== 'Send' || !('properties' in effect.packet)) return JSON.stringify(effect)
    const { reasonString, ...properties } = effect.packet.properties
    const { packet } = effect
    const { _tag } = packet
    // How many bytes were sent, the broker says itself, and words are some.
    if (_tag === 'Publish' && /^\$SYS\/.*bytes/.test(packet.topic)) return packet.topic
    if (reasonString !== undefined) explained.set(_tag, (explained.get(_tag) ?? 0) + 1)
    return `${effect.conn.slot} ${line({ ...packet, properties } as Packet)}`
  }
  const without = (state: State, reasonStrings: boolean): State => ({
    ...state,
    config: { ...state.config, reasonStrings },
  })
  let histories = 0
  fc.assert(
    fc.property(restlessHistory(100), (some) => {
      histories++
      play(some, {
        step: (state, input) => {
          const [, plain] = step(without(state, false), input)
          const [, wordy] = step(without(state, true), input)
          // More bytes may be what makes a broker stop reading.
          const ofBoth = [plain, wordy].map((effects) =>
            effects.filter(({ _tag }) => _tag !== 'Pause').map(bare)
          )
          assert.equal(ofBoth[1], ofBoth[0])
          return step(state, input)
        },
      })
    }),
    { numRuns: runs(300) },
  )
  if (histories < 300) return
  for (const tag of ['Connack', 'Puback', 'Pubrec', 'Suback', 'Disconnect']) {
    assert.ok((explained.get(tag) ?? 0) > 0, `no ${tag} ever said why`)
  }
})

connect('sentences stand where a refusal or a fault has one, and nowhere else', () => {
  const desk = new Desk({ reasonStrings: true, subscriptionsPerSessionMax: 1 })
  const conn = desk.client()
  assert.is(desk.heard(conn), 'Connack 0')
  desk.say(conn, Packet.publish({ topic: '$SYS/x', qos: 1 }))
  desk.say(conn, Packet.publish({ topic: '$SYS/x', qos: 2, packetId: 2 }))
  desk.say(conn, Packet.subscribe(['a', 'b']))
  desk.say(conn, { _tag: 'Unsubscribe', packetId: 1, filters: [], properties: {} })
  desk.say(conn, Packet.publish({ topic: 'nobody', qos: 1 }))
  assert.is(
    desk.heard(conn),
    'Puback 87 not allowed; Pubrec 87 not allowed; Suback 0 97 more subscriptions than allowed; ' +
      'Unsuback; Puback 10',
  )
  desk.say(conn, { _tag: 'Pingresp' })
  assert.is(desk.heard(conn), 'Disconnect 82 a packet that only a server may send; close')
  const taken = desk.client({ clientId: 'same' })
  desk.client({ clientId: 'same' })
  assert.is(desk.heard(taken), 'Connack 0; Disconnect 8e session taken over; close')
  const refused = desk.client(five({ authenticationMethod: 'PLAIN' }))
  const sentence = 'an authentication method that is not offered'
  assert.is(desk.heard(refused), `Connack 8c ${sentence}; close`)
  const old = desk.client({ level: 4, clientId: '', cleanStart: false })
  assert.is(desk.heard(old), 'Connack 85; close')
  // mosquitto never says why.
  const plain = new Desk()
  const quiet = plain.client()
  plain.say(quiet, Packet.publish({ topic: '$SYS/x', qos: 1 }))
  plain.say(quiet, { _tag: 'Pingresp' })
  assert.is(plain.heard(quiet), 'Connack 0; Puback 87; Disconnect 82; close')
})

connect('who does not want to know why is told so only where the connection ends', () => {
  const desk = new Desk({ reasonStrings: true }) // [MQTT-3.1.2-29]
  const conn = desk.client(five({ requestProblemInformation: 0 }))
  desk.say(conn, Packet.publish({ topic: '$SYS/x', qos: 1 }))
  desk.say(conn, { _tag: 'Pingresp' })
  const last = 'Disconnect 82 a packet that only a server may send'
  assert.is(desk.heard(conn), `Connack 0; Puback 87; ${last}; close`)
  const refused = desk.client(five({ requestProblemInformation: 0, authenticationMethod: 'PLAIN' }))
  assert.ok(desk.heard(refused).includes('not offered'))
})

connect('a sentence is left out where the packet would become too large', () => {
  const act: ReadonlyArray<readonly [string, (desk: Desk, conn: Conn) => void]> = [
    ['Puback', (desk, conn) => desk.say(conn, Packet.publish({ topic: '$SYS/x', qos: 1 }))],
    ['Pubrec', (desk, conn) => desk.say(conn, Packet.publish({ topic: '$SYS/x', qos: 2 }))],
    ['Suback', (desk, conn) => desk.say(conn, Packet.subscribe('a'))],
    ['Disconnect', (desk, conn) => desk.say(conn, { _tag: 'Pingresp' })],
  ]
  const config = { reasonStrings: true, subscriptionsPerSessionMax: 0 }
  const answerOf = (maximumPacketSize: number, index: number): Packet | undefined => {
    const desk = new Desk(config)
    const conn = desk.client(five({ maximumPacketSize }))
    act[index]?.[1](desk, conn)
    return desk.said[conn.slot]?.[1]
  }
  for (const [index, [tag]] of act.entries()) {
    const whole = answerOf(1_000, index)
    if (whole?._tag !== tag) throw new Error(`no ${tag}`)
    const size = encode(5, whole).length
    assert.equal(answerOf(size, index), whole, 'at the limit')
    const short = answerOf(size - 1, index)
    assert.is(short?._tag, tag)
    assert.ok(short !== undefined && encode(5, short).length < size, 'one below it')
    assert.is(told(short).split(' ').length, 2, told(short))
  }
  // CONNACK: 5 bytes fit always where anything does. [MQTT-3.2.2-19]
  const connack = (maximumPacketSize: number): string => {
    const desk = new Desk(config)
    return desk.heard(desk.client(five({ maximumPacketSize, authenticationMethod: 'X' })))
  }
  const sentence = 'an authentication method that is not offered'
  const size = 5 + 3 + sentence.length
  assert.is(connack(size), `Connack 8c ${sentence}; close`)
  assert.is(connack(size - 1), 'Connack 8c; close')
  assert.is(connack(5), 'Connack 8c; close')
  assert.is(connack(4), 'close')
})

connect('of a CONNECT that is no packet nobody knows how long an answer may be', () => {
  const desk = new Desk({ reasonStrings: true })
  const conn = desk.open()
  const fault = { reason: 0x81, clause: 'MQTT-3.1.2-3', detail: 'a flag', level: 5 as const }
  desk.feed(broke(conn, 0, fault))
  assert.is(desk.heard(conn), 'Connack 81; close')
})

connect('a CONNACK that the client would not take is not sent, and nothing has happened', () => {
  const desk = new Desk() // [MQTT-3.1.2-24]
  const connack = desk.said[desk.client().slot]?.[0]
  const size = connack === undefined ? 0 : encode(5, connack).length
  const holder = desk.client({ clientId: 'same' })
  desk.heard(holder)
  const small = desk.client({ clientId: 'same', ...five({ maximumPacketSize: size - 1 }) })
  assert.is(desk.heard(small), 'close')
  assert.is(desk.heard(holder), '', 'the session is where it was')
  const fits = desk.client({ clientId: 'same', ...five({ maximumPacketSize: size }) })
  assert.is(desk.heard(fits), 'Connack 0')
  assert.is(desk.heard(holder), 'Disconnect 8e; close')
})

connect("a Receive Maximum that is the standard's own is not announced", () => {
  const announced = (receiveMaximum: number) => {
    const desk = new Desk({ receiveMaximum })
    const connack = desk.said[desk.client().slot]![0]!
    assert.is(connack._tag, 'Connack')
    return connack._tag === 'Connack' ? connack.properties.receiveMaximum : null
  }
  // What `max_inflight_messages 0` asks for (section 3.2.2.3.3 of MQTT 5), as mosquitto does it.
  assert.is(announced(65_535), undefined)
  assert.is(announced(65_534), 65_534)
})

connect('a SUBACK or UNSUBACK that the client would not take ends the connection', () => {
  const filters = Array.from({ length: 30 }, (_, i) => `f${i}`)
  const names = Packet.subscribe(filters).requests.map((request) => request.filter)
  for (const [count, subscribed] of [[30, true], [29, false]] as const) {
    const maximumPacketSize = 5 + count // header, identifier, no properties, reasons
    const desk = new Desk()
    const conn = desk.client(five({ maximumPacketSize }))
    desk.say(conn, Packet.subscribe(filters))
    const heard = desk.heard(conn)
    assert.is(heard.endsWith('Disconnect 95; close'), !subscribed, heard)
    const other = desk.client(five({ maximumPacketSize }))
    desk.say(other, { _tag: 'Unsubscribe', packetId: 1, filters: names, properties: {} })
    assert.is(desk.heard(other).endsWith('Disconnect 95; close'), !subscribed)
  }
})

connect('Response Information goes to those who ask, made out for them', () => {
  const given = (pattern: string | null, wish: object = {}, asks: 0 | 1 | null = 1): string => {
    const desk = new Desk({ responseInformation: pattern })
    const properties = asks === null ? {} : { requestResponseInformation: asks }
    return desk.heard(desk.client({ clientId: 'me', ...wish, properties }))
  }
  assert.is(given('answers/%c'), 'Connack 0 answers/me')
  assert.is(given('answers/%c', {}, 0), 'Connack 0') // [MQTT-3.1.2-28]
  assert.is(given('answers/%c', {}, null), 'Connack 0')
  assert.is(given(null), 'Connack 0')
  assert.is(given('of/%u/%c%c', { userName: 'bond' }), 'Connack 0 of/bond/meme')
  assert.is(given('of/%u', {}), 'Connack 0', 'nobody has a place of his own')
  assert.is(given('%', {}), 'Connack 0 %')
  for (const clientId of ['a/b', '+', '#']) {
    assert.is(given('answers/%c', { clientId }), 'Connack 0', clientId)
  }
  assert.is(given('answers/%c', { clientId: 'x'.repeat(65_535) }), 'Connack 0')
  const desk = new Desk({ responseInformation: 'x'.repeat(100) })
  const asking = { requestResponseInformation: 1, maximumPacketSize: 100 } as const
  assert.is(desk.heard(desk.client(five(asking))), 'Connack 0', 'no room for it')
})

connect('informationFor() replaces names and nothing else', () => {
  const word = fc.stringMatching(/^[a-z%/]{0,6}$/).filter((some) => !/%[cu]/.test(some))
  const name = fc.stringMatching(/^[a-z%]{1,4}$/)
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 4 }), name, (words, clientId) => {
      fc.pre(!/%[cu]/.test(words.join('')) && words.every((one) => !one.endsWith('%')))
      assert.is(informationFor(words.join('%c'), clientId, null), words.join(clientId))
    }),
    { numRuns: runs(200) },
  )
})

connect('a broker that redirects accepts nobody and says where to go', () => {
  const serverReference = 'other.example:1883'
  for (
    const [redirect, code] of [['use another server', '9c'], ['server moved', '9d']] as const
  ) {
    const desk = new Desk({ serverReference })
    const early = desk.client({ will: { topic: 'will' }, ...five({ sessionExpiryInterval: 60 }) })
    const older = desk.client({ level: 4 })
    const heir = desk.client({ level: 3 })
    desk.say(heir, Packet.subscribe('will'))
    for (const conn of [early, older, heir]) desk.heard(conn)
    desk.feed(reconfigured(0, { ...desk.state.config, redirect }))
    const conn = desk.client()
    assert.is(desk.heard(conn), `Connack ${code} ${serverReference}; close`)
    // No return code says so: [v3 MQTT-3.2.2-6]
    assert.is(desk.heard(desk.client({ level: 4 })), 'close')
    assert.is(desk.heard(desk.client({ level: 3 })), 'close')
    assert.is(desk.heard(early), '', 'who is connected stays')
    desk.feed(commanded(0, { _tag: 'Redirect' }))
    assert.is(desk.heard(early), `Disconnect ${code} ${serverReference}; close`)
    assert.is(desk.heard(older), 'close')
    assert.is(desk.heard(heir), 'Publish; close', 'the will of the first is published')
    const silent = new Desk({ redirect, serverReference: null })
    assert.is(silent.heard(silent.client()), `Connack ${code}; close`)
    const small = new Desk({ redirect, serverReference })
    const properties = { maximumPacketSize: 5 + 3 + serverReference.length - 1 }
    assert.is(small.heard(small.client({ properties })), `Connack ${code}; close`)
  }
})

connect('a Redirect ends those who are being judged, and not those who have said nothing', () => {
  const desk = new Desk({ authentication: 'judge', serverReference: 'there' })
  const judging = desk.client()
  const older = desk.client({ level: 4 })
  const greeting = desk.open()
  desk.feed(commanded(0, { _tag: 'Redirect' }))
  assert.is(desk.heard(judging), 'Connack 9c there; close')
  assert.is(desk.heard(older), 'close')
  assert.is(desk.heard(greeting), '')
})

connect('a payload that is not the UTF-8 it claims to be is refused where that is checked', () => {
  const good = new TextEncoder().encode('ö\0')
  const bad = Uint8Array.of(0xc3)
  const properties: Properties = { payloadFormatIndicator: 1 }
  for (const payloadFormatCheck of [true, false]) {
    const desk = new Desk({ payloadFormatCheck })
    const reader = desk.client()
    desk.say(reader, Packet.subscribe({ filter: 't', qos: 2 }))
    desk.heard(reader)
    const conn = desk.client()
    const answerTo = (publish: Parameters<typeof Packet.publish>[0]): string => {
      desk.heard(conn)
      desk.say(conn, Packet.publish(publish))
      return desk.heard(conn)
    }
    const invalid = payloadFormatCheck ? '99' : '0'
    assert.is(answerTo({ topic: 't', qos: 1, payload: bad, properties }), `Puback ${invalid}`)
    assert.is(answerTo({ topic: 't', qos: 2, payload: bad, properties }), `Pubrec ${invalid}`)
    desk.say(conn, { _tag: 'Pubrel', packetId: 1, reason: 0, properties: {} })
    assert.is(desk.heard(conn), payloadFormatCheck ? 'Pubcomp 92' : 'Pubcomp 0')
    assert.is(desk.heard(reader), payloadFormatCheck ? '' : 'Publish; Publish')
    assert.is(answerTo({ topic: 't', qos: 1, payload: good, properties }), 'Puback 0')
    assert.is(answerTo({ topic: 't', qos: 1, payload: bad }), 'Puback 0')
    const other = { properties: { payloadFormatIndicator: 0 } as const }
    assert.is(answerTo({ topic: 't', qos: 1, payload: bad, ...other }), 'Puback 0')
    const ending = payloadFormatCheck ? 'Disconnect 99; close' : ''
    assert.is(answerTo({ topic: 't', payload: bad, properties }), ending)
    const will = { topic: 'w', payload: bad, properties }
    const refused = payloadFormatCheck ? 'Connack 99; close' : 'Connack 0'
    assert.is(desk.heard(desk.client({ will })), refused)
    assert.is(desk.heard(desk.client({ will: { ...will, payload: good } })), 'Connack 0')
    assert.is(desk.state.counters.dropped['payload format invalid'], payloadFormatCheck ? 2 : 0)
  }
})

connect('CONNACK and DISCONNECT say only what they have codes for', () => {
  const desk = new Desk({ authentication: 'judge' }) // [MQTT-3.2.2-8] [MQTT-3.14.2-1]
  for (const [verdict, code] of [[0x93, '80'], [0x86, '86'], [0x8a, '8a']] as const) {
    const conn = desk.client()
    desk.feed(judged(conn, 0, verdict))
    assert.is(desk.heard(conn), `Connack ${code}; close`)
  }
  // A second CONNECT is read as one, and what is wrong with it may be what CONNACK has a code for.
  for (const clientId of ['control\u0001', 'fine']) {
    const plain = new Desk()
    const conn = plain.client()
    plain.heard(conn)
    const reader = createReader(defaultLimits, 5)
    const bytes = encode(5, Packet.connect({ clientId }))
    reader.push(bytes, 0, bytes.length)
    const next = reader.next()
    if (next === null) throw new Error('a whole packet was not read')
    plain.feed(next._tag === 'Left' ? broke(conn, 0, next.left) : arrived(conn, 0, next.right))
    assert.is(plain.heard(conn), 'Disconnect 82; close')
  }
})

connect('DISCONNECT may shorten and lengthen a session that CONNECT asked for', () => {
  const leave = (desk: Desk, asked: number | null, wanted: number): string => {
    const properties = asked === null ? {} : { sessionExpiryInterval: asked }
    const conn = desk.client({ properties })
    desk.heard(conn)
    const farewell = { sessionExpiryInterval: wanted }
    desk.say(conn, { _tag: 'Disconnect', reason: 0, properties: farewell })
    return desk.heard(conn)
  }
  assert.is(leave(new Desk(), 10, 0), 'close')
  assert.is(leave(new Desk(), 10, 100), 'close')
  assert.is(leave(new Desk(), null, 0), 'close')
  assert.is(leave(new Desk(), null, 1), 'Disconnect 82; close')
  assert.is(leave(new Desk(), 0, 1), 'Disconnect 82; close')
  // What counts is what CONNECT asked for, not what the broker made of it.
  assert.is(leave(new Desk({ sessionExpiryMaxS: 0 }), 10, 100), 'close')
  assert.is(leave(new Desk({ sessionExpiryMaxS: 0 }), 0, 100), 'Disconnect 82; close')
})

connect('before CONNECT is accepted packets are held to the small limit', () => {
  const limits = { ...defaultLimits, connectPacketBytesMax: 200 }
  const large = encode(5, Packet.publish({ topic: 't', payload: 'x'.repeat(300) }))
  for (const accepted of [false, true]) {
    const reader = createReader(limits, 0, false)
    const first = encode(5, Packet.connect({ clientId: 'c' }))
    reader.push(first, 0, first.length)
    assert.is(reader.next()?._tag, 'Right')
    if (accepted) reader.accept(1_000)
    reader.push(large, 0, 5) // the header alone decides
    const next = reader.next()
    assert.is(
      next === null ? 'more' : next._tag === 'Left' && next.left.reason,
      accepted ? 'more' : 0x95,
    )
  }
  assert.ok(B.size(B.of(large)) > 200)
})

connect.run()
