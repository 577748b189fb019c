// A failure that is planted in the broker is found in a random history of hundreds of inputs, and
// the history is shrunk to the few that it needs.

import fc from 'fast-check'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Config } from '../core/broker/config.ts'
import type { Input } from '../core/broker/input.ts'
import * as I from '../core/broker/input.ts'
import type { State } from '../core/broker/state.ts'
import { parseAcl } from '../core/config/acl-file.ts'
import { shrinkWish } from '../core/config/shrink-words.ts'
import * as B from '../core/data/bytes.ts'
import * as IntMap from '../core/data/int-map.ts'
import * as Queue from '../core/data/queue.ts'
import * as StrMap from '../core/data/str-map.ts'
import { defaults, initial, Packet, run } from '../core/mod.ts'
import { E } from '../core/prelude.ts'
import { disagreement } from '../core/trace/agree.ts'
import { properties, propertyOf } from '../core/trace/failing.ts'
import type { Failing } from '../core/trace/failing.ts'
import { Replay } from '../core/trace/replay.ts'
import type { Run } from '../core/trace/replay.ts'
import { recordingOf } from '../core/trace/transcript.ts'
import { shrink } from '../core/trace/shrink.ts'
import { parseStory } from '../core/trace/story.ts'
import { shrinkRecording } from '../shells/cli/shrink.ts'
import { restlessHistory, unproved } from './gen/histories.ts'
import { isShortRun, runs } from './gen/settings.ts'
import { record } from './model/play.ts'
import { hear } from './mouth.ts'

const shrinking = suite('shrink')

/** A version whose messages never arrive. */
const otherVersion = `
import { initial, run as plain } from ${
  JSON.stringify(new URL('../core/mod.ts', import.meta.url).href)
}
export { initial }
export const run = (state, inputs) => {
  const [after, effects] = plain(state, inputs)
  return [after, effects.filter(({ packet }) => packet?._tag !== 'Publish')]
}
`

const nonce = '00000000-0000-4000-8000-000000000001'

const property = (name: string): Failing => {
  const found = propertyOf(name, null)
  if (E.isLeft(found)) throw new Error(found.left)
  return found.right
}

/** A broker that throws when a client with two subscriptions comes back. */
const forgetful: Run = (state, inputs) => {
  for (const input of inputs) {
    if (input._tag !== 'Arrived' || input.packet._tag !== 'Connect') continue
    const number = StrMap.get(state.clients, input.packet.clientId)
    const session = number === undefined ? undefined : IntMap.get(state.sessions, number)
    if (session !== undefined && StrMap.size(session.subscriptions) >= 2) throw new Error('planted')
  }
  return run(state, inputs)
}

/** A broker that loses what is retained and published at QoS 1 on the way to subscribers. */
const leaky: Run = (state, inputs) => {
  const [after, effects] = run(state, inputs)
  const isLost = inputs.some((one) =>
    one._tag === 'Arrived' && one.packet._tag === 'Publish' && one.packet.qos === 0
  )
  if (!isLost) return [after, effects]
  return [
    after,
    effects.filter((one) =>
      !((one._tag === 'Send' || one._tag === 'Multicast') && one.packet._tag === 'Publish')
    ),
  ]
}

const how = { trialsMax: 5_000, isNew: true }

