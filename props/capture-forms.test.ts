// What of captures is seldom seen: blocks of pcapng as older programs wrote them, times of other
// units, headers between IPv6 and TCP; and the configuration that one is played under.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { encode } from '../core/codec/mod.ts'
import { Packet } from '../core/mod.ts'
import { CaptureFile } from '../core/trace/capture/file.ts'
import { segmentIn } from '../core/trace/capture/tap.ts'
import { addressOf, ethernet, fileHeader, packetBlock } from '../core/trace/capture/write.ts'
import { explainRecording } from '../shells/cli/explain.ts'
import { playRecording } from '../shells/cli/replay.ts'
import { hear } from './mouth.ts'

const forms = suite('capture-forms')

const joined = (parts: ReadonlyArray<Uint8Array>): Uint8Array =>
  Uint8Array.from(Buffer.concat(parts))

const [SYN, ACK] = [2, 16]

const frameOf = (isByClient: boolean, at: number, flags: number, data?: Uint8Array) => {
  const [client, broker] = [addressOf('2001:db8::2')!, addressOf('2001:db8::1')!]
  return ethernet({
    from: isByClient ? client : broker,
    fromPort: isByClient ? 5555 : 1883,
    to: isByClient ? broker : client,
    toPort: isByClient ? 1883 : 5555,
    sequence: 7 + at,
    acknowledged: 0,
    flags,
    data: data ?? new Uint8Array(0),
  }, isByClient)
}

const said = Uint8Array.from([
  ...encode(4, Packet.connect({ clientId: 'c', level: 4 })),
  ...encode(4, Packet.subscribe({ filter: 't', qos: 1 })),
])

const heard = (granted: 0 | 1): Uint8Array =>
  Uint8Array.from([
    ...encode(4, { _tag: 'Connack', sessionPresent: false, reason: 0, properties: {} }),
    ...encode(4, { _tag: 'Suback', packetId: 1, reasons: [granted], properties: {} }),
  ])

const framesOf = (granted: 0 | 1): ReadonlyArray<Uint8Array> => [
  frameOf(true, -1, SYN),
  frameOf(false, -1, SYN | ACK),
  frameOf(true, 0, ACK, said),
  frameOf(false, 0, ACK, heard(granted)),
]

const frames = framesOf(1)

/** Blocks of pcapng in one byte order, by hand. */
const blocks = (isLittle: boolean) => {
  const number = (bytes: 2 | 4) => (value: number): Uint8Array => {
    const made = new Uint8Array(bytes)
    const view = new DataView(made.buffer)
    if (bytes === 2) view.setUint16(0, value, isLittle)
    else view.setUint32(0, value, isLittle)
    return made
  }
  const [two, four] = [number(2), number(4)]
  const block = (type: number, ...parts: ReadonlyArray<Uint8Array>): Uint8Array => {
    const body = joined(parts)
    const padding = new Uint8Array((4 - body.length % 4) % 4)
    const size = four(12 + body.length + padding.length)
    return joined([four(type), size, body, padding, size])
  }
  const unknown = new Uint8Array(8).fill(0xff)
  const section = block(0x0a0d0d0a, four(0x1a2b3c4d), two(1), two(0), unknown)
  return { two, four, block, section }
}

