// What `sabethes explain` says of a recording: one story for each answer, and for histories of all
// kinds that no answer contradicts what the broker sent.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Effect } from '../core/broker/effect.ts'
import { defaults } from '../core/broker/config.ts'
import type { Input } from '../core/broker/input.ts'
import * as I from '../core/broker/input.ts'
import type { State } from '../core/broker/state.ts'
import * as IntMap from '../core/data/int-map.ts'
import * as Window from '../core/data/window.ts'
import { initial, Packet, run } from '../core/mod.ts'
import { isTopicName } from '../core/topic/name.ts'
import type { TopicName } from '../core/topic/name.ts'
import type { Copy } from '../core/trace/explain-facts.ts'
import { Explainer } from '../core/trace/explain.ts'
import { sessionOf } from '../core/trace/facts.ts'
import { goesOn } from '../core/trace/recording.ts'
import { Replay } from '../core/trace/replay.ts'
import type { Veil } from '../core/trace/veil.ts'
import { shellWord } from '../core/trace/words.ts'
import { parseStory, usualOrigin } from '../core/trace/story.ts'
import { play } from '../core/trace/play.ts'
import { askedAs, explainWish } from '../core/config/explain-words.ts'
import { E } from '../core/prelude.ts'
import { isoOf, parseTime } from '../core/trace/explain-time.ts'
import type { Question } from '../core/trace/explain.ts'
import { inputsOf } from './story/ask.ts'
import { earlier, endings, pageList, pageStory, stories } from './story/explained.ts'
import { restlessHistory, unproved } from './gen/histories.ts'
import { linesIn, recorded } from './gen/recordings.ts'
import { isShortRun, runs } from './gen/settings.ts'
import { skipped } from './conformance/expect.ts'
import { hear } from './mouth.ts'
import { record } from './model/play.ts'
import { explainRecording } from '../shells/cli/explain.ts'
import { playRecording } from '../shells/cli/replay.ts'
import { root } from './runtimes.ts'

const explain = suite('explain')

const explained = (lines: ReadonlyArray<string>, explainer: Explainer): ReadonlyArray<string> => {
  const replay = new Replay()
  for (const line of lines) {
    const found = replay.line(line)
    if (found !== null) explainer.take(found)
  }
  for (const found of replay.finish()) explainer.take(found)
  return explainer.answer()
}

/** Which state is the first to have a name for the topic: it as such, or behind a mount point. */
type Names = ReadonlyMap<string, number>

const namesOf = (topic: string, states: ReadonlyArray<State>): Names => {
  const names = new Map([[topic, 0]])
  const add = (mountPoint: string, index: number): void => {
    const whole = mountPoint + topic
    if (!names.has(whole)) names.set(whole, index)
  }
  IntMap.each(states[0]!.sessions, ({ mountPoint }) => add(mountPoint, 0))
  states.forEach(({ config }, i) => {
    add(config.mountPoint, i)
    for (const [, rules] of config.listeners) add(rules.mountPoint, i)
  })
  return names
}

/** Whether the name counts in a run, which a reload in it may have brought. */
const isKnownIn = (names: Names, name: string, index: number): boolean => {
  const since = names.get(name)
  return since !== undefined && since <= index + 1
}

/** What was sent of a topic from a run on: to whom, when, and how. Aliases may be older. */
const sentOf = (
  topics: Names,
  states: ReadonlyArray<State>,
  all: ReadonlyArray<ReadonlyArray<Effect>>,
  from: number,
): ReadonlyArray<string> => {
  const sent: Array<string> = []
  const aliases = new Map<string, string>()
  all.forEach((effects, i) => {
    for (const effect of effects) {
      if (effect._tag !== 'Send' && effect._tag !== 'Multicast') continue
      const { packet } = effect
      if (packet._tag !== 'Publish') continue
      for (const conn of effect._tag === 'Send' ? [effect.conn] : effect.conns) {
        const session = sessionOf(states[i + 1]!, conn) ?? sessionOf(states[i]!, conn)
        assert.ok(session !== undefined)
        const key = `${conn.slot} ${conn.generation} ${packet.properties.topicAlias ?? 0}`
        if (packet.topic !== '' && packet.properties.topicAlias !== undefined) {
          aliases.set(key, packet.topic)
        }
        const shown = packet.topic === '' ? aliases.get(key) : packet.topic
        if (i < from || shown === undefined) continue
        if (!isKnownIn(topics, session.mountPoint + shown, i - from)) continue
        sent.push(
          `${session.clientId} ${states[i + 1]!.now} qos${packet.qos} id${packet.packetId} ` +
            `${packet.dup} ${packet.retain}`,
        )
      }
    }
  })
  return sent.sort()
}