shrinking('what the broker throws at is shrunk to the few inputs that it takes', () => {
  let found = 0
  let longest = 0
  fc.assert(
    fc.property(restlessHistory(400).map(unproved), (some) => {
      const { inputs, states } = record(some)
      const shrunk = shrink(states[0]!, inputs, property('throws'), { ...how, broker: forgetful })
      if (shrunk === null) return
      found += 1
      longest = Math.max(longest, inputs.length)
      // Opened, CONNECT, SUBSCRIBE once or twice, and again Opened and CONNECT; some have to be
      // judged, or come after a reload.
      assert.ok(shrunk.inputs.length <= 9, `${shrunk.inputs.length} of ${inputs.length}`)
      shrunk.inputs.forEach((_, i) => {
        const fewer = shrunk.inputs.filter((_, at) => at !== i)
        const trial = { from: shrunk.from, inputs: fewer }
        assert.is(property('throws')(trial, forgetful), null, 'one more could go')
      })
      assert.ok(shrunk.trials <= 5_000)
      assert.throws(() => {
        let state = shrunk.from
        for (const one of shrunk.inputs) state = forgetful(state, [one])[0]
      }, 'planted')
    }),
    { numRuns: runs(40) },
  )
  if (isShortRun(40)) return
  assert.ok(found >= 3, `${found} histories failed`)
  assert.ok(longest > 200, `the longest had ${longest} inputs`)
})

const peer = { address: '127.0.0.1', port: 5 }
const opened = (slot: number): Input =>
  I.opened({ slot, generation: slot }, 0, '00000000-0000-4000-8000-000000000000', '1883', peer)
const say = (slot: number, packet: ReturnType<typeof Packet.connect | typeof Packet.publish>) =>
  I.arrived({ slot, generation: slot }, slot, packet)

/** A day on which many publish to many, and one message matters. */
const day = (): ReadonlyArray<Input> => {
  const inputs: Array<Input> = []
  for (let slot = 1; slot <= 20; slot++) {
    inputs.push(opened(slot), say(slot, Packet.connect({ clientId: `c${slot}`, keepAliveS: 0 })))
    const packet = Packet.subscribe({ filter: `t/${slot % 5}`, qos: 1 })
    inputs.push(I.arrived({ slot, generation: slot }, slot, packet))
  }
  for (let i = 0; i < 400; i++) {
    const slot = 1 + i % 20
    const payload = new TextEncoder().encode(`message ${i}`)
    const qos = i % 50 === 33 ? 0 as const : 1 as const
    const packetId = qos === 0 ? {} : { packetId: 1 + i }
    const properties = { contentType: 'text' }
    inputs.push(
      say(slot, Packet.publish({ topic: `t/${i % 7}`, payload, qos, ...packetId, properties })),
    )
  }
  return inputs
}

const origin = { at: 0, wall: 1_700_000_000_000, seed: -3 }

shrinking('a message that is lost is shrunk to who published it and who wanted it', () => {
  const inputs = day()
  const from = initial(defaults, origin)
  // Message 33 is on t/5, which nobody wants; message 133 is on t/0, and c5 among those who do.
  assert.is(shrink(from, inputs, property('not-delivered:c5:t/0'), how), null, 'nothing is lost')
  const name = 'not-delivered:c5:t/0'
  const shrunk = shrink(from, inputs, property(name), { ...how, broker: leaky })
  assert.ok(shrunk !== null)
  const tags = shrunk.inputs.map((one) => one._tag === 'Arrived' ? one.packet._tag : one._tag)
  assert.equal(
    tags.slice().sort(),
    ['Connect', 'Connect', 'Opened', 'Opened', 'Publish', 'Subscribe'],
  )
  const last = shrunk.inputs.at(-1)!
  assert.ok(last._tag === 'Arrived' && last.packet._tag === 'Publish')
  assert.is(B.size(last.packet.payload), 1, 'what it says does not matter')
  assert.equal(last.packet.properties, {})
  assert.ok(shrunk.inputs.every(({ at }) => at === 0), 'nor does time')
})

/** A client that is away, with a subscription, and one that is there. */
const oneAway = (): ReadonlyArray<Input> => [
  opened(1),
  say(1, Packet.connect({ clientId: 'away', properties: { sessionExpiryInterval: 99 } })),
  I.arrived({ slot: 1, generation: 1 }, 0, Packet.subscribe({ filter: 'd', qos: 1 })),
  I.closed({ slot: 1, generation: 1 }, 0, 'closed'),
  opened(2),
  say(2, Packet.connect({ clientId: 'there' })),
]

