// A recording as a capture: played again it comes to the same, and tshark, which knows nothing of
// us, reads in it what was said. And the page on captures shows what the commands say.

import fc from 'fast-check'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { deadline } from '../core/broker/clock.ts'
import { defaults } from '../core/broker/config.ts'
import type { Effect } from '../core/broker/effect.ts'
import * as I from '../core/broker/input.ts'
import type { Conn, Input } from '../core/broker/input.ts'
import type { State } from '../core/broker/state.ts'
import type { Packet as AnyPacket } from '../core/codec/packet.ts'
import { initial, Packet, run } from '../core/mod.ts'
import { E } from '../core/prelude.ts'
import { Exporter } from '../core/trace/capture/export.ts'
import { CaptureFile } from '../core/trace/capture/file.ts'
import { Reenactment } from '../core/trace/capture/reenact.ts'
import { segmentIn, Tap } from '../core/trace/capture/tap.ts'
import { play } from '../core/trace/play.ts'
import type { Found } from '../core/trace/replay.ts'
import type { Veil } from '../core/trace/veil.ts'
import { showPacket } from '../core/trace/show.ts'
import { parseStory, usualOrigin } from '../core/trace/story.ts'
import { playRecording } from '../shells/cli/replay.ts'
import { version } from '../shells/common/version.ts'
import { skipped } from './conformance/expect.ts'
import { recorded, replayed } from './gen/recordings.ts'
import { isShortRun, leastOf, runs } from './gen/settings.ts'
import { hear } from './mouth.ts'
import { root } from './runtimes.ts'

const out = suite('capture-out')

const origin = { at: 0, wall: 1_700_000_000_000, seed: 0 }

const captureOf = (found: ReadonlyArray<Found>): Uint8Array => {
  const parts: Array<Uint8Array> = []
  const exporter = new Exporter((bytes) => parts.push(bytes))
  for (const one of found) exporter.take(one)
  exporter.finish()
  return Uint8Array.from(Buffer.concat(parts))
}

/** What each connection was told, in the order in which they were opened. */
class Told {
  readonly lists: Array<Array<string>> = []
  private readonly places = new Map<number, number>()

  take(found: Found): void {
    if (found._tag !== 'Ran') return
    for (const input of found.batch.inputs) {
      if (input._tag !== 'Opened') continue
      this.places.set(input.conn.generation, this.lists.length)
      this.lists.push([])
    }
    for (const effect of found.batch.effects) this.effect(effect)
  }

  private effect(effect: Effect): void {
    if (effect._tag === 'Send') this.say(effect.conn, showPacket(effect.packet))
    if (effect._tag === 'Close') this.say(effect.conn, 'close')
    if (effect._tag !== 'Multicast') return
    for (const conn of effect.conns) this.say(conn, showPacket(effect.packet))
  }

  private say({ generation }: Conn, text: string): void {
    this.lists[this.places.get(generation)!]!.push(text)
  }
}

const nonce = '00000000-0000-4000-8000-000000000000'
const clients = ['a', 'b', 'c'] as const

