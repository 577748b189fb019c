// What a captured broker has sent beside what ours sends: every order that the standard prescribes,
// every property that a client cares about, and nothing that is each broker's own, or that the
// captured broker may still have been about to say.

import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Conn } from '../core/broker/input.ts'
import { decode, encode } from '../core/codec/mod.ts'
import type { Level, Packet as AnyPacket } from '../core/codec/packet.ts'
import type { Properties } from '../core/codec/properties.ts'
import { propertyTable } from '../core/codec/property.ts'
import { Packet } from '../core/mod.ts'
import * as B from '../core/data/bytes.ts'
import { E, O } from '../core/prelude.ts'
import { Comparison } from '../core/trace/capture/compare.ts'
import { propertyNames } from '../core/trace/property-text.ts'
import { packetOf } from './gen/packets.ts'
import { runs } from './gen/settings.ts'

const compare = suite('capture compare')

const conn = (slot: number): Conn => ({ slot, generation: slot })

/** Two clients that are there: 1 publishes, 2 hears. */
const begun = (): Comparison => {
  const comparison = new Comparison()
  for (const slot of [1, 2]) {
    comparison.opened(conn(slot), { address: '192.0.2.2', port: slot })
    comparison.told(conn(slot), Packet.connect({ clientId: `c${slot}` }))
  }
  return comparison
}

type Said = readonly ['theirs' | 'ours' | 'client', slot: number, AnyPacket]

const played = (some: ReadonlyArray<Said>): Comparison => {
  const comparison = begun()
  for (const [who, slot, packet] of some) {
    if (who === 'client') comparison.told(conn(slot), packet)
    else if (who === 'ours') comparison.sent(conn(slot), packet)
    else comparison.heard(conn(slot), packet)
  }
  return comparison
}

/** Something that both say, so that what came before counts. */
const after: ReadonlyArray<Said> = [1, 2].flatMap((slot) => [
  ['ours', slot, { _tag: 'Unsuback', packetId: 9, reasons: [], properties: {} }] as const,
  ['theirs', slot, { _tag: 'Unsuback', packetId: 9, reasons: [], properties: {} }] as const,
])

const differences = (some: ReadonlyArray<Said>): ReadonlyArray<string> =>
  played([...some, ...after]).differences()

const message = (topic: string, payload: string, qos: 0 | 1 | 2 = 1, packetId = 1): AnyPacket =>
  qos === 0 ? Packet.publish({ topic, payload }) : Packet.publish({ topic, payload, qos, packetId })

const puback = (packetId: number): AnyPacket => ({
  _tag: 'Puback',
  packetId,
  reason: 0,
  properties: {},
})

compare('messages of one publisher with one topic and QoS come in its order', () => {
  const [one, two] = [message('t', 'one'), message('t', 'two', 1, 2)]
  const sent: ReadonlyArray<Said> = [['client', 1, one], ['client', 1, two]]
  const turned: ReadonlyArray<Said> = [
    ['ours', 2, one],
    ['ours', 2, two],
    ['theirs', 2, two],
    ['theirs', 2, one],
  ]
  assert.equal(differences([...sent, ...turned]), [
    `The captured broker sent publish 't' qos1 "two" to 'c2' before publish 't' qos1 "one", ` +
    'this one the other way round.',
  ])
  // From two publishers, or from before: there is no order then.
  assert.equal(differences([['client', 1, one], ['client', 2, two], ...turned]), [])
  assert.equal(differences([...sent, ['client', 2, two], ...turned]), [])
  assert.equal(differences(turned), [])
  // What is retained comes in any order.
  const old = turned.map(([who, slot, packet]): Said => [
    who,
    slot,
    { ...packet, retain: true } as AnyPacket,
  ])
  assert.equal(differences([...sent, ...old]), [])
  for (const other of [message('u', 'two'), message('t', 'two', 2, 2)]) {
    const some = turned.map((
      [who, slot, packet],
    ): Said => [who, slot, packet === two ? other : one])
    assert.equal(differences([['client', 1, one], ['client', 1, other], ...some]), [])
  }
})

