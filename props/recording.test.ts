// A recording is all that the broker was told. Played to the broker again, from wherever it began,
// it comes to the same; it holds no secret and, where so wished, no payload; and whatever becomes
// of its lines is said and never thrown.

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { defaults } from '../core/broker/config.ts'
import type { Effect } from '../core/broker/effect.ts'
import type { Input } from '../core/broker/input.ts'
import * as I from '../core/broker/input.ts'
import type { State } from '../core/broker/state.ts'
import { createReader, encode, pingreq } from '../core/codec/mod.ts'
import type { Pingreq, Publish } from '../core/codec/packet.ts'
import { parseAcl } from '../core/config/acl-file.ts'
import * as B from '../core/data/bytes.ts'
import { initial, Packet, run } from '../core/mod.ts'
import { none } from '../core/codec/properties.ts'
import { E } from '../core/prelude.ts'
import { digestOf } from '../core/trace/digest.ts'
import { beginUnder } from '../core/trace/judging.ts'
import { noteFrames, Notes } from '../core/trace/notes.ts'
import { differenceOf, Replay } from '../core/trace/replay.ts'
import { hex32, sumOfText } from '../core/trace/sheet.ts'
import { Transcript } from '../core/trace/transcript.ts'
import type { Veil } from '../core/trace/veil.ts'
import { restlessHistory, unproved, utf8 } from './gen/histories.ts'
import { recorded, replayed, textOf, veilOf } from './gen/recordings.ts'
import { isShortRun, leastOf, runs } from './gen/settings.ts'
import { record } from './model/play.ts'
import { difference } from './model/values.ts'

const recording = suite('recording')

const aliased: Effect = {
  _tag: 'Send',
  conn: { slot: 1, generation: 1 },
  level: 5,
  packet: {
    ...Packet.publish({ topic: 't', payload: 'p', properties: { topicAlias: 1 } }),
    topic: '',
  },
  when: 'now',
}
// The first of this process: nothing has been remembered yet.
const firstDigest = digestOf([aliased])

recording('a digest is the same whatever was digested before', () => {
  const packet = Packet.publish({ topic: 't', payload: 'p' })
  digestOf([{ ...aliased, packet }])
  assert.is(digestOf([aliased]), firstDigest)
})

/** Tokens of owners are not the state's, and what was sealed has none. */
const ownerless = (state: unknown): unknown =>
  JSON.parse(
    JSON.stringify(state, (key, value) =>
      key === 'owner'
        ? null
        : value instanceof Uint8Array
        ? [...value]
        : value === undefined
        ? 'nothing'
        : value),
  ) as unknown

const payloads = fc.constantFrom<Veil['payload']>('full', 'hash', 'length')

recording('a replay from any moment comes to the same, run by run', () => {
  let batches = 0
  fc.assert(
    fc.property(
      restlessHistory(120).map(unproved),
      payloads,
      fc.integer({ min: 1, max: 30 }),
      fc.nat({ max: 99 }),
      fc.nat({ max: 20 }),
      fc.integer({ min: 1024, max: 5000 }),
      (some, payload, size, part, snapshotRuns, pageBytes) => {
        const { inputs, states } = record(some)
        const from = Math.floor((inputs.length * part) / 100)
        const rest = inputs.slice(from)
        const { text } = recorded(states[from]!, rest, size, payload, snapshotRuns, pageBytes)
        const found = replayed(text)
        assert.is(found[0]?._tag, 'Began')
        const end = found.at(-1)!
        assert.equal(end, { _tag: 'Ended', why: 'asked to' })
        for (const one of found.slice(1, -1)) {
          batches += 1
          assert.is(one._tag, 'Ran')
          assert.ok(one._tag === 'Ran' && one.isSame, 'the effects are others')
        }
      },
    ),
    { numRuns: runs(120) },
  )
  if (isShortRun(120)) return
  assert.ok(batches > leastOf(100, 120))
})

recording(
  'with payloads the state is the same to the last record, at the head and at the end',
  () => {
    fc.assert(
      fc.property(restlessHistory(80).map(unproved), fc.nat({ max: 99 }), (some, part) => {
        const { inputs, states } = record(some)
        const from = Math.floor((inputs.length * part) / 100)
        const judging = JSON.stringify(ownerless(states[from])).includes('"password":{')
        const { text, last } = recorded(states[from]!, inputs.slice(from), 7, 'full')
        const found = replayed(text)
        const [began] = found
        const end = found.at(-2)!
        assert.ok(began?._tag === 'Began')
        if (!judging) {
          assert.is(difference(ownerless(began.state), ownerless(states[from])), null)
        }
        if (end._tag === 'Ran') assert.is(difference(end.batch.after, last), null)
      }),
      { numRuns: runs(60) },
    )
  },
)