const toAway = (count: number): ReadonlyArray<Input> =>
  Array.from(
    { length: count },
    (_, i) => say(2, Packet.publish({ topic: 'd', qos: 1, packetId: i + 1 })),
  )

const lost = (
  inputs: ReadonlyArray<Input>,
  config: Partial<Config> = {},
  broker: Run = run,
  name = 'not-delivered:away:d',
): number | null =>
  property(name)({ from: initial({ ...defaults, ...config }, origin), inputs }, broker)

const narrow = { queuedCountMax: 1 }
const at1 = { slot: 1, generation: 1 }
const at2 = { slot: 2, generation: 2 }

shrinking('a message for which there is no room is lost, whoever is told', () => {
  const inputs = [...oneAway(), ...toAway(3)]
  assert.is(lost(inputs), null, 'they wait')
  assert.is(lost(inputs, narrow), 8)
  const from = initial({ ...defaults, ...narrow }, origin)
  const shrunk = shrink(from, inputs, property('not-delivered:away:d'), how)
  const tags = shrunk?.inputs.map((one) => one._tag === 'Arrived' ? one.packet._tag : one._tag)
  assert.equal(tags, [
    ...['Opened', 'Connect', 'Subscribe', 'Closed'],
    ...['Opened', 'Connect', 'Publish', 'Publish'],
  ])
  assert.is(lost(inputs, { ...narrow, mountPoint: 'm/' }), 8, 'on the topic that it sees')
  const full = I.storeFull(0)
  assert.is(lost([...oneAway(), full, ...toAway(1)]), 8, '0x97 says that nobody has it')
  const command = I.commanded(0, {
    _tag: 'Publish',
    packet: Packet.publish({ topic: 'd', qos: 1, packetId: 1 }),
  })
  assert.is(lost([...oneAway(), command, command], narrow), 8)
})

shrinking('what was dropped stays lost when the session has ended', () => {
  const inputs = [
    opened(1),
    say(1, Packet.connect({ clientId: 'away', properties: { receiveMaximum: 1 } })),
    I.arrived(at1, 0, Packet.subscribe({ filter: 'd', qos: 1 })),
    opened(2),
    say(2, Packet.connect({ clientId: 'there' })),
    ...toAway(3),
    I.closed(at1, 0, 'closed'),
  ]
  assert.is(lost(inputs, narrow), 8)
  assert.is(lost(inputs), null, 'one that was to come is not the fault of the broker')
})

shrinking('who is owed a message has not lost it, until it is gone', () => {
  const inputs = [...oneAway(), ...toAway(2)]
  const again = [
    opened(3),
    say(3, Packet.connect({ clientId: 'away', cleanStart: true })),
  ]
  assert.is(lost([...inputs, ...again]), null, 'it has ended its session')
  const back = say(
    3,
    Packet.connect({
      clientId: 'away',
      cleanStart: false,
      properties: { sessionExpiryInterval: 99 },
    }),
  )
  assert.is(lost([...inputs, again[0]!, back]), null)
  /** A broker that forgets queues when somebody comes. */
  const forgetting: Run = (state, some) => {
    const [after, effects] = run(state, some)
    const number = StrMap.get(after.clients, 'away')
    const session = number === undefined ? undefined : IntMap.get(after.sessions, number)
    const isHit = some.some((one) => one._tag === 'Opened' && one.conn.slot === 3)
    if (!isHit || number === undefined || session === undefined) return [after, effects]
    const none = { ...session, queue: Queue.empty }
    return [{ ...after, sessions: IntMap.set(after.sessions, null, number, none) }, effects]
  }
  assert.is(lost([...inputs, ...again], {}, forgetting), 9)
})