compare('PUBACK and PUBREC come in the order of what they acknowledge', () => {
  const pubrec: AnyPacket = { _tag: 'Pubrec', packetId: 3, reason: 0, properties: {} }
  const [first] = differences([
    ['ours', 1, puback(1)],
    ['ours', 1, puback(2)],
    ['theirs', 1, puback(2)],
    ['theirs', 1, puback(1)],
  ])
  assert.match(first ?? '', /^The captured broker sent puback id2 0x00 to 'c1' before puback id1/)
  assert.equal(
    differences([
      ['ours', 1, puback(1)],
      ['ours', 1, pubrec],
      ['theirs', 1, pubrec],
      ['theirs', 1, puback(1)],
    ]),
    [],
  )
  // On two connections there is no order.
  assert.equal(
    differences([
      ['ours', 1, puback(1)],
      ['ours', 2, puback(2)],
      ['theirs', 2, puback(2)],
      ['theirs', 1, puback(1)],
    ]),
    [],
  )
})

compare(
  'an order is found wrong if and only if it is, whatever is missing and however mixed',
  () => {
    const side = fc.uniqueArray(fc.nat(7), { maxLength: 8 })
    fc.assert(
      fc.property(side, side, fc.infiniteStream(fc.boolean()), (ours, theirs, dice) => {
        const some: Array<Said> = []
        for (let i = 0; i < 8; i++) some.push(['client', 1, message('t', `${i}`, 1, i + 1)])
        let [i, k] = [0, 0]
        while (i < ours.length || k < theirs.length) {
          if (k >= theirs.length || (i < ours.length && dice.next().value === true)) {
            some.push(['ours', 2, message('t', `${ours[i]}`, 1, ++i)])
          } else some.push(['theirs', 2, message('t', `${theirs[k]}`, 1, ++k)])
        }
        const lines = differences(some)
        const common = (one: ReadonlyArray<number>, other: ReadonlyArray<number>) =>
          one.filter((number) => other.includes(number)).join()
        const isSame = common(ours, theirs) === common(theirs, ours)
        assert.is(lines.some((one) => one.includes('other way round')), !isSame, lines.join('\n'))
        const missing = [...ours, ...theirs].filter((one) =>
          ours.includes(one) !== theirs.includes(one)
        )
        assert.is(lines.filter((one) => !one.includes('other way round')).length, missing.length)
      }),
      { numRuns: runs(500) },
    )
  },
)

const valueOf = (name: string): unknown => {
  switch (name) {
    case 'correlationData':
    case 'authenticationData':
      return B.of(Uint8Array.of(1))
    case 'subscriptionIdentifiers':
      return [1, 2]
    case 'userProperties':
      return [['a', 'b']]
    default:
      return /Method|Type|Topic$|Identifier$|Information$|Reference|String/.test(name) ? 'x' : 0
  }
}

const placed = (place: string) =>
  propertyTable.filter(({ places }) => (places as ReadonlyArray<string>).includes(place))
    .map(({ key }) => key)

const differsBy = (packet: AnyPacket, key: string): boolean => {
  const properties = { [key]: valueOf(key) } as Properties
  const other = { ...packet, properties } as AnyPacket
  return differences([['ours', 2, packet], ['theirs', 2, other]]).length > 0
}

compare('of properties those are compared that clients care about', () => {
  const matters = (packet: AnyPacket): ReadonlyArray<string> =>
    placed(packet._tag).filter((key) => differsBy(packet, key)).sort()
  assert.equal(matters(message('t', 'x')), [
    'contentType',
    'correlationData',
    'messageExpiryInterval',
    'payloadFormatIndicator',
    'responseTopic',
    'subscriptionIdentifiers',
    'userProperties',
  ])
  assert.equal(
    matters({ _tag: 'Connack', sessionPresent: false, reason: 0, properties: {} }),
    [
      'maximumQos',
      'retainAvailable',
      'serverReference',
      'sessionExpiryInterval',
      'sharedSubscriptionAvailable',
      'subscriptionIdentifierAvailable',
      'wildcardSubscriptionAvailable',
    ],
  )
  assert.equal(matters(puback(1)), [])
  assert.equal(matters({ _tag: 'Suback', packetId: 1, reasons: [0], properties: {} }), [])
  assert.equal(matters({ _tag: 'Disconnect', reason: 0x9c, properties: {} }), ['serverReference'])
  assert.ok(propertyNames.length > 20)
})

