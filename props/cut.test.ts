// A part of a recording stands by itself: a client is sent in it what it was sent on the day, from
// the same people, at the same time; what goes to others of its shared groups goes to them.

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { defaults } from '../core/broker/config.ts'
import type { Effect } from '../core/broker/effect.ts'
import * as I from '../core/broker/input.ts'
import type { Input } from '../core/broker/input.ts'
import type { State } from '../core/broker/state.ts'
import { initial, run, step } from '../core/mod.ts'
import { E } from '../core/prelude.ts'
import type { Either } from '../core/prelude.ts'
import { cut } from '../core/trace/cut.ts'
import { Aliases, eachSent } from '../core/trace/cut-acks.ts'
import { tellStory } from '../core/trace/golden.ts'
import type { CutWish } from '../core/trace/cut-relevance.ts'
import { Names } from '../core/trace/names.ts'
import type { Batch } from '../core/trace/replay.ts'
import { showInput, showPacket } from '../core/trace/show.ts'
import { parseStory } from '../core/trace/story.ts'
import type { Story } from '../core/trace/story.ts'
import type { History } from './gen/histories.ts'
import { filter, restlessHistory, taciturn, unproved } from './gen/histories.ts'
import { isShortRun, runs } from './gen/settings.ts'
import { record } from './model/play.ts'
import { storyFiles, storyOf } from './story/files.ts'

const cuts = suite('cut')

const right = <A>(found: Either<unknown, A>): A => {
  if (E.isLeft(found)) throw new Error(JSON.stringify(found.left))
  return found.right
}

/** What one client is sent: when, and what of it does not depend on what else happens. */
class Ear {
  readonly heard: Array<string> = []
  private readonly names = new Names()
  private readonly aliases = new Aliases()
  private readonly client: string

  constructor(client: string, from: State) {
    this.client = client
    this.names.know(from)
  }

  take(input: Input, after: State, effects: ReadonlyArray<Effect>): void {
    this.names.learn({ inputs: [input], after })
    eachSent(effects, (generation, packet) => {
      const topic = this.aliases.topicOf(generation, packet)
      if (this.names.of(generation) !== this.client || topic.startsWith('$SYS/')) return
      const plain = { ...packet, topic: '' as const, packetId: 0, dup: false, properties: {} }
      this.heard.push(`${after.now} ${topic} ${showPacket(plain)}`)
    })
  }
}

const batchesOf = (from: State, inputs: ReadonlyArray<Input>): ReadonlyArray<Batch> => {
  let before = from
  return inputs.map((input) => {
    const [after, effects] = step(before, input)
    const batch = { inputs: [input], before, after, effects }
    before = after
    return batch
  })
}

interface Both {
  readonly day: ReadonlyArray<string>
  readonly part: ReadonlyArray<string>
  readonly inputs: ReadonlyArray<Input>
}

/** What a client heard from a moment on, on the day and in the part that is its. */
const heardBy = (
  client: string,
  from: State,
  inputs: ReadonlyArray<Input>,
  wish: CutWish = { client, topic: null },
): Both => {
  const day = new Ear(client, from)
  const batches = batchesOf(from, inputs)
  for (const { inputs: [input], after, effects } of batches) day.take(input!, after, effects)
  const part = cut(from, batches, wish)
  let state = initial(part.config, part.origin)
  const here = new Ear(client, state)
  part.inputs.forEach((input, i) => {
    const [after, effects] = step(state, input)
    state = after
    here.take(input, after, effects)
    if (i < part.first) here.heard.length = 0
  })
  // In which order others come by at one moment depends on how many they are.
  return { day: day.heard.sort(), part: here.heard.sort(), inputs: part.inputs }
}

/** The same under the usual limits. */
const unlimited = ({ config: { listeners, sharedOrder }, commands }: History): History => ({
  config: { ...defaults, listeners, sharedOrder, sysIntervalMs: 0 },
  commands: commands.filter(({ _tag }) => _tag !== 'Memory' && _tag !== 'Reconfigure'),
})