shrinking('what nobody has given to the broker cannot be lost', () => {
  const [one] = toAway(1)
  const begun = oneAway()
  assert.is(lost([...begun.slice(0, 4), one!]), null, 'no connection')
  assert.is(lost([...begun.slice(0, 5), one!]), null, 'no CONNECT')
  const tooMuch = { payloadBytesMax: 1 }
  const long = Packet.publish({ topic: 'd', qos: 1, packetId: 1, payload: new Uint8Array(2) })
  assert.is(lost([...begun, say(2, long)], tooMuch), null, 'not taken')
  const rules = parseAcl('acl', 'topic write #')
  assert.ok(E.isRight(rules))
  const reload = I.reconfigured(0, { ...defaults, acl: rules.right.acl })
  assert.is(lost([...begun, reload, one!]), null, 'not to be read')
})

shrinking('what a client is not to be sent is no loss', () => {
  const begun = oneAway()
  const offline = say(2, Packet.publish({ topic: 'd', qos: 0 }))
  assert.is(lost([...begun, offline]), null, 'QoS 0 for one who is away')
  const from = (filter: string, noLocal = false) => [
    ...begun.slice(0, 2),
    I.arrived(at1, 0, Packet.subscribe({ filter, qos: 1, noLocal })),
  ]
  const own = say(1, Packet.publish({ topic: 'd', qos: 0 }))
  assert.is(lost([...from('d', true), own]), null, 'its own')
  assert.is(lost([...from('d'), own], {}, leaky), 4)
  const group = [
    ...from('$share/g/d'),
    ...begun.slice(4),
    I.arrived(at2, 0, Packet.subscribe({ filter: '$share/g/d', qos: 1 })),
    ...toAway(4),
  ]
  assert.is(lost(group), null, 'another of the group has it')
  // It was sent what is its own, and what is the group's is in its queue until it goes.
  const both = [
    ...begun.slice(0, 2),
    I.arrived(at1, 0, Packet.subscribe({ filter: 'd', qos: 0 })),
    I.arrived(at1, 0, Packet.subscribe({ filter: '$share/g/d', qos: 1 }, 2)),
    ...begun.slice(4),
    ...toAway(2),
    I.arrived(at2, 0, Packet.subscribe({ filter: '$share/g/d', qos: 1 })),
    I.closed(at1, 0, 'closed'),
  ]
  const handing = { inflightCountMax: 1, sharedOrder: 'prefer online' } as const
  const [, effects] = run(initial({ ...defaults, ...handing }, origin), both)
  const last = effects.at(-1)
  assert.ok(last?._tag === 'Send' && last.conn.slot === 2 && last.packet._tag === 'Publish')
  assert.is(lost(both, handing), null, 'another of the group has it later')
})

shrinking('a message of QoS 2 is given when it is released', () => {
  const two = (packetId: number) =>
    say(2, Packet.publish({ topic: 'd', qos: 2, packetId, payload: Uint8Array.of(packetId) }))
  const release = (packetId: number) =>
    I.arrived(at2, 0, { _tag: 'Pubrel', packetId, reason: 0, properties: {} })
  const begun = [...oneAway(), two(1), two(2)]
  assert.is(lost(begun, narrow), null, 'held')
  assert.is(lost([...begun, I.closed(at2, 0, 'closed')], narrow), null)
  assert.is(lost([...begun, release(1)], narrow), null)
  assert.is(lost([...begun, release(1), release(2)], narrow), 10)
  assert.is(lost([...oneAway(), I.storeFull(0), two(1)]), 8, 'refused')
})

shrinking('the broker loses nothing but what it says', () => {
  const says = new Set(['store full', 'memory short', 'retained store full'])
  fc.assert(
    fc.property(restlessHistory(150), (some) => {
      const { inputs, states } = record(some)
      const clients = new Set(states.flatMap(({ clients }) =>
        [...StrMap.entries(clients)]
          .map(([client]) => client)
      ))
      for (const client of clients) {
        const end = property(`not-delivered:${client}:#`)({ from: states[0]!, inputs }, run)
        if (end === null) continue
        let state = states[0]!
        for (const one of inputs.slice(0, end - 1)) state = run(state, [one])[0]
        const [, effects] = run(state, [inputs[end - 1]!])
        const isSaid = effects.some((one) =>
          one._tag === 'Note' && one.note._tag === 'Dropped' &&
          (one.note.clientId === client || one.note.clientId === null && says.has(one.note.why))
        )
        assert.ok(isSaid, `${client} at input ${end}: ${JSON.stringify(inputs[end - 1])}`)
      }
    }),
    { numRuns: runs(60) },
  )
})