compare('what is left of a time, the order of identifiers and aliases are no difference', () => {
  const expiring = (seconds: number, ids: ReadonlyArray<number>): AnyPacket => ({
    ...message('t', 'x'),
    properties: { messageExpiryInterval: seconds, subscriptionIdentifiers: ids },
  } as AnyPacket)
  const [ours, theirs] = [expiring(9, [1, 2]), expiring(8, [2, 1])]
  assert.equal(differences([['ours', 2, ours], ['theirs', 2, theirs]]), [])
  const aliased = { ...message('t', 'x'), properties: { topicAlias: 1 } } as AnyPacket
  assert.equal(differences([['ours', 2, aliased], ['theirs', 2, message('t', 'x')]]), [])
  const available: AnyPacket = {
    _tag: 'Connack',
    sessionPresent: false,
    reason: 0,
    properties: { retainAvailable: 1, sharedSubscriptionAvailable: 1 },
  }
  assert.equal(
    differences([['theirs', 2, available], ['ours', 2, { ...available, properties: {} }]]),
    [],
  )
})

compare('what version 5 alone has words for is no difference to an older client', () => {
  const kinds = ['Connack', 'Publish', 'Puback', 'Pubrec', 'Pubcomp', 'Suback', 'Unsuback'] as const
  fc.assert(
    fc.property(
      fc.constantFrom<Level>(3, 4),
      fc.oneof(...kinds.map((kind) => packetOf(kind, 5))),
      (level, ours) => {
        if (ours._tag === 'Publish' && ours.topic === '') return
        const comparison = new Comparison()
        comparison.opened(conn(1), { address: '192.0.2.2', port: 1 })
        comparison.told(conn(1), Packet.connect({ clientId: 'c', level }))
        const read = decode(level, B.of(encode(level, ours)))
        assert.ok(E.isRight(read) && O.isSome(read.right))
        comparison.sent(conn(1), ours)
        comparison.heard(conn(1), read.right.value.packet)
        assert.equal(comparison.differences(), [])
      },
    ),
    { numRuns: runs(500) },
  )
})

compare('what hangs on a session from before the capture is no difference', () => {
  const connack = (sessionPresent: boolean): AnyPacket => (
    { _tag: 'Connack', sessionPresent, reason: 0, properties: {} }
  )
  const suback = (reason: number): AnyPacket => (
    { _tag: 'Suback', packetId: 4, reasons: [reason], properties: {} }
  )
  const some: ReadonlyArray<Said> = [
    ['client', 1, message('t', 'something')],
    ['ours', 2, connack(false)],
    ['theirs', 2, connack(true)],
    ['theirs', 2, message('t', 'old')],
    ['theirs', 2, { _tag: 'Pubcomp', packetId: 3, reason: 0, properties: {} }],
    ['ours', 2, suback(0)],
    ['theirs', 2, suback(1)],
    ...after,
  ]
  const comparison = played(some)
  assert.equal(comparison.older(), [["'c2'", 4, true]])
  assert.is(comparison.differences().length, 2)
  assert.ok(comparison.differences().every((line) => line.includes('suback')))
  // It has ended, or is none from before.
  const anew = played([...some, ['theirs', 2, connack(false)], ['theirs', 2, message('t', 'new')]])
  assert.ok(anew.differences().some((line) => line.includes('"new"')))
  const own = differences([
    ['client', 1, message('t', 'something')],
    ['theirs', 2, connack(false)],
    ['theirs', 2, connack(true)],
    ['theirs', 2, message('t', 'x')],
  ])
  assert.is(own.length, 3)
})