cuts('a client is sent what it was sent on the day', () => {
  let count = 0
  fc.assert(
    fc.property(
      restlessHistory(60).map(unproved).map(taciturn).map(unlimited),
      fc.constantFrom('a', 'b', 'c'),
      (some, client) => {
        const { inputs, states } = record(some)
        const { day, part } = heardBy(client, states[0]!, inputs)
        assert.equal(part, day)
        count += day.length
      },
    ),
    { numRuns: runs(400) },
  )
  if (isShortRun(400)) return
  assert.ok(count > 100, `only ${count} messages`)
})

const inputsOf = (story: Story): ReadonlyArray<Input> => right(tellStory(story, 's')).inputs

const clientsOf = (from: State, inputs: ReadonlyArray<Input>): ReadonlySet<string> => {
  const names = new Names()
  const batches = batchesOf(from, inputs)
  for (const batch of batches) names.learn(batch)
  return new Set(inputs.flatMap((one) => 'conn' in one ? names.of(one.conn.generation) ?? [] : []))
}

cuts('every story has a part for each of its clients', () => {
  let count = 0
  for (const file of storyFiles()) {
    if (/authentication-data/.test(file.text)) continue
    const story = storyOf(file)
    const inputs = inputsOf(story)
    const origin = story.origin ?? { at: 0, wall: 1_800_000_000_000, seed: 1 }
    const from = initial(story.config, origin)
    for (const client of clientsOf(from, inputs)) {
      const { day, part } = heardBy(client, from, inputs)
      assert.equal(part, day, `${file.file}, ${client}`)
      count += day.length
    }
  }
  assert.ok(count > 300, `only ${count} messages`)
})

/** A story from a moment on; answers also what is told of it, in words. */
const partOf = (
  client: string,
  told: string,
  fromMs = 0,
  config = '',
  wish?: CutWish,
): Both & { readonly words: string } => {
  const parsed = parseStory(`# What was.\n${config}\n${told}`, 's')
  if (E.isLeft(parsed)) throw new Error(JSON.stringify(parsed.left))
  const inputs = inputsOf(parsed.right)
  const begun = initial(parsed.right.config, { at: 0, wall: 1_800_000_000_000, seed: 1 })
  let from = begun
  const early = inputs.filter(({ at }) => at < fromMs)
  for (const input of early) from = step(from, input)[0]
  const found = heardBy(client, from, inputs.slice(early.length), wish)
  return { ...found, words: found.inputs.map((one) => showInput(one)).join('\n') }
}

const lamp = `phone> connect session-expiry-interval 600
phone> subscribe id1 'lamp/#'
lamp> connect keep-alive 10 will [ 'lamp/state' "gone" ]
----

tick +9s
lamp> pingreq
tick +9s
lamp> publish 'time' "18 s"
tick +9s
lamp> subscribe id1 'time'
`

cuts('who is there because of what is left out is not missed', () => {
  const stays = partOf('phone', `${lamp}tick +9s\nlamp> publish 'lamp/state' "on"\n----\n`)
  assert.equal(stays.day, [`36000 lamp/state publish '' "on"`])
  assert.equal(stays.part, stays.day)
  assert.is(stays.words.match(/pingreq/g)?.length, 3)
  const dies = partOf('phone', `${lamp}tick +60s\n----\n`)
  assert.equal(dies.day, [`42000 lamp/state publish '' "gone"`])
  assert.equal(dies.part, dies.day)
  // Who says enough about what is told needs no more.
  const often = lamp.replace(/lamp> (ping|publish|subscribe).*/g, `lamp> pingreq\ntick +1s\n$&`)
  assert.is(
    partOf('phone', `${often}lamp> publish 'lamp/state'\n----\n`).words.match(/pingreq/g)?.length,
    2,
  )
})

cuts(
  'what becomes of a will is decided by those who follow, and where it began is no matter',
  () => {
    const told = `phone> connect session-expiry-interval 600
phone> subscribe id1 'lamp/#'
one> connect session-expiry-interval 600 will [ 'lamp/one' "gone" will-delay-interval 30 ]
two> connect session-expiry-interval 600 will [ 'lamp/two' "gone" will-delay-interval 30 ]
three> connect will [ 'lamp/three' "gone" ]
----

at 1000
one lose
two lose
----

at 5000
two> connect session-expiry-interval 600
----

at 10000
three lose
tick +60s
----
`
    for (const fromMs of [0, 3_000]) {
      const { day, part } = partOf('phone', told, fromMs)
      assert.equal(day, [
        `10000 lamp/three publish '' "gone"`,
        `31000 lamp/one publish '' "gone"`,
      ])
      assert.equal(part, day)
    }
  },
)

