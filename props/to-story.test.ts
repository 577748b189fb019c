// A recording becomes a story that can be kept, and a story a recording: either way the broker does
// the same. A part of a recording stands by itself; what a snapshot held that no client can say is
// said in a comment.

import fc from 'fast-check'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Input } from '../core/broker/input.ts'
import type { State } from '../core/broker/state.ts'
import { initial, run, step } from '../core/mod.ts'
import * as IntMap from '../core/data/int-map.ts'
import * as StrMap from '../core/data/str-map.ts'
import { E } from '../core/prelude.ts'
import type { Either } from '../core/prelude.ts'
import { cut } from '../core/trace/cut.ts'
import type { Cut } from '../core/trace/cut.ts'
import { goldenStory, tellStory } from '../core/trace/golden.ts'
import { play } from '../core/trace/play.ts'
import { rebuild } from '../core/trace/rebuild.ts'
import { Replay } from '../core/trace/replay.ts'
import type { Batch } from '../core/trace/replay.ts'
import { recordingOf } from '../core/trace/transcript.ts'
import { parseStory, printStory } from '../core/trace/story.ts'
import type { Story } from '../core/trace/story.ts'
import { playRecording } from '../shells/cli/replay.ts'
import { hear } from './mouth.ts'
import { restlessHistory, unproved } from './gen/histories.ts'
import { runs } from './gen/settings.ts'
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
  assert.ok(untold > 10, `only ${untold} were not told`)
})

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
      const { state, untold } = rebuild(from, { client: () => true, topic: () => true })
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
  assert.ok(away > 3, `only ${away} were away`)
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
    assert.match(late, /phone> subscribe id1 'lamp\/#' qos1 retain-handling 2/)
    assert.match(late, /phone< publish 'lamp\/state' qos1 id1 "off"/)
    assert.not.match(late, /"on"/)
    const midst = (await asked(out, '--from', '2.5', '--to-story')).said
    assert.match(midst, /# Not told: 1 message on the way to 'phone' or waiting for it\./)
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