/** From dice to what three clients do; the numbers decide about details. */
const conversation = (
  commands: ReadonlyArray<readonly [number, number, number]>,
): ReadonlyArray<Input> => {
  const inputs: Array<Input> = []
  const conns: Array<Conn | null> = [null, null, null]
  let [at, generation, packetId] = [0, 0, 0]
  const topics = ['t', 't/u', 't/u/w']
  for (const [what, who, detail] of commands) {
    const conn = conns[who]!
    if (what === 0) {
      at += 1007 * (1 + detail % 40)
      inputs.push(I.ticked(at, origin.wall + at))
      continue
    }
    const tell = (packet: AnyPacket): void => {
      if (conn !== null) inputs.push(I.arrived(conn, at, packet))
    }
    const topic = topics[detail % 3]!
    const qos = detail % 2 === 0 ? 0 : 1
    packetId += 1
    if (conn === null) {
      generation += 1
      const opened = { slot: who, generation }
      conns[who] = opened
      // Some share an address and a port, some have none that IP knows.
      const address = ['127.0.0.1', '::1', '/run/socket', '2001:db8::7%eth0'][detail % 4]!
      inputs.push(I.opened(opened, at, nonce, '1883', { address, port: 4000 + detail % 3 }))
      const will = detail % 3 === 0 ? { topic: 't/w', payload: 'gone', qos: 1 as const } : null
      inputs.push(I.arrived(
        opened,
        at,
        Packet.connect({
          clientId: clients[who]!,
          level: detail % 5 === 0 ? 4 : 5,
          cleanStart: detail % 2 === 0,
          keepAliveS: detail % 7 === 0 ? 11 : 0,
          ...(detail % 5 === 0 ? {} : { properties: { sessionExpiryInterval: 30 } }),
          ...(will === null ? {} : { will }),
        }),
      ))
      continue
    }
    switch (what) {
      case 1:
      case 2:
        tell(Packet.subscribe({ filter: ['#', 't/+', 't/#'][detail % 3]!, qos }, packetId))
        break
      case 3:
        tell(Packet.publish({
          topic,
          payload: 'x'.repeat(detail * detail % 9000),
          qos,
          retain: detail % 4 === 0,
          ...(qos === 0 ? {} : { packetId }),
        }))
        break
      case 4:
        tell({ _tag: 'Disconnect', reason: 0, properties: {} })
        conns[who] = null
        break
      case 5:
        inputs.push(I.closed(conn, at, detail % 2 === 0 ? 'closed' : 'failed'))
        conns[who] = null
    }
  }
  return inputs
}

/** The same with a broker that is woken whenever it asks for it, as by every shell. */
const woken = (from: State, inputs: ReadonlyArray<Input>): ReadonlyArray<Input> => {
  const all: Array<Input> = []
  let state = from
  const feed = (input: Input): void => {
    all.push(input)
    state = run(state, [input])[0]
  }
  for (const input of inputs) {
    for (let due = deadline(state); due < input.at; due = deadline(state)) {
      feed(I.ticked(due, origin.wall + due))
    }
    feed(input)
  }
  return all
}

out('a recording written as a capture and played again comes to the same', () => {
  const command = fc.tuple(fc.nat(5), fc.nat(2), fc.nat(200))
  let sent = 0
  fc.assert(
    fc.property(
      fc.array(command, { maxLength: 60 }),
      fc.integer({ min: 1, max: 20 }),
      (commands, size) => {
        const state = initial(defaults, origin)
        const inputs = woken(state, conversation(commands))
        const found = replayed(recorded(state, inputs, size, 'full').text)
        assert.is(found.at(-1)?._tag, 'Ended')
        const before = new Told()
        for (const one of found) before.take(one)
        const file = new CaptureFile()
        const tap = new Tap(1883)
        const reenactment = new Reenactment(defaults, origin.wall, 1883)
        const played = new Told()
        for (const packet of file.push(captureOf(found))) {
          for (const event of tap.packet(packet)) {
            for (const one of reenactment.take(event)) played.take(one)
          }
        }
        file.finish()
        tap.finish()
        assert.is(file.breach, null)
        assert.equal(tap.conversations.flatMap((one) => one.troubles), [])
        assert.equal(played.lists, before.lists)
        assert.equal(reenactment.comparison.differences(), [])
        sent += before.lists.flat().length
      },
    ),
    { numRuns: runs(150) },
  )
  if (isShortRun(150)) return
  assert.ok(sent > leastOf(200, 150), `${sent}`)
})

out('large packets are cut to what fits into a frame, and acknowledged in between', () => {
  const conn = { slot: 0, generation: 1 }
  const found = replayed(
    recorded(initial(defaults, origin), [
      I.opened(conn, 0, nonce, '1883', { address: '2001:db8::9', port: 4000 }),
      I.arrived(conn, 0, Packet.connect({ clientId: 'a' })),
      I.arrived(conn, 5, Packet.publish({ topic: 't', payload: new Uint8Array(200_000) })),
    ]).text,
  )
  let [open, most] = [0, 0]
  for (const packet of new CaptureFile().push(captureOf(found))) {
    assert.ok(packet.size <= 1514)
    const segment = segmentIn(packet)
    if (typeof segment === 'string') throw new Error(segment)
    assert.is(segment.to.port === 1883 ? segment.from.address : segment.to.address, '2001:db8::9')
    open = segment.to.port === 1883 ? open + segment.size : 0
    most = Math.max(most, open)
  }
  assert.ok(most > 1440 && most < 65_535, `${most}`)
})

