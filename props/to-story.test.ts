// A recording becomes a story that can be kept, and a story a recording: either way the broker does
// the same. A part of a recording stands by itself; what a snapshot held that no client can say is
// said in a comment.

import fc from 'fast-check'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { defaults } from '../core/broker/config.ts'
import type { Effect } from '../core/broker/effect.ts'
import type { Input } from '../core/broker/input.ts'
import * as I from '../core/broker/input.ts'
import type { Delivery, Passing, State } from '../core/broker/state.ts'
import { isExpired, NEVER } from '../core/broker/state.ts'
import { initial, Packet, run, step } from '../core/mod.ts'
import * as B from '../core/data/bytes.ts'
import * as IntMap from '../core/data/int-map.ts'
import * as Queue from '../core/data/queue.ts'
import * as StrMap from '../core/data/str-map.ts'
import * as Window from '../core/data/window.ts'
import { E } from '../core/prelude.ts'
import type { Either } from '../core/prelude.ts'
import { disagreement } from '../core/trace/agree.ts'
import { cut } from '../core/trace/cut.ts'
import type { Cut } from '../core/trace/cut.ts'
import type { CutWish } from '../core/trace/cut-relevance.ts'
import { Aliases, eachSent } from '../core/trace/cut-acks.ts'
import { goldenStory, tellStory } from '../core/trace/golden.ts'
import { Names } from '../core/trace/names.ts'
import { play } from '../core/trace/play.ts'
import { rebuild } from '../core/trace/rebuild.ts'
import { wholeOf } from '../core/trace/rebuild-owed.ts'
import { Replay } from '../core/trace/replay.ts'
import type { Batch } from '../core/trace/replay.ts'
import { recordingOf } from '../core/trace/transcript.ts'
import { parseStory, printStory, usualOrigin } from '../core/trace/story.ts'
import type { Story } from '../core/trace/story.ts'
import { parseTopicFilter } from '../core/topic/filter.ts'
import { playRecording } from '../shells/cli/replay.ts'
import { hear } from './mouth.ts'
import { type Command, type History, restlessHistory, unproved } from './gen/histories.ts'
import { isShortRun, leastOf, runs } from './gen/settings.ts'
import { record } from './model/play.ts'
import { storyFiles, storyOf } from './story/files.ts'

const stories = suite('to story')

const right = <A>(found: Either<string, A>): A => {
  if (E.isLeft(found)) throw new Error(found.left)
  return found.right
}

const all = { client: null, topic: null }

/** Runs of these sizes from a state on. */
const batchesOf = (from: State, inputs: ReadonlyArray<Input>, size: number): Array<Batch> => {
  const batches: Array<Batch> = []
  let before = from
  for (let at = 0; at < inputs.length; at += size) {
    const some = inputs.slice(at, at + size)
    const [after, effects] = run(before, some)
    batches.push({ inputs: some, before, after, effects })
    before = after
  }
  return batches
}

/** Reads what is printed, and plays it. */
const reread = (story: Story): Story => right(parseStory(printStory(story), 's'))

const effectsOf = (story: Story): ReadonlyArray<string> =>
  story.stanzas.flatMap((one) => one.effects)

/** Packets that leave, without names of connections. */
const sentBy = ({ config, origin, inputs }: Cut): ReadonlyArray<string> => {
  let state = initial(config, origin)
  return inputs.flatMap((input) => {
    const [after, effects] = step(state, input)
    state = after
    return effects.flatMap((one) => one._tag === 'Send' ? [one.packet._tag] : [])
  })
}

stories('a recording becomes a story in which the broker does the same, packet by packet', () => {
  fc.assert(
    fc.property(restlessHistory(60).map(unproved), fc.integer({ min: 1, max: 9 }), (some, size) => {
      const { inputs, states } = record(some)
      const part = cut(states[0]!, batchesOf(states[0]!, inputs, size), all)
      assert.equal(part.untold, [])
      const story = reread(right(goldenStory('It happened.', part)))
      const { differing, inputs: told } = right(tellStory(story, 's'))
      assert.equal(differing, [], 'what is written is what happens')
      const again = sentBy({ ...part, origin: story.origin!, inputs: told })
      assert.equal(again, sentBy(part))
    }),
    { numRuns: runs(100) },
  )
})

