// Conversations are the specification that a person can read: props/traces/*.trace. Each story is
// played to the broker and must come to exactly the effects that it tells; it cites the clauses of
// the standard that it shows. UPDATE=1 writes the effects anew. Only commit what that changes if
// you understand why it changed and want it so.
//
// And the form itself keeps its laws: what show writes is read back as the same thing, every line
// is understood or refused with its place and a remedy, and a recording of any history becomes a
// story that plays the same inputs.

import fc from 'fast-check'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Input } from '../core/broker/input.ts'
import { decode, encode } from '../core/codec/mod.ts'
import type { Level, Packet } from '../core/codec/packet.ts'
import * as B from '../core/data/bytes.ts'
import { E, O } from '../core/prelude.ts'
import type { Either } from '../core/prelude.ts'
import { decodeInput, encodeInput, encodePacket } from '../core/trace/json.ts'
import { takePacket } from '../core/trace/packet-text.ts'
import { play } from '../core/trace/play.ts'
import type { Played } from '../core/trace/play.ts'
import { showEffect, showInput, showNote, showPacket } from '../core/trace/show.ts'
import type { Story } from '../core/trace/story.ts'
import { parseStory, printStory, storyOfInputs } from '../core/trace/story.ts'
import { examples, readAct, writeAct } from '../core/trace/verb.ts'
import { quote, readBytes, showBytes, unquote, words } from '../core/trace/words.ts'
import { restlessHistory, unproved } from './gen/histories.ts'
import * as gen from './gen/inputs.ts'
import { levels, packet as packetAt } from './gen/packets.ts'
import { runs } from './gen/settings.ts'
import { record } from './model/play.ts'
import { originAt, originWall } from './model/world.ts'
import { citations, statementIds, storyFiles, storyOf, tracesFolder } from './story/files.ts'
import type { StoryFile } from './story/files.ts'

const right = <A>(found: Either<string, A>): A => {
  if (E.isLeft(found)) throw new Error(found.left)
  return found.right
}

/** Nothing in it that ends a line, changes the direction of writing or rings a bell. */
const isOneLine = (line: string): boolean =>
  [...line].every((char) => char >= ' ' && !/[\u007f-\u009f\u2028\u2029\u202a-\u202e]/.test(char))

const form = suite('the form of stories')

form('every verb and every packet has an example, which reads and writes as itself', () => {
  assert.ok(examples.length >= 30)
  for (const example of examples) assert.is(writeAct(right(readAct(example))), example)
})

form('unquote() reads what quote() writes, and a line stays a line', () => {
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme-composite' }))
  fc.assert(
    fc.property(text, fc.constantFrom<"'" | '"'>("'", '"'), (some, mark) => {
      const written = quote(some, mark)
      assert.ok(isOneLine(written))
      assert.is(unquote(written, mark), some)
      assert.equal(words(`a ${written} b`).tokens, ['a', written, 'b'])
    }),
    { numRuns: runs(500) },
  )
})

form('readBytes() reads what showBytes() writes', () => {
  const stretch = fc.oneof(
    fc.uint8Array({ maxLength: 20 }),
    fc.string({ unit: 'binary', maxLength: 9 }).map((some) => new TextEncoder().encode(some)),
    fc.tuple(fc.nat({ max: 255 }), fc.integer({ min: 14, max: 70_000 })).map(([byte, count]) =>
      new Uint8Array(count).fill(byte)
    ),
  )
  fc.assert(
    fc.property(fc.array(stretch, { maxLength: 4 }), (some) => {
      const bytes = B.of(Uint8Array.from(some.flatMap((one) => [...one])))
      const written = showBytes(bytes)
      assert.ok(B.equals(readBytes(written)!, bytes), written)
      assert.equal(words(written).tokens, [written])
    }),
    { numRuns: runs(300) },
  )
})

form('takePacket() reads what showPacket() writes, but for the secrets, at every level', () => {
  for (const level of levels) {
    fc.assert(
      fc.property(packetAt(level), (packet) => {
        const w = words(showPacket(packet))
        const back = takePacket(w, null)
        assert.is(w.fault, null)
        assert.is(JSON.stringify(encodePacket(back!)), JSON.stringify(encodePacket(packet)))
      }),
      { numRuns: runs(400) },
    )
  }
})