recording('whether a QoS 2 publish is what is held, once more, is as on the day', () => {
  const one = fc.record({
    packetId: fc.constantFrom(1, 2),
    payload: fc.uint8Array({ minLength: 1, maxLength: 2 }),
    isRelease: fc.boolean(),
  })
  let dropped = 0
  fc.assert(
    fc.property(
      fc.array(one, { minLength: 2, maxLength: 20 }),
      payloads,
      fc.integer({ min: 1, max: 6 }),
      fc.nat({ max: 20 }),
      (told, payload, size, from) => {
        const inputs = [
          opened(),
          I.arrived(conn, 0, Packet.connect({ clientId: 'a' })),
          I.arrived(conn, 0, Packet.subscribe('t')),
          ...told.map(({ packetId, payload, isRelease }) =>
            I.arrived(
              conn,
              0,
              isRelease
                ? { _tag: 'Pubrel', packetId, reason: 0, properties: none }
                : Packet.publish({ topic: 't', payload, qos: 2, packetId }),
            )
          ),
        ]
        const began = Math.min(from, inputs.length)
        const [state] = run(initial(defaults, origin), inputs.slice(0, began))
        const { text, last } = recorded(state, inputs.slice(began), size, payload)
        const found = replayed(text)
        for (const one of found) assert.ok(one._tag !== 'Ran' || one.isSame, 'the effects differ')
        const end = found.at(-2)
        if (end?._tag !== 'Ran') return
        const { counters } = end.batch.after
        assert.equal(counters, last.counters)
        dropped += counters.dropped['session ended']
      },
    ),
    { numRuns: runs(400) },
  )
  if (isShortRun(400)) return
  assert.ok(dropped > leastOf(100, 400))
})

recording('what is cut, changed or foreign is said with its line, never thrown', () => {
  fc.assert(
    fc.property(
      restlessHistory(30).map(unproved),
      payloads,
      fc.nat(),
      fc.integer({ min: 1, max: 0x7f }),
      fc.constantFrom('flip', 'cut', 'drop line', 'double line'),
      (some, payload, place, bits, damage) => {
        const { inputs, states } = record(some)
        const from = inputs.length >> 1
        const { text } = recorded(states[from]!, inputs.slice(from), 5, payload)
        const at = place % text.length
        const lines = text.split('\n')
        const line = place % (lines.length - 1)
        const damaged = damage === 'flip'
          ? text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ bits) + text.slice(at + 1)
          : damage === 'cut'
          ? text.slice(0, at)
          : damage === 'drop line'
          ? lines.filter((_, i) => i !== line).join('\n')
          : lines.flatMap((one, i) => i === line ? [one, one] : [one]).join('\n')
        const found = replayed(damaged)
        const end = found.at(-1)
        // A second last line is never read, and one with another reason is as good.
        const isLast = damage === 'flip'
          ? at >= text.lastIndexOf('["e"')
          : damage === 'double line' && line === lines.length - 2
        assert.ok(isLast || end?._tag === 'Broken', `${damage}: ${end?._tag}`)
        if (end?._tag === 'Broken') assert.ok(end.line >= 1 && end.line <= lines.length + 2)
      },
    ),
    { numRuns: runs(200) },
  )
})

recording('bytes of any kind are no recording', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 60 })), (lines) => {
      const found = replayed(`${lines.join('\n')}\n`)
      assert.is(found.at(-1)?._tag, 'Broken')
    }),
    { numRuns: runs(300) },
  )
})

const conn = { slot: 0, generation: 1 }
const origin = { at: 0, wall: 1_700_000_000_000, seed: 3 }

const opened = (): Input =>
  I.opened(conn, 0, '00000000-0000-4000-8000-000000000000', '1883', {
    address: '127.0.0.1',
    port: 5,
  })

recording('a recording of a newer form is refused with what to do', () => {
  const { text } = recorded(initial(defaults, origin), [], 1, 'full')
  const found = replayed(text.replace('"format":4', '"format":5'))
  assert.ok(found[0]?._tag === 'Broken')
  assert.match(found[0].why, /form 5.*reads form 4.*newer/)
})

recording('one of an older form is refused with what to do', () => {
  const { text } = recorded(initial(defaults, origin), [], 1, 'full')
  const found = replayed(text.replace('"format":4', '"format":1'))
  assert.ok(found[0]?._tag === 'Broken')
  assert.match(found[0].why, /form 1.*reads form 4.*the version that wrote it/)
})

