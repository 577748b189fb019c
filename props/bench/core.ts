// The codec and the machine alone: no socket, no clock of the broker's, one process. Prints JSON.
// core-run.ts bundles this file and runs it on each runtime with the names of the rows.
//
// The machine is fed as a shell feeds it, 128 inputs to a batch, a few packets of one publisher in
// a row, each a fresh object; every acknowledgement it waits for comes with a later batch. What it
// sends is checked for number and order. All of this is in the figures, but not decoding, encoding
// and carrying bytes.

import {
  arrived,
  type Conn,
  createReader,
  defaultLimits,
  defaults,
  type Effect,
  encode,
  encodeInto,
  initial,
  type Input,
  none,
  opened,
  type Packet,
  parseTopicFilter,
  parseTopicName,
  type Publish,
  type Qos,
  run,
  type State,
  type TopicName,
  written,
} from '../../core/mod.ts'

interface Result {
  readonly name: string
  readonly runtime: string
  readonly perCpuS: number
  readonly spread: number
  readonly unit: string
}

// The few words of a runtime that this needs; both have them.
declare const process: {
  readonly argv: ReadonlyArray<string>
  readonly versions: { readonly node?: string; readonly deno?: string }
  cpuUsage(): { readonly user: number; readonly system: number }
}

const payloadBytes = 64
const batchInputs = 128
const packetsInARow = 32

const orThrow = <A>(either: { _tag: 'Left'; left: unknown } | { _tag: 'Right'; right: A }): A => {
  if (either._tag === 'Left') throw new Error(String(either.left))
  return either.right
}

/**
 * A message whose payload lies in a chunk that was read, and begins with the publisher's index and
 * the number of the message.
 */
const publishOf = (
  topic: TopicName,
  qos: Qos,
  packetId: number,
  chunk: Uint8Array,
  start: number,
  index: number,
  number: number,
): Publish => {
  chunk[start] = index & 255
  chunk[start + 1] = index >> 8
  chunk[start + 2] = number & 255
  chunk[start + 3] = (number >> 8) & 255
  chunk[start + 4] = (number >> 16) & 255
  return {
    _tag: 'Publish',
    dup: false,
    qos,
    retain: false,
    topic,
    packetId,
    payload: { buffer: chunk, start, end: start + payloadBytes },
    properties: none,
  }
}

const textOf = (prefix: string, index: number): string => `bench/${prefix}/${index}/data`

/** Clients without sockets around one broker. */
class World {
  deliveredCount = 0
  publishedCount = 0
  private state: State
  private readonly qos: Qos
  private readonly publishers: Conn[] = []
  private readonly topics: TopicName[] = []
  private readonly sent: number[] = []
  private readonly lastId: number[] = []
  private readonly unfinished: number[] = []
  /** Next number expected, by slot and publisher. */
  private readonly expected = new Map<number, Int32Array>()
  private readonly unreported: number[] = []
  private answers: Input[] = []
  /** What was "read" in this batch; the next batch writes over it. */
  private readonly chunk = new Uint8Array((batchInputs + packetsInARow) * payloadBytes)
  private chunkAt = 0
  private at = 0
  private turn = 0

  constructor(prefix: string, publisherCount: number, filters: ReadonlyArray<string>, qos: Qos) {
    this.qos = qos
    this.state = initial(defaults, { at: 0, wall: 1_700_000_000_000, seed: 1 })
    for (let i = 0; i < publisherCount; i++) {
      this.publishers.push(this.connect(i, `p${i}`))
      this.topics.push(orThrow(parseTopicName(textOf(prefix, i))))
      this.sent.push(0)
      this.lastId.push(0)
      this.unfinished.push(0)
    }
    filters.forEach((filter, i) => {
      const conn = this.connect(publisherCount + i, `s${i}`)
      this.expected.set(conn.slot, new Int32Array(publisherCount))
      this.feed([
        arrived(conn, 0, {
          _tag: 'Subscribe',
          packetId: 1,
          requests: [
            {
              filter: orThrow(parseTopicFilter(filter)),
              qos,
              noLocal: false,
              retainAsPublished: false,
              retainHandling: 0,
            },
          ],
          properties: none,
        }),
      ])
    })
  }