out(
  'a large packet that took its time comes in pieces, at the times at which more had come',
  () => {
    const [a, b] = [{ slot: 0, generation: 1 }, { slot: 1, generation: 2 }]
    const state = initial(defaults, origin)
    const large = Packet.publish({ topic: 't', payload: new Uint8Array(9_000) })
    const rest = (at: number, conn: Conn) => I.arrived(conn, at, Packet.publish({ topic: 'u' }))
    const inputs = woken(state, [
      ...[a, b].flatMap((conn, i) => [
        I.opened(conn, 0, nonce, '1883', { address: '192.0.2.7', port: 4000 + i }),
        I.arrived(conn, 0, Packet.connect({ clientId: `${i}`, keepAliveS: i === 0 ? 2 : 0 })),
      ]),
      I.arrived(b, 0, Packet.subscribe({ filter: '#', qos: 0 }, 1)),
      I.continued(a, 2_500),
      // A packet of which not so much can have been missing, and one that never came to its end.
      I.continued(b, 3_000),
      rest(3_500, b),
      I.continued(a, 5_000),
      I.continued(b, 5_500),
      I.closed(b, 6_000, 'failed'),
      I.arrived(a, 7_500, large),
      rest(8_000, a),
      I.continued(a, 10_500),
    ])
    const capture = captureOf(replayed(recorded(state, inputs, 1, 'full').text))
    const tap = new Tap(1883)
    const reenactment = new Reenactment(defaults, origin.wall, 1883)
    const ended: Array<string> = []
    const said: Array<string> = []
    for (const packet of new CaptureFile().push(capture)) {
      for (const event of tap.packet(packet)) {
        if (event._tag === 'Said') said.push(`${event.id} ${event.atMs - origin.wall}`)
        for (const found of reenactment.take(event)) {
          if (found._tag !== 'Ran') continue
          for (const effect of found.batch.effects) {
            if (effect._tag !== 'Note' || effect.note._tag !== 'ConnectionEnded') continue
            ended.push(`${effect.note.clientId} ${effect.note.ending}`)
          }
        }
      }
    }
    tap.finish()
    assert.equal(tap.conversations.flatMap(({ troubles }) => troubles), [])
    assert.equal(ended, ['1 connection failed'])
    assert.equal([...new Set(said)].filter((one) => !one.endsWith(' 0')), [
      '1 2500',
      '2 3500',
      '1 5000',
      '1 7500',
      '1 8000',
    ])
  },
)

out('a connection ends in the capture as it ended', () => {
  const peer = { address: '192.0.2.7', port: 4000 }
  const conn = { slot: 0, generation: 1 }
  const disconnect = { _tag: 'Disconnect', reason: 0, properties: {} } as const
  // Whose they are, flags, and when.
  const ends: ReadonlyArray<readonly [Input, ReadonlyArray<string>]> = [
    [I.closed(conn, 5, 'closed'), ['client 11 5', 'broker 11 5', 'client 10 5']],
    [I.closed(conn, 5, 'failed'), ['client 14 5']],
    [I.arrived(conn, 5, disconnect), ['client 18 5', 'broker 11 5', 'client 11 6', 'broker 10 6']],
  ]
  for (const [end, expected] of ends) {
    const found = replayed(
      recorded(initial(defaults, origin), [
        I.opened(conn, 0, nonce, '1883', peer),
        I.arrived(conn, 0, Packet.connect({ clientId: 'a' })),
        end,
      ]).text,
    )
    const seen: Array<string> = []
    const next = new Map<string, number>()
    for (const packet of new CaptureFile().push(captureOf(found))) {
      const segment = segmentIn(packet)
      if (typeof segment === 'string') throw new Error(segment)
      const { from, flags, sequence, size, acknowledged } = segment
      const [side, other] = from.port === 1883 ? ['broker', 'client'] : ['client', 'broker']
      if (next.has(side)) assert.is(sequence, next.get(side))
      if ((flags & 0x10) !== 0) assert.is(acknowledged, next.get(other))
      next.set(side, (sequence + size + ((flags & 3) === 0 ? 0 : 1)) % 0x1_0000_0000)
      seen.push(`${side} ${flags.toString(16)} ${packet.atMs - origin.wall}`)
    }
    // Before that: the handshake, CONNECT and CONNACK.
    assert.equal(seen.slice(5), expected)
  }
})