stories('a recording that began in the midst becomes a story that can be told', () => {
  let untold = 0
  fc.assert(
    fc.property(
      restlessHistory(80).map(unproved),
      fc.nat({ max: 99 }),
      fc.constantFrom(null, 'a', 'b'),
      fc.constantFrom(null, '#', 't/+'),
      (some, place, client, topic) => {
        const { inputs, states } = record(some)
        const from = Math.floor((inputs.length * place) / 100)
        const batches = batchesOf(states[from]!, inputs.slice(from), 3)
        const part = cut(states[from]!, batches, { client, topic: topic as null })
        untold += part.untold.length
        const story = reread(right(goldenStory('It happened.', part)))
        assert.equal(right(tellStory(story, 's')).differing, [])
        for (const one of part.untold) {
          assert.ok(story.title.includes(`Not told: ${one}.`), one)
        }
      },
    ),
    { numRuns: runs(100) },
  )
  if (isShortRun(100)) return
  assert.ok(untold > 2, `only ${untold} were not told`)
})

const someBusy = (sessions: State['sessions']): boolean => {
  let found = false
  IntMap.each(sessions, ({ window, queue, incoming, willAt }) => {
    found ||= Window.size(window) + Queue.size(queue) + Window.size(incoming) > 0 ||
      willAt !== NEVER
  })
  return found
}

/** Whether there are bytes under way that may be too many with a few more. */
const someClogged = ({ sessions }: State): boolean => {
  let found = false
  IntMap.each(sessions, ({ conn, sentBytes, takenBytes }) => {
    found ||= conn !== null && sentBytes - takenBytes > 16 * 1024
  })
  return found
}

/** What is sent behind what was brought about. */
const sentBehind = ({ config, origin, inputs, first }: Cut): ReadonlyArray<string> => {
  let state = initial(config, origin)
  return inputs.flatMap((input, i) => {
    const [after, effects] = step(state, input)
    state = after
    if (i < first) return []
    return effects.flatMap((one) =>
      one._tag === 'Send'
        ? [`${one.packet._tag} ${'reason' in one.packet && one.packet.reason}`]
        : []
    )
  })
}

const guest = { slot: 0, generation: 1 }
const greet = (userName: string): ReadonlyArray<Input> => [
  I.opened(guest, 1, '00000000-0000-4000-8000-000000000001', '1883', {
    address: '127.0.0.1',
    port: 5,
  }),
  I.arrived(guest, 1, Packet.connect({ clientId: 'a', userName })),
]
const morning = { at: 0, wall: 1_800_000_000_000, seed: 1 }

stories('who was turned away for want of memory is turned away in the story', () => {
  const [from] = run(initial(defaults, morning), [I.memoryShort(1)])
  const part = cut(from, batchesOf(from, greet('u'), 1), all)
  assert.equal(sentBehind(part), ['Connack 151'])
})

stories('who was about to be expelled is expelled in the story', () => {
  const revocation = { listener: '1883', userNames: ['u'] }
  const [from] = run(initial(defaults, morning), [
    ...greet('u'),
    I.commanded(2, { _tag: 'Revoke', revocation }),
  ])
  assert.ok(from.recheck !== null)
  const part = cut(from, batchesOf(from, [I.ticked(3, morning.wall + 3)], 1), all)
  assert.equal(sentBehind(part), ['Disconnect 135'])
})

stories(
  'what was due in less than a second comes all the same, though nobody is woken then',
  () => {
    const watcher = { slot: 1, generation: 2 }
    const will = { topic: 't/will', payload: 'gone', properties: { willDelayInterval: 5 } }
    const properties = { sessionExpiryInterval: 1 }
    const connect = Packet.connect({ clientId: 'a', will, properties })
    const peer = { address: '127.0.0.1', port: 5 }
    const [from] = run(initial(defaults, morning), [
      I.opened(guest, 1, '00000000-0000-4000-8000-000000000001', '1883', peer),
      I.arrived(guest, 1, connect),
      I.opened(watcher, 1, '00000000-0000-4000-8000-000000000002', '1883', peer),
      I.arrived(watcher, 1, Packet.connect({ clientId: 'b' })),
      I.arrived(watcher, 1, Packet.subscribe('t/#')),
      I.closed(guest, 2, 'closed'),
      I.written(watcher, 900, 0),
    ])
    // The session ends at 1002, and its will goes with it. Here it ends at 1900.
    const day = [
      I.ticked(1002, morning.wall + 1002),
      I.arrived(watcher, 5000, Packet.publish({ topic: 't/later' })),
    ]
    const part = cut(from, batchesOf(from, day, 1), all)
    assert.equal(part.untold, [])
    assert.equal(sentBehind(part), ['Publish false', 'Publish false'])
  },
)