compare('CONNACK of 3.1 does not say whether the session is from before the capture', () => {
  const connack: AnyPacket = { _tag: 'Connack', sessionPresent: false, reason: 0, properties: {} }
  const old = message('t', 'old')
  for (const cleanStart of [false, true]) {
    const comparison = new Comparison()
    const comes = (slot: number, cleanStart: boolean): void => {
      comparison.opened(conn(slot), { address: '192.0.2.2', port: slot })
      comparison.told(conn(slot), Packet.connect({ clientId: 'c', level: 3, cleanStart }))
      comparison.sent(conn(slot), connack)
      comparison.heard(conn(slot), connack)
    }
    comes(1, cleanStart)
    comparison.told(conn(1), old)
    comparison.heard(conn(1), old)
    assert.is(comparison.differences().length, cleanStart ? 1 : 0)
    assert.equal(comparison.older(), cleanStart ? [] : [["'c'", 1, false]])
    comes(2, false)
    comparison.heard(conn(2), old)
    assert.is(comparison.differences().length, cleanStart ? 1 : 0)
    comes(3, true)
    comparison.heard(conn(3), old)
    assert.is(comparison.differences().length, 1)
  }
})

compare('what a session was told before it began anew is not what it is told after', () => {
  const connack = (sessionPresent: boolean): AnyPacket => (
    { _tag: 'Connack', sessionPresent, reason: 0, properties: {} }
  )
  const one = message('t', 'one', 0)
  const again = Packet.connect({ clientId: 'c2' })
  const comparison = begun()
  const both = (slot: number, packet: AnyPacket): void => {
    comparison.sent(conn(slot), packet)
    comparison.heard(conn(slot), packet)
  }
  const comesAgain = (slot: number): void => {
    comparison.opened(conn(slot), { address: '192.0.2.2', port: slot })
    comparison.told(conn(slot), again)
    both(slot, connack(false))
  }
  comparison.told(conn(1), one)
  // The session is from before the capture: ours has none, and sends nothing.
  comparison.sent(conn(2), connack(false))
  comparison.heard(conn(2), connack(true))
  comparison.heard(conn(2), one)
  comesAgain(3)
  both(3, one)
  comesAgain(4)
  comparison.nowMs = 6_000
  assert.equal(comparison.differences(), [])
  assert.equal(comparison.older(), [["'c2'", 3, true]])
  // Of what only one of them sends then each time counts.
  comparison.heard(conn(3), one)
  comparison.heard(conn(4), one)
  assert.equal(comparison.differences(), [
    `The captured broker sent publish 't' "one" to 'c2' 2 times more often, this one does not.`,
  ])
})

compare('an answer and an end are of one connection', () => {
  const comparison = begun()
  const comesAgain = (slot: number): void => {
    comparison.opened(conn(slot), { address: '192.0.2.2', port: slot })
    comparison.told(conn(slot), Packet.connect({ clientId: 'c2' }))
  }
  // Bytes of the client are missing: it may have left.
  comparison.nowMs = 1_000
  comparison.missed(2, 500)
  comparison.sent(conn(2), puback(1))
  comparison.closed(conn(2))
  comesAgain(3)
  comparison.sent(conn(3), puback(1))
  comparison.heard(conn(3), puback(1))
  comparison.closed(conn(3))
  comparison.left(conn(3))
  comparison.nowMs = 7_000
  assert.equal(comparison.differences(), [])
})

compare('acknowledgements find their message by what it says, whatever its properties', () => {
  const theirs = { ...message('t', 'x', 1, 7), properties: { contentType: 'y' } } as AnyPacket
  const comparison = played([['ours', 2, message('t', 'x', 1, 3)], ['theirs', 2, theirs]])
  assert.equal(comparison.told(conn(2), puback(7)), puback(3))
  assert.is(comparison.strayCount, 0)
})