shrinking('what a client is sent is shrunk to why it is', () => {
  const config = { ...defaults, queuedCountMax: 7, receiveMaximum: 5 }
  const shrunk = shrink(initial(config, origin), day(), property('sends:c3:t/3'), how)
  assert.ok(shrunk !== null)
  // Two who connect, a SUBSCRIBE and a PUBLISH.
  assert.is(shrunk.inputs.length, 6)
  assert.equal(shrunk.from.config, defaults, 'no option matters')
})

shrinking('of each packet all goes that need not be said', async () => {
  const story = `# Each packet says more than one thing that is of no matter.

c> connect user "u" keep-alive 60 will [ 'w' "gone" ] session-expiry-interval 9 receive-maximum 5
c> subscribe id1 'a/#' qos1 'b/#' qos1 subscription-identifier 7
p> connect user "u" keep-alive 60 will [ 'w' "gone" ] session-expiry-interval 9
p> publish 'a/b' qos1 id1 retain "${'long '.repeat(50)}" content-type "x" message-expiry-interval 5
----
`
  const folder = mkdtempSync(join(tmpdir(), 'sabethes-shrink-'))
  try {
    writeFileSync(join(folder, 'long.trace'), story)
    const words = [join(folder, 'long.trace'), '--property', 'sends:c:a/b']
    const { status, said } = await hear(shrinkRecording, ...words)
    assert.is(status, 0, said)
    const told = said.slice(0, said.indexOf('----')).trim().split('\n').slice(-4)
    assert.equal(told, [
      'c> connect',
      `c> subscribe id1 'a/#' qos1`,
      'p> connect',
      `p> publish 'a/b' "x"`,
    ])
  } finally {
    rmSync(folder, { recursive: true })
  }
})

shrinking('a slot that is used again is never taken for a fault of the broker', () => {
  const again = { slot: 1, generation: 99 }
  const inputs = [
    opened(1),
    I.closed({ slot: 1, generation: 1 }, 0, 'closed'),
    I.opened(again, 0, '00000000-0000-4000-8000-000000000000', '1883', peer),
    I.arrived(again, 0, Packet.connect({ clientId: 'a' })),
  ]
  const atConnect: Run = (state, some) => {
    const isConnect = some.some((one) => one._tag === 'Arrived' && one.conn.generation === 99)
    if (isConnect && state.links.size > 0) throw new Error('planted')
    return run(state, some)
  }
  const shrunk = shrink(initial(defaults, origin), inputs, property('throws'), {
    ...how,
    broker: atConnect,
  })
  assert.ok(shrunk?.inputs.some((one) => one._tag === 'Arrived'), 'it throws at CONNECT')
})

shrinking('no more trials are made than are allowed', () => {
  const from = initial(defaults, origin)
  const few = shrink(from, day(), property('sends:c3:#'), { ...how, trialsMax: 12 })
  assert.ok(few !== null)
  assert.is(few.trials, 12)
  assert.ok(few.isCutShort)
  assert.ok(few.inputs.length < 460 && few.inputs.length > 4)
})