const someAway = (sessions: State['sessions']): boolean => {
  let found = false
  IntMap.each(sessions, ({ conn }) => {
    found ||= conn === null
  })
  return found
}

stories('what is brought about by inputs is here or away as it was, or a comment says so', () => {
  let away = 0
  fc.assert(
    fc.property(restlessHistory(60).map(unproved), fc.nat({ max: 99 }), (some, place) => {
      const all = record(some).states
      // Few moments have a session that waits; those are what this is about.
      const waiting = all.filter(({ sessions }) => someAway(sessions))
      const states = waiting.length > 0 ? waiting : all
      const from = states[Math.floor(((states.length - 1) * place) / 100)]!
      const { state, untold } = rebuild(from, everything)
      IntMap.each(from.sessions, ({ clientId, conn }) => {
        if (untold.some((one) => one.includes('session of'))) return
        const number = StrMap.get(state.clients, clientId)
        const session = number === undefined ? undefined : IntMap.get(state.sessions, number)
        assert.is(session?.conn === null, conn === null, clientId)
        if (conn === null) away += 1
      })
    }),
    { numRuns: runs(60) },
  )
  if (isShortRun(60)) return
  assert.ok(away > 3, `only ${away} were away`)
})

const everything = {
  client: () => true,
  speaker: () => true,
  leaver: () => true,
  topic: () => true,
  message: () => true,
  share: () => true,
}

/** What is on its way to a client or waits for it, and what the client has not released. */
const owedIn = (state: State, clientId: string) => {
  const number = StrMap.get(state.clients, clientId)
  const session = number === undefined ? undefined : IntMap.get(state.sessions, number)
  if (session === undefined) return null
  const ids: Array<string> = []
  const messages: Array<readonly [order: number, text: string]> = []
  const textOf = (one: Delivery | Passing): string => {
    const message = one.stage === 'passing' ? wholeOf(one.message) : one.message
    const { terms } = one
    return [
      message.topic,
      new TextDecoder().decode(B.view(message.payload)),
      message.qos,
      terms.qos,
      terms.retain,
      terms.identifiers.join('+'),
      terms.share?.group,
      message.properties.messageExpiryInterval === undefined,
      message.properties.contentType,
      JSON.stringify(message.properties.userProperties ?? []),
    ].join(' ')
  }
  for (const [packetId, one] of Window.entries(session.window)) {
    ids.push(`${packetId} ${one.stage === 'released'}`)
    messages.push([one.order, one.stage === 'released' ? 'released' : textOf(one)])
  }
  messages.sort(([one], [other]) => one - other)
  for (const one of Queue.entries(session.queue)) {
    if (!isExpired(one.message, state.now)) messages.push([one.order, textOf(one)])
  }
  return {
    ids: ids.sort(),
    next: session.nextPacketId,
    messages: messages.map(([, text]) => text),
    held: [...Window.entries(session.incoming)].flatMap(([packetId, { message }]) =>
      message === null ? [] : [`${packetId} ${message.topic} ${B.size(message.payload)}`]
    ).sort(),
    hasWill: session.willAt !== NEVER,
  }
}

/** What is left of a time can only be told in whole seconds. */
const timeless = (command: Command): Command => {
  switch (command._tag) {
    case 'Connect': {
      const { will, sessionExpiryS } = command
      return {
        ...command,
        // It counts anew from where a story begins.
        keepAliveS: 0,
        sessionExpiryS: sessionExpiryS === null ? null : 100_000,
        will: will === null ? null : { ...will, expiryS: null },
      }
    }
    case 'Publish':
    case 'Own':
      return { ...command, expiryS: null }
    default:
      return command
  }
}