compare('of a message that is missing ours is told nothing that misfits one of its own', () => {
  const comparison = played([
    ['ours', 2, message('t', 'one', 1, 1)],
    ['ours', 2, message('t', 'two', 2, 2)],
  ])
  const isTold = (packetId: number) => (_tag: 'Puback' | 'Pubrec' | 'Pubcomp'): boolean => {
    const packet = { _tag, packetId, reason: 0, properties: {} }
    const told = comparison.told(conn(2), packet)
    if (told !== null) assert.equal(told, packet)
    return told !== null
  }
  const tags = ['Puback', 'Pubrec', 'Pubcomp'] as const
  // It would end the connection, which the captured broker did not.
  assert.equal((['Pubcomp', 'Pubrec', 'Puback'] as const).map(isTold(1)), [false, false, true])
  assert.equal(tags.map(isTold(2)), [false, true, true])
  assert.is(comparison.strayCount, 3)
  // About none of its own it may be told anything, as the captured broker was.
  for (const id of [1, 2, 3]) assert.equal(tags.map(isTold(id)), [true, true, true])
})

compare('what ours says after the last of the captured broker is no difference', () => {
  const [one, two] = [message('t', 'one'), message('t', 'two', 1, 2)]
  const comparison = played([
    ['ours', 2, one],
    ['theirs', 1, puback(4)],
    ['ours', 1, puback(4)],
    ['ours', 2, two],
  ])
  assert.equal(comparison.differences(), [])
  assert.equal(comparison.unanswered(), [
    `publish 't' qos1 "one" to 'c2'`,
    `publish 't' qos1 "two" to 'c2'`,
  ])
  // It has said something on that connection since the first.
  const later = played([
    ['ours', 2, one],
    ['theirs', 2, { _tag: 'Pingresp' }],
    ['ours', 2, two],
  ])
  assert.is(later.differences().length, 1)
  assert.match(later.differences()[0]!, /^This broker sends publish 't' qos1 "one" to 'c2'/)
  assert.equal(later.unanswered(), [`publish 't' qos1 "two" to 'c2'`])
  // It has had the time to say it.
  later.nowMs = 6_000
  assert.is(later.differences().length, 2)
  const over = begun()
  over.sent(conn(2), one)
  over.left(conn(2))
  assert.is(over.differences().length, 2)
})

compare('what was retained before the capture is no difference', () => {
  const retained = (topic: string, payload: string): AnyPacket =>
    Packet.publish({ topic, payload, retain: true })
  const willed = Packet.connect({
    clientId: 'c3',
    will: { topic: 'w', payload: 'gone', retain: true },
  })
  const comparison = begun()
  comparison.opened(conn(3), { address: '192.0.2.2', port: 3 })
  comparison.told(conn(3), willed)
  comparison.told(conn(1), retained('new', 'x'))
  comparison.told(conn(1), message('live', 'x', 0))
  // That a will is to be retained there is not yet what is.
  for (const packet of [retained('old', 'x'), retained('w', 'y')]) {
    comparison.heard(conn(2), packet)
  }
  assert.equal(comparison.differences(), [])
  assert.is(comparison.keptCount(null), 2)
  assert.is(comparison.keptCount("'c1'"), 0)
  // What somebody has published is compared, whatever it says, and so is what was no retained one.
  comparison.heard(conn(2), retained('new', 'other'))
  comparison.heard(conn(2), retained('live', 'x'))
  comparison.heard(conn(2), retained('w', 'gone'))
  assert.is(comparison.differences().length, 3)
  assert.is(comparison.keptCount(null), 2)
  // It does not tell how far the captured broker was.
  assert.equal(
    played([['ours', 2, puback(4)], ['theirs', 2, retained('o', 'x')]]).differences(),
    [],
  )
})