shrinking('the parts of every state agree, and what does not is found', () => {
  fc.assert(
    fc.property(restlessHistory(80), (some) => {
      for (const state of record(some).states) {
        const wrong = disagreement(state)
        assert.ok(wrong === null, wrong ?? '')
      }
    }),
    { numRuns: runs(60) },
  )
  /** Counts what was sent and not taken as if it had been. */
  const miscounting: Run = (state, inputs) => {
    const [after, effects] = run(state, inputs)
    const session = IntMap.get(after.sessions, 2)
    const isHit = session !== undefined && StrMap.size(session.subscriptions) > 0
    const wrong = isHit ? { ...session, queuedBytes: 1 } : session
    return wrong === undefined
      ? [after, effects]
      : [{ ...after, sessions: IntMap.set(after.sessions, null, 2, wrong) }, effects]
  }
  const from = initial(defaults, origin)
  const shrunk = shrink(from, day(), property('invariants'), { ...how, broker: miscounting })
  assert.ok(shrunk !== null)
  // Three sessions, of which the last subscribes.
  assert.is(shrunk.inputs.length, 7)
})

const asked = async (words: ReadonlyArray<string>, broker?: Run) => {
  let [said, complained] = ['', '']
  const mouth = {
    say: (text: string) => said += text,
    complain: (text: string) => complained += text,
  }
  const status = await shrinkRecording(mouth, words, broker)
  return { status, said, complained }
}