form('inputs, effects and notes are one line each, and no secret is in it', () => {
  const oneLine = (line: string): void => {
    assert.ok(line.length > 0 && isOneLine(line), line)
  }
  fc.assert(
    fc.property(gen.input, gen.effect, gen.note, (input, effect, note) => {
      oneLine(showInput(input))
      oneLine(showEffect(effect))
      oneLine(showNote(note))
    }),
    { numRuns: runs(1000) },
  )
  const secret = right(readAct('a> connect user "u" password "hunter2"'))
  assert.is(secret._tag === 'Say' && showPacket(secret.packet), `connect 'a' user "u" password ***`)
})

form('an input that is not the same shows not the same line', () => {
  fc.assert(
    fc.property(gen.input, gen.input, (one, other) => {
      // The time stands in a line of its own.
      const told = (input: Input) => JSON.stringify(encodeInput({ ...input, at: 0 }))
      if (told(one) !== told(other)) assert.is.not(showInput(one), showInput(other))
    }),
    { numRuns: runs(2000) },
  )
})

form('a recording becomes a story that plays the same inputs', () => {
  let all = 0
  // What a client proves itself with is blanked in a recording, so nobody can be let in by it.
  fc.assert(
    fc.property(restlessHistory(60).map(unproved), (history) => {
      const { inputs } = record(history)
      const origin = { at: originAt, wall: originWall, seed: 7 }
      const story = storyOfInputs('A recording.', history.config, origin, inputs)
      const text = printStory(story)
      const back = right(parseStory(text, 'recording'))
      assert.is(printStory(back), text)
      const played = right(play(back, 'recording'))
      const again = played.stanzas.flatMap(({ lines }) => lines.flatMap((line) => line.inputs))
      const told = (input: Input) => JSON.stringify(encodeInput(input))
      assert.equal(again.map(told), inputs.map(told))
      for (const input of again) right(decodeInput(encodeInput(input)))
      all += inputs.length
    }),
    { numRuns: runs(60) },
  )
  assert.ok(all > 100)
})

const files = storyFiles()

/** A text with one thing wrong somewhere, or none. */
const damaged = fc.tuple(
  fc.constantFrom(...files.slice(0, 40)),
  fc.nat(),
  fc.nat({ max: 8 }),
  fc.oneof(fc.constantFrom("'", '"', ' ', '\n', '#', '----', 'id', '0x', '[', '>'), fc.string()),
)

form('any text is a story or is refused with its place and a remedy', () => {
  let refused = 0
  let times = 0
  fc.assert(
    fc.property(damaged, ([{ text }, where, length, by]) => {
      const at = where % text.length
      const bad = text.slice(0, at) + by + text.slice(at + length)
      const story = parseStory(bad, 'bad.trace')
      times++
      if (E.isRight(story)) {
        const printed = printStory(story.right)
        assert.is(printStory(right(parseStory(printed, 'again'))), printed)
        return
      }
      refused++
      assert.match(story.left, /^bad\.trace:[0-9]+: [^\n]+: [^\n]+|^bad\.trace:1: a story begins/)
    }),
    { numRuns: runs(1000) },
  )
  if (times >= 1000) assert.ok(refused > times / 10, `only ${refused} of ${times} were refused`)
})

const refusals: ReadonlyArray<readonly [line: string, says: RegExp]> = [
  ['', /^a line is|begins no line|no line/],
  ['a> fly', /fly is no packet/],
  ['a flies', /begins no line/],
  ['a> publish \'x/+\' "on"', /wildcard.*raw/],
  ['a> publish \'x\' qos1 "on"', /identifier: write id7/],
  ["a> publish 'x' topic-alias 70000", /whole number from 0 to 65535/],
  ["a> publish 'x' receive-maximum 1", /does not belong into Publish.*raw/],
  ['a> publish \'x\' content-type "a" content-type "b"', /twice/],
  ["a> subscribe id1 'x", /quotation without its end/],
  ['a> subscribe id1', /names a filter/],
  ['a> puback id70000', /id1 to id65535/],
  ['a> pingreq now', /now is not understood here/],
  ['tick 30s', /write \+30s/],
  ['Ä> pingreq', /no name for a client/],
  ['a> raw 3', /is no bytes/],
  ['a> raw [ 30', /without its \]/],
  ['reconfigure keepAliveMaxs=1', /no option keepAliveMaxs/],
  ['reconfigure keepAliveMaxS="x"', /keepAliveMaxS must be/],
]