/** Nobody's room is short, and the operator changes nothing. */
const calm = ({ config, commands }: History): History => {
  const { inflightCountMax, queueQos0, sharedOrder, sharedOffline } = config
  const common = { ...defaults, sysIntervalMs: 0, inflightCountMax, queueQos0 }
  const loud = ['Rights', 'Memory', 'Reconfigure', 'Stop']
  return {
    config: { ...common, sharedOrder, sharedOffline, listeners: [['1884', defaults]] },
    commands: commands.filter(({ _tag }) => !loud.includes(_tag)).map(timeless),
  }
}

/** A moment at which something is under way, if there is one: how it is then, and what follows. */
const atBusyMoment = (some: History, place: number) => {
  const { inputs, states } = record(some)
  const busy = states.flatMap(({ sessions }, i) => someBusy(sessions) ? [i] : [])
  const among = busy.length > 0 ? busy : [...states.keys()]
  const at = among[Math.floor(((among.length - 1) * place) / 100)]!
  return { from: states[at]!, inputs: inputs.slice(at) }
}

stories('what is brought about owes all the same, or a comment says whom it does not', () => {
  fc.assert(
    fc.property(restlessHistory(80).map(unproved), fc.nat({ max: 99 }), (some, place) => {
      const { from } = atBusyMoment(some, place)
      const { state, untold } = rebuild(from, everything)
      assert.is(disagreement(state), null)
      IntMap.each(from.sessions, ({ clientId }) => {
        if (untold.some((one) => one.includes(`'${clientId}'`))) return
        const was = owedIn(from, clientId)!
        const is = owedIn(state, clientId)
        assert.equal(is?.messages, was.messages, clientId)
        assert.equal(is?.held, was.held, clientId)
        assert.is(is?.hasWill, was.hasWill, clientId)
      })
    }),
    { numRuns: runs(100) },
  )
})

stories('hardly anything is owed that cannot be brought about by inputs', () => {
  const all = { messages: 0, ids: 0, held: 0, wills: 0 }
  const again = { ...all }
  fc.assert(
    fc.property(restlessHistory(80).map(unproved).map(calm), fc.nat({ max: 99 }), (some, place) => {
      const { from } = atBusyMoment(some, place)
      const { state } = rebuild(from, everything)
      IntMap.each(from.sessions, ({ clientId }) => {
        const was = owedIn(from, clientId)!
        const is = owedIn(state, clientId)
        all.messages += was.messages.length
        all.ids += was.ids.length
        all.held += was.held.length
        all.wills += was.hasWill ? 1 : 0
        if (is === null) return
        again.messages += was.messages.filter((one) => is.messages.includes(one)).length
        again.held += was.held.filter((one) => is.held.includes(one)).length
        again.ids += was.ids.filter((one) => is.ids.includes(one)).length
        again.wills += is.hasWill && was.hasWill ? 1 : 0
      })
    }),
    { numRuns: runs(100) },
  )
  if (isShortRun(100)) return
  const says = JSON.stringify({ all, again })
  const [many, some] = [leastOf(20, 100), leastOf(10, 100)]
  assert.ok(all.messages > many && all.ids > some && all.held > some, says)
  for (const key of ['messages', 'ids', 'held', 'wills'] as const) {
    assert.ok(again[key] >= all[key] * 0.8, says)
  }
})

/** What each client is sent of messages, without what each broker has its own of. */
const messagesSent = (
  effects: ReadonlyArray<Effect>,
  names: Names,
  aliases: Aliases,
  sent: Map<string, Array<string>>,
): void => {
  const now = new Map<string, Array<string>>()
  eachSent(effects, (generation, packet) => {
    const topic = aliases.topicOf(generation, packet)
    const client = names.of(generation) ?? ''
    const some = now.get(client) ?? []
    now.set(client, some)
    const payload = new TextDecoder().decode(B.view(packet.payload))
    some.push(`${topic} ${packet.qos} ${packet.retain} ${packet.dup} ${payload}`)
  })
  // Nothing says in which order a client gets a message by several of its subscriptions.
  for (const [client, some] of now) {
    sent.set(client, [...(sent.get(client) ?? []), ...some.sort()])
  }
}