shrinking('the command writes a story or a recording, and says how much is left', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sabethes-shrink-'))
  try {
    const path = join(folder, 'day')
    const from = initial(defaults, origin)
    writeFileSync(path, recordingOf(from, day(), '1', run))
    const story = await asked([path, '--property', 'sends:c3:t/3'])
    assert.is(story.status, 0)
    assert.match(story.complained, /^6 inputs of 460 are left after \d+ trials\.\n$/)
    assert.match(story.said, /^# Recorded by .* Shrunk: sends:c3:t\/3\.\n/)
    const typo = await asked([path, '--property', 'sends:c33:t/3'])
    assert.is(typo.status, 2)
    assert.match(
      typo.complained,
      /\nNo client 'c33' was seen in what was played: did you mean '/,
    )
    const umlaut = join(folder, 'umlaut.trace')
    const told = "# Told.\n\na> connect\na> subscribe id1 'ü'\npublish 'ü' \"x\"\n----\n"
    writeFileSync(umlaut, told)
    assert.match((await asked([umlaut, '--property', 'sends:a:ü'])).said, /Shrunk: sends:a:ü\.\n/)
    const lines = story.said.split('\n')
    for (const line of ['c3> connect v5'.slice(0, 11), "c3> subscribe id1 't/3'"]) {
      assert.ok(lines.some((one) => one.startsWith(line)), `${line} in\n${story.said}`)
    }
    assert.ok(E.isRight(parseStory(story.said, 's')))

    const out = join(folder, 'out')
    const named = [path, '--property', 'sends:c3:t/3', '--out']
    assert.is((await asked([...named, `${out}.trace`])).status, 0)
    assert.is(readFileSync(`${out}.trace`, 'utf8'), story.said)
    assert.is((await asked([...named, out])).status, 0)
    const replay = new Replay()
    const found = readFileSync(out, 'latin1').split('\n').map((line) => replay.line(line))
    assert.is(found.filter((one) => one?._tag === 'Ran' && one.isSame).length, 6)
    // A story can be shrunk as well, and what is as short as it gets stays so.
    const again = await asked([`${out}.trace`, '--property', 'sends:c3:t/3'])
    assert.match(again.complained, /^6 inputs of 6 are left/)

    const planted = await asked([path, '--property', 'not-delivered:c5:t/0', '-o', out], leaky)
    assert.match(planted.complained, /^6 inputs of 460/)
    const none = await asked([path, '--property', 'throws'])
    assert.equal(none, {
      status: 2,
      said: '',
      complained: `It does not fail: throws is not to be seen in ${path}.\n`,
    })

    const config = join(folder, 'conf')
    writeFileSync(config, 'listener 1883\nallow_anonymous true\nmax_qos 0\n')
    const under = await asked([path, '--property', 'differs', '--config', config])
    assert.is(under.status, 0)
    assert.match(under.complained, /^2 inputs of 460/)

    // Another version, which loses messages: the one that this recording was made with.
    const there = join(folder, 'other/dist/core')
    mkdirSync(there, { recursive: true })
    writeFileSync(join(there, 'mod.js'), otherVersion)
    const against = ['--against', join(folder, 'other')]
    const other = await asked([path, '--property', 'differs', ...against])
    assert.is(other.status, 0, other.complained)
    assert.match(other.complained, /^[4-6] inputs of 460/)
    assert.match(other.said, /> publish [^]*----[^]*< publish /)
    assert.is((await asked([path, '--property', 'throws', ...against])).status, 3)
    const both = [path, '--property', 'differs', ...against, '--config', config]
    assert.match((await asked(both)).complained, /compares with one thing/)
    const nowhere = await asked([path, '--property', 'differs', '--against', folder])
    assert.match(nowhere.complained, /has no broker to compare with, in dist\/core\/mod\.js/)
    const diverging = await asked([path, '--property', 'diverges'])
    assert.match(diverging.complained, /not with fewer.*--property differs --against DIR/)
    assert.is(diverging.status, 3)
    // Of a state that runs there is nothing that another version could begin with.
    const since = run(initial(defaults, { at: 0, wall: 0, seed: 1 }), [
      I.opened({ slot: 0, generation: 1 }, 0, nonce, '1883', { address: '192.0.2.1', port: 1 }),
    ])[0]
    const version = { initial, run: leaky }
    const greeting = I.arrived({ slot: 0, generation: 1 }, 0, Packet.connect({ clientId: 'c' }))
    const asking = propertyOf('differs', null, version)
    assert.is(E.isRight(asking) ? asking.right({ from: since, inputs: [greeting] }, run) : 0, null)

    writeFileSync(`${path}.cut`, readFileSync(path, 'latin1').slice(0, 60_000))
    const cut = await asked([`${path}.cut`, '--property', 'sends:c3:#'])
    assert.is(cut.status, 0)
    assert.match(cut.complained, /can be read up to line \d+/)
    assert.is((await asked([join(folder, 'none'), '--property', 'throws'])).status, 2)
    writeFileSync(`${path}.odd`, 'nothing of the kind')
    assert.is((await asked([`${path}.odd`, '--property', 'throws'])).status, 2)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

shrinking('a configuration to compare with outlives a reload of the day', () => {
  const narrow = { ...defaults, queuedCountMax: 1 }
  const inputs = [...oneAway(), I.reconfigured(0, narrow), ...toAway(2)]
  const config: Config = { ...defaults, queuedCountMax: 50 }
  const differs = propertyOf('differs', { config: () => config, knows: () => true })
  assert.ok(E.isRight(differs))
  const from = initial(narrow, origin)
  assert.is(differs.right({ from, inputs }, run), inputs.length, 'the second is refused')
  const shrunk = shrink(from, inputs, differs.right, how)
  assert.ok(shrunk !== null && shrunk.from.config.queuedCountMax === 1)
})

shrinking('under a configuration what a store has kept is there as well', () => {
  const [kept] = run(initial(defaults, origin), [
    ...oneAway(),
    say(2, Packet.publish({ topic: 'r', retain: true, payload: 'x' })),
  ])
  const from = { ...initial(defaults, origin), retained: kept.retained }
  const differs = propertyOf('differs', { config: (config) => config, knows: () => true })
  assert.ok(E.isRight(differs))
  const inputs = [
    opened(3),
    say(3, Packet.connect({ clientId: 'c' })),
    I.arrived({ slot: 3, generation: 3 }, 0, Packet.subscribe({ filter: '#', qos: 1 })),
  ]
  assert.is(differs.right({ from, inputs }, run), null)
  // Who is there sees it before anything has happened.
  const strict: Config = { ...defaults, allowAnonymous: false }
  const refused = propertyOf('differs', { config: () => strict, knows: () => false })
  assert.ok(E.isRight(refused))
  assert.is(refused.right({ from: kept, inputs }, run), 0)
  const shrunk = shrink(kept, inputs, refused.right, { ...how, isNew: false })
  assert.equal(shrunk?.inputs, [])
})

/** A day of three clients, of whom these name themselves; nobody is asked for a password. */
const naming = (userNames: ReadonlyArray<string | null>): ReadonlyArray<Input> =>
  userNames.flatMap((userName, i) => {
    const at = { slot: i + 1, generation: i + 1 }
    const proof = userName === null ? {} : { userName, password: 'swordfish' }
    const properties = { sessionExpiryInterval: 600 }
    const clientId = userName ?? 'nameless'
    const connect = Packet.connect({ clientId, keepAliveS: 0, properties, ...proof })
    const subscribe = Packet.subscribe({ filter: 'd', qos: 1 })
    return [opened(i + 1), I.arrived(at, 0, connect), I.arrived(at, 0, subscribe)]
  })

shrinking(
  'under a configuration with passwords those who are let in see no difference',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sabethes-shrink-'))
    try {
      const users = join(folder, 'users')
      writeFileSync(users, `ann:$6$YWJj$${'A'.repeat(86)}==\n`, { mode: 0o600 })
      const conf = join(folder, 'conf')
      writeFileSync(conf, `listener 1883\nallow_anonymous true\npassword_file ${users}\n`)
      const path = join(folder, 'day')
      const words = [path, '--property', 'differs', '--config', conf]
      const write = (...names: ReadonlyArray<string | null>): void =>
        writeFileSync(path, recordingOf(initial(defaults, origin), naming(names), '1', run))
      write(null, 'ann')
      const same = await asked(words)
      assert.is(same.status, 2, same.said)
      write(null, 'ann', 'bob')
      const other = await asked(words)
      assert.match(other.complained, /^2 inputs of 9 are left/)
      assert.match(other.said, /\nbob> connect .*user "bob"/)
      // Whoever was there when the recording began had no need to say his password again.
      const began = (...names: ReadonlyArray<string | null>): State =>
        run(initial(defaults, origin), naming(names))[0]
      const bobComes = naming([null, 'ann', 'bob']).slice(-3)
      writeFileSync(path, recordingOf(began(null, 'ann'), bobComes, '1', run))
      const later = await asked(words)
      assert.match(later.complained, /^2 inputs of /)
      assert.match(later.said, /\nbob> connect .*user "bob"/)
      // Whoever is away sees nothing, and has to be brought about to be away.
      const away = run(began('bob'), [I.closed({ slot: 1, generation: 1 }, 0, 'closed')])[0]
      writeFileSync(path, recordingOf(away, naming([null, 'ann']).slice(-3), '1', run))
      const none = await asked(words)
      assert.is(none.status, 2, none.said)
    } finally {
      rmSync(folder, { recursive: true })
    }
  },
)

shrinking('its words and the names of properties are taken or refused', async () => {
  const { said } = await asked(['--list'])
  assert.is(said.split('\n').length - 1, properties.length)
  assert.match((await asked(['--help'])).said, /^Usage: sabethes shrink/)
  for (
    const words of [[], ['f'], ['f', 'g', '--property', 'x'], ['f', '--trials', '0'], [
      'f',
      '-x',
      'y',
    ]]
  ) assert.ok(E.isLeft(shrinkWish(words)), words.join(' '))
  for (const name of ['nonsense', 'differs', 'sends:a', 'sends:a:a/#/b', 'not-delivered::t']) {
    assert.ok(E.isLeft(propertyOf(name, null)), name)
  }
  for (
    const [name, meant] of [['thorws', 'throws'], ['send:a:b', 'sends:CLIENT:TOPIC'], [
      'sends:a',
      'sends:CLIENT:TOPIC',
    ]]
  ) {
    const refused = propertyOf(name!, null)
    assert.ok(E.isLeft(refused) && refused.left.includes(`did you mean '${meant}'?`), name)
  }
  const colons = propertyOf('sends:urn:a:b/#', null)
  assert.ok(E.isRight(colons), 'a client identifier may have colons')
})

shrinking.run()