recording('a snapshot of a version whose state has other parts is refused with what to do', () => {
  const [state] = run(initial(defaults, origin), [opened()])
  const { retainedBytes: _, ...rest } = state
  const { ways: __, ...filters } = state.filters
  const others: ReadonlyArray<readonly [part: string, state: unknown]> = [
    ['retainedBytes', rest],
    ['filters.ways', { ...state, filters }],
    ['filters.more', { ...state, filters: { ...state.filters, more: 1 } }],
  ]
  for (const [part, other] of others) {
    const last = replayed(recorded(other as State, [], 1, 'full').text).at(-1)
    assert.ok(last?._tag === 'Broken', part)
    assert.match(last.why, `of version 1.2.3, whose state differs from mine in ${part}: replay`)
  }
})

recording('a payload in the snapshot that says it is text, and is none, is none afterwards', () => {
  const config = { ...defaults, authentication: 'judge' as const }
  const properties = { payloadFormatIndicator: 1 } as const
  const will = { topic: 'gone', payload: Uint8Array.of(0xff, 0xff), properties }
  const connect = Packet.connect({ clientId: 'a', will })
  const [asked] = run(initial(config, origin), [opened(), I.arrived(conn, 0, connect)])
  // Whoever is let in is looked at once more, under the rules of then.
  const inputs = [I.reconfigured(1, { ...config, payloadFormatCheck: true }), I.judged(conn, 1, 0)]
  const [, effects] = run(asked, inputs)
  assert.ok(effects.some((one) => one._tag === 'Close' && one.reason === 0x99))
  for (const payload of ['full', 'hash', 'length'] as const) {
    const found = replayed(recorded(asked, inputs, 1, payload).text)
    const same = found.filter((one) => one._tag === 'Ran' && one.isSame)
    assert.is(same.length, 2, payload)
  }
})

recording('lines of access lists, and the names of their files, are in it', () => {
  const file = parseAcl('/etc/acl', '# x\ntopic write a\nuser u\ntopic deny b\npattern read c')
  assert.ok(E.isRight(file))
  const { acl } = file.right
  const inputs = [opened(), I.reconfigured(1, { ...defaults, acl })]
  const state = initial({ ...defaults, acl }, origin)
  const { text } = recorded(state, inputs, 1, 'full')
  assert.ok(text.includes('"line":4') && text.includes('"file":"/etc/acl"'))
  const found = replayed(text)
  const last = found.filter((one) => one._tag === 'Ran').at(-1)
  assert.equal(last!.batch.after.config.acl, acl)
})

recording('of secrets there is nothing, in inputs and in the snapshot', () => {
  const config = { ...defaults, authentication: 'judge' as const }
  const connect = Packet.connect({
    clientId: 'a',
    userName: 'u',
    password: new TextEncoder().encode('swordfish'),
  })
  const inputs = [opened(), I.arrived(conn, 0, connect)]
  const state = initial(config, origin)
  const [asked] = run(state, inputs)
  const base64 = Buffer.from('swordfish').toString('base64')
  for (
    const text of [
      recorded(state, inputs, 1, 'full').text,
      recorded(asked, [I.judged(conn, 1, 0)], 1, 'full').text,
    ]
  ) {
    assert.not.ok(text.includes('swordfish') || text.includes(base64))
    const found = replayed(text)
    assert.is(found.at(-1)?._tag, 'Ended')
    assert.ok(found.every((one) => one._tag !== 'Ran' || one.isSame))
  }
})

recording('without payloads there is none in frames, wills, retained messages and commands', () => {
  const secret = 'the soup is cold'
  const will = { topic: 'w', payload: new TextEncoder().encode(secret) }
  const publish = Packet.publish({
    topic: 't',
    payload: new TextEncoder().encode(secret),
    retain: true,
  })
  const inputs = [
    opened(),
    I.arrived(conn, 0, Packet.connect({ clientId: 'a', will })),
    I.arrived(conn, 0, publish),
    I.commanded(0, { _tag: 'Publish', packet: publish }),
  ]
  const state = initial(defaults, origin)
  const [later] = run(state, inputs)
  const bytes = Buffer.from(secret)
  for (const payload of ['hash', 'length'] as const) {
    const transcript = new Transcript(veilOf(payload))
    const { notes } = transcript
    notes.begin(later, '1', transcript.page)
    while (notes.isBehind) notes.more()
    for (const input of inputs) notes.input(input)
    const frame = encode(5, publish)
    notes.input(I.arrived(conn, 1, publish), 5, frame, 0, frame.length)
    const text = textOf(transcript)
    for (let cut = 0; cut < 3; cut++) {
      const part = bytes.subarray(cut, cut + 12).toString('base64').slice(1, -1)
      assert.not.ok(text.includes(part), `${payload}: ${part}`)
    }
    assert.not.ok(text.includes(secret))
  }
  assert.ok(
    recorded(later, inputs.slice(2), 1, 'full').text.includes(
      bytes.toString('base64').slice(0, 16),
    ),
  )
})