const toldOf = (copies: ReadonlyArray<Copy>): ReadonlyArray<string> =>
  copies.flatMap(({ clientId, events }) =>
    events.flatMap((event) =>
      event._tag === 'Sent'
        ? [
          `${clientId} ${event.at} qos${event.qos} id${event.packetId} ${event.again} ` +
          `${event.retain}`,
        ]
        : []
    )
  ).sort()

/** Whose answers fitted a message on one of the topics, and when. */
const answersOf = (
  topics: Names,
  states: ReadonlyArray<State>,
  inputs: ReadonlyArray<Input>,
): ReadonlyArray<string> => {
  const answers: Array<string> = []
  const received = new Map<string, string>()
  inputs.forEach((input, i) => {
    if (input._tag !== 'Arrived') return
    const { packet } = input
    if (packet._tag !== 'Puback' && packet._tag !== 'Pubrec' && packet._tag !== 'Pubcomp') return
    const session = sessionOf(states[i]!, input.conn)
    // What does not fit ends the connection.
    if (session === undefined || sessionOf(states[i + 1]!, input.conn) === undefined) return
    const outgoing = Window.get(session.window, packet.packetId)
    if (outgoing === undefined) return
    const key = `${session.number} ${packet.packetId}`
    // A PUBREC that comes again says nothing new.
    if (packet._tag === 'Pubrec' && packet.reason < 0x80 && outgoing.stage === 'released') return
    const named = outgoing.stage === 'released' ? received.get(key) : outgoing.message.topic
    // What a client has received is not there to be found out any more.
    const topic = named !== undefined && isKnownIn(topics, named, i) ? named : undefined
    if (packet._tag === 'Pubrec' && packet.reason < 0x80) received.set(key, topic ?? '')
    else received.delete(key)
    if (topic === undefined) return
    answers.push(`${session.clientId} ${states[i + 1]!.now} ${packet._tag.toUpperCase()}`)
  })
  return answers.sort()
}

const toldAnswersOf = (copies: ReadonlyArray<Copy>): ReadonlyArray<string> =>
  copies.flatMap(({ clientId, events }) =>
    events.flatMap((event) =>
      event._tag === 'Received' || event._tag === 'Answered'
        ? [`${clientId} ${event.at} ${event._tag === 'Received' ? 'PUBREC' : event.by}`]
        : []
    )
  ).sort()

const topicsOf = (inputs: ReadonlyArray<Input>): ReadonlySet<TopicName> => {
  const topics = new Set<TopicName>()
  for (const input of inputs) {
    if (input._tag !== 'Arrived') continue
    const { packet } = input
    const topic = packet._tag === 'Publish'
      ? packet.topic
      : packet._tag === 'Connect'
      ? packet.will?.topic ?? ''
      : ''
    if (isTopicName(topic)) topics.add(topic)
  }
  return topics
}

