// A story over real sockets: its input lines are sent as packets, and each client has to receive
// exactly the packets of its effect lines, in their order, before the next line is played. What
// must not arrive is proved absent by a ping of every client at the end of each stanza.

import { Buffer } from 'node:buffer'
import { encode } from '../../core/codec/mod.ts'
import type { Connect, Packet } from '../../core/codec/packet.ts'
import type { Act } from '../../core/trace/act.ts'
import type { PlayedLine } from '../../core/trace/play.ts'
import { writeAct } from '../../core/trace/verb.ts'
import { Mismatch, sleep } from '../conformance/expect.ts'
import { Peer } from '../conformance/peer.ts'
import { pingreqBytes } from '../conformance/wire.ts'
import type { StoryBroker } from './brokers.ts'
import { seenText } from './seen.ts'

interface Client {
  readonly name: string
  peer: Peer
  /** Packets that were compared with the story. */
  read: number
  isConnected: boolean
  /** Raw bytes of a packet that is not finished: nothing may come between them. */
  unfinished: Uint8Array
  lastConnect: Connect | null
}

const nothing = new Uint8Array(0)

/** Acts that no socket can play. */
const coreOnlyActs: ReadonlySet<Act['_tag']> = new Set<Act['_tag']>([
  'Continued',
  'Broke',
  'Written',
  'Judged',
  'Answered',
  'At',
  'Ticked',
  'Reconfigure',
  'Redirect',
  'Memory',
  'Measured',
  'Kick',
  'Publish',
  'Shut',
  'Revoke',
])

/** Why the lines of a story cannot be played on sockets, or null. */
export const obstacle = (acts: ReadonlyArray<Act>): string | null => {
  let ticksMs = 0
  for (const act of acts) {
    if (coreOnlyActs.has(act._tag)) return `"${writeAct(act)}" is nothing that a socket does`
    if (act._tag === 'Tick') ticksMs += act.ms
    if (act._tag === 'Open' && (act.address !== null || act.listener !== null)) {
      return `"${writeAct(act)}" wants another place to come from`
    }
  }
  return ticksMs > 4_000 ? `it takes ${ticksMs} ms, which nobody waits for` : null
}

/** An invented identifier is another one every time. */
const anonymous = (text: string): string => text.replaceAll(/auto-[0-9A-F-]{36}/g, 'auto-*')

interface Expected {
  readonly packets: ReadonlyArray<readonly [name: string, text: string]>
  readonly closes: ReadonlyArray<string>
}

const expectedOf = (texts: ReadonlyArray<string>): Expected => {
  const packets: Array<readonly [string, string]> = []
  const closes: string[] = []
  for (const text of texts) {
    const sent = /^([a-z][a-z0-9.-]*(?: [a-z][a-z0-9.-]*)*)< (.*)$/.exec(text)
    const close = /^([a-z][a-z0-9.-]*) close 0x/.exec(text)
    if (sent !== null) { for (const name of sent[1]!.split(' ')) packets.push([name, sent[2]!]) }
    if (close !== null) closes.push(close[1]!)
  }
  return { packets, closes }
}

/** The level of a CONNECT that was written in bytes; 5 where there is none to be found. */
const levelIn = (bytes: Uint8Array): 3 | 4 | 5 => {
  const found = /MQ(?:TT|Isdp)([^])/.exec(Buffer.from(bytes).toString('latin1'))
  const level = found?.[1]?.charCodeAt(0)
  return level === 3 || level === 4 ? level : 5
}

const canPing = ({ peer, isConnected, unfinished }: Client): boolean =>
  isConnected && !peer.isClosed && unfinished.length === 0

/** What is left of a stream behind its last whole packet. */
const unfinishedOf = (stream: Uint8Array): Uint8Array => {
  let at = 0
  while (at + 2 <= stream.length) {
    let length = 0
    let head = 1
    for (let factor = 1; at + head < stream.length; factor *= 128) {
      const digit = stream[at + head++]!
      length += (digit & 127) * factor
      if (digit < 128) break
    }
    if (at + head + length > stream.length) break
    at += head + length
  }
  return stream.slice(at)
}

export class Player {
  /** How much longer the story took than it tells: time in which the broker's clock ran on. */
  lateMs = 0
  private readonly broker: StoryBroker
  private readonly clients = new Map<string, Client>()

  constructor(broker: StoryBroker) {
    this.broker = broker
  }

  /** Plays one line and waits for what comes of it. */
  async play(line: PlayedLine): Promise<void> {
    const startedMs = Date.now()
    const expected = expectedOf(line.texts)
    await this.perform(line.act)
    for (const [name, text] of expected.packets) await this.hear(name, text, line.act)
    for (const name of expected.closes) await this.farewell(name)
    if (line.act._tag === 'Tick') await sleep(line.act.ms - (Date.now() - startedMs))
    else if (expected.packets.length + expected.closes.length === 0) await this.settle(line.act)
    this.lateMs += Date.now() - startedMs - (line.act._tag === 'Tick' ? line.act.ms : 0)
  }

