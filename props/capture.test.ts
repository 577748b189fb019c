// A capture comes to what was on the wire: streams out of segments in any order, files of every
// form and of none, and what clients said, played to a broker of ours.

import * as fc from 'fast-check'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { defaults } from '../core/broker/config.ts'
import type { Packet as AnyPacket } from '../core/codec/packet.ts'
import { encode, pingreq } from '../core/codec/mod.ts'
import { view } from '../core/data/bytes.ts'
import { Packet } from '../core/mod.ts'
import { CaptureFile } from '../core/trace/capture/file.ts'
import { Half } from '../core/trace/capture/half.ts'
import { kept, Reenactment } from '../core/trace/capture/reenact.ts'
import { Tap } from '../core/trace/capture/tap.ts'
import type { Event } from '../core/trace/capture/tap.ts'
import { addressOf, ethernet, fileHeader, packetBlock } from '../core/trace/capture/write.ts'
import { playRecording } from '../shells/cli/replay.ts'
import { shrinkRecording } from '../shells/cli/shrink.ts'
import { runs } from './gen/settings.ts'
import { hear } from './mouth.ts'

const capture = suite('capture')

const joined = (parts: ReadonlyArray<Uint8Array>): Uint8Array =>
  Uint8Array.from(Buffer.concat(parts))

const [FIN, SYN, RST, ACK] = [1, 2, 4, 16]

interface Piece {
  readonly from: 'client' | 'broker'
  readonly flags: number
  /** Place in the stream of the side; -1 is the SYN. */
  readonly at: number
  readonly data?: Uint8Array
  readonly ms?: number
  readonly port?: number
  /** What it has of the other side. */
  readonly acked?: number
}

const initial = { client: 0xffff_fff0, broker: 5 }

/** Ethernet frames, for an address of either version. */
const frameOf = (
  { from, flags, at, data, port = 5555, acked }: Piece,
  six = false,
  ends: readonly [client: string, broker: string] = six
    ? ['2001:db8::2', '2001:db8::1']
    : ['192.0.2.2', '192.0.2.1'],
): Uint8Array => {
  const [client, broker] = ends.map((end) => addressOf(end)!) as [Uint8Array, Uint8Array]
  const isByClient = from === 'client'
  return ethernet({
    from: isByClient ? client : broker,
    fromPort: isByClient ? port : 1883,
    to: isByClient ? broker : client,
    toPort: isByClient ? 1883 : port,
    sequence: (initial[from] + 1 + at) >>> 0,
    acknowledged: acked === undefined
      ? 0
      : (initial[isByClient ? 'broker' : 'client'] + 1 + acked) >>> 0,
    flags,
    data: data ?? new Uint8Array(0),
  }, isByClient)
}

const epoch = 1_700_000_000_000

const fileOf = (pieces: ReadonlyArray<Piece>, six = false): Uint8Array =>
  joined([
    fileHeader(),
    ...pieces.map((piece, i) => packetBlock(frameOf(piece, six), (epoch + (piece.ms ?? i)) * 1000)),
  ])

const handshake = (port = 5555): ReadonlyArray<Piece> => [
  { from: 'client', flags: SYN, at: -1, port },
  { from: 'broker', flags: SYN | ACK, at: -1, port },
  { from: 'client', flags: ACK, at: 0, port },
]

const said = (packets: ReadonlyArray<AnyPacket>, level: 4 | 5 = 4): Uint8Array =>
  joined(packets.map((packet) => encode(level, packet)))

const hello = said([
  Packet.connect({ clientId: 'c', level: 4 }),
  Packet.subscribe({ filter: 't/#', qos: 0 }),
  Packet.publish({ topic: 't/1', payload: 'on' }),
])

const answers = said([
  { _tag: 'Connack', sessionPresent: false, reason: 0, properties: {} },
  { _tag: 'Suback', packetId: 1, reasons: [0], properties: {} },
  Packet.publish({ topic: 't/1', payload: 'on' }),
])

const usual: ReadonlyArray<Piece> = [
  ...handshake(),
  { from: 'client', flags: ACK, at: 0, data: hello },
  { from: 'broker', flags: ACK, at: 0, data: answers },
]