recording('a frame is kept as it came', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), payloads, (payload, how) => {
      const packet = Packet.publish({ topic: 't/u', payload, qos: 1, packetId: 9 })
      const frame = encode(5, packet)
      const transcript = new Transcript(veilOf(how))
      const { notes } = transcript
      notes.begin(initial(defaults, origin), '1', transcript.page)
      const reader = createReader(
        { ...limits(), packetBytesMax: 1000 },
        5,
      )
      reader.push(frame, 0, frame.length)
      const read = reader.next()
      assert.ok(read?._tag === 'Right')
      const { frameBuffer, frameStart, frameEnd } = reader
      notes.input(I.arrived(conn, 0, read.right), 5, frameBuffer, frameStart, frameEnd)
      const line = textOf(transcript).trimEnd().split('\n').at(-1)!
      const words = JSON.parse(line) as ReadonlyArray<unknown>
      const kept = how === 'full' ? frame : frame.subarray(0, frame.length - payload.length)
      const [head, mark] = String(words[5]).split('~')
      assert.is(head, Buffer.from(kept).toString('base64'))
      const isHidden = how !== 'full' && payload.length > 0
      assert.is(mark?.length, isHidden ? (how === 'hash' ? 11 : 0) : undefined)
    }),
    { numRuns: runs(100) },
  )
})

recording('a frame of a broker that took more characters is read', () => {
  const properties = { contentType: 'a\nb', userProperties: [['\u0085', '\uffff']] } as const
  const publish = Packet.publish({ topic: 't', payload: 'p', properties })
  const frame = encode(5, publish)
  const connected = [opened(), I.arrived(conn, 0, Packet.connect({ clientId: 'a' }))]
  const published = I.arrived(conn, 0, publish)
  const transcript = new Transcript(veilOf('full'))
  const { notes } = transcript
  notes.begin(initial(defaults, origin), '1', transcript.page)
  for (const input of connected) notes.input(input)
  notes.input(published, 5, frame, 0, frame.length)
  const [, effects] = run(initial(defaults, origin), [...connected, published])
  notes.mark(3, effects)
  notes.finish('asked to')
  const found = replayed(textOf(transcript))
  assert.equal(found.map(({ _tag }) => _tag), ['Began', 'Ran', 'Ended'])
  assert.ok(found[1]?._tag === 'Ran' && found[1].isSame)
})

const limits = () => ({
  packetBytesMax: 1000,
  connectPacketBytesMax: 1000,
  propertyBytesMax: 1000,
  userPropertiesMax: 10,
  filtersMax: 10,
  anyCharacters: false,
})

recording('equal payloads stay equal, others differ, and text stays text', () => {
  const text = (...some: ReadonlyArray<string>): ReadonlyArray<string> => {
    const inputs = some.map((one) =>
      I.arrived(conn, 0, Packet.publish({ topic: 't', payload: utf8(one).buffer }))
    )
    const [began, ...lines] = recorded(initial(defaults, origin), inputs, 1, 'hash').text.split(
      '\n',
    )
    assert.ok(began)
    return lines.filter((line) => line.startsWith('["i"'))
  }
  const [one, two, three] = text('on', 'on', 'of')
  assert.is(one, two)
  assert.is.not(two, three)
})

/** What a client says, in frames, as a driver hands them over: all of a run from one chunk. */
const inFrames = (
  payload: Veil['payload'],
  packets: ReadonlyArray<ReadonlyArray<Publish | Pingreq>>,
  told: (effects: ReadonlyArray<Effect>) => ReadonlyArray<Effect> = (effects) => effects,
  pageBytes = 64 * 1024,
): string => {
  const transcript = new Transcript(veilOf(payload), pageBytes)
  const { notes } = transcript
  let state = initial(defaults, origin)
  notes.begin(state, '1', transcript.page)
  const take = (inputs: ReadonlyArray<Input>): void => {
    const [next, effects] = run(state, inputs)
    state = next
    notes.mark(inputs.length, told(effects))
  }
  const hello = [
    opened(),
    I.arrived(conn, 0, Packet.connect({ clientId: 'a', level: 4 })),
    I.arrived(conn, 0, Packet.subscribe({ filter: '#', qos: 1 })),
  ]
  for (const input of hello) notes.input(input)
  take(hello)
  for (const some of packets) {
    const bytes = Buffer.concat(some.map((packet) => encode(4, packet)))
    const reader = createReader(limits(), 4)
    reader.push(bytes, 0, bytes.length)
    const inputs: Array<Input> = []
    for (let read = reader.next(); read !== null; read = reader.next()) {
      assert.ok(read._tag === 'Right')
      const input = I.arrived(conn, 0, read.right)
      inputs.push(input)
      notes.input(input, reader.level, reader.frameBuffer, reader.frameStart, reader.frameEnd)
    }
    take(inputs)
  }
  notes.finish('asked to')
  return textOf(transcript)
}