  /** Nobody was sent anything that was not told. */
  async silence(): Promise<void> {
    for (const client of this.clients.values()) {
      if (canPing(client)) await this.ping(client)
    }
    for (const { name, peer, read } of this.clients.values()) {
      const more = peer.history[read]
      if (more !== undefined) {
        throw new Mismatch(`what ${name} was sent besides`, 'nothing', seenText(more))
      }
    }
  }

  end(): void {
    for (const { peer } of this.clients.values()) peer.destroy()
  }

  private clientOf(name: string): Client {
    const client = this.clients.get(name)
    if (client === undefined) throw new Mismatch(`the client ${name}`, 'a connection', 'none')
    return client
  }

  private async dial(name: string): Promise<Client> {
    const { length } = this.broker.log
    const peer = await Peer.dial(this.broker.port)
    peer.acknowledges = false
    const lastConnect = this.clients.get(name)?.lastConnect ?? null
    const client = { name, peer, read: 0, isConnected: false, unfinished: nothing, lastConnect }
    this.clients.get(name)?.peer.destroy()
    this.clients.set(name, client)
    // One that may not come in ends at once.
    const own = `127.0.0.1:${peer.socket.localPort}`
    const isThere = [`New connection from ${own} `, `[${own}] disconnected`]
    await this.broker.logged([...isThere, 'Client connection from 127.0.0.1 denied'], length)
    return client
  }

  private async say(name: string, packet: Packet): Promise<void> {
    let client = this.clients.get(name)
    if (packet._tag === 'Connect' && (client === undefined || client.peer.isClosed)) {
      client = await this.dial(name)
    }
    if (client === undefined) throw new Mismatch(`the client ${name}`, 'a connection', 'none')
    if (packet._tag === 'Connect') {
      client.lastConnect = packet
      // A second CONNECT is answered in the level of the first.
      if (!client.isConnected) client.peer.level = packet.level
    }
    client.peer.send(encode(client.peer.level, packet))
  }

  private async gone(name: string, reset: boolean): Promise<void> {
    const { peer } = this.clientOf(name)
    const port = peer.socket.localPort
    if (reset) peer.reset()
    else peer.destroy()
    peer.isClosed = true
    await this.broker.logged([`[127.0.0.1:${port}] disconnected`])
  }

  private async perform(act: Act): Promise<void> {
    switch (act._tag) {
      case 'Open':
        await this.dial(act.name)
        return
      case 'Say':
        return this.say(act.name, act.packet)
      case 'Raw': {
        const client = this.clientOf(act.name)
        const stream = Buffer.concat([client.unfinished, act.bytes])
        client.unfinished = unfinishedOf(stream)
        if (!client.isConnected) client.peer.level = levelIn(stream)
        client.peer.send(act.bytes)
        return
      }
      case 'Gone':
        return this.gone(act.name, act.why === 'failed')
      case 'Reopen': {
        const { lastConnect } = this.clientOf(act.name)
        if (lastConnect === null) throw new Mismatch(act.name, 'a CONNECT to repeat', 'none')
        return this.say(act.name, { ...lastConnect, cleanStart: false })
      }
      case 'Stop':
        this.broker.stop()
        return
      case 'Tick':
      case 'Quiet':
      case 'Deadline':
      case 'State':
        return
      default:
        throw new Mismatch('an act for sockets', 'one that they can play', act._tag)
    }
  }

  /** The next packet of a client is this one. */
  private async hear(name: string, text: string, act: Act): Promise<void> {
    const client = this.clientOf(name)
    const patienceMs = 8_000 + (act._tag === 'Tick' ? act.ms : 0)
    await client.peer.hears(client.read + 1, `waiting for ${name}< ${text}`, patienceMs)
    const seen = client.peer.history[client.read++]!
    const told = anonymous(seenText(seen))
    if (told !== anonymous(text)) throw new Mismatch(`the next packet of ${name}`, text, told)
    if (seen.kind === 'CONNACK') client.isConnected = seen.reason === 0
  }

  private async farewell(name: string): Promise<void> {
    const { peer } = this.clientOf(name)
    await peer.gone()
  }

  private async ping(client: Client): Promise<void> {
    client.peer.send(pingreqBytes())
    await this.hear(client.name, 'pingresp', { _tag: 'Quiet' })
  }

  /** The broker has dealt with a line of which nothing came. */
  private async settle(act: Act): Promise<void> {
    if (act._tag !== 'Say' && act._tag !== 'Raw') return
    const client = this.clientOf(act.name)
    if (canPing(client)) await this.ping(client)
    // A connection that may not ping yet: long enough for what must not happen to happen.
    else await sleep(50)
  }
}