const asked = async (bytes: Uint8Array, config: string | null = null) => {
  const folder = mkdtempSync(join(tmpdir(), 'sabethes-forms-'))
  try {
    const [path, conf] = [join(folder, 'c'), join(folder, 'conf')]
    writeFileSync(path, bytes)
    if (config !== null) writeFileSync(conf, config)
    let [told, complained] = ['', '']
    const status = await playRecording({
      say: (text) => told += text,
      complain: (text) => complained += text,
    }, [path, '-q', ...(config === null ? [] : ['--config', conf])])
    return { status, told, complained }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

forms('blocks of packets as they were once, and simple ones, are read', async () => {
  for (const isLittle of [true, false]) {
    const { two, four, block, section } = blocks(isLittle)
    const plain = (snapLength: number) => block(1, two(1), two(0), four(snapLength))
    const obsolete = frames.map((frame) =>
      block(2, two(1), two(9), four(1), four(2), four(frame.length), four(frame.length), frame)
    )
    const simple = frames.map((frame) => block(3, four(frame.length), frame))
    // A name that is resolved says nothing to us, and stands in between.
    const names = block(4, new Uint8Array(4))
    for (
      const parts of [
        [plain(0), plain(0), names, ...obsolete],
        [plain(0), names, ...simple],
        [plain(65_535), ...simple],
      ]
    ) {
      const whole = joined([section, ...parts])
      const file = new CaptureFile()
      assert.equal(file.push(whole).map(({ size }) => size), frames.map((one) => one.length))
      const { status, told, complained } = await asked(whole)
      assert.is(status, 0, complained)
      assert.match(told, /2 messages and answers of the captured broker were compared/)
    }
    const file = new CaptureFile()
    const [cut] = file.push(joined([section, plain(60), ...simple]))
    assert.equal([cut?.bytes.length, cut?.size], [60, frames[0]!.length])
    const old = new CaptureFile().push(joined([section, plain(0), plain(0), ...obsolete]))
    assert.is(old[0]?.atMs, (0x1_0000_0000 + 2) / 1000)
    const stray = new CaptureFile()
    stray.push(joined([section, plain(0), ...obsolete]))
    assert.match(stray.breach?.why ?? '', /of an interface that is not there/)
  }
})

forms('what the head of a pcap says beside the link is no part of it', async () => {
  for (const isLittle of [true, false]) {
    const { two, four } = blocks(isLittle)
    // Checksums of four bytes stand behind the frames; their length counts in words of two.
    for (const more of [0, 0x0400_0000, 0x2400_0000, 0x2000_0000, 0x03ff_0000]) {
      const numbers = [0, 0, 262_144, 1 + more].map(four)
      const head = joined([four(0xa1b2c3d4), two(2), two(4), ...numbers])
      const checked = more === 0x2400_0000 ? new Uint8Array(4).fill(0xaa) : new Uint8Array(0)
      const records = frames.map((frame, i) => {
        const bytes = joined([frame, checked])
        return joined([four(i), four(0), four(bytes.length), four(bytes.length), bytes])
      })
      const { status, told } = await asked(joined([head, ...records]))
      assert.is(status, 0, `${more} ${told}`)
      assert.match(told, /2 messages and answers of the captured broker were compared/)
    }
  }
})

forms('a modified pcap, which says more of each packet, is read', async () => {
  for (const isLittle of [true, false]) {
    const { two, four } = blocks(isLittle)
    const head = joined([four(0xa1b2cd34), two(2), two(4), ...[0, 0, 262_144, 1].map(four)])
    const records = frames.map((frame, i) => {
      const size = four(frame.length)
      const more = [four(3), two(0x86dd), Uint8Array.of(4, 0)]
      return joined([four(i), four(500_000), size, size, ...more, frame])
    })
    const whole = joined([head, ...records])
    const file = new CaptureFile()
    assert.equal(file.push(whole).map(({ atMs }) => atMs), [500, 1500, 2500, 3500])
    const { status, told, complained } = await asked(whole)
    assert.is(status, 0, complained)
    assert.match(told, /^A capture \(modified pcap, [^]*2 messages and answers of the captured/)
    const cut = await asked(whole.subarray(0, -1))
    assert.is(cut.status, 2)
    assert.match(cut.complained, /can be read up to byte \d+, after 3 packets/)
    // SUSE had four bytes more there, and the same beginning.
    const longer = await asked(joined([
      head,
      ...records.map((one) => joined([one.subarray(0, 24), four(0), one.subarray(24)])),
    ]))
    assert.is(longer.status, 2)
  }
})

forms('what goes to a line of DSL in PPPoE is read', async () => {
  const fileOf = (some: ReadonlyArray<Uint8Array>): Uint8Array =>
    joined([fileHeader(), ...some.map((frame, i) => packetBlock(frame, 1e15 + i))])
  const inside = (protocol: number, code: number, ...tags: ReadonlyArray<number>) =>
    frames.map((frame) => {
      const ip = frame.subarray(14)
      const size = ip.length + 2
      const head = [0x88, 0x64, 0x11, code, 0, 1, size >> 8, size, 0, protocol]
      return joined([frame.subarray(0, 12), Uint8Array.from([...tags, ...head]), ip])
    })
  for (const some of [inside(0x57, 0), inside(0x21, 0), inside(0x57, 0, 0x81, 0, 0, 7)]) {
    const { status, told, complained } = await asked(fileOf(some))
    assert.is(status, 0, complained)
    assert.match(told, /2 messages and answers of the captured broker were compared/)
  }
  for (
    const some of [
      inside(0x2b, 0),
      inside(0x57, 7),
      inside(0x57, 0).map((one) => one.slice(0, 21)),
    ]
  ) {
    assert.is((await asked(fileOf(some))).status, 2)
  }
})

forms('times are of the unit, and from the moment, that their interface says', () => {
  const second = 1_700_000_000
  const frame = frames[0]!
  for (const isLittle of [true, false]) {
    const { two, four, block, section } = blocks(isLittle)
    const option = (code: number, ...bytes: ReadonlyArray<number>): Uint8Array =>
      joined([two(code), two(bytes.length), Uint8Array.from(bytes), new Uint8Array(3)]
        .map((part, i) => i === 3 ? part.subarray(0, (4 - bytes.length % 4) % 4) : part))
    const name = option(2, 108, 111)
    const high = new Uint8Array(4)
    const offset = joined([two(14), two(8), ...(isLittle ? [four(9), high] : [high, four(9)])])
    const cases: ReadonlyArray<readonly [ReadonlyArray<Uint8Array>, bigint, number]> = [
      [[], 1_000_000n, 0],
      [[name, option(9, 6)], 1_000_000n, 0],
      [[name, option(9, 9), option(0)], 1_000_000_000n, 0],
      [[option(9, 3)], 1000n, 0],
      [[option(9, 0x8a), option(0)], 1024n, 0],
      [[option(9, 9), offset], 1_000_000_000n, 9000],
      // What stands behind the end of the options is none.
      [[option(0), option(9, 3)], 1_000_000n, 0],
    ]
    for (const [options, perSecond, laterMs] of cases) {
      const ticks = BigInt(second) * perSecond + perSecond / 4n
      const time = [four(Number(ticks >> 32n)), four(Number(ticks & 0xffff_ffffn))]
      const size = four(frame.length)
      const found = new CaptureFile().push(joined([
        section,
        block(1, two(1), two(0), four(0), ...options),
        block(6, four(0), ...time, size, size, frame),
      ]))
      assert.equal(found.map(({ atMs }) => atMs), [second * 1000 + 250 + laterMs])
    }
  }
})

forms('interfaces whose clocks differ are brought to one time', async () => {
  const { two, four, block, section } = blocks(true)
  const ms = 1_700_000_000_000
  for (const differMs of [0, 100_000, -100_000, 3_600_000]) {
    const seen = [...frames, ...Array.from({ length: 40 }, (_, i) => frameOf(i % 2 === 0, 1, ACK))]
    const packets = seen.map((frame, i) => {
      const number = (i >> 1) % 2
      const ticks = BigInt(ms + i + number * differMs) * 1000n
      const time = [four(Number(ticks >> 32n)), four(Number(ticks & 0xffff_ffffn))]
      const size = four(frame.length)
      return block(6, four(number), ...time, size, size, frame)
    })
    const plain = block(1, two(1), two(0), four(0))
    const { status, told } = await asked(joined([section, plain, plain, ...packets]))
    assert.is(status, 0, told)
    const played = Number(/ in ([\d.]+)s were played/.exec(told)?.[1])
    const onceS = Math.max(differMs, 0) / 1000
    assert.ok(played >= onceS && played < onceS + 1, `${differMs} ${played}`)
  }
})

forms('a time that cannot be ends the reading', async () => {
  const { two, four, block, section } = blocks(true)
  const one = frames[0]!
  const size = four(one.length)
  const cases: ReadonlyArray<readonly [high: number, offset: ReadonlyArray<Uint8Array>]> = [
    [0xffff_ffff, []],
    [60_000_000, []],
    // Seconds that are added to all times.
    [0, [two(14), two(8), four(0), four(0x8000_0000), four(0)]],
    [0, [two(14), two(8), four(0), four(0x7fff_ffff), four(0)]],
  ]
  for (const [high, offset] of cases) {
    const { status, complained } = await asked(joined([
      section,
      block(1, two(1), two(0), four(0), ...offset),
      block(6, four(0), four(high), four(0), size, size, one),
    ]))
    assert.is(status, 2)
    assert.match(complained, /after 0 packets; there a packet claims a time that cannot be\./)
  }
})

forms('packets that are cut within their headers are not passed over', async () => {
  const { two, four, block, section } = blocks(true)
  const cutTo = (bytes: number) =>
    asked(joined([
      section,
      block(1, two(1), two(0), four(bytes)),
      ...frames.map((frame) => {
        const kept = frame.subarray(0, bytes)
        return block(6, ...[0, 1e6, 0, kept.length, frame.length].map(four), kept)
      }),
    ]))
  // Ports, sequence numbers and flags are there, as tcpdump -s 68 leaves them of IPv6.
  assert.match((await cutTo(68)).complained, /\d+ bytes of the client are missing \(the capture/)
  for (const bytes of [67, 54, 53, 33, 30]) {
    const { status, complained } = await cutTo(bytes)
    assert.is(status, 2)
    assert.match(complained, /^4 IP packets had no room for all of the headers of TCP \(the cap/)
  }
  const udp = joined([frames[0]!.subarray(0, 20), Uint8Array.of(17), frames[0]!.subarray(21, 60)])
  assert.is(segmentIn({ atMs: 0, link: 1, face: 0, bytes: udp, size: 90 }), 'other')
})

/** The frame with other headers between IPv6 and TCP; each but the last names the next. */
const withHeaders = (
  frame: Uint8Array,
  headers: ReadonlyArray<readonly [kind: number, bytes: ReadonlyArray<number>]>,
): Uint8Array => {
  const made = headers.map(([, bytes], i) => {
    const header = Uint8Array.from(bytes)
    header[0] = headers[i + 1]?.[0] ?? 6
    return header
  })
  const ip = frame.slice(0, 54)
  ip[20] = headers[0]![0]
  const size = frame.length - 54 + joined(made).length
  ip[18] = size >> 8
  ip[19] = size
  return joined([ip, ...made, frame.subarray(54)])
}

const extension = (
  length: number,
  own: number,
): ReadonlyArray<number> => [0, own, ...new Array<number>(length - 2).fill(0)]

forms('headers between IPv6 and TCP are passed by', async () => {
  const segmentOf = (bytes: Uint8Array) =>
    segmentIn({ atMs: 0, link: 1, face: 0, bytes, size: bytes.length })
  const chains: ReadonlyArray<ReadonlyArray<readonly [number, ReadonlyArray<number>]>> = [
    [[0, extension(8, 0)]],
    [[43, extension(24, 2)]],
    [[60, extension(16, 1)]],
    [[51, extension(24, 4)]],
    // A fragment that is all of the packet.
    [[44, [0, 0, 0, 0, 1, 2, 3, 4]]],
    [[0, extension(8, 0)], [60, extension(16, 1)], [43, extension(8, 0)], [51, extension(16, 2)]],
  ]
  for (const chain of chains) {
    const longer = frames.map((frame) => withHeaders(frame, chain))
    const segment = segmentOf(longer[2]!)
    assert.ok(typeof segment !== 'string')
    assert.equal([...segment.bytes.subarray(segment.start, segment.end)], [...said])
    const { status, complained } = await asked(joined([
      fileHeader(),
      ...longer.map((frame, i) => packetBlock(frame, 1e15 + i)),
    ]))
    assert.is(status, 0, complained)
  }
  const frame = frames[2]!
  assert.is(segmentOf(withHeaders(frame, [[44, [0, 0, 0, 8, 0, 0, 0, 0]]])), 'fragment')
  assert.is(segmentOf(withHeaders(frame, [[44, [0, 0, 0, 1, 0, 0, 0, 0]]])), 'fragment')
  assert.is(segmentOf(withHeaders(frame, [[99, extension(8, 0)]])), 'other')
  const many = new Array(9).fill([60, extension(8, 0)])
  assert.is(segmentOf(withHeaders(frame, many)), 'other')
  assert.is(segmentOf(withHeaders(frame, [[0, extension(8, 255)]])), 'other')
})

forms('--config is what the clients are played to', async () => {
  const bytes = joined([
    fileHeader(),
    ...framesOf(0).map((frame, i) => packetBlock(frame, 1e15 + i)),
  ])
  const usual = await asked(bytes)
  assert.is(usual.status, 1)
  assert.match(usual.told, /The captured broker sent suback id1 0x00 to 'c', this one does not/)
  const like = await asked(bytes, 'listener 1883\nallow_anonymous true\nmax_qos 0\n')
  assert.is(like.status, 0, like.told)
  assert.not.match(like.told, /listener/)
  const wrong = await asked(bytes, 'max_qos x\n')
  assert.is(wrong.status, 3)
  assert.match(wrong.complained, /max_qos/)
})

forms('who came to a port that the configuration has no listener on is let in', async () => {
  const bytes = joined([
    fileHeader(),
    ...framesOf(0).map((frame, i) => packetBlock(frame, 1e15 + i)),
  ])
  const open = (port: number | string, qos = 0) =>
    `listener ${port}\nallow_anonymous true\nmax_qos ${qos}\n`
  const only = await asked(bytes, open(31010))
  assert.is(only.status, 0, only.told)
  assert.match(
    only.told,
    /\nNo listener of the configuration is on port 1883: connections .* its only one, 31010\.\n/,
  )
  // What it says holds for them.
  assert.is((await asked(bytes, open(31010, 1))).status, 1)
  const first = await asked(bytes, `per_listener_settings true\n${open(31010)}${open(31011, 1)}`)
  assert.is(first.status, 0, first.told)
  assert.match(
    first.told,
    /on port 1883: .* of the first of its 2, 31010; another is chosen by giving it port 1883\.\n/,
  )
  const none = await asked(bytes, `${open(31011, 1)}${open(1883)}`)
  assert.is(none.status, 0, none.told)
  assert.not.match(none.told, /listener/)
  // Where listeners share a port, they have longer names.
  const shared = `${open(31011, 1)}${open('1883 127.0.0.1')}${open('1883 127.0.0.2', 1)}`
  const two = await asked(bytes, shared)
  assert.is(two.status, 0, two.told)
  assert.match(two.told, /2 listeners .* on port 1883: .* of the first, 1883 on 127\.0\.0\.1;/)
})

forms('a story and an answer say of which listener connections are taken to be', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sabethes-forms-'))
  try {
    const [path, conf] = [join(folder, 'c'), join(folder, 'conf')]
    const blocks = framesOf(0).map((frame, i) => packetBlock(frame, 1e15 + i))
    writeFileSync(path, joined([fileHeader(), ...blocks]))
    writeFileSync(conf, 'listener 31010\nallow_anonymous true\n')
    const under = ['--config', conf]
    const told = await hear(playRecording, path, '--to-story', ...under)
    assert.is(told.status, 0, told.complained)
    assert.match(told.said, /^# A capture.* No listener of the configuration .* one, 31010\.\n/)
    assert.match(told.said, /\nc< connack\n/)
    const why = await hear(explainRecording, path, '--why-disconnected', 'c', ...under)
    assert.match(why.said, /\n?No listener of the configuration is on port 1883: .* 31010\.\n/)
    assert.not.match(why.said, /refused/)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

forms(
  'who was not answered in the capture and would be judged is said to be left out',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sabethes-forms-'))
    try {
      const [path, conf, users] = [join(folder, 'c'), join(folder, 'conf'), join(folder, 'users')]
      const keep = (some: ReadonlyArray<Uint8Array>) =>
        writeFileSync(
          path,
          joined([fileHeader(), ...some.map((one, i) => packetBlock(one, 1e15 + i))]),
        )
      const hash = '$7$101$QUFBQUFBQUFBQUFB$' + 'A'.repeat(86) + '=='
      writeFileSync(users, `somebody:${hash}\n`, { mode: 0o600 })
      writeFileSync(conf, `listener 1883\nallow_anonymous true\npassword_file ${users}\n`)
      const [, , speaking] = frames as readonly [Uint8Array, Uint8Array, Uint8Array]
      keep([frames[0]!, speaking])
      const left = /\[?2001:db8::2\]?:5555 \(client 'c'\) has no answer to its CONNECT .*left out/
      const replayed = await hear(playRecording, path, '--config', conf)
      assert.is(replayed.status, 2)
      assert.match(replayed.complained, left)
      assert.match(replayed.said, /c> connect 'c'/)
      const told = await hear(playRecording, path, '--config', conf, '--to-story')
      assert.is(told.status, 2)
      assert.match(told.complained, left)
      const why = await hear(explainRecording, path, '--why-disconnected', 'c', '--config', conf)
      assert.is(why.status, 2)
      assert.match(why.said, left)
      // Nobody is asked, nothing of it is left out, or its answer is there.
      const free = await hear(playRecording, path)
      assert.is(free.status, 0, free.complained)
      assert.match(free.said, /c< suback/)
      keep([
        frames[0]!,
        frameOf(true, 0, ACK, encode(4, Packet.connect({ clientId: 'c', level: 4 }))),
      ])
      assert.is((await hear(playRecording, path, '--config', conf)).complained, '')
      keep(frames)
      const whole = await hear(playRecording, path, '--config', conf)
      assert.is(whole.status, 0, whole.complained)
      assert.match(whole.said, /c< suback/)
    } finally {
      rmSync(folder, { recursive: true })
    }
  },
)

forms.run()