const publishes = fc.array(
  fc.array(
    fc.oneof(
      {
        weight: 3,
        arbitrary: fc.record({
          topic: fc.constantFrom('t', 't/u', 't/v', 'temperature/in/the/cellar'),
          payload: fc.uint8Array({ maxLength: 40 }),
          qos: fc.constantFrom(0 as const, 1 as const),
          packetId: fc.integer({ min: 1, max: 3 }),
        }).map(({ packetId, ...some }) =>
          Packet.publish({ ...some, packetId: some.qos === 0 ? 0 : packetId })
        ),
      },
      // Of fewer bytes than the head of a PUBLISH.
      fc.constant(pingreq),
    ),
    { minLength: 1, maxLength: 12 },
  ),
  { maxLength: 6 },
)

recording('each frame has its line, whatever pages it was noted on, and is the same again', () => {
  fc.assert(
    fc.property(
      publishes,
      payloads,
      fc.integer({ min: 64, max: 2000 }),
      (packets, payload, page) => {
        const text = inFrames(payload, packets, undefined, page)
        const lines = text.split('\n').filter((line) => /^(\["f"|")/.test(line))
        assert.is(lines.length, packets.flat().length)
        const found = replayed(text)
        assert.is(found.at(-1)?._tag, 'Ended')
        const arrivals = found.flatMap((one) =>
          one._tag !== 'Ran'
            ? []
            : one.batch.inputs.flatMap((input) =>
              input._tag === 'Arrived' && input.packet._tag === 'Publish' ? [input.packet] : []
            )
        )
        const bare = (
          { topic, packetId, qos, payload: { start, end } }: typeof arrivals[0],
        ) => [topic, packetId, qos, end - start]
        const sent = packets.flat().filter((packet) => packet._tag === 'Publish')
        assert.equal(arrivals.map(bare), sent.map(bare))
        assert.ok(found.every((one) => one._tag !== 'Ran' || one.isSame))
      },
    ),
    { numRuns: runs(200) },
  )
})

recording('what came together lies on one page wherever it fits on one', () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 1500 }), { minLength: 2, maxLength: 20 })
  let turned = 0
  fc.assert(
    fc.property(sizes, fc.integer({ min: 400, max: 1200 }), (payloadSizes, size) => {
      const page = new Uint8Array(size)
      const ends: number[] = []
      const notes = new Notes(veilOf('full'), (end) => {
        ends.push(end)
        return page
      })
      notes.begin(initial(defaults, origin), '1', page)
      for (const [at, payloadSize] of payloadSizes.entries()) {
        const packet = Packet.publish({ topic: 't', payload: new Uint8Array(payloadSize) })
        const frame = encode(4, packet)
        notes.close()
        const before = ends.length
        notes.input(I.arrived(conn, at, packet), 4, frame, 0, frame.length)
        notes.close()
        const pages = ends.length - before
        // A kind, its numbers and what makes both sides lie alike take no more than forty.
        const fits = frame.length + 40 <= size
        assert.ok(!fits || pages <= 1, `${frame.length} bytes on ${pages} pages of ${size}`)
        if (fits && pages === 1) {
          turned += 1
          // A note begins the page: nothing of it lies on the one before.
          assert.is(page[0], noteFrames)
          assert.is(notes.written - frame.length <= 40, true)
        }
      }
    }),
    { numRuns: runs(100) },
  )
  if (isShortRun(100)) return
  assert.ok(turned > leastOf(100, 100))
})