const asked = async (bytes: Uint8Array, ...words: ReadonlyArray<string>) => {
  const folder = mkdtempSync(join(tmpdir(), 'sabethes-capture-'))
  try {
    const path = join(folder, 'c')
    writeFileSync(path, bytes)
    let [said, complained] = ['', '']
    const mouth = {
      say: (text: string) => said += text,
      complain: (text: string) => complained += text,
    }
    const status = await playRecording(mouth, [path, ...words])
    return { status, said, complained }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

capture('segments in any order, repeated and over each other, are the stream', () => {
  const cuts = fc.array(fc.tuple(fc.nat(199), fc.integer({ min: 1, max: 60 })), { maxLength: 40 })
  fc.assert(
    fc.property(fc.nat(), cuts, fc.infiniteStream(fc.nat()), (first, some, dice) => {
      const start = first >>> 0
      const stream = Uint8Array.from({ length: 200 }, (_, i) => (i * 7 + (i >> 3)) & 0xff)
      // What covers everything, and more by chance.
      const pieces = [...some]
      for (let at = 0; at < 200; at += 9) pieces.push([at, 9])
      for (let i = pieces.length - 1; i > 0; i--) {
        const other = dice.next().value % (i + 1)
        const one = pieces[i]!
        pieces[i] = pieces[other]!
        pieces[other] = one
      }
      const half = new Half()
      half.begin(start)
      const found: Array<Uint8Array> = []
      for (const [at, length] of pieces) {
        const bytes = stream.slice(at, at + length)
        const isFin = at + length >= 200
        for (
          const piece of half.push((start + at) >>> 0, bytes, bytes.length, isFin, 0)
        ) found.push(piece.slice())
        bytes.fill(0xee)
      }
      assert.equal(joined(found), stream)
      assert.ok(half.isOver)
      assert.is(half.hole(), null)
    }),
    { numRuns: runs(200) },
  )
})

capture('a hole ends the stream, and is as large as what is missing', () => {
  const half = new Half()
  half.begin(0xffff_fffe)
  const bytes = Uint8Array.of(1, 2, 3, 4)
  assert.is(half.push(0xffff_fffe, bytes, 4, false, 1).length, 1)
  assert.is(half.push(12, bytes, 4, false, 5).length, 0)
  assert.is(half.push(7, bytes, 4, true, 6).length, 0)
  assert.equal(half.hole(), { atMs: 5, bytes: 5, isCut: false })
  half.acknowledged(99, 9)
  assert.equal(half.hole()?.bytes, 5)
  const tail = new Half()
  tail.begin(0)
  tail.acknowledged(41, 3)
  assert.equal(tail.hole(), { atMs: 3, bytes: 40, isCut: false })
  const cut = new Half()
  cut.begin(0)
  assert.is(cut.push(0, bytes, 10, false, 2).length, 1)
  assert.equal(cut.hole(), { atMs: 2, bytes: 6, isCut: true })
})

capture('what waits behind a hole has a limit', () => {
  const half = new Half()
  half.begin(0)
  for (let i = 1; i < 600; i++) half.push(i * 65_536, new Uint8Array(65_536), 65_536, false, 0)
  assert.is(half.hole()?.bytes, 65_536)
  for (let i = 65_535; i > 0; i--) half.push(i, Uint8Array.of(0), 1, false, 0)
  assert.is(half.hole()?.bytes, 1)
})

capture('clients are played, and the answers compared', async () => {
  for (const six of [false, true]) {
    const whole = await asked(fileOf(usual, six))
    assert.is(whole.status, 0, whole.complained)
    assert.match(whole.said, /^A capture \(pcapng\) from 1700000000 on.*port is taken to be 1883/)
    assert.match(whole.said, /\nc> publish 't\/1' "on"\n[^]* {4}c< publish 't\/1' "on"\n/)
    assert.match(whole.said, /3 messages and answers of the captured broker were compared/)
  }
  const zipped = await asked(gzipSync(fileOf(usual)), '-q')
  assert.is(zipped.status, 0)
  assert.not.match(zipped.said, /publish/)
  const part = await asked(fileOf(usual), '--client', 'nobody')
  assert.not.match(part.said, /publish/)
  const silent = await asked(fileOf(usual.slice(0, -1)), '--port', '1883')
  assert.match(silent.said, /There is no answer of the captured broker/)
  const nobody = await asked(fileOf(usual), '--port', '1884')
  assert.is(nobody.status, 2)
  assert.match(nobody.complained, /Nobody connects to port 1884/)
})

capture('what is larger than a CONNECT may be is read once that was accepted', async () => {
  const large = said([Packet.publish({ topic: 't/1', payload: 'x'.repeat(200_000) })])
  const part = 60_000
  const parts = Array.from({ length: Math.ceil(large.length / part) }, (_, i): Piece => ({
    from: 'client',
    flags: ACK,
    at: hello.length + i * part,
    data: large.subarray(i * part, (i + 1) * part),
  }))
  const { status, said: text } = await asked(fileOf([...usual, ...parts]), '-q')
  assert.is(status, 0, text)
  const played = await asked(fileOf([...usual, ...parts]), '--topic', 't/1')
  assert.is(played.said.match(/^c> publish 't\/1'/gm)?.length, 2, played.said.slice(0, 2_000))
})

capture('an answer that ours does not give is named, and the other way round', async () => {
  const other = said([
    { _tag: 'Connack', sessionPresent: false, reason: 0, properties: {} },
    { _tag: 'Suback', packetId: 1, reasons: [0], properties: {} },
    Packet.publish({ topic: 't/1', payload: 'o\nf' }),
  ])
  const pieces = [
    ...usual.slice(0, -1),
    { from: 'broker', flags: ACK, at: 0, data: other } as const,
  ]
  const { status, said: text } = await asked(fileOf(pieces), '-q')
  assert.is(status, 1)
  assert.match(
    text,
    /The captured broker sent publish 't\/1' "o\\nf" to 'c', this one does not\./,
  )
  assert.match(text, /This broker sends publish 't\/1' "on" to 'c', the captured one did not\./)
})

capture('what the captured broker may still have been about to say is no difference', async () => {
  const connack = said([{ _tag: 'Connack', sessionPresent: false, reason: 0, properties: {} }])
  const connect = said([Packet.connect({ clientId: 'c', level: 4 })])
  const rest = hello.slice(connect.length)
  const pieces: ReadonlyArray<Piece> = [
    ...handshake(),
    { from: 'client', flags: ACK, at: 0, data: connect },
    { from: 'broker', flags: ACK, at: 0, data: connack },
    { from: 'client', flags: ACK, at: connect.length, data: rest },
  ]
  const { status, said: text } = await asked(fileOf(pieces), '-q')
  assert.match(
    text,
    /not known what the captured broker said later to whom this one sends these, so they were /,
  )
  assert.match(text, /compared: suback id1 0x00 to 'c'; publish 't\/1' "on" to 'c'\.\n/)
  assert.is(status, 0, text)
  // Time enough for it.
  const end: Piece = { from: 'client', flags: FIN | ACK, at: hello.length, ms: 9_000 }
  assert.is((await asked(fileOf([...pieces, end]), '-q')).status, 1)
})

capture('what the captured broker said behind a hole is no difference', async () => {
  const connack = said([{ _tag: 'Connack', sessionPresent: false, reason: 0, properties: {} }])
  const end = answers.length
  const pieces = (from: number): ReadonlyArray<Piece> => [
    ...usual.slice(0, -1),
    { from: 'broker', flags: ACK, at: 0, data: connack },
    { from: 'broker', flags: ACK, at: from, data: answers.slice(from), ms: 9 },
    { from: 'client', flags: ACK, at: hello.length, data: said([pingreq]), ms: 9_000 },
  ]
  const lost = await asked(fileOf(pieces(connack.length + 1)), '-q')
  assert.match(lost.complained, /incomplete from 0\.009s on: 1 byte of the broker is missing/)
  assert.match(lost.said, /compared: suback id1 0x00 to 'c'; publish 't\/1' "on" to 'c'\.\n/)
  assert.not.match(lost.said, /the captured one did not/)
  assert.is((await asked(fileOf(pieces(connack.length)), '-q')).status, 0)
  // Without a hole it has said no more, and before a later one it has had the time.
  const silent = pieces(end).filter((_, i) => i !== usual.length)
  const none = await asked(fileOf(silent), '-q')
  assert.match(none.said, /suback .* the captured one did not/)
  const late = await asked(
    fileOf([
      ...silent,
      { from: 'broker', flags: ACK, at: connack.length, data: Uint8Array.of(0xd0, 0), ms: 9_001 },
      { from: 'broker', flags: ACK, at: end + 9, data: answers, ms: 9_002 },
    ]),
    '-q',
  )
  assert.match(late.complained, /of the broker are missing/)
  assert.match(late.said, /suback .* the captured one did not/)
})

capture('who is not understood may have published what the captured broker sends', async () => {
  const other = said([Packet.publish({ topic: 't/1', payload: 'else' })])
  const heard: Piece = { from: 'broker', flags: ACK, at: answers.length, data: other, ms: 2_000 }
  const client = { from: 'client', flags: ACK, port: 6666 } as const
  const [opening] = handshake(6666)
  const unknown: ReadonlyArray<ReadonlyArray<Piece>> = [
    [{ ...client, at: 0, data: other }],
    [opening!, { ...client, at: hello.length, data: other }],
    [opening!, { ...client, at: 0, data: Uint8Array.of(0x16, 3, 1, 0, 5) }],
  ]
  for (const pieces of unknown) {
    const { said, status } = await asked(fileOf([...usual, ...pieces, heard]), '-q')
    assert.not.match(said, /this one does not/)
    assert.match(said, /\n1 message was not compared: nobody published to the topic/)
    assert.is(status, 2)
  }
  const { said: told } = await asked(fileOf([...usual, heard]), '-q')
  assert.match(told, /sent publish 't\/1' "else" to 'c', this one does not/)
})

capture(
  'what either broker says behind a hole in what a client said is no difference',
  async () => {
    const puback = said([{ _tag: 'Puback', packetId: 7, reason: 0, properties: {} }])
    const lost = said([Packet.publish({ topic: 't/1', payload: 'off', qos: 1, packetId: 7 })])
    const connect = said([Packet.connect({ clientId: 'c', level: 4, keepAliveS: 1 })])
    const connack = answers.slice(0, 4)
    const end = connect.length
    const pieces = (isLost: boolean): ReadonlyArray<Piece> => [
      ...handshake(),
      { from: 'client', flags: ACK, at: 0, data: connect },
      { from: 'broker', flags: ACK, at: 0, data: connack },
      ...(isLost ? [] : [{ from: 'client', flags: ACK, at: end, data: lost, ms: 900 } as const]),
      { from: 'client', flags: ACK, at: end + lost.length, data: said([pingreq]), ms: 1_000 },
      { from: 'broker', flags: ACK, at: connack.length, data: puback, ms: 1_001 },
      { from: 'client', flags: ACK, at: end + lost.length + 2, data: said([pingreq]), ms: 2_000 },
      { from: 'client', flags: ACK, at: end + lost.length + 4, data: said([pingreq]), ms: 3_000 },
    ]
    const whole = await asked(fileOf(pieces(false)), '-q')
    assert.match(whole.said, /\n2 messages and answers of the captured broker were compared/)
    // Ours has not heard of the client any more.
    const cut = await asked(fileOf(pieces(true)), '-q')
    assert.match(cut.complained, /incomplete from 1\.000s on: 12 bytes of the client are missing/)
    assert.not.match(cut.said, /this one does not|captured one did not|It is not known/)
    assert.match(cut.said, /\n1 message or answer of the captured broker was compared/)
  },
)

capture('acknowledgements are put in the words of ours', async () => {
  const connack = { _tag: 'Connack', sessionPresent: false, reason: 0, properties: {} } as const
  const suback = { _tag: 'Suback', packetId: 1, reasons: [1], properties: {} } as const
  const subscribe = said([
    Packet.connect({ clientId: 'c', level: 4 }),
    Packet.subscribe({ filter: 't/#', qos: 1 }),
    Packet.publish({ topic: 't/1', payload: 'on', qos: 1, packetId: 9 }),
  ])
  const puback = (packetId: number) =>
    ({ _tag: 'Puback', packetId, reason: 0, properties: {} }) as const
  const given = said([
    connack,
    suback,
    Packet.publish({ topic: 't/1', payload: 'on', qos: 1, packetId: 77 }),
    puback(9),
  ])
  const pieces: ReadonlyArray<Piece> = [
    ...handshake(),
    { from: 'client', flags: ACK, at: 0, data: subscribe },
    { from: 'broker', flags: ACK, at: 0, data: given },
    { from: 'client', flags: ACK, at: subscribe.length, data: said([puback(77), puback(78)]) },
  ]
  const { status, said: text } = await asked(fileOf(pieces))
  assert.is(status, 0, text)
  assert.match(text, /c> puback id1\n/)
  assert.match(text, /c> puback id78\n/)
})

capture('a capture is told as a story, cut down and shrunk as a recording is', async () => {
  const second = said([
    Packet.connect({ clientId: 'd', level: 4 }),
    Packet.publish({ topic: 't/2', payload: 'off' }),
  ])
  const bytes = fileOf([
    ...usual,
    ...handshake(5556),
    { from: 'client', flags: ACK, at: 0, data: second, port: 5556, ms: 2000 },
  ])
  const whole = await asked(bytes, '--to-story')
  assert.is(whole.status, 0, whole.complained)
  assert.match(whole.said, /^# A capture \(pcapng\), what its clients sent played to sabethes /)
  assert.match(whole.said, /\nc> publish 't\/1' "on"\n[^]*\nat 2000\n[^]*d> publish 't\/2' "off"\n/)
  const late = await asked(bytes, '--to-story', '--from', '1')
  assert.match(late.said, /c> connect 'c' v4|c> connect v4/)
  assert.not.match(late.said, /t\/1/)
  assert.match(late.said, /c< publish 't\/2' "off"\n/)
  const early = await asked(bytes, '--to-story', '--until', '1')
  assert.not.match(early.said, /d[<>]/)
  const one = await asked(bytes, '--to-story', '--topic', 't/2')
  assert.not.match(one.said, /t\/1/)
  const client = await asked(bytes, '--to-story', '--client', 'd')
  assert.not.match(client.said, /^c[<>]/m)
  const nobody = await asked(bytes, '--to-story', '--port', '9')
  assert.is(nobody.status, 2)
  assert.match(nobody.complained, /Nobody connects to port 9 in this capture/)
  const broken = await asked(bytes.slice(0, -9), '--to-story')
  assert.is(broken.status, 2)
  assert.match(broken.complained, /The capture can be read up to byte/)
  assert.match(broken.said, /c> publish 't\/1' "on"/)

  const folder = mkdtempSync(join(tmpdir(), 'sabethes-capture-'))
  try {
    const [from, out] = [join(folder, 'c'), join(folder, 'day')]
    writeFileSync(from, bytes)
    const asks = (...words: ReadonlyArray<string>) => hear(playRecording, ...words)
    assert.is((await asks(from, '--to-recording', out)).status, 0)
    const played = await asks(out, '-q')
    assert.is(played.status, 0, played.said)
    assert.match(played.said, /and all came to what was recorded/)
    assert.is((await asks(out, '--to-story', '--port', '1883')).status, 3)
    const named = await asks(out, '-q', '--port', '1883')
    assert.is(named.status, 3)
    assert.match(named.complained, /--port is for captures/)
    assert.match(
      (await asks(out, '--to-story', '--port', '9')).complained,
      /--port is for captures/,
    )
    const shrunk = await hear(shrinkRecording, from, '--property', 'sends:c:t/2')
    assert.is(shrunk.status, 0, shrunk.complained)
    assert.match(
      shrunk.said,
      /c> subscribe id1 't\/#'\nd> connect v4 clean-start\nd> publish 't\/2'/,
    )
    assert.not.match(shrunk.said, /t\/1/)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

capture('what is kept of a capture outlasts the bytes that it was lent', () => {
  const reenactment = new Reenactment(defaults, epoch, 1883)
  const topics: Array<string> = []
  for (const event of eventsOf(usual)) {
    const found = reenactment.take(event).map(kept)
    if ('bytes' in event) event.bytes.fill(0xee)
    for (const one of found) {
      if (one._tag !== 'Ran') continue
      for (const input of one.batch.inputs) {
        if (input._tag !== 'Arrived' || input.packet._tag !== 'Publish') continue
        topics.push(new TextDecoder().decode(view(input.packet.payload)))
      }
    }
  }
  assert.equal(topics, ['on'])
})

capture('what cannot be read is said of each connection', async () => {
  const texts: ReadonlyArray<readonly [RegExp, ReadonlyArray<Piece>]> = [
    [/192\.0\.2\.2:5555 is encrypted \(TLS\)/, [
      ...handshake(),
      { from: 'client', flags: ACK, at: 0, data: Uint8Array.of(0x16) },
      { from: 'client', flags: ACK, at: 1, data: Uint8Array.of(3, 1, 0, 9) },
    ]],
    [/is WebSocket, which is not read yet/, [
      ...handshake(),
      { from: 'client', flags: ACK, at: 0, data: joined([Buffer.from('GET /mqtt HTTP/1.1\r\n')]) },
    ]],
    [/192\.0\.2\.2:5555 begins with a header of the PROXY protocol, which is not read/, [
      ...handshake(),
      { from: 'client', flags: ACK, at: 0, data: joined([Buffer.from('PRO')]) },
      { from: 'client', flags: ACK, at: 3, data: joined([Buffer.from('XY UNKNOWN\r\n'), hello]) },
    ]],
    [/192\.0\.2\.2:5555 begins with a header of the PROXY protocol, which is not read/, [
      ...handshake(),
      {
        from: 'client',
        flags: ACK,
        at: 0,
        data: joined([Buffer.from('0d0a0d0a000d0a515549540a20000000', 'hex'), hello]),
      },
    ]],
    [/begins in the middle: its CONNECT is not in the capture/, [
      { from: 'client', flags: ACK, at: 0, data: said([pingreq]) },
    ]],
    [/begins in the middle/, [{ from: 'broker', flags: ACK, at: 0, data: answers }]],
    [/\(client 'c'\) is incomplete from 0\.009s on: 5 bytes of the client are missing; what/, [
      ...usual,
      { from: 'client', flags: ACK, at: hello.length + 5, data: hello, ms: 9 },
    ]],
    [/is incomplete from 0\.009s on: 7 bytes of the broker are missing/, [
      ...usual,
      { from: 'broker', flags: ACK, at: answers.length + 7, data: answers, ms: 9 },
    ]],
  ]
  for (const [pattern, pieces] of texts) {
    const { status, complained } = await asked(fileOf(pieces), '-q', '--port', '1883')
    assert.is(status, 2)
    assert.match(complained, pattern)
  }
})

const eventsOf = (pieces: ReadonlyArray<Piece>): ReadonlyArray<Event> => {
  const file = new CaptureFile()
  const tap = new Tap(1883)
  const events = file.push(fileOf(pieces)).flatMap((packet) => [...tap.packet(packet)])
  return [...events, ...tap.finish()]
}

const tags = (pieces: ReadonlyArray<Piece>): string =>
  eventsOf(pieces).map((event) => event._tag + ('why' in event ? ` ${event.why}` : '')).join(', ')

capture('TLS is named on whichever port it is', async () => {
  const hello = Uint8Array.of(0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0)
  const pieces: ReadonlyArray<Piece> = [
    ...handshake(),
    { from: 'client', flags: ACK, at: 0, data: hello },
  ]
  const { said, complained, status } = await asked(fileOf(pieces), '--port', '1884')
  assert.match(
    complained,
    /^Nobody connects to port 1884 .* port 1883 is encrypted \(TLS\): without/,
  )
  assert.not.match(said, /TLS/)
  assert.is(status, 2)
  const plain = await asked(fileOf(usual), '--port', '1884')
  assert.not.match(plain.complained, /TLS/)
})

capture('connections begin and end as they did', () => {
  const end = hello.length
  assert.is(tags(usual), 'Opened, Said, Heard')
  assert.is(
    tags([
      ...usual,
      { from: 'client', flags: FIN | ACK, at: end },
      { from: 'broker', flags: FIN | ACK, at: answers.length },
    ]),
    'Opened, Said, Heard, Ended closed, Left',
  )
  assert.is(
    tags([...usual, { from: 'client', flags: RST, at: end }]),
    'Opened, Said, Heard, Ended failed',
  )
  assert.is(tags([...usual, ...handshake()]), 'Opened, Said, Heard')
  assert.is(tags(handshake()), '')
  // No SYN, but all of the CONNECT.
  assert.is(tags(usual.slice(3)), 'Opened, Said, Heard')
})

capture('the end of a connection may stand in any order', () => {
  const end = hello.length
  const last: Piece = { from: 'client', flags: ACK, at: end, data: said([pingreq]) }
  const fin: Piece = { from: 'client', flags: FIN | ACK, at: end + 2 }
  const left: Piece = { from: 'broker', flags: FIN | ACK, at: answers.length, acked: end + 3 }
  const reset: Piece = { from: 'client', flags: RST, at: end + 2 }
  const whole = 'Opened, Said, Heard, Said, Ended closed, Left'
  for (const pieces of [[last, fin, left], [last, left, fin], [left, last, fin]]) {
    assert.is(tags([...usual, ...pieces]), whole)
  }
  for (const pieces of [[fin, left, last], [fin, last, left], [left, fin, last]]) {
    assert.is(tags([...usual, ...pieces]), whole)
  }
  // Who leaves first leaves before the client, whatever is captured behind that.
  assert.is(
    tags([...usual, { ...left, acked: end }, fin, last]),
    'Opened, Said, Heard, Left, Said, Ended closed',
  )
  assert.is(tags([...usual, reset, last]), 'Opened, Said, Heard, Said, Ended failed')
  // It is awaited for a moment, until the port is used again, or the capture ends.
  const later: Piece = { from: 'client', flags: ACK, at: 99, port: 5556, ms: 5_000 }
  const none = 'Opened, Said, Heard, Ended failed'
  for (const more of [[later, { ...last, ms: 5_000 }], handshake(), []]) {
    assert.is(tags([...usual, fin, left, ...more]), `${none}, Left`)
    assert.is(tags([...usual, reset, ...more]), none)
  }
})

capture('an answer that was captured before its question is compared with ours', async () => {
  const connect = said([Packet.connect({ clientId: 'c', level: 4 })])
  const answer = (reason: number) =>
    said([{ _tag: 'Connack', sessionPresent: false, reason, properties: {} }])
  const pieces = (reason: number): ReadonlyArray<Piece> => [
    ...handshake(),
    { from: 'broker', flags: ACK, at: 0, data: answer(reason) },
    ...(reason === 0 ? [] : [{ from: 'broker', flags: FIN | ACK, at: 4 } as const]),
    { from: 'client', flags: ACK, at: 0, data: connect },
    { from: 'client', flags: ACK, at: connect.length, data: said([pingreq]), ms: 9_000 },
  ]
  const same = await asked(fileOf(pieces(0)), '-q')
  assert.match(same.said, /\n1 message or answer of the captured broker was compared: /)
  const other = await asked(fileOf(pieces(5)), '-q')
  assert.match(other.said, /captured broker sent connack 0x87 to 'c', this one does not/)
  assert.match(other.said, /captured broker sent the end of the connection to 'c', this one does/)
  // What a broker says unasked is no answer to anything, and not kept for ever.
  const loud = Array.from({ length: 70 }, (_, i): Piece => (
    { from: 'broker', flags: ACK, at: i * 1000, data: new Uint8Array(1000) }
  ))
  const { complained } = await asked(fileOf([...handshake(), ...loud]), '-q', '--port', '1883')
  assert.match(complained, /192\.0\.2\.2:5555 begins in the middle/)
})

capture('a clock that is set while it is captured goes on from there', async () => {
  const connect = said([Packet.connect({ clientId: 'c', level: 4, keepAliveS: 10 })])
  const connack = said([{ _tag: 'Connack', sessionPresent: false, reason: 0, properties: {} }])
  const day = (timeOf: (ms: number) => number): ReadonlyArray<Piece> => [
    ...handshake().map((piece) => ({ ...piece, ms: timeOf(0) })),
    { from: 'client', flags: ACK, at: 0, data: connect, ms: timeOf(0) },
    { from: 'broker', flags: ACK, at: 0, data: connack, ms: timeOf(1) },
    { from: 'client', flags: ACK, at: connect.length, data: said([pingreq]), ms: timeOf(5_000) },
    { from: 'broker', flags: FIN | ACK, at: connack.length, ms: timeOf(20_500) },
  ]
  const hour = 3_600_000
  const clocks: ReadonlyArray<(ms: number) => number> = [
    (ms) => ms,
    // From 1970, to an hour before, and one packet whose time is damaged.
    (ms) => ms < 5_000 ? ms - epoch : ms,
    (ms) => ms < 5_000 ? ms : ms - hour,
    (ms) => ms === 5_000 ? 100_000 * hour * 24 : ms,
  ]
  for (const clock of clocks) {
    const { status, said: text } = await asked(fileOf(day(clock)))
    assert.is(status, 0, text)
    assert.match(text, /c ended 'c': exceeded timeout/)
    assert.match(text, /1 message or answer/)
    const played = Number(/ in ([\d.]+)s were played/.exec(text)?.[1])
    assert.ok(played > 15 && played < 21, `${played}`)
  }
})

capture('what passes a machine that translates addresses is played once', async () => {
  const end: Piece = { from: 'client', flags: FIN | ACK, at: hello.length }
  const day = [...usual, end]
  /** A machine whose broker has an address of its own, as in a container: on all its links. */
  const seenAt = (ends: ReadonlyArray<readonly [string, string]>, apartMs = 0) =>
    joined([
      fileHeader(),
      ...day.flatMap((piece, i) =>
        ends.map((one, k) =>
          packetBlock(frameOf(piece, false, one), (epoch + i + k * apartMs) * 1000)
        )
      ),
    ])
  const [outside, inside] = [['192.0.2.2', '192.0.2.1'], ['192.0.2.2', '172.17.0.2']] as const
  const hidden = ['172.17.0.1', '192.0.2.1'] as const
  for (const ends of [[outside, inside, inside], [outside, hidden]]) {
    const { status, said: text, complained } = await asked(seenAt(ends), '-q')
    assert.is(status, 0, complained)
    assert.match(text, /\n1 connection to port 1883/)
    assert.match(text, /to be 1883, where 1 CONNECT went\./)
    assert.match(text, /\n1 connection was captured with translated addresses \(NAT\) as well/)
    assert.match(text, /3 messages and answers/)
  }
  // Others that begin with the same number are others.
  const other = ['192.0.2.3', '192.0.2.4'] as const
  for (const bytes of [seenAt([outside, other]), seenAt([outside, inside], 2_000)]) {
    assert.match((await asked(bytes, '-q')).said, /\n2 connections to port 1883/)
  }
  // The address inside is the only one that is captured later.
  const later = day.map((piece, i) =>
    packetBlock(frameOf(piece, false, inside), (epoch + 5_000 + i) * 1000)
  )
  const both = await asked(joined([seenAt([outside, inside]), ...later]), '-q')
  assert.match(both.said, /\n2 connections to port 1883/)
  assert.is(both.status, 0, both.said)
})

capture('a connection whose SYN is missing is told from the one before it', async () => {
  const end = hello.length
  const left: Piece = { from: 'client', flags: FIN | ACK, at: end }
  const over: Piece = { from: 'broker', flags: FIN | ACK, at: answers.length }
  const reset: Piece = { from: 'broker', flags: RST | ACK, at: answers.length }
  const later = (at: number, their: number): ReadonlyArray<Piece> => [
    { from: 'client', flags: ACK, at, data: hello, ms: 3000 },
    { from: 'broker', flags: ACK, at: their, data: answers, ms: 3001 },
  ]
  const both = async (pieces: ReadonlyArray<Piece>, what: string) => {
    const { status, said: text, complained } = await asked(fileOf(pieces))
    assert.is(complained, '', what)
    assert.is(status, pieces.includes(over) && !pieces.includes(left) ? 1 : 0, what)
    assert.match(text, /\n2 connections to port 1883/, what)
    assert.is(text.split('c< publish \'t/1\' "on"').length, 3, what)
  }
  for (const at of [end + 1, end + 5000, end + 0x2000_0000, end + 0x7000_0000, -0x6000_0000, -20]) {
    for (const their of [answers.length + 9000, 0x6000_0000]) {
      await both([...usual, left, over, ...later(at, their)], `FIN, ${at}`)
      await both([...usual, over, ...later(at, their)], `FIN of the broker, ${at}`)
      await both([...usual, reset, ...later(at, their)], `RST, ${at}`)
      // Its end is missing as well.
      if (Math.abs(at) > 0x1000_0000) await both([...usual, ...later(at, their)], `no end, ${at}`)
    }
  }
  // The broker's half of the handshake was captured, which says where the client's stream begins.
  const answer: Piece = { from: 'broker', flags: SYN | ACK, at: 0x5000_0000 - 1 }
  await both([...usual, answer, ...later(15, 0x5000_0000)], 'SYN of the broker')

  // What was captured twice is no other connection, and what is near may be of the same.
  const again = usual.slice(3)
  for (const pieces of [[...again], [left, ...again], [left, over, ...again], [reset, ...again]]) {
    const { said: text } = await asked(fileOf([...usual, ...pieces]), '-q')
    assert.match(text, /\n1 connection to port 1883/)
  }
  const near = await asked(fileOf([...usual, ...later(end + 5000, 0)]), '-q')
  assert.is(near.status, 2)
  assert.match(near.complained, /5000 bytes of the client are missing/)
  const middle = {
    from: 'client',
    flags: ACK,
    at: end + 0x7000_0000,
    data: said([pingreq]),
  } as const
  for (const pieces of [[middle], [left, over, middle]]) {
    const { status, complained } = await asked(fileOf([...usual, ...pieces]), '-q')
    assert.is(status, 2)
    assert.match(complained, /begins in the middle/)
  }
  const spoken = { from: 'broker', flags: ACK, at: 0x7000_0000, data: answers } as const
  const unheard = await asked(fileOf([...usual, left, over, spoken]), '-q')
  assert.is(unheard.status, 2)
  assert.match(unheard.complained, /begins in the middle/)
})

capture('a SYN that was captured behind what it began begins no other connection', async () => {
  const [syn, , ...rest] = usual as [Piece, Piece, ...Array<Piece>]
  for (let at = 0; at <= rest.length; at++) {
    const pieces = [...rest.slice(0, at), syn, ...rest.slice(at)]
    const { status, said: text, complained } = await asked(fileOf(pieces), '-q')
    assert.is(complained, '', `${at}`)
    assert.match(text, /\n1 connection to port 1883/, `${at}`)
    assert.is(status, 0, text)
  }
})

const int = (value: number, isLittle: boolean): Uint8Array => {
  const bytes = Buffer.alloc(4)
  if (isLittle) bytes.writeUInt32LE(value)
  else bytes.writeUInt32BE(value)
  return bytes
}

/** A pcap file by hand. */
const pcapOf = (
  isLittle: boolean,
  nano: boolean,
  link: number,
  packets: ReadonlyArray<Uint8Array>,
) =>
  joined([
    int(nano ? 0xa1b23c4d : 0xa1b2c3d4, isLittle),
    isLittle ? Uint8Array.of(2, 0, 4, 0) : Uint8Array.of(0, 2, 0, 4),
    ...[0, 0, 65_535, link].map((word) => int(word, isLittle)),
    ...packets.flatMap((packet) => [
      ...[1_700_000_000, nano ? 5_000_000 : 5_000, packet.length, packet.length]
        .map((word) => int(word, isLittle)),
      packet,
    ]),
  ])

capture('every form of pcap and every link is read', async () => {
  const ip = usual.map((piece) => frameOf(piece).subarray(14))
  const put = (...head: ReadonlyArray<number>) =>
    ip.map((one) => joined([Uint8Array.from(head), one]))
  const links: ReadonlyArray<readonly [number, ReadonlyArray<Uint8Array>]> = [
    [1, usual.map((piece) => frameOf(piece))],
    [1, put(...new Array(12).fill(9), 0x81, 0, 0, 7, 0x88, 0xa8, 0, 7, 0x08, 0)],
    [0, put(2, 0, 0, 0)],
    [0, put(0, 0, 0, 2)],
    [108, put(0, 0, 0, 2)],
    [113, put(0, 0, 3, 4, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0, 0x08, 0)],
    [276, put(0x08, 0, 0, 0, 0, 0, 0, 1, 3, 4, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0)],
    [101, ip],
    [228, ip],
  ]
  for (const isLittle of [true, false]) {
    for (const nano of [true, false]) {
      for (const [link, packets] of links) {
        const bytes = pcapOf(isLittle, nano, link, packets)
        const file = new CaptureFile()
        assert.is(file.push(bytes)[0]?.atMs, 1_700_000_000_005)
        const { status, said: text } = await asked(bytes, '-q')
        assert.is(status, 0, `link ${link}`)
        assert.match(text, /3 messages and answers/)
      }
    }
  }
  const { status, complained } = await asked(pcapOf(true, true, 147, ip), '-q')
  assert.is(status, 2)
  assert.match(complained, /5 packets of link type 147 could not be read/)
})

capture('a file in chunks of any size is the same file', () => {
  const bytes = fileOf(usual)
  const whole = new CaptureFile().push(bytes).map((one) => [one.atMs, [...one.bytes]])
  for (const size of [1, 3, 50]) {
    const file = new CaptureFile()
    const found: Array<unknown> = []
    for (let at = 0; at < bytes.length; at += size) {
      const packets = file.push(bytes.slice(at, at + size))
      found.push(...packets.map((one) => [one.atMs, [...one.bytes]]))
    }
    file.finish()
    assert.is(file.breach, null)
    assert.equal(found, whole)
  }
})

capture('a damaged file is read up to the damage', async () => {
  const bytes = fileOf(usual)
  const cut = await asked(bytes.slice(0, -9), '-q')
  assert.is(cut.status, 2)
  assert.match(cut.complained, /up to byte \d+, after 4 packets; there it ends in the middle/)
  assert.match(cut.said, /1 connection to port 1883: 3 runs/)
  const zipped = gzipSync(bytes)
  assert.is((await asked(zipped.subarray(0, zipped.length - 20), '-q')).status, 2)
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }),
      fc.nat(bytes.length),
      (changes, length) => {
        const mutant = bytes.slice(0, length)
        for (const [at, byte] of changes) if (at < length) mutant[at] = byte
        const file = new CaptureFile()
        const tap = new Tap(1883)
        for (const packet of file.push(mutant)) tap.packet(packet)
        file.finish()
        tap.finish()
        assert.ok(file.breach === null || file.breach.offset <= length)
      },
    ),
    { numRuns: runs(1000) },
  )
})

capture.run()