const story = `# A phone that is away.
config queuedCountMax=1

quiet
phone> connect session-expiry-interval 3600
phone> subscribe id1 'home/#' qos1
door> connect
tick +10s
door> publish 'home/door' qos1 id1 "open"
phone> puback id1
phone> disconnect 0x04
tick +20s
door> publish 'home/door' qos1 id2 "shut"
door> publish 'home/lamp' qos1 id3 "on"
tick +60s
phone> connect session-expiry-interval 3600
phone> puback id2
tick +10s
door> disconnect
----
`

const storyRecording = (payload: Veil['payload'] = 'full'): string => {
  const parsed = parseStory(story, 'story')
  assert.ok(E.isRight(parsed), E.isLeft(parsed) ? JSON.stringify(parsed.left) : '')
  const played = play(parsed.right, 'story')
  assert.ok(E.isRight(played), E.isLeft(played) ? played.left : '')
  const inputs = played.right.stanzas.flatMap(({ lines }) => lines.flatMap((one) => one.inputs))
  return recorded(initial(parsed.right.config, usualOrigin), inputs, 1, payload).text
}

const asked = (...words: ReadonlyArray<string>) => hear(playRecording, ...words)

/** Runs where the story's recording is `sabethes.trace`. */
const inFolder = async (
  act: (folder: string, trace: string) => Promise<void>,
  payload: Veil['payload'] = 'full',
) => {
  const folder = mkdtempSync(join(tmpdir(), 'sabethes-out-'))
  try {
    const trace = join(folder, 'sabethes.trace')
    writeFileSync(trace, storyRecording(payload))
    writeFileSync(
      join(folder, 'sabethes.conf'),
      'listener 1883\nallow_anonymous true\nmax_queued_messages 1\n',
    )
    await act(folder, trace)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const tshark = '/usr/bin/tshark'

const sharkSays = (file: string, ...words: ReadonlyArray<string>): string => {
  const done = spawnSync(tshark, ['-n', '-r', file, ...words], { encoding: 'utf8' })
  assert.is(done.status, 0, done.stderr)
  return done.stdout
}

out('tshark reads what was said, and finds nothing wrong with it', async () => {
  if (!existsSync(tshark)) return skipped('an exported recording', tshark)
  await inFolder(async (folder, trace) => {
    const file = join(folder, 'out.pcapng')
    assert.is((await asked(trace, '--to-pcapng', file)).status, 0)
    const types = sharkSays(file, '-Y', 'mqtt', '-T', 'fields', '-e', 'mqtt.msgtype')
    assert.is(types.trim().split('\n').join(' '), '1 2 8 9 1 2 3 3 4 4 14 3 4 3 4 1 2 3 4 14')
    const sums = ['tcp.check_checksum:TRUE', 'ip.check_checksum:TRUE'].flatMap((one) => ['-o', one])
    const fields = ['ip.checksum.status', 'tcp.checksum.status'].flatMap((one) => ['-e', one])
    const states = sharkSays(file, ...sums, '-T', 'fields', ...fields)
    assert.equal([...new Set(states.trim().split('\n'))], ['1\t1'])
    const faults = '_ws.malformed || _ws.expert.severity >= warning || tcp.analysis.flags'
    assert.is(sharkSays(file, ...sums, '-Y', `(${faults}) && !tcp.flags.reset`), '')
  })
})

out('what the recording lacks is said, and what may not be is refused', async () => {
  await inFolder(async (folder, trace) => {
    const file = join(folder, 'out.pcapng')
    const hashed = await asked(trace, '--to-pcapng', file)
    assert.match(hashed.said, /Payloads have their length only/)
    const same = await asked(trace, '--to-pcapng', join(folder, '.', 'sabethes.trace'))
    assert.is(same.status, 3)
    assert.match(same.complained, /would overwrite the file that is read/)
    assert.match((await asked(file, '--to-pcapng', trace)).complained, /is a capture already/)
    assert.match(readFileSync(trace, 'latin1'), /^\{"recording"/)
    const nowhere = await asked(trace, '--to-pcapng', join(folder, 'none', 'x'))
    assert.is(nowhere.status, 2)
    assert.match(nowhere.complained, /none.x cannot be written: /)
    assert.is((await asked(trace, '--to-pcapng')).status, 3)
    // What is no recording makes no file.
    const other = join(folder, 'other.pcapng')
    assert.is((await asked(join(folder, 'sabethes.conf'), '--to-pcapng', other)).status, 2)
    assert.not.ok(existsSync(other))
    writeFileSync(join(folder, 'cut'), readFileSync(trace, 'latin1').slice(0, -400))
    assert.is((await asked(join(folder, 'cut'), '--to-pcapng', other)).status, 2)
    const cut = await asked(other, '-q', '--config', join(folder, 'sabethes.conf'))
    assert.match(cut.said, /messages and answers of the captured broker were compared/)
    await asked(trace, '--to-pcapng', other, '--until', '15')
    const early = await asked(other)
    assert.match(early.said, /publish 'home\/door'[^]*/)
    assert.not.match(early.said, /home\/lamp/)
  }, 'hash')
})

out('connections that were open before, and what broke the protocol, are said', () => {
  const [a, b] = [{ slot: 0, generation: 1 }, { slot: 1, generation: 2 }]
  const peer = { address: '192.0.2.7', port: 4000 }
  const [state] = run(initial(defaults, origin), [
    I.opened(a, 0, nonce, '1883', peer),
    I.arrived(a, 0, Packet.connect({ clientId: 'a', level: 5 })),
  ])
  const fault = { reason: 0x81, clause: 'MQTT-2.1.3-1', detail: 'flags', level: 5 } as const
  const parts: Array<Uint8Array> = []
  const exporter = new Exporter((bytes) => parts.push(bytes))
  const { text } = recorded(state, [
    I.arrived(a, 1, Packet.publish({ topic: 't', payload: 'on', qos: 1, packetId: 7 })),
    I.opened(b, 2, nonce, '1883', peer),
    I.broke(b, 2, fault as never),
  ])
  for (const one of replayed(text)) exporter.take(one)
  exporter.finish()
  assert.equal(
    [exporter.laneCount, exporter.headlessCount, exporter.leftOutCount],
    [2, 1, 1],
  )
  const tap = new Tap(1883)
  for (const packet of new CaptureFile().push(Uint8Array.from(Buffer.concat(parts)))) {
    tap.packet(packet)
  }
  assert.equal(tap.conversations.map((one) => [one.client.address, one.troubles]), [
    ['192.0.2.7', ['no connect']],
    ['10.0.0.2', []],
  ])
})

const page = join(root, 'core/trace/CAPTURES.md')
const block = /(```console\n\$ (sabethes replay|tshark) ([^\n]*)\n)([\s\S]*?)(```)/g

out('the page shows what the commands say', async () => {
  await inFolder(async (folder, trace) => {
    const wire = join(folder, 'wire.pcapng')
    await asked(trace, '--to-pcapng', wire)
    const text = readFileSync(page, 'utf8')
    let made = text
    let count = 0
    for (const [all, head = '', program = '', words = '', , end = ''] of text.matchAll(block)) {
      count += 1
      const there = words.split(' ').map((word) =>
        /\.(trace|pcapng|conf)$/.test(word) ? join(folder, word) : word
      )
      if (program === 'tshark' && !existsSync(tshark)) {
        skipped('what tshark says on the page', tshark)
        continue
      }
      const said = program === 'tshark'
        ? sharkSays(there[1]!, ...there.slice(2))
        : await asked(...there).then((answer) => answer.said + answer.complained)
      // So that the page does not grow old with every version.
      const plain = said.replaceAll(`${folder}/`, '')
        .replaceAll(`sabethes ${version}`, 'sabethes 1.2.3')
      made = made.replace(all, () => `${head}${plain}${end}`)
    }
    assert.ok(count >= 4)
    if (process.env['UPDATE'] === '1') writeFileSync(page, made)
    else assert.is(made, text)
  })
})

out.run()