  private connect(slot: number, clientId: string): Conn {
    const conn: Conn = { slot, generation: 1 }
    const peer = { address: '127.0.0.1', port: 40_000 + slot }
    const packet: Packet = {
      _tag: 'Connect',
      level: 4,
      bridge: false,
      cleanStart: true,
      keepAliveS: 0,
      clientId,
      will: null,
      userName: null,
      password: null,
      properties: none,
    }
    this.unreported[slot] = 0
    this.feed([opened(conn, 0, `N-${slot}`, '1883', peer), arrived(conn, 0, packet)])
    return conn
  }

  /** One batch: the answers that are due, then new messages. */
  batch(): void {
    const inputs = this.answers
    this.answers = []
    this.chunkAt = 0
    for (let tries = 0; inputs.length < batchInputs && tries < this.publishers.length; tries++) {
      const index = this.turn
      this.turn = (this.turn + 1) % this.publishers.length
      // A publisher with its window full of unfinished messages waits.
      for (let i = 0; i < packetsInARow && this.unfinished[index]! < 200; i++) {
        inputs.push(this.message(index))
      }
    }
    this.at++
    this.feed(inputs)
  }

  /** Nothing new until everything that is under way has arrived and is acknowledged. */
  settle(): void {
    while (this.answers.length > 0) {
      const inputs = this.answers
      this.answers = []
      this.feed(inputs)
    }
  }

  private message(index: number): Input {
    const number = this.sent[index]!
    this.sent[index] = number + 1
    this.publishedCount++
    let packetId = 0
    if (this.qos > 0) {
      this.unfinished[index]!++
      packetId = this.lastId[index] === 65_535 ? 1 : this.lastId[index]! + 1
      this.lastId[index] = packetId
    }
    const { chunk, chunkAt } = this
    this.chunkAt += payloadBytes
    const topic = this.topics[index]!
    const packet = publishOf(topic, this.qos, packetId, chunk, chunkAt, index, number)
    return arrived(this.publishers[index]!, this.at, packet)
  }

  private feed(inputs: ReadonlyArray<Input>): void {
    const [state, effects] = run(this.state, inputs)
    this.state = state
    for (let i = 0; i < effects.length; i++) this.carryOut(effects[i]!)
  }

  private carryOut(effect: Effect): void {
    switch (effect._tag) {
      case 'Send':
        return this.sendTo(effect.conn, effect.packet)
      case 'Multicast':
        for (let i = 0; i < effect.conns.length; i++) {
          this.sendTo(effect.conns[i]!, effect.packet)
        }
        return
      case 'Note':
        if (effect.note._tag === 'Dropped') throw new Error('a message was dropped')
        return
      default:
        if (effect._tag === 'Close') throw new Error('a connection was closed')
    }
  }

  private sendTo(conn: Conn, packet: Packet): void {
    switch (packet._tag) {
      case 'Publish':
        this.deliver(conn, packet)
        if (packet.qos === 1) this.answer(conn, 'Puback', packet.packetId)
        if (packet.qos === 2) this.answer(conn, 'Pubrec', packet.packetId)
        return
      case 'Pubrec':
        return this.answer(conn, 'Pubrel', packet.packetId)
      case 'Pubrel':
        return this.answer(conn, 'Pubcomp', packet.packetId)
      case 'Puback':
      case 'Pubcomp':
        this.unfinished[conn.slot]!--
        return
      default:
    }
  }

  private deliver(conn: Conn, { payload }: Publish): void {
    const { buffer, start } = payload
    const index = buffer[start]! | (buffer[start + 1]! << 8)
    const number = buffer[start + 2]! | (buffer[start + 3]! << 8) | (buffer[start + 4]! << 16)
    const expected = this.expected.get(conn.slot)!
    if (number !== (expected[index]! & 0xffffff)) throw new Error('a message is lost or doubled')
    expected[index]!++
    this.deliveredCount++
    // As a shell does: the socket's progress is told now and then. 600 frames are about 50 KiB.
    if (++this.unreported[conn.slot]! < 600) return
    this.unreported[conn.slot] = 0
    this.answers.push(written(conn, this.at, Number.MAX_SAFE_INTEGER))
  }