/** What stands behind the heads of frames that were noted at these times. */
const marksOf = (level: 4 | 5, packets: ReadonlyArray<Publish>, isApart: boolean) => {
  const frames = packets.map((packet) => encode(level, packet))
  const chunk = Buffer.concat(frames)
  const transcript = new Transcript(veilOf('hash'))
  const { notes } = transcript
  notes.begin(initial(defaults, origin), '1', transcript.page)
  let start = 0
  for (const [i, packet] of packets.entries()) {
    const end = start + frames[i]!.length
    notes.input(I.arrived(conn, isApart ? i : 0, packet), level, chunk, start, end)
    start = end
  }
  const lines = textOf(transcript).trimEnd().split('\n').slice(2)
  return lines.map((line) => /(~[^"]*)?"\]?$/.exec(line)?.[1])
}

recording('frames that came together are marked as if each had come alone', () => {
  const properties = fc.constantFrom<Publish['properties']>(
    {},
    { payloadFormatIndicator: 1 },
    // Ends with a zero, as a length of properties does that there are none of.
    { payloadFormatIndicator: 1, messageExpiryInterval: 256 },
  )
  const some = fc.array(
    fc.record({
      topic: fc.constantFrom('t', 'u'),
      payload: fc.uint8Array({ minLength: 2, maxLength: 3, max: 0xff }),
      properties,
    }).map(Packet.publish),
    { minLength: 1, maxLength: 20 },
  )
  fc.assert(
    fc.property(some, fc.constantFrom<4 | 5>(4, 5), (packets, level) => {
      const marks = marksOf(level, packets, false)
      assert.equal(marks, marksOf(level, packets, true))
      assert.ok(marks.every((mark) => mark?.length === 12 || mark?.endsWith('!')))
    }),
    { numRuns: runs(200) },
  )
})

recording('acknowledgements that came together are written as any frame is', () => {
  const frame = fc.oneof(
    fc.record({
      type: fc.constantFrom(0x40, 0x50, 0x62, 0x70),
      packetId: fc.integer({ min: 1, max: 0xffff }),
    }).map(({ type, packetId }) => Uint8Array.of(type, 2, packetId >> 8, packetId & 0xff)),
    fc.constantFrom(
      Uint8Array.of(0xc0, 0),
      Uint8Array.of(0x40, 3, 0, 9, 0x10),
      Uint8Array.of(0xa2, 6, 0, 1, 0, 2, 0x61, 0x62),
    ),
  )
  fc.assert(
    fc.property(fc.array(frame, { minLength: 1, maxLength: 20 }), payloads, (frames, payload) => {
      const chunk = Buffer.concat(frames)
      const transcript = new Transcript(veilOf(payload))
      const { notes } = transcript
      notes.begin(initial(defaults, origin), '1', transcript.page)
      let start = 0
      for (const { length } of frames) {
        notes.input(I.arrived(conn, 0, pingreq), 5, chunk, start, start + length)
        start += length
      }
      notes.mark(frames.length, [])
      const lines = textOf(transcript).split('\n').slice(2, -1)
      const mark = lines.pop()!
      const expected = frames.map((one) => `"${Buffer.from(one).toString('base64')}"`)
      assert.equal(lines, [`["f",0,1,0,5,${expected[0]}]`, ...expected.slice(1)])
      const before = mark.slice(0, mark.lastIndexOf(',"'))
      assert.is(mark, `${before},"${hex32([...lines, before].reduce(sumOfText, 0))}"]`)
    }),
    { numRuns: runs(300) },
  )
})

recording('a frame with secrets ends a recording sooner than it is written down', () => {
  const connect = Packet.connect({ clientId: 'a', password: utf8('secret').buffer })
  const auth = { _tag: 'Auth', reason: 0x18, properties: { authenticationMethod: 'a' } } as const
  for (const packet of [connect, auth]) {
    const transcript = new Transcript(veilOf('full'))
    const { notes } = transcript
    notes.begin(initial(defaults, origin), '1', transcript.page)
    const frame = encode(5, packet)
    // Whoever says that it is another packet than it is.
    notes.input(I.arrived(conn, 0, pingreq), 5, frame, 0, frame.length)
    assert.throws(() => textOf(transcript), /frame with secrets/)
  }
})

recording('the head of a frame is never that of one that came from elsewhere or later', () => {
  const frame = encode(4, Packet.publish({ topic: 't', payload: new Uint8Array(9) }))
  const chunk = Buffer.concat([frame, frame, frame, frame])
  const reader = createReader(limits(), 4)
  reader.push(frame, 0, frame.length)
  const read = reader.next()
  assert.ok(read?._tag === 'Right')
  const transcript = new Transcript(veilOf('length'))
  const { notes } = transcript
  notes.begin(initial(defaults, origin), '1', transcript.page)
  const other = { ...conn, slot: conn.slot + 1 }
  for (const [i, [its, at]] of ([[conn, 1], [conn, 1], [conn, 2], [other, 2]] as const).entries()) {
    const start = i * frame.length
    notes.input(I.arrived(its, at, read.right), 4, chunk, start, start + frame.length)
  }
  const head = Buffer.from(frame.subarray(0, 5)).toString('base64')
  assert.equal(textOf(transcript).split('\n').slice(2), [
    `["f",0,1,1,4,"${head}~"]`,
    '"~"',
    `["f",0,1,2,4,"${head}~"]`,
    `["f",1,1,2,4,"${head}~"]`,
    '',
  ])
})

recording('frames that do not lie side by side are noted without what is between them', () => {
  const frame = encode(4, Packet.publish({ topic: 't', payload: new Uint8Array(9) }))
  const gap = 3
  const chunk = Buffer.concat([frame, Buffer.alloc(gap, 0xff), frame])
  const reader = createReader(limits(), 4)
  reader.push(frame, 0, frame.length)
  const read = reader.next()
  assert.ok(read?._tag === 'Right')
  const transcript = new Transcript(veilOf('full'))
  const { notes } = transcript
  notes.begin(initial(defaults, origin), '1', transcript.page)
  for (const start of [0, frame.length + gap]) {
    notes.input(I.arrived(conn, 1, read.right), 4, chunk, start, start + frame.length)
  }
  const text = Buffer.from(frame).toString('base64')
  const line = `["f",0,1,1,4,"${text}"]`
  assert.equal(textOf(transcript).split('\n').slice(2), [line, line, ''])
})

recording('a payload that is not what went out on the day is found, unless there is none', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 5, maxLength: 100, size: 'max' }),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      payloads,
      (bytes, place, bits, payload) => {
        // Of a long one four words are looked at: three as far apart as may be, and the last.
        const apart = Math.floor((bytes.length - 4) / 3)
        const [word, within] = [place % 4, Math.floor(place / 4) % 4]
        const where = payload === 'full' || bytes.length <= 16
          ? place % bytes.length
          : (word === 3 ? bytes.length - 4 : word * apart) + within
        const changed = bytes.map((byte, at) => at === where ? byte ^ bits : byte)
        const other = (effects: ReadonlyArray<Effect>): ReadonlyArray<Effect> =>
          effects.map((effect) =>
            effect._tag === 'Send' && effect.packet._tag === 'Publish'
              ? { ...effect, packet: { ...effect.packet, payload: B.of(changed) } }
              : effect
          )
        const text = inFrames(payload, [[Packet.publish({ topic: 't', payload: bytes })]], other)
        const isSame = replayed(text).every((one) => one._tag !== 'Ran' || one.isSame)
        assert.is(isSame, payload === 'length')
      },
    ),
    { numRuns: runs(200) },
  )
})

