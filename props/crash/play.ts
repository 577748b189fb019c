// Plays a script against the broker up to a crash, starts it again on what is on the disk, lets
// every client come back, and then asks for everything that could be missing or too much.
//
// A line of a script is `who verb what... options`; `-` stands for nobody:
//
//   a connect [v3 v4 v5] [clean] [brief] [expiry=S] [receive=N] [largest=N]
//             [will=TOPIC,PAYLOAD,QOS,DELAY_S,r]
//   a subscribe FILTER QOS          a unsubscribe FILTER
//   a publish TOPIC PAYLOAD QOS [retain] [expiry=S]     an empty payload is written as -
//   a lose                          a disconnect [REASON] [expiry=S]
//   a deaf                          nothing that the broker says reaches it any more
//   a mute puback|pubrec|pubrel|pubcomp     it does not answer so on this connection
//   - pass MS                       - flush         the disk is done with what it has
//
// `connect` is version 5 and a session for ever; `brief` is one that ends with its connection.

import type { Config } from '../../core/broker/config.ts'
import { none } from '../../core/mod.ts'
import type { Level, Qos, Will } from '../../core/codec/packet.ts'
import { type Answer, bytesOf, Client, type Order, type Seen, topicOf } from './client.ts'
import type { Crash, Policy } from './world.ts'
import { World } from './world.ts'

export interface Script {
  readonly name: string
  readonly lines: ReadonlyArray<string>
  readonly config: Partial<Config>
  /** How long the broker is away after the crash, and how long then the clients. */
  readonly awayMs: number
  readonly backMs: number
}

/** Where a run is cut: in the script, and once more while everybody comes back. */
export interface Cut {
  readonly policy: Policy
  /** Null for the end of the script. */
  readonly crash: Crash | null
  readonly again: Crash | null
}

export interface Played {
  readonly seen: ReadonlyArray<Seen>
  /** Flushes that ended in the script and after the restart, and whether one was under way. */
  readonly flushes: number
  readonly flushesAfter: number
  readonly unanswered: ReadonlyArray<string>
}

const NEVER_S = 0xffffffff

const optionsOf = (words: ReadonlyArray<string>): ReadonlyMap<string, string> =>
  new Map(words.map((word) => {
    const at = word.indexOf('=')
    return at < 0 ? [word, ''] : [word.slice(0, at), word.slice(at + 1)]
  }))

const willOf = (text: string): Will => {
  const [topic, payload, qos, delayS, retain] = text.split(',')
  return {
    topic: topicOf(topic!),
    payload: bytesOf(payload!),
    qos: Number(qos) as Qos,
    retain: retain === 'r',
    properties: delayS === undefined || delayS === '0'
      ? none
      : { willDelayInterval: Number(delayS) },
  }
}

const orderOf = (words: ReadonlyArray<string>): Order => {
  const options = optionsOf(words)
  const level: Level = options.has('v3') ? 3 : options.has('v4') ? 4 : 5
  const isBrief = options.has('brief')
  const will = options.get('will')
  return {
    level,
    clean: options.has('clean') || (isBrief && level < 5),
    expiryS: level < 5 || isBrief ? 0 : Number(options.get('expiry') ?? NEVER_S),
    will: will === undefined ? null : willOf(will),
    receiveMaximum: Number(options.get('receive') ?? 0),
    packetBytesMax: Number(options.get('largest') ?? 0),
  }
}

class Play {
  readonly seen: Array<Seen> = []
  readonly clients = new Map<string, Client>()
  readonly world: World
  readonly topics = new Set<string>()

  constructor(script: Script, policy: Policy) {
    this.world = new World(script.config, policy)
  }

  client(name: string): Client {
    let client = this.clients.get(name)
    if (client === undefined) {
      client = new Client(name, this.world, this.seen)
      this.clients.set(name, client)
    }
    return client
  }

  mark(_tag: 'crash' | 'restart'): void {
    this.seen.push({ time: this.world.time, event: { _tag } })
  }

  async line(text: string): Promise<void> {
    const [who, verb, ...words] = text.trim().split(/\s+/)
    const { world } = this
    if (verb === 'pass') await world.pass(Number(words[0]))
    else if (verb === 'flush') await world.flush()
    else this.act(this.client(who!), verb!, words)
    world.step += 1
    await world.settle()
  }

  private act(client: Client, verb: string, words: ReadonlyArray<string>): void {
    const options = optionsOf(words)
    const expiry = options.get('expiry')
    const expiryS = expiry === undefined ? null : Number(expiry)
    switch (verb) {
      case 'connect':
        return client.connect(orderOf(words))
      case 'subscribe':
        return client.subscribe(words[0]!, Number(words[1]) as Qos)
      case 'unsubscribe':
        return client.unsubscribe(words[0]!)
      case 'publish': {
        this.topics.add(words[0]!)
        const payload = words[1] === '-' ? '' : words[1]!
        const qos = Number(words[2]) as Qos
        return client.publish(words[0]!, payload, qos, options.has('retain'), expiryS)
      }
      case 'lose':
        return client.leave('failed')
      case 'disconnect':
        return client.disconnect(words[0] === undefined ? 0 : Number(words[0]) || 0, expiryS)
      case 'deaf':
        return client.deafen()
      case 'mute':
        client.mute.add(words[0] as Answer)
        return
    }
    throw new Error(`nobody knows how to ${verb}`)
  }

  /** Everybody comes back and goes on where a session is, also where there should be none. */
  async comeBack(): Promise<void> {
    for (const client of [...this.clients.values()]) {
      const { order } = client
      if (order === null || client.isConnected || this.world.isDown) continue
      client.connect({ ...order, clean: false, will: null })
      this.world.step += 1
      await this.world.settle()
    }
  }

  /** A stranger publishes once more to every topic, and another looks at what is retained. */
  async probe(): Promise<void> {
    const prober = this.client('prober')
    prober.connect(orderOf(['brief', 'clean']))
    await this.world.settle()
    for (const topic of this.topics) {
      prober.publish(topic, `probe of ${topic}`, 2, false, null)
      await this.world.settle()
    }
    const reader = this.client('reader')
    reader.connect(orderOf(['brief', 'clean']))
    await this.world.settle()
    reader.subscribe('#', 2)
    await this.world.settle()
    await this.world.pass(10)
  }
}

const prompt: Policy = { name: 'prompt', steps: 0 }

/** Down and up again, on what is on the disk. */
const restart = async (play: Play, script: Script, again: Crash | null): Promise<void> => {
  await play.world.kill()
  play.mark('crash')
  await play.world.pass(script.awayMs)
  await play.world.start(prompt, again)
  play.mark('restart')
  await play.world.pass(script.backMs)
}

export const run = async (script: Script, { policy, crash, again }: Cut): Promise<Played> => {
  const play = new Play(script, policy)
  const { world } = play
  for (const line of script.lines) {
    const [, verb, topic] = line.trim().split(/\s+/)
    if (verb === 'publish') play.topics.add(topic!)
  }
  await world.start(policy, crash)
  for (const line of script.lines) {
    if (world.isDown) break
    await play.line(line)
  }
  const { flushes } = world
  await restart(play, script, again)
  await play.comeBack()
  if (world.isDown) {
    await restart(play, script, null)
    await play.comeBack()
  }
  const flushesAfter = world.flushes
  await play.probe()
  const unanswered = [...play.clients.values()]
    .filter((client) => client.owedCount > 0)
    .map((client) => `${client.name} is still owed ${client.owedCount} answers`)
  return { seen: play.seen, flushes, flushesAfter, unanswered }
}