explain('never contradicts what was sent and answered, wherever a recording begins', () => {
  let answers = 0
  fc.assert(
    fc.property(
      restlessHistory(150).map(unproved),
      fc.constantFrom<Veil['payload']>('full', 'hash', 'length'),
      fc.integer({ min: 1, max: 30 }),
      fc.constantFrom(0, 0, 0.2, 0.5),
      (some, payload, size, share) => {
        const whole = record(some)
        const from = Math.floor(whole.inputs.length * share)
        const [inputs, states] = [whole.inputs.slice(from), whole.states.slice(from)]
        const lines = linesIn(recorded(states[0]!, inputs, size, payload).text)
        for (const topic of topicsOf(inputs)) {
          const question = { _tag: 'Message', topic, time: null, client: null } as const
          const explainer = new Explainer(question, 'recording', Infinity)
          const answer = explained(lines, explainer)
          const copies = explainer.publications.flatMap((one) => one.copies)
          const topics = namesOf(topic, states)
          const sent = sentOf(topics, whole.states, whole.effects, from)
          assert.equal(toldOf(copies), sent, answer.join('\n'))
          const said = answersOf(topics, states, inputs)
          assert.equal(toldAnswersOf(copies), said, answer.join('\n'))
          for (const publication of explainer.publications) {
            for (const { clientId, events } of publication.copies) {
              for (const event of events) {
                assert.not.ok(
                  event._tag === 'SessionEnded' && event.why === '',
                  `${clientId}: ${answer.join('\n')}`,
                )
              }
            }
          }
          const text = answer.join('\n')
          assert.not.ok(/undefined|NaN|unknown|nothing in the recording says/.test(text), text)
          answers += explainer.publications.length
        }
      },
    ),
    { numRuns: runs(60) },
  )
  if (isShortRun(60)) return
  assert.ok(answers > 100)
})

/** What a story's inputs come to as a recording, and what is said of it. */
const ask = (
  story: string,
  words: string,
  files: ReadonlyArray<string>,
  payload: Veil['payload'],
  stanza: number,
): ReadonlyArray<string> => {
  const { state, inputs } = inputsOf(story, files, stanza)
  const wish = explainWish(['file', ...words.split(' ')])
  assert.ok(E.isRight(wish) && wish.right !== null)
  const { question } = wish.right
  const asked: Question = question._tag === 'Connection'
    ? question
    : { ...question, time: question.time === null ? null : parseTime(question.time) }
  const explainer = new Explainer(asked)
  const answer = explained(linesIn(recorded(state, inputs, 1000, payload).text), explainer)
  const all = answer.flatMap((line) => line.split('\n'))
  return all.map((line) => line.replace(/ \(\d{4}-[^)]*Z\)/, ''))
}

for (const one of [...stories, ...earlier]) {
  const [name, words, told, answer, files = []] = one
  explain(name, () => {
    for (const payload of ['full', 'hash', 'length'] as const) {
      const lines = ask(told, words, files, payload, earlier.includes(one) ? 1 : 0)
      if (process.env['SHOW'] === '1' && payload === 'full') {
        console.log('SHOW ' + JSON.stringify([name, lines]))
      }
      assert.equal(lines, answer)
    }
  })
}

explain('every conversation of traces/ has an answer for every topic and every client', () => {
  let answers = 0
  for (const file of readdirSync(join(root, 'props/traces'))) {
    const parsed = parseStory(readFileSync(join(root, 'props/traces', file), 'utf8'), file)
    assert.ok(E.isRight(parsed))
    const played = play(parsed.right, file)
    assert.ok(E.isRight(played))
    const inputs = played.right.stanzas.flatMap(({ lines }) => lines.flatMap((one) => one.inputs))
    const state = initial(parsed.right.config, parsed.right.origin ?? usualOrigin)
    const lines = linesIn(recorded(state, inputs, 5, 'hash').text)
    const [, effects] = run(state, inputs)
    const questions: Array<Question> = []
    for (const topic of topicsOf(inputs)) {
      questions.push({ _tag: 'Message', topic, time: null, client: null })
    }
    for (const effect of effects) {
      if (effect._tag !== 'Note' || effect.note._tag !== 'ConnectionEnded') continue
      const { clientId, peer } = effect.note
      questions.push({ _tag: 'Connection', client: clientId ?? peer.address })
    }
    for (const question of questions) {
      const explainer = new Explainer(question, 'recording', Infinity)
      const text = explained(lines, explainer).join('\n')
      const about = `${file} ${JSON.stringify(question)}: ${text}`
      assert.not.ok(/undefined|NaN|nothing in the recording says why/.test(text), about)
      assert.ok(text.length > 0 && !text.includes('has no connection in this'), about)
      answers += 1
    }
  }
  assert.ok(answers > 400, String(answers))
})