for (const [line, says] of refusals) {
  form(`readAct() refuses "${line}" and says what to do`, () => {
    const found = readAct(line)
    assert.ok(E.isLeft(found), 'it was understood')
    if (E.isLeft(found)) assert.match(found.left, says)
  })
}

form.run()

const isUpdating = (process.env['UPDATE'] ?? '') !== '' && (process.env['UPDATE'] ?? '') !== '0'

const playedOf = (file: string, story: Story): Played => right(play(story, `props/traces/${file}`))

const withEffects = (story: Story, played: Played): Story => ({
  ...story,
  stanzas: story.stanzas.map((stanza, i) => ({ ...stanza, effects: played.stanzas[i]!.effects })),
})

const update = ({ file, text }: StoryFile): void => {
  const story = storyOf({ file, text })
  const written = printStory(withEffects(story, playedOf(file, story)))
  if (written !== text) writeFileSync(join(tracesFolder, file), written)
}

/** The first line in which two texts differ, said with its place. */
const sameText = (seen: string, wanted: string, file: string): void => {
  if (seen === wanted) return
  const theirs = wanted.split('\n')
  const ours = seen.split('\n')
  const at = ours.findIndex((line, i) => line !== theirs[i])
  throw new Error(
    `props/traces/${file}:${at + 1}:\n  the story says   ${theirs[at] ?? '(nothing)'}\n` +
      `  the broker says  ${ours[at] ?? '(nothing)'}\n` +
      `  UPDATE=1 STORY=${file} npx tsx props/stories.test.ts writes what the broker says; only ` +
      'commit that if you understand why it changed and want it so',
  )
}

/** Whatever a story has a client say must be something that a client can put on the wire. */
const speakable = (played: Played, file: string): void => {
  const levelsOf = new Map<string, Level>()
  for (const { act } of played.stanzas.flatMap(({ lines }) => lines)) {
    if (act._tag !== 'Say') continue
    const { packet, name } = act
    if (packet._tag === 'Connect') levelsOf.set(name, packet.level)
    const level = levelsOf.get(name) ?? 5
    const told = (some: Packet) => showPacket(some)
    const back = decode(packet._tag === 'Connect' ? 0 : level, B.of(encode(level, packet)))
    const isSame = E.isRight(back) && O.isSome(back.right) &&
      told(back.right.value.packet) === told(packet)
    assert.ok(isSame, `${file}: no client of level ${level} can say ${told(packet)}: use raw`)
  }
}

const known = new Set([
  ...statementIds('mqtt5'),
  ...statementIds('mqtt311').map((id) => `v3 ${id}`),
])

const stories = suite('stories')

if (isUpdating) { for (const file of files) update(file) }

stories('there are enough of them, and enough that can be played on sockets', () => {
  if (process.env['STORY'] !== undefined) return
  assert.ok(files.length >= 150, `${files.length} stories`)
  const playable = files.filter((file) => storyOf(file).coreOnly === null)
  assert.ok(playable.length >= 100, `${playable.length} stories for sockets`)
})

stories('the tables of statements hold what the standards hold', () => {
  // 251 statements in 5.0 and 141 in 3.1.1.
  assert.is(known.size, 251 + 141)
})

for (const { file, text } of isUpdating ? storyFiles() : files) {
  stories(file, () => {
    const story = storyOf({ file, text })
    assert.match(file, /^[a-z0-9]+(-[a-z0-9]+)*\.trace$/, 'named by behaviour, in small letters')
    assert.ok(story.title.some((line) => line.length > 10), `${file}: says what it is about`)
    const played = playedOf(file, story)
    sameText(printStory(withEffects(story, played)), text, file)
    speakable(played, file)
    const comments = [story.title, ...story.stanzas.map((stanza) => stanza.comments)].flat()
    assert.ok(comments.every((line) => line.length <= 98), `${file}: comments end by column 100`)
    assert.ok(citations(comments.join('\n')).length > 0, `${file} cites no clause`)
    for (const id of citations(text)) {
      assert.ok(known.has(id), `${file} cites ${id}, which no table in props/clauses has`)
    }
  })
}

stories.run()