compare('what was published elsewhere, or where bytes are missing, is no difference', () => {
  const retained = Packet.publish({ topic: 'r', payload: 'x', retain: true })
  const willed = Packet.connect({ clientId: 'c3', will: { topic: 'w', payload: 'x' } })
  const talk = (): Comparison => {
    const comparison = begun()
    comparison.opened(conn(3), { address: '192.0.2.2', port: 3 })
    comparison.told(conn(3), willed)
    comparison.told(conn(1), message('whole', 'x'))
    comparison.told(conn(1), message('other', 'x'))
    comparison.told(conn(1), message('both', 'x'))
    comparison.told(conn(3), message('both', 'y'))
    comparison.told(conn(3), message('cut', 'x'))
    comparison.nowMs = 10_000
    for (
      const [topic, payload] of [['whole', 'x'], ['both', 'x'], ['other', 'y'], ['cut', 'x'], [
        'w',
        'x',
      ]]
    ) {
      comparison.heard(conn(2), message(topic!, payload!))
    }
    // Of a client of a listener that was not captured, or over a bridge.
    comparison.heard(conn(2), message('elsewhere', 'x'))
    comparison.sent(conn(2), retained)
    comparison.heard(conn(2), puback(1))
    comparison.sent(conn(2), puback(1))
    return comparison
  }
  const topicsOf = (comparison: Comparison): ReadonlyArray<string | undefined> =>
    comparison.differences().map((line) => /publish '(\w+)'/.exec(line)?.[1])
  const comparison = talk()
  assert.equal(topicsOf(comparison), ['whole', 'both', 'other', 'cut', 'w', 'r'])
  assert.is(comparison.elsewhereCount(null), 1)
  assert.is(comparison.elsewhereCount("'c1'"), 0)
  // What comes before a hole can be seen hangs on it only if that is a moment.
  comparison.missed(3, 11_001)
  assert.is(comparison.elsewhereCount(null), 1)
  comparison.missed(3, 11_000)
  assert.equal(topicsOf(comparison), ['whole'])
  assert.is(comparison.elsewhereCount(null), 6)
})

compare('whose turn it is in a shared group hangs on those of whom the capture has not all', () => {
  const talk = (isOld: boolean): Comparison => {
    const comparison = begun()
    comparison.told(conn(2), Packet.subscribe(['$share/g/s/#', 't']))
    const connack: AnyPacket = {
      _tag: 'Connack',
      sessionPresent: isOld,
      reason: 0,
      properties: {},
    }
    comparison.heard(conn(1), connack)
    comparison.sent(conn(1), connack)
    for (const topic of ['s/1', 's/2', 't']) comparison.told(conn(1), message(topic, 'x', 0))
    comparison.sent(conn(2), message('s/1', 'x', 0))
    comparison.sent(conn(2), message('t', 'x', 0))
    comparison.heard(conn(2), message('s/2', 'x', 0))
    comparison.heard(conn(2), puback(1))
    comparison.sent(conn(2), puback(1))
    return comparison
  }
  const ours = "This broker sends publish 't' \"x\" to 'c2', the captured one did not."
  const comparison = talk(false)
  assert.is(comparison.differences().length, 3)
  assert.is(comparison.sharedCount(null), 0)
  // Another member was there before the capture, and nothing of it is understood.
  comparison.missed(3, 0)
  assert.equal(comparison.differences(), [ours])
  assert.equal([comparison.sharedCount(null), comparison.sharedCount("'c1'")], [2, 0])
  // Or has a session from before.
  const older = talk(true)
  assert.equal(older.differences(), [ours])
  assert.is(older.sharedCount("'c2'"), 2)
})