/** What two lists of effects differ in, as far as a recording with these payloads can know. */
const seenAt = (payload: Veil['payload'], effects: ReadonlyArray<Effect>): string =>
  JSON.stringify(effects, (key, value: unknown) => {
    if (key !== 'payload') return value
    const { buffer, start, end } = value as B.Bytes
    return payload === 'length' ? end - start : [...buffer.subarray(start, end)]
  })

const changes = {
  drop: (effects, i) => effects.filter((_, at) => at !== i),
  double: (effects, i) => effects.flatMap((one, at) => at === i ? [one, one] : [one]),
  swap: (effects, i, j) =>
    effects.map((one, at) => at === i ? effects[j]! : at === j ? effects[i]! : one),
  receiver: (effects, i) =>
    effects.map((one, at) =>
      at === i && one._tag === 'Send' ? { ...one, conn: { ...one.conn, slot: 1 } } : one
    ),
  generation: (effects, i) =>
    effects.map((one, at) =>
      at === i && one._tag === 'Send' ? { ...one, conn: { ...one.conn, generation: 7 } } : one
    ),
  hold: (effects, i) =>
    effects.map((one, at) =>
      at === i && one._tag === 'Send'
        ? { ...one, when: one.when === 'now' ? 'durable' as const : 'now' as const }
        : one
    ),
  payload: (effects, i, j) => {
    const from = effects[j]!
    return effects.map((one, at) =>
      at === i && one._tag === 'Send' && one.packet._tag === 'Publish' &&
        from._tag === 'Send' && from.packet._tag === 'Publish'
        ? { ...one, packet: { ...one.packet, payload: from.packet.payload } }
        : one
    )
  },
} satisfies {
  readonly [name: string]: (
    effects: ReadonlyArray<Effect>,
    i: number,
    j: number,
  ) => ReadonlyArray<Effect>
}