cuts('what is sent on one connection may have been subscribed to on another', () => {
  const parsed = parseStory(
    `# A phone that comes and goes, and a lamp that takes over from itself.

phone> connect session-expiry-interval 600
phone> subscribe id1 'lamp/#' qos1
phone lose
lamp> connect
lamp> subscribe id1 'lamp/state'
lamp> publish 'lamp/state' qos1 id2 "on"
clock> connect
clock> publish 'time' "12"
phone-2> connect 'phone' session-expiry-interval 600
phone-2> puback id1
lamp-2> connect 'lamp'
phone-2> publish 'lamp/state' "off"
----
`,
    's',
  )
  if (E.isLeft(parsed)) throw new Error(JSON.stringify(parsed.left))
  const inputs = inputsOf(parsed.right)
  const from = initial(defaults, { at: 0, wall: 1_800_000_000_000, seed: 1 })
  const part = cut(from, batchesOf(from, inputs), { client: null, topic: filter('lamp/+') })
  const names = ['phone', 'lamp', 'clock']
  const ears = names.map((name) => [new Ear(name, from), new Ear(name, from)] as const)
  for (const { inputs: [input], after, effects } of batchesOf(from, inputs)) {
    for (const [day] of ears) day.take(input!, after, effects)
  }
  for (const { inputs: [input], after, effects } of batchesOf(from, part.inputs)) {
    for (const [, here] of ears) here.take(input!, after, effects)
  }
  assert.equal(ears.map(([day]) => day.heard.length), [2, 1, 0])
  for (const [day, here] of ears) assert.equal(here.heard, day.heard)
})

cuts('what is sent by an alias from before is known by its topic', () => {
  for (const mountPoint of ['', 'house/']) {
    const config = mountPoint === '' ? '' : `listener "1883" mountPoint="${mountPoint}"\n`
    const { part } = partOf(
      'phone',
      `phone> connect topic-alias-maximum 5
phone> subscribe id1 'lamp/#'
lamp> connect
lamp> publish 'lamp/state' "on"
----

at 3000
lamp> publish 'lamp/state' "off"
----
`,
      2_000,
      config,
    )
    assert.equal(part, [`3000 lamp/state publish '' "off"`])
  }
})

cuts('who shares with a client is there, and takes what is not for it', () => {
  const told = `one> connect receive-maximum 1
one> subscribe id1 '$share/g/job/#' qos1
two> connect session-expiry-interval 600
two> subscribe id1 '$share/g/job/#' qos1
other> connect
other> subscribe id1 '$share/h/job/#'
boss> connect
boss> publish 'job/1' qos1 id1 "first"
boss> publish 'job/2' qos1 id2 "second"
two> puback id1
boss> publish 'job/3' qos1 id3 "third"
boss> publish 'job/4' qos1 id4 "fourth"
one> puback id1
two> puback id2
two> puback id3
two lose
boss> publish 'note' qos1 id5 "fifth"
----
`
  for (const client of ['one', 'two']) {
    const { day, part, words } = partOf(client, told)
    assert.is(day.length, 2)
    assert.equal(part, day, client)
    assert.not.match(words, /other|note/)
  }
})

cuts('who is closed for what is left out is gone there as well', () => {
  const told = `phone> connect
phone> subscribe id1 'lamp/#'
lamp> connect will [ 'lamp/state' "gone" ]
lamp> subscribe id1 'time' qos1
lamp> publish 'time' qos1 id2 "12"
lamp> pubrec id1
----
`
  const { day, part } = partOf('phone', told)
  assert.equal(day, [`0 lamp/state publish '' "gone"`])
  assert.equal(part, day)
})

cuts('what was too much with all that is left out does nothing', () => {
  const rows = [
    [
      'listenerConnectionsMax=2',
      'clock> connect\nlamp> connect will [ \'lamp/state\' "gone" ]',
    ],
    [
      'receiveMaximum=1',
      "lamp> connect\nlamp> publish 'time' qos2 id1\nlamp> publish 'lamp/state' qos1 id2 \"off\"",
    ],
  ]
  for (const [limit, lines] of rows) {
    const told = `phone> connect
phone> subscribe id1 'lamp/#'
${lines}
phone> publish 'lamp/state' "on"
----
`
    const { day, part } = partOf('phone', told, 0, `config ${limit}\n`)
    assert.equal(day, [`0 lamp/state publish '' "on"`])
    assert.equal(part, day, limit)
  }
})