  private answer(
    conn: Conn,
    _tag: 'Puback' | 'Pubrec' | 'Pubrel' | 'Pubcomp',
    packetId: number,
  ): void {
    this.answers.push(arrived(conn, this.at, { _tag, packetId, reason: 0, properties: none }))
  }
}

const counted = (count: number, make: (index: number) => string): string[] =>
  Array.from({ length: count }, (_, i) => make(i))

/** A piece of work that is repeated; answers how many units it did. */
type Work = () => number

const machine = (world: World, receivers: number): Work => () => {
  const before = world.deliveredCount
  for (let i = 0; i < 50; i++) world.batch()
  world.settle()
  if (world.deliveredCount !== world.publishedCount * receivers) {
    throw new Error(`${world.deliveredCount} deliveries of ${world.publishedCount} messages`)
  }
  return world.deliveredCount - before
}

const pairs = (qos: Qos): Work =>
  machine(new World('pair', 50, counted(50, (i) => textOf('pair', i)), qos), 1)

const framesOf = (): ReadonlyArray<Publish> => {
  const chunk = new Uint8Array(700 * payloadBytes)
  return counted(700, (i) => textOf('pair', i % 50)).map((topic, i) =>
    publishOf(orThrow(parseTopicName(topic)), 0, 0, chunk, i * payloadBytes, i % 50, i)
  )
}

/** Decoding as a shell does it: a chunk of 700 PUBLISH packets, with 50 topics among them. */
const decoding = (): Work => {
  const frames = framesOf().map((packet) => encode(4, packet))
  const chunk = new Uint8Array(frames.reduce((sum, frame) => sum + frame.length, 0))
  let at = 0
  for (const frame of frames) {
    chunk.set(frame, at)
    at += frame.length
  }
  const reader = createReader(defaultLimits, 4)
  return () => {
    let count = 0
    reader.push(chunk, 0, chunk.length)
    for (let next = reader.next(); next !== null; next = reader.next()) {
      if (next._tag === 'Left') throw new Error(next.left.detail)
      count++
    }
    reader.release()
    if (count !== frames.length) throw new Error(`${count} packets of ${frames.length}`)
    return count
  }
}

const encoding = (): Work => {
  const packets = framesOf()
  const target = new Uint8Array(1 << 17)
  return () => {
    let at = 0
    for (let i = 0; i < packets.length; i++) at = encodeInto(4, packets[i]!, target, at)
    return packets.length
  }
}

const works: Record<string, () => Work> = {
  decode: decoding,
  encode: encoding,
  'core-pairs-qos0': () => pairs(0),
  'core-pairs-qos1': () => pairs(1),
  'core-pairs-qos2': () => pairs(2),
  'core-fan-out': () => machine(new World('fan', 1, counted(500, () => textOf('fan', 0)), 0), 500),
  'core-fan-in': () => machine(new World('in', 500, ['bench/in/#'], 0), 1),
}

const cpuS = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

/** Repeats the work for so much CPU time; answers units per CPU second. */
const rateOf = (work: Work, seconds: number): number => {
  const start = cpuS()
  let count = 0
  let spent = 0
  while (spent < seconds) {
    for (let i = 0; i < 10; i++) count += work()
    spent = cpuS() - start
  }
  return count / spent
}

const measure = (name: string, make: () => Work): Result => {
  const work = make()
  rateOf(work, 0.4)
  const rates = [1, 2, 3, 4, 5].map(() => rateOf(work, 0.15)).sort((a, b) => a - b)
  const median = rates[2]!
  const { node, deno } = process.versions
  return {
    name,
    runtime: deno === undefined ? `Node ${node}` : `Deno ${deno}`,
    perCpuS: median,
    spread: (rates[4]! - rates[0]!) / 2 / median,
    unit: name.startsWith('core') ? 'deliveries' : 'packets',
  }
}

const names = process.argv.slice(2)
const results = names.map((name) => measure(name, works[name]!))
console.log(JSON.stringify(results))