recording('another order, receiver, number or payload of what was sent is found', () => {
  const all = Object.keys(changes) as ReadonlyArray<keyof typeof changes>
  const seen = new Map<string, number>()
  const message = fc.record({
    topic: fc.constantFrom('t', 'u'),
    size: fc.constantFrom(8, 20, 40, 200),
    letter: fc.integer({ min: 1, max: 3 }),
    qos: fc.constantFrom(0 as const, 1 as const),
  }).map(({ topic, size, letter, qos }) =>
    Packet.publish({
      topic,
      payload: new Uint8Array(size).fill(letter),
      qos,
      packetId: qos === 0 ? 0 : letter,
    })
  )
  fc.assert(
    fc.property(
      fc.array(message, { minLength: 2, maxLength: 8 }),
      fc.constantFrom(...all),
      fc.nat(),
      fc.nat(),
      payloads,
      (packets, kind, i, j, payload) => {
        let isAsBefore = true
        const other = (effects: ReadonlyArray<Effect>): ReadonlyArray<Effect> => {
          if (effects.length === 0) return effects
          const changed = changes[kind](effects, i % effects.length, j % effects.length)
          if (seenAt(payload, changed) !== seenAt(payload, effects)) isAsBefore = false
          return changed
        }
        const found = replayed(inFrames(payload, [packets], other))
        assert.is(found.at(-1)?._tag, 'Ended')
        assert.is(found.every((one) => one._tag !== 'Ran' || one.isSame), isAsBefore)
        if (!isAsBefore) seen.set(kind, (seen.get(kind) ?? 0) + 1)
      },
    ),
    { numRuns: runs(400) },
  )
  if (isShortRun(400)) return
  assert.is(seen.size, all.length)
})

recording('lines that claim more than anybody could have sent are refused', () => {
  const text = inFrames('length', [])
  const head = Buffer.concat([Buffer.of(0x30, 0xff, 0xff, 0xff, 0x7f), Buffer.of(0, 1, 0x74)])
  const huge = `["f",0,1,0,4,"${head.toString('base64')}~"]`
  const lines = text.split('\n')
  const found = replayed(`${[...lines.slice(0, -2), ...Array<string>(9).fill(huge)].join('\n')}\n`)
  const broken = found.at(-1)
  assert.ok(broken?._tag === 'Broken')
  assert.match(broken.why, /too many inputs for one run/)
})

recording('an effect that differs is found at the run that differs', () => {
  const inputs = [
    opened(),
    I.arrived(conn, 0, Packet.connect({ clientId: 'a' })),
    I.arrived(conn, 1, { _tag: 'Pingreq' }),
  ]
  const { text } = recorded(initial(defaults, origin), inputs, 1, 'hash')
  let count = 0
  const replay = new Replay((state, some) => {
    count += 1
    const [next, effects] = run(state, some)
    return [next, count === 3 ? effects.slice(1) : effects]
  })
  const same: Array<boolean | null> = []
  for (const line of text.split('\n')) {
    const found = replay.line(line)
    if (found?._tag === 'Ran') same.push(found.isSame)
  }
  assert.equal(same, [true, true, false])
})

recording('what ended the broker is run again, although it never came to an end', () => {
  const { text } = recorded(initial(defaults, origin), [opened()], 1, 'hash')
  const lines = text.split('\n').slice(0, 3)
  const replay = new Replay(() => {
    throw new Error('at fault')
  })
  for (const line of lines) replay.line(line)
  const [threw] = replay.finish()
  assert.ok(threw?._tag === 'Threw' && threw.inputs.length === 1)
})

recording('under another configuration clients see what they would have seen', () => {
  const { text } = recorded(initial(defaults, origin), [opened()], 1, 'hash')
  const began = replayed(text)[0]
  assert.ok(began?._tag === 'Began')
  const config = { ...defaults, retainAvailable: false }
  const under = { config: () => config, knows: () => true }
  const { state } = beginUnder(began.state, !began.head.hasSnapshot, under)
  assert.is(state.config.retainAvailable, false)
  assert.equal(differenceOf(['a', 'b', 'b'], ['b', 'c']), ['- a', '- b', '+ c'])
})

recording('the digest is one number on every runtime', () => {
  const [, effects] = run(initial(defaults, origin), [
    opened(),
    I.arrived(conn, 0, Packet.connect({ clientId: 'a' })),
  ])
  assert.is(digestOf(effects).toString(16), '497a4475')
  assert.is(digestOf([]), 0)
  assert.ok(B.size(B.empty) === 0)
})

recording.run()