cuts('who is there from the beginning may be sent what was retained on a topic', () => {
  const told = `phone> connect
lamp> connect
lamp> publish 'lamp/state' retain "on"
----

at 3000
phone> subscribe id1 'lamp/#'
----
`
  const wish = { client: null, topic: filter('lamp/state') }
  const { day, part } = partOf('phone', told, 2_000, '', wish)
  assert.equal(day, [`3000 lamp/state publish '' retain "on"`])
  assert.equal(part, day)
})

cuts('who is there from the beginning goes as it went, whatever it was sent after that', () => {
  const told = `phone> connect clean-start
phone> subscribe id1 'lamp/#'
lamp> connect
----

at 3000
phone-2> connect 'phone' clean-start
lamp> publish 'lamp/state' "on"
----
`
  const { day, part } = partOf('phone', told, 2_000, '', {
    client: null,
    topic: filter('lamp/state'),
  })
  assert.equal(day, [])
  assert.equal(part, day)
})

cuts('what a client has to do with its own will from before belongs to a part of its topic', () => {
  const told = `lamp> connect will [ 'lamp/state' "gone" ]
lamp> subscribe id1 'lamp/#'
----

at 3000
lamp> unsubscribe id2 'lamp/#'
stop
----
`
  for (const client of ['lamp', null]) {
    const { day, part } = partOf('lamp', told, 2_000, '', { client, topic: filter('lamp/state') })
    assert.equal(day, [])
    assert.equal(part, day)
  }
})

cuts('where a group has taken in turn what is left out, that is said', () => {
  const told = (members: string): string =>
    `one> connect
one> subscribe id1 '$share/g/#'
${members}
boss> connect
boss> publish 'note' "first"
boss> publish 'job' "second"
----
`
  const untold = (members: string, client: string | null, topic: string): ReadonlyArray<string> => {
    const parsed = right(parseStory(`# A group.\n\n${told(members)}`, 's'))
    const from = initial(parsed.config, { at: 0, wall: 1_800_000_000_000, seed: 1 })
    return cut(from, batchesOf(from, inputsOf(parsed)), { client, topic: filter(topic) }).untold
  }
  const said = ['whose turn it was in shared groups']
  const two = "two> connect\ntwo> subscribe id1 '$share/g/#'"
  assert.equal(untold(two, 'two', 'job'), said)
  assert.equal(untold(two, null, 'job'), said)
  assert.equal(untold(two, 'two', '#'), [])
  assert.equal(untold('', 'one', 'job'), [])
  assert.equal(untold(two.replace('#', 'job'), 'one', 'job'), [])
})

cuts('a client has the name that it has proved', () => {
  const { day, part, words } = partOf(
    'sally',
    `sally> connect 'any' user "sally"
sally judged 0x00
sally> subscribe id1 'a'
harry> connect 'any' user "harry"
harry judged 0x00
harry> publish 'a' "hello"
harry> publish 'b' "nobody"
----
`,
    0,
    'config authentication="judge" userNameAsClientId=true\n',
  )
  assert.equal(day, [`0 a publish '' "hello"`])
  assert.equal(part, day)
  assert.not.match(words, /nobody/)
})

cuts('a mount point is that of who was let in, though a reload comes in the same run', () => {
  const conn = { slot: 0, generation: 1 }
  const inputs = [
    I.opened(conn, 0, '', '1883', { address: '127.0.0.1', port: 1 }),
    I.arrived(conn, 0, {
      _tag: 'Connect',
      level: 5,
      bridge: false,
      cleanStart: true,
      keepAliveS: 0,
      clientId: 'one',
      will: null,
      userName: null,
      password: null,
      properties: {},
    }),
    I.reconfigured(0, { ...defaults, mountPoint: 'new/' }),
  ]
  const from = initial({ ...defaults, mountPoint: 'old/' }, { at: 0, wall: 0, seed: 1 })
  const [after] = run(from, inputs)
  const names = new Names()
  names.learn({ inputs, after })
  assert.is(names.mountPointOf(1), 'old/')
})

cuts.run()