stories('what follows on what was brought about is what followed on the day', () => {
  let same = 0
  fc.assert(
    fc.property(restlessHistory(80).map(unproved).map(calm), fc.nat({ max: 99 }), (some, place) => {
      const { from, inputs } = atBusyMoment(some, place)
      const batches = batchesOf(from, inputs, 1)
      const part = cut(from, batches, all)
      if (part.untold.length > 0 || batches.length === 0 || someClogged(from)) return
      const names = new Names()
      names.know(from)
      for (const batch of batches) names.learn(batch)
      const was = new Map<string, Array<string>>()
      const is = new Map<string, Array<string>>()
      const [early, late] = [new Aliases(), new Aliases()]
      for (const { effects } of batches) messagesSent(effects, names, early, was)
      let state = initial(part.config, part.origin)
      part.inputs.forEach((input, i) => {
        const [after, effects] = step(state, input)
        state = after
        if (i >= part.first) messagesSent(effects, names, late, is)
      })
      assert.equal(is, was)
      for (const [, sent] of was) same += sent.length
    }),
    { numRuns: runs(100) },
  )
  if (isShortRun(100)) return
  assert.ok(same > leastOf(20, 100), `only ${same} messages`)
})

stories('every story becomes a recording, which becomes the same story', () => {
  let count = 0
  for (const file of storyFiles()) {
    const story = storyOf(file)
    const { inputs, differing } = right(tellStory(story, file.file))
    assert.equal(differing, [], file.file)
    // Of secrets there is nothing in a recording.
    if (file.text.includes('authentication-data')) continue
    const from = initial(story.config, story.origin ?? { at: 0, wall: 1_800_000_000_000, seed: 1 })
    const replay = new Replay()
    const batches: Array<Batch> = []
    let began: State | null = null
    for (const line of new TextDecoder().decode(recordingOf(from, inputs, '1', run)).split('\n')) {
      const found = line === '' ? null : replay.line(line)
      if (found?._tag === 'Began') began = found.state
      if (found?._tag === 'Ran') batches.push(found.batch)
    }
    assert.ok(began !== null)
    const golden = right(goldenStory('It happened.', cut(began, batches, all)))
    const wanted = right(play(story, file.file)).stanzas.flatMap(({ lines }) =>
      lines.flatMap(({ act, texts }) =>
        act._tag === 'State' || act._tag === 'Deadline' ? [] : texts
      )
    )
    const seen = effectsOf(golden)
    assert.is(
      seen.length,
      wanted.length,
      `${file.file}\n${wanted.join('\n')}\n\n${seen.join('\n')}`,
    )
    count += 1
  }
  assert.ok(count > 100)
})

const asked = (...words: ReadonlyArray<string>) => hear(playRecording, ...words)

const told = `# A lamp and a phone, and somebody else.

phone> connect
phone> subscribe id1 'lamp/#' qos1
clock> connect
clock> subscribe id1 '#' qos1
lamp> connect
----

at 1000
clock> publish 'time' qos1 id1 "12"
----

at 2000
lamp> publish 'lamp/state' qos1 id1 "on"
----

at 3000
clock> puback id1
clock> puback id2
phone> puback id1
----

at 4000
lamp> publish 'lamp/state' qos1 id1 "off"
phone lose
----
`

const midst = `# Everything that can be under way.

phone> connect
phone> subscribe id1 'a/#' qos2
watch> connect v4
watch> subscribe id1 'a/1' qos1
desk> connect session-expiry-interval 600
desk> subscribe id1 'a/+' qos1
lamp> connect session-expiry-interval 600 will [ 'gone' "lamp" will-delay-interval 60 ]
door> connect
publish 'a/0' retain qos1 id1 "old"
----

at 1000
door> publish 'a/1' qos1 id1 "taken"
phone> puback id2
desk> puback id2
watch> puback id1
door> publish 'a/1' qos2 id2 "flying"
door> pubrel id2
phone> pubrec id3
desk> puback id1
desk lose
lamp fail
door> publish 'a/2' qos1 id1 "waiting"
door> publish 'a/2' qos2 id7 "held"
----

at 3000
watch> puback id2
phone> pubcomp id3
door> pubrel id7
desk-2> connect 'desk' session-expiry-interval 600
----

tick +60s
----
`