compare('where bytes of a client are missing its session is not known until it begins anew', () => {
  const connack = (sessionPresent: boolean): AnyPacket => (
    { _tag: 'Connack', sessionPresent, reason: 0, properties: {} }
  )
  const comparison = begun()
  comparison.heard(conn(2), connack(false))
  comparison.sent(conn(2), connack(false))
  comparison.told(conn(1), message('t', 'x', 0))
  for (const [at, isPresent] of [[5_000, true], [9_000, false]] as const) {
    comparison.nowMs = at
    comparison.opened(conn(at), { address: '192.0.2.2', port: at })
    comparison.told(conn(at), Packet.connect({ clientId: 'c2', cleanStart: false }))
    comparison.heard(conn(at), connack(isPresent))
    comparison.sent(conn(at), connack(isPresent))
    comparison.heard(conn(at), message('t', `at ${at}`))
    comparison.sent(conn(at), message('t', `ours at ${at}`, 0))
    comparison.nowMs = at + 2_000
    comparison.heard(conn(at), message('t', 'x', 0))
    comparison.sent(conn(at), message('t', 'x', 0))
  }
  assert.ok(comparison.differences().some((line) => line.includes('ours at 5000')))
  comparison.missed(2, 1_000)
  assert.equal(comparison.differences(), [
    `This broker sends publish 't' "ours at 9000" to 'c2', the captured one did not.`,
  ])
})

compare(
  'where bytes of a broker are missing what its client acknowledges later is not known',
  () => {
    const connack = (sessionPresent: boolean): AnyPacket => (
      { _tag: 'Connack', sessionPresent, reason: 0, properties: {} }
    )
    const comparison = begun()
    comparison.heard(conn(2), connack(false))
    comparison.sent(conn(2), connack(false))
    // The captured broker has sent it where its bytes are missing, and ours in the next connection.
    for (const [at, isPresent] of [[5_000, true], [9_000, false]] as const) {
      comparison.nowMs = at
      comparison.opened(conn(at), { address: '192.0.2.2', port: at })
      comparison.told(conn(at), Packet.connect({ clientId: 'c2', cleanStart: false }))
      comparison.heard(conn(at), connack(isPresent))
      comparison.sent(conn(at), connack(isPresent))
      comparison.sent(conn(at), message('t', `ours at ${at}`, 0))
      comparison.nowMs = at + 2_000
      comparison.heard(conn(at), puback(at))
      comparison.sent(conn(at), puback(at))
    }
    assert.is(comparison.differences().length, 2)
    comparison.lost(2, 1_000)
    assert.equal(comparison.differences(), [
      `This broker sends publish 't' "ours at 9000" to 'c2', the captured one did not.`,
    ])
  },
)

compare('an answer to what came before is none to what came since', () => {
  const some: ReadonlyArray<Said> = [
    ['ours', 2, puback(4)],
    ['ours', 2, message('t', 'one')],
    ['theirs', 2, puback(4)],
  ]
  const comparison = played(some)
  assert.equal(comparison.differences(), [])
  assert.equal(comparison.unanswered(), [`publish 't' qos1 "one" to 'c2'`])
  // What ours says after that says that there was nothing in between.
  for (const order of [['ours', 'theirs'], ['theirs', 'ours']] as const) {
    const later = played([...some, ...order.map((who): Said => [who, 2, puback(5)])])
    assert.match(later.differences().join(), /^This broker sends publish 't' qos1 "one" to 'c2'/)
  }
  // So does what it says a while later, whatever that answers.
  const slow = played(some.slice(0, 2))
  slow.nowMs = 1_000
  slow.heard(conn(2), puback(4))
  assert.is(slow.differences().length, 1)
})

compare('what ours says to a client that leaves at once is no difference', () => {
  const leaving = (afterMs: number) => {
    const comparison = begun()
    comparison.heard(conn(2), { _tag: 'Pingresp' })
    comparison.sent(conn(2), message('t', 'one'))
    comparison.nowMs += afterMs
    comparison.told(conn(2), { _tag: 'Disconnect', reason: 0, properties: {} })
    comparison.ended(conn(2))
    comparison.left(conn(2))
    comparison.nowMs += 9_000
    return comparison
  }
  const atOnce = leaving(999)
  assert.equal(atOnce.differences(), [])
  assert.equal(atOnce.unanswered(), [`publish 't' qos1 "one" to 'c2'`])
  assert.is(leaving(1_000).differences().length, 1)
})

compare.run()