explain('every way in which a connection can end has a story that ends so', () => {
  for (const [ending, names] of Object.entries(endings)) {
    assert.ok(names.length > 0, ending)
    for (const name of names) {
      const story = stories.find((one) => one[0] === name)
      assert.ok(story !== undefined, name)
      const { state, inputs } = inputsOf(story[2])
      const [, effects] = run(state, inputs)
      const ended = effects.flatMap((effect) =>
        effect._tag === 'Note' && effect.note._tag === 'ConnectionEnded' ? [effect.note.ending] : []
      )
      assert.ok(ended.some((one) => one === ending), `${name}: ${ended.join(', ')}`)
    }
  }
})

const page = join(root, 'core/trace/EXPLAIN.md')
const block = /(```console\n\$ sabethes explain ([^\n]*)\n)([\s\S]*?)(```)/g

/** The program's answer to `sabethes explain ...`. */
const asked = (...words: ReadonlyArray<string>) => hear(explainRecording, ...words)

const inFolder = async (
  act: (path: string, lines: ReadonlyArray<string>, folder: string) => Promise<void>,
) => {
  const folder = mkdtempSync(join(tmpdir(), 'sabethes-explain-'))
  try {
    const { state, inputs } = inputsOf(pageStory, [pageList])
    const lines = linesIn(recorded(state, inputs, 1, 'hash').text)
    const path = join(folder, 'sabethes.trace')
    writeFileSync(path, `${lines.join('\n')}\n`)
    await act(path, lines, folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

explain('the page shows what the command says', async () => {
  await inFolder(async (path, _, folder) => {
    await hear(playRecording, path, '--to-pcapng', join(folder, 'wire.pcapng'))
    writeFileSync(join(folder, 'acl'), pageList, { mode: 0o600 })
    const conf =
      `listener 1883\nallow_anonymous true\nmax_queued_messages 1\nacl_file ${folder}/acl\n`
    writeFileSync(join(folder, 'sabethes.conf'), conf)
    const text = readFileSync(page, 'utf8')
    let count = 0
    let made = text
    for (const [all, head = '', words = '', , end = ''] of text.matchAll(block)) {
      count += 1
      const there = words.split(' ').map((word) =>
        /\.(trace|pcapng|conf)$/.test(word) ? join(folder, word) : word
      )
      const { said } = await asked(...there)
      made = made.replace(all, () => `${head}${said.replaceAll(`${folder}/`, '')}${end}`)
    }
    assert.ok(count >= 8)
    if (process.env['UPDATE'] === '1') writeFileSync(page, made)
    else assert.is(made, text)
  })
})

explain(
  'a file that breaks off, is none or is gone is said, and what was read is used',
  async () => {
    await inFolder(async (path, lines) => {
      const words = [path, '--message', 'home/door']
      const whole = await asked(...words)
      assert.is(whole.status, 0)
      writeFileSync(path, lines.slice(0, 20).join('\n'))
      const cut = await asked(...words)
      assert.is(cut.status, 2)
      assert.match(cut.said, /'phone': delivered at 10.000s[^]*can be read up to line \d+/)
      const end = /\nOf what came after 1\d\.\d{3}s \(2027-01-15T\S+Z\) nothing is known\.\n$/
      assert.match(cut.said, end)
      const zipped = gzipSync(lines.join('\n'))
      writeFileSync(path, zipped.subarray(0, zipped.length - 40))
      const half = await asked(...words)
      assert.is(half.status, 2)
      assert.match(half.said, /\nOf what came after \d+\.\d{3}s \(\S+Z\) nothing is known\.\n$/)
      assert.match(half.complained, /cannot be read any further: /)
      for (const text of ['', 'hello\n', '\n\n']) {
        writeFileSync(path, text)
        const bad = await asked(...words)
        assert.is(bad.status, 2)
        assert.match(bad.said, /^(The recording is empty|This is no recording .*[^.])\.\n$/)
      }
      const none = await asked(`${path}.none`, '--message', 'a')
      assert.is(none.status, 2)
      assert.match(none.complained, /cannot be read: /)
    })
  },
)

explain('a story will do as well', async () => {
  const file = join(root, 'props/traces/offline-queue-full.trace')
  const { said, status } = await asked(file, '--message', 'd/1')
  assert.is(status, 0)
  assert.match(said, /'d\/1' was published .*\n {2}'a': not delivered: its queue was full/)
  const folder = mkdtempSync(join(tmpdir(), 'sabethes-explain-'))
  try {
    const path = join(folder, 'story')
    writeFileSync(path, '# A story.\n\nquiet\na> connekt\n----\n')
    const wrong = await asked(path, '--message', 'd/4')
    assert.is(wrong.status, 2)
    assert.match(wrong.complained, /^Error: .*story:4: /)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

explain('a topic that is none is refused with what is wrong with it', () => {
  const why = (message: string): string => {
    const wish = explainWish(['f', '--message', message])
    return E.isLeft(wish) ? wish.left : ''
  }
  const wants = '--message wants the topic of a message'
  assert.is(why('@5'), `${wants} before the @, as in home/door@12.5: it is empty.`)
  assert.is(why('a/#@5'), `${wants}: 'a/#' contains a wildcard.`)
  assert.is(why('a/+'), `${wants}: 'a/+' contains a wildcard.`)
  const deep = '/'.repeat(201)
  assert.is(why(deep), `${wants}: '${deep.slice(0, 64)}...' has more than 200 separators.`)
  assert.is(why('@'), '')
})

explain('what it advises is one word for a shell, and the question that was meant', () => {
  const topics = [
    'home/lamp',
    'two words',
    "it's",
    '$SYS/x',
    'a\\b',
    '`id`',
    'a"b',
    'a&b;c|d',
    '~',
    '!!',
    'é',
    "\u202e'\\$b",
    '\u202e\u{e0041}x',
    'n@5',
    'n@5@',
    'n@5@@',
    'a@2026-11',
    "it's@5",
  ]
  const said = topics.map((topic) => shellWord(askedAs(topic as TopicName)))
  for (const word of said) assert.not.match(word, /[^ -~é]/)
  const env = { ...process.env, LC_ALL: 'C.UTF-8' }
  const bash = spawnSync('bash', ['-c', `printf '%s\\0' ${said.join(' ')}`], { env })
  if (bash.error !== undefined) return skipped('what a shell makes of advice', 'bash')
  const heard = new TextDecoder().decode(bash.stdout).split('\0').slice(0, -1)
  assert.is(heard.length, topics.length)
  heard.forEach((word, i) => {
    const wish = explainWish(['f', '--message', word])
    assert.ok(E.isRight(wish) && wish.right?.question._tag === 'Message', topics[i])
    assert.is(wish.right.question.topic, topics[i])
    assert.is(wish.right.question.time, null)
  })
})

explain('its words are taken or refused', async () => {
  for (
    const words of [
      'f',
      '--message a',
      'f --message a/#',
      'f --message a --why-disconnected b',
      'f --why-disconnected b --client c',
      'f --message a@2026-13-01T00:00Z',
      'f g --message a',
      'f --message a --loud',
    ]
  ) assert.is((await asked(...words.split(' '))).status, 3, words)
  assert.match((await asked('--help')).said, /--why-disconnected ID/)
  const meant = (message: string): readonly [topic: string, time: string | null] => {
    const wish = explainWish(['f', '--message', message])
    assert.ok(E.isRight(wish) && wish.right?.question._tag === 'Message', message)
    return [wish.right.question.topic, wish.right.question.time]
  }
  const day = '2026-11-29T07:00:00Z'
  assert.equal(meant(`a@b@${day}`), ['a@b', day])
  // A time without its day is a time all the same, to be told that it is none.
  assert.equal(meant('n@11:46:30'), ['n', '11:46:30'])
  // A topic may end as if a time stood there.
  for (const topic of ['n@5', 'n@5s', `n@${day}`, 'n@7:15', 'n@5@', '@5@@', 'n@5@6']) {
    assert.equal(meant(`${topic}@`), [topic, null])
    assert.equal(meant(`${topic}@7.5`), [topic, '7.5'])
  }
  for (const topic of ['n', 'n@', 'n@x', 'n@@', 'n@5/x', 'n@7:15/x', '@']) {
    assert.equal(meant(topic), [topic, null])
  }
})

explain('times are read and written', () => {
  assert.equal(parseTime('12.5'), { _tag: 'Since', ms: 12_500 })
  for (
    const wall of [0, 951_782_400_000, 1_700_000_000_123, 4_107_542_399_999, 1_709_164_800_000]
  ) {
    const text = new Date(wall).toISOString()
    assert.is(isoOf(wall), text)
    assert.equal(parseTime(text), { _tag: 'Wall', ms: wall })
  }
  const east = Date.parse('2026-11-29T07:00:00+02:00')
  assert.equal(parseTime('2026-11-29T07:00:00+02:00'), { _tag: 'Wall', ms: east })
  for (const text of ['', 'x', '2026-02-30T00:00Z', '2026-11-29', '-1']) {
    assert.is(parseTime(text), null, text)
  }
})

explain('dates are those of the clock on the wall, also where that was set', () => {
  const { at, wall } = usualOrigin
  const conn = { slot: 0, generation: 1 }
  const [second, hour, day] = [1000, 3_600_000, 86_400_000]
  const walls = [1 * second, 11 * second, 21 * second + day, 31 * second + day - 2 * hour]
    .map((after) => new Date(wall + after).toISOString())
  const published = (seconds: number): Input =>
    I.arrived(conn, at + seconds * second, Packet.publish({ topic: 'd', payload: `${seconds}` }))
  const inputs = [
    I.opened(conn, at, 'n', '1883', { address: '127.0.0.1', port: 5 }),
    I.arrived(conn, at, Packet.connect({ clientId: 'p' })),
    published(1),
    // Clocks do not go alike, but nearly.
    I.ticked(at + 10 * second, wall + 10 * second + 40),
    published(11),
    I.ticked(at + 20 * second, wall + 20 * second + day),
    published(21),
    I.ticked(at + 30 * second, wall + 30 * second + day - 2 * hour),
    published(31),
    I.closed(conn, at + 32 * second, 'closed'),
  ]
  const { text } = recorded(initial(defaults, usualOrigin), inputs, 1, 'full')
  const told = (question: Question): string =>
    explained(linesIn(text), new Explainer(question)).join('\n')
  const near = (time: number | string): string => {
    const ms = typeof time === 'string' ? Date.parse(time) : wall + time
    const topic = 'd' as TopicName
    return told({ _tag: 'Message', topic, time: { _tag: 'Wall', ms }, client: null })
  }
  for (const [i, iso] of walls.entries()) {
    const said = `The nearest of 4 publications to 'd':\n'd' was published at ${i}1.000s (${iso})`
    assert.ok(near(iso).startsWith(i === 0 ? said.replace('01.', '1.') : said), near(iso))
  }
  // At noon the clock was set, and what came after it was set back is nearest.
  assert.match(near(12 * hour), /^The nearest of 4.*\n'd' was published at 31\.000s/)
  assert.match(near(-hour), /^That time is before the recording began, at 0\.000s .*\n.*\n.* 1\.0/)
  assert.match(near(2 * day), /^That time is later .* ends at 32\.000s .*\n.*\n.* at 21\.0/)
  const end = new Date(wall + 32 * second + day - 2 * hour).toISOString()
  const ended = told({ _tag: 'Connection', client: 'p' })
  assert.ok(ended.includes(`was disconnected at 32.000s (${end}) by`), ended)
})

explain('of a file of a ring it says that there is a newer one', () => {
  const { state, inputs } = inputsOf("p> connect\np> publish 'd'\n----")
  const { text } = recorded(state, inputs, 1, 'full')
  const newer = 'What came later is in the newer file that the recording goes on in.'
  for (const [why, isNewer] of [[goesOn, true], ['asked to', false]] as const) {
    const lines = linesIn(text).map((line) => line.startsWith('["e"') ? `["e","${why}"]` : line)
    const questions: ReadonlyArray<Question> = [
      { _tag: 'Message', topic: 'd' as TopicName, time: null, client: null },
      { _tag: 'Message', topic: 'e' as TopicName, time: null, client: null },
      { _tag: 'Connection', client: 'p' },
      { _tag: 'Connection', client: 'q' },
    ]
    for (const question of questions) {
      const answer = explained(lines, new Explainer(question))
      assert.is(answer.at(-1) === newer, isNewer, answer.join('\n'))
    }
  }
})

explain.run()