stories('what is under way when the part begins is brought about first', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sabethes-story-'))
  try {
    const path = join(folder, 'midst.trace')
    writeFileSync(path, midst)
    const whole = await asked(path, '--to-recording', join(folder, 'day'))
    assert.is(whole.status, 0)
    const day = join(folder, 'day')
    const after = (text: string): string => text.slice(text.indexOf('\nat 3000\n'))
    const part = (await asked(day, '--from', '2', '--to-story')).said
    assert.not.match(part, /Not told/)
    assert.is(after(part), after((await asked(day, '--to-story')).said))
    assert.match(after(part), /desk-2< publish 'a\/1' qos1 id3 dup "flying"\n/)
    assert.match(after(part), /phone< publish 'a\/2' qos2 id5 "held"\n/)
    assert.match(after(part), /will of 'lamp' published: 'gone'/)
    const door = (await asked(day, '--from', '2', '--topic', 'a/2', '--to-story')).said
    assert.not.match(door, /"flying"/)
    assert.match(after(door), /phone< publish 'a\/2' qos2 id\d "held"\n/)
    const desk = (await asked(day, '--from', '2', '--client', 'desk', '--to-story')).said
    // Of others only who speaks to it is there.
    assert.match(desk, /door> publish 'a\/2' qos2 id7 "held"\n/)
    assert.not.match(desk, /phone|watch/)
    assert.match(after(desk), /door> pubrel id7\n[^]*desk-2< publish 'a\/2' qos1 id5 "held"\n/)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

/** The story of what comes after the second second, and whether it is what came on the day. */
const afterTwo = async (told: string) => {
  const folder = mkdtempSync(join(tmpdir(), 'sabethes-story-'))
  try {
    const path = join(folder, 'told.trace')
    writeFileSync(path, `# What was.\n\n${told}`)
    const whole = (await asked(path, '--to-story')).said
    const { said } = await asked(path, '--from', '2', '--to-story')
    const after = (text: string): string => text.slice(text.search(/\nat 3000\n|\nat 2200\n/))
    return { said, isSame: after(said) === after(whole), untold: /Not told: (.*)/.exec(said)?.[1] }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const losing = `# Three messages for a phone that is away, of which two may wait.
config queuedCountMax=2

phone> connect session-expiry-interval 600
phone> subscribe id1 'lamp/#' qos1
phone lose
lamp> connect
lamp> publish 'lamp/1' qos1 id1 "a"
lamp> publish 'lamp/2' qos1 id2 "b"
lamp> publish 'lamp/3' qos1 id3 "c"
lamp> publish 'lamp/0' "d"
lamp> publish 'else' qos1 id4 "e"
----
`

stories('what a client has lost belongs to its part, and so does what waits for it', () => {
  const story = right(parseStory(losing, 's'))
  const inputs = right(play(story, 's')).stanzas
    .flatMap(({ lines }) => lines.flatMap((one) => one.inputs))
  const from = initial(story.config, usualOrigin)
  const partOf = (wish: CutWish): string =>
    printStory(
      right(goldenStory('It happened.', cut(from, batchesOf(from, inputs, 3), wish))),
    )
  const ofPhone = partOf({ client: 'phone', topic: null })
  assert.match(ofPhone, /lamp> publish 'lamp\/1'[^]*lamp> publish 'lamp\/2'/)
  assert.match(ofPhone, /- dropped 'lamp\/3' qos1 for 'phone': queue full/)
  assert.match(ofPhone, /- dropped 'lamp\/0' qos0 for 'phone': offline/)
  assert.not.match(ofPhone, /'else'/)
  const ofTopic = partOf({ client: null, topic: right(parseTopicFilter('lamp/3')) })
  assert.match(ofTopic, /phone> subscribe id1 'lamp\/#' qos1/)
})

stories('who is away leaves after what is not for him', async () => {
  const { said, untold } = await afterTwo(`all> connect session-expiry-interval 600
all> subscribe id1 '#' qos1 retain-as-published
one> connect session-expiry-interval 600
one> subscribe id1 'one' qos1
one lose
publish 'one' qos1 id1 "for one"
all> puback id1
all lose
publish 'two' qos1 id1 retain "for all"
----

at 3000
all> connect session-expiry-interval 600
one> connect session-expiry-interval 600
----
`)
  assert.is(untold, undefined)
  assert.not.match(said, /all\S*< publish 'one'/)
  assert.match(said, /one-2< publish 'one' qos1 id1 "for one"/)
  assert.match(said, /all-2< publish 'two' qos1 id1 retain "for all"/)
})

stories('who has taken a message is not sent it with the others', async () => {
  const { said, isSame, untold } = await afterTwo(`quick> connect
quick> subscribe id1 'a' qos1
slow> connect
slow> subscribe id1 'a' qos1
publish 'a' qos1 id1 "once"
quick> puback id1
----

at 3000
slow> puback id1
publish 'a' qos1 id1 "twice"
----
`)
  assert.is(untold, undefined)
  // That it has had an identifier is not worth a message.
  assert.not.match(said, /quick< publish 'a' qos1 id\d "once"/)
  assert.match(said, /slow< publish 'a' qos1 id1 "once"[^]*slow< publish 'a' qos1 id2 "twice"/)
  assert.not.ok(isSame)
})

stories('what an alias stands for is said where it was set before', async () => {
  const { said, untold } = await afterTwo(`lamp> connect
lamp> publish 'lamp/state' "on" topic-alias 1
phone> connect
phone> subscribe id1 'lamp/#'
----

at 3000
lamp> publish '' "off" topic-alias 1
lamp> publish '' "on" topic-alias 1
----
`)
  assert.is(untold, undefined)
  assert.match(
    said,
    /lamp> publish 'lamp\/state' "off" topic-alias 1\nlamp> publish '' "on" topic-/,
  )
  assert.match(said, /phone< publish 'lamp\/state' "off"\nphone< publish 'lamp\/state' "on"\n$/)
})

stories('what is retained below a dollar is retained again', async () => {
  const { said, isSame, untold } = await afterTwo(`lamp> connect
lamp> publish '$lamp' retain "on"
lamp> publish '$lamp/1' retain "off"
lamp> publish '$other/a/b' retain "x"
lamp> publish 'plain' retain "y"
phone> connect
----

at 3000
phone> subscribe id1 '$lamp/#' '$other/+/b' 'plain'
----
`)
  assert.is(untold, undefined)
  assert.is(said.match(/phone< publish '[^\n]* retain "/g)?.length, 4)
  assert.ok(isSame)
})

stories('that a held message has expired is said, and one without any time is held', async () => {
  const held = (expiryS: number): string =>
    `lamp> connect
lamp> publish 'lamp/state' qos2 id1 "on" message-expiry-interval ${expiryS}
phone> connect
phone> subscribe id1 'lamp/#'
----

at 1500
phone> pingreq
----

at 2200
lamp> pubrel id1
----
`
  const expired = await afterTwo(held(1))
  assert.is(expired.untold, "that 1 QoS 2 message of 'lamp' not released yet had expired.")
  const timeless = await afterTwo(held(0))
  assert.is(timeless.untold, undefined)
  assert.ok(timeless.isSame)
  const lasting = await afterTwo(held(60))
  assert.is(lasting.untold, undefined)
})

stories('where members of a group join in another order, that is said', async () => {
  const { untold } = await afterTwo(`one> connect
one> subscribe id1 '$share/g/a' qos1
two> connect
two> subscribe id1 '$share/g/a' qos1
one> subscribe id2 'b' qos1
publish 'b' qos1 id1 "taken"
one> puback id1
publish 'b' qos1 id1 "under way"
----

at 3000
publish 'a' qos1 id1 "whose?"
----
`)
  assert.is(untold, 'whose turn it was in shared groups.')
})

const sharing = (members: string, count: number): string => {
  const first = [...Array(count).keys()].map((i) => `publish 'a' "${i}"\n`).join('')
  return `one> connect
one> subscribe id1 '$share/g/a'
${members}other> connect
other> subscribe id1 'b'
${first}----

at 3000
publish 'a' "whose?"
publish 'b' "everybody's"
----
`
}

stories('whose turn it was is only said where it is somebody else now', async () => {
  const two = "two> connect\ntwo> subscribe id1 '$share/g/a'\n"
  const said = 'whose turn it was in shared groups.'
  assert.is((await afterTwo(sharing(two, 1))).untold, said)
  for (const told of [sharing(two, 2), sharing('', 1)]) {
    const { untold, isSame } = await afterTwo(told)
    assert.is(untold, undefined)
    assert.ok(isSame)
  }
})

stories('whose turn it was in groups of others is not said', () => {
  const two = sharing("two> connect\ntwo> subscribe id1 '$share/g/a'\n", 3)
  const story = right(parseStory(`# A.\n\n${two}`, 's'))
  const all = right(tellStory(story, 's')).inputs
  const [from] = run(initial(defaults, morning), all.slice(0, -2))
  assert.is(IntMap.size(from.turns), 1)
  const rest = batchesOf(from, all.slice(-2), 1)
  const untold = (client: string | null, topic: string | null): ReadonlyArray<string> =>
    cut(from, rest, { client, topic: topic as null }).untold
  const said = ['whose turn it was in shared groups']
  assert.equal(untold('one', null), said)
  assert.equal(untold(null, 'a'), said)
  assert.equal(untold('other', null), [])
  assert.equal(untold(null, 'b'), [])
})

stories('a part of a recording is cut out, and acknowledgements follow the messages', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sabethes-story-'))
  try {
    const path = join(folder, 'day.trace')
    writeFileSync(path, told)
    const open = await asked(path, '-q')
    assert.is(open.status, 1, 'nothing is written below its ----')
    const whole = await asked(path, '--to-story')
    assert.is(whole.status, 0)
    writeFileSync(path, whole.said)
    const same = await asked(path, '-q')
    assert.is(same.status, 0)
    assert.match(same.said, /All stanzas come to what is written\.\n$/)
    assert.is((await asked(path, '--to-story')).said, whole.said)

    const out = join(folder, 'day')
    assert.is((await asked(path, '--to-recording', out)).status, 0)
    assert.is(
      (await asked(out, '--to-story')).said.split('\n\n').slice(1).join(),
      whole.said
        .split('\n\n').slice(1).join(),
    )

    const phone = (await asked(out, '--client', 'phone', '--to-story')).said
    assert.not.match(phone, /clock[<>]|'time'/)
    assert.match(phone, /lamp> publish 'lamp\/state' qos1 id1 "on"\n----\nphone< publish/)
    // The clock's second message is its first where the time is left out.
    const lamp = (await asked(out, '--topic', 'lamp/#', '--to-story')).said
    assert.match(lamp, /clock> puback id1\nphone> puback id1\n/)
    assert.not.match(lamp, /puback id2|'time'/)
    const late = (await asked(out, '--from', '3.5', '--to-story')).said
    assert.match(late, /phone> subscribe id1 'lamp\/#' qos1\n/)
    assert.match(late, /phone< publish 'lamp\/state' qos1 id1 "off"/)
    assert.not.match(late, /"on"/)
    const own = (await asked(out, '--from', '3.5', '--client', 'phone', '--to-story')).said
    assert.match(own, /lamp> publish 'lamp\/state' qos1 id1 "off"\n[^]*phone< publish [^\n]*"off"/)
    assert.not.match(own, /^clock/m)
    const midst = (await asked(out, '--from', '2.5', '--to-story')).said
    assert.not.match(midst, /# Not told/)
    // What was on its way is on its way again, and is acknowledged when it was.
    assert.match(midst, /publish 'lamp\/state' qos1 id1 "on"\n[^]*at 3000\n[^]*phone> puback id1\n/)
    const early = (await asked(out, '--until', '1', '--to-story')).said
    assert.not.match(early, /lamp\/state/)

    const wrong = join(folder, 'wrong.trace')
    writeFileSync(wrong, whole.said.replace('phone< publish', 'phone< pubrec'))
    const differs = await asked(wrong, '-q')
    assert.is(differs.status, 1)
    assert.match(differs.said, /wrong\.trace:\d+: this comes to something else[^]*- phone< pubrec/)
    writeFileSync(wrong, '# Nothing.\n\nphone> dance\n')
    const bad = await asked(wrong, '-q')
    assert.is(bad.status, 2)
    assert.match(bad.complained, /wrong\.trace:3: dance is no packet/)
    writeFileSync(`${out}.cut`, readFileSync(out, 'latin1').slice(0, -400))
    const cut = await asked(`${out}.cut`, '--to-story')
    assert.is(cut.status, 2)
    assert.match(cut.said, /lamp\/state/)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

stories.run()
