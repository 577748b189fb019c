// What somebody gets wrong who runs the core by himself and whom no types tell: he hears which
// value it is, and what should be there.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  commanded,
  defaults,
  encode,
  initial,
  Packet,
  parseAcl,
  pingreq,
  reconfigured,
  restore,
  run,
  runSome,
  type State,
  ticked,
} from '../core/mod.ts'

const mistakes = suite('core-mistakes')

/** What a caller without types hands over. */
const loose = (value: unknown): never => value as never

const origin = { at: 0, wall: 0, seed: 1 }
const fresh = (): State => initial(defaults, origin)

const slips: ReadonlyArray<readonly [act: () => unknown, says: RegExp]> = [
  [() => Packet.connect(loose({})), /^the client identifier of CONNECT is a string, .* undefined$/],
  [() => Packet.connect(loose('lamp')), /^the client identifier of CONNECT is a string, .* undef/],
  [
    () => Packet.connect({ clientId: 'a', userName: loose(5) }),
    /^the user name of CONNECT is a string, and not number$/,
  ],
  [
    () => Packet.connect({ clientId: 'a', password: loose(5) }),
    /^a payload or a password is a string or a Uint8Array, and not number$/,
  ],
  [() => Packet.connect(loose(undefined)), /^CONNECT is made of an object, and not of undefined$/],
  [() => Packet.publish(loose(null)), /^PUBLISH is made of an object, and not of null$/],
  [() => Packet.subscribe(loose([null])), /^a subscription is made of an object, .* not of null$/],
  [() => parseAcl('topic read #', loose(undefined)), /parseAcl\('acl', text\)$/],
  [() => initial(loose(undefined), origin), /^the configuration has no "\w+": write \{/],
  [() => initial(defaults, loose(undefined)), /^the origin has no "at" that is a number: write \{/],
  [
    () => initial(defaults, loose({ at: 0, seed: 1 })),
    /^the origin has no "wall" that is a number/,
  ],
  [() => initial(defaults, { at: 0, wall: 0, seed: NaN }), /^the origin has no "seed"/],
  [() => restore(defaults, [], loose({})), /^the origin has no "at" that is a number/],
  [() => run(loose(undefined), []), /^a state is what initial or restore has answered, or run/],
  [() => run(loose(defaults), [ticked(1, 1)]), /^a state is what initial or restore has answered/],
  [() => run(fresh(), [ticked(NaN, 1)]), /^at of Ticked is a number of milliseconds, and not NaN$/],
  [() => run(fresh(), [ticked(loose('7'), 1)]), /^at of Ticked is a number .*, and not 7$/],
  [() => run(fresh(), [ticked(1, loose(undefined))]), /^wall of Ticked is a number .* undefined$/],
  [
    () => Packet.connect(loose({ clientId: 'a', keepAlive: 5 })),
    /^CONNECT has no "keepAlive": there are clientId, level, cleanStart, keepAliveS, will, /,
  ],
  [
    () => Packet.connect({ clientId: 'a', will: loose({ topic: 't', message: 'x' }) }),
    /^a will has no "message": there are topic, payload, qos, retain, properties$/,
  ],
  [
    () => Packet.publish(loose({ topic: 't', message: 'x' })),
    /^PUBLISH has no "message": there are topic, payload, /,
  ],
  [
    () => Packet.subscribe(loose([{ filter: 't', QoS: 1 }])),
    /^a subscription has no "QoS": there are filter, qos, noLocal, /,
  ],
  [() => Packet.publish(loose({})), /^a topic name is a string, and not undefined$/],
  [() => Packet.publish(loose('home/lamp')), /^a topic name is a string, and not undefined$/],
  [() => Packet.publish({ topic: 't', payload: loose(20.5) }), /^a payload .*, and not number$/],
  [
    () => Packet.publish({ topic: 't', payload: loose({ on: 1 }) }),
    /^a payload .*, and not object/,
  ],
  [
    () => Packet.publish({ topic: 'a/#' }),
    /^topic name "a\/#": the topic name contains a wildcard/,
  ],
  [
    () => Packet.publish({ topic: '', properties: { contentType: 'a' } }),
    /^topic name "": the topic name is empty$/,
  ],
  [() => Packet.subscribe(loose(5)), /^a topic filter is a string, and not number$/],
  [() => Packet.subscribe(loose(undefined)), /^a topic filter is a string, and not undefined$/],
  [
    () => Packet.subscribe(loose({ topic: 't' })),
    /^a subscription has no "topic": there are filter, /,
  ],
  [
    () => run(fresh(), loose(ticked(1, 1))),
    /^inputs come in a list: run\(state, \[input\]\), or s/,
  ],
  [() => run(fresh(), loose(undefined)), /^inputs come in a list/],
  [() => runSome(fresh(), loose(ticked(1, 1)), 5), /^inputs come in a list/],
  [
    () => run(loose(run(fresh(), [])), []),
    /^a state is the first of the two things that run answers: const \[state, effects\] = run\(/,
  ],
  [
    () => run(fresh(), [loose({ _tag: 'Tick', at: 1 })]),
    /^there is no input with the _tag "Tick"$/,
  ],
  [() => run(fresh(), [loose(pingreq)]), /^there is no input with the _tag "Pingreq"$/],
  [() => encode(5, loose({ _tag: 'publish' })), /^there is no packet with the _tag "publish"$/],
  [
    () => run(fresh(), [commanded(1, loose({ _tag: 'Kik' }))]),
    /^there is no command with the _tag "Kik"$/,
  ],
  [
    () => initial(loose({ maximumQos: 1 }), origin),
    /^the configuration has no "\w+": write \{ \.\.\.defaults, and what is different \}$/,
  ],
  [() => restore(loose({ maximumQos: 1 }), [], origin), /^the configuration has no "\w+": /],
  [
    () => run(fresh(), [reconfigured(1, loose({ maximumQos: 1 }))]),
    /^the configuration has no "\w+": /,
  ],
]

for (const [act, says] of slips) {
  mistakes(`a caller without types is told: ${says.source}`, () => {
    assert.throws(act, (error: unknown) => {
      assert.instance(error, TypeError)
      assert.match((error as TypeError).message, says)
      return true
    })
  })
}

mistakes('of no inputs runSome takes none', () => {
  const state = fresh()
  const [next, effects, taken] = runSome(state, [], 5)
  assert.equal([next.now, effects, taken], [state.now, [], 0])
})

mistakes('bytes may come from another realm, as in a test runner that isolates its tests', () => {
  const foreign = Object.create(Uint8Array.prototype, {
    [Symbol.toStringTag]: { value: 'Uint8Array' },
    length: { value: 2 },
  })
  assert.is(Packet.publish({ topic: 't', payload: foreign }).payload.end, 2)
})

mistakes.run()
