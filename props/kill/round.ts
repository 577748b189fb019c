// One round: the broker starts, clients work it, it is killed, it starts again, everybody comes
// back, and what they have is counted against what they had been promised.

import { ackBytes, publishBytes, type Qos, type Seen, type WillOrder } from '../conformance/wire.ts'
import { sleep } from '../conformance/expect.ts'
import { payloadText, Peer } from '../conformance/peer.ts'
import { isFlushing, keep, type Keeping, type Kind, resume } from './broker.ts'

const publishersMax = 4
/** Below what a session may have waiting, so that nothing is turned away. */
const messagesMax = 900
const windowCount = 20

/** One message of a publisher. */
interface Sent {
  readonly payload: string
  readonly qos: Qos
  readonly packetId: number
  stage: 'sent' | 'received' | 'done'
}

/** Publishes as fast as it is answered, and keeps its side of the protocol across connections. */
class Publisher {
  readonly name: string
  readonly topic: string
  readonly sent: Sent[] = []
  peer: Peer | null = null
  private open = 0

  constructor(name: string, topic: string) {
    this.name = name
    this.topic = topic
  }

  async connect(port: number): Promise<void> {
    const peer = await Peer.dial(port)
    const { sessionPresent } = await peer.connect({ id: this.name, clean: false, keepAliveS: 0 })
    this.peer = peer
    this.open = 0
    if (this.sent.length > 0 && !sessionPresent) throw new Error(`${this.name} has no session`)
    for (const one of this.sent) {
      if (one.stage === 'done') continue
      this.open += 1
      if (one.stage === 'received') peer.send(ackBytes(0x62, one.packetId))
      else this.send(one, true)
    }
  }

  private send({ payload, qos, packetId }: Sent, dup: boolean): void {
    this.peer!.send(publishBytes({ level: 4, topic: this.topic, payload, qos, packetId, dup }))
  }

  /** Takes in what was answered and, if it is to go on, fills the window again. */
  work(round: number, goesOn: boolean): void {
    const { peer } = this
    for (const { kind, packetId } of peer!.answers.splice(0)) {
      const one = this.sent[packetId - 1]
      if (one === undefined) throw new Error(`${this.name} got ${kind} for nothing`)
      if (kind === 'PUBREC') {
        one.stage = 'received'
        peer!.send(ackBytes(0x62, packetId))
        continue
      }
      if (one.stage !== 'done') this.open -= 1
      one.stage = 'done'
    }
    while (goesOn && this.open < windowCount && this.sent.length < messagesMax) {
      const packetId = this.sent.length + 1
      const payload = `${round} ${this.name} ${packetId}`
      const one: Sent = { payload, qos: packetId % 3 === 0 ? 1 : 2, packetId, stage: 'sent' }
      this.sent.push(one)
      this.open += 1
      this.send(one, false)
    }
  }

  get doneCount(): number {
    return this.sent.filter(({ stage }) => stage === 'done').length
  }
}

/** How often each message reached the program behind a client, over all its connections. */
const takesOf = (history: ReadonlyArray<Seen>): ReadonlyMap<string, number> => {
  const open = new Set<number>()
  const takes = new Map<string, number>()
  for (const seen of history) {
    if (seen.kind === 'PUBREL') open.delete(seen.packetId)
    if (seen.kind !== 'PUBLISH') continue
    if (seen.qos === 2 && open.has(seen.packetId)) continue
    if (seen.qos === 2) open.add(seen.packetId)
    const payload = payloadText(seen)
    takes.set(payload, (takes.get(payload) ?? 0) + 1)
  }
  return takes
}

export interface Result {
  readonly acknowledged: number
  readonly sent: number
  /** Whether it was killed within a flush; null where nobody can tell. */
  readonly inFlush: boolean | null
  readonly complaints: ReadonlyArray<string>
}

/** What the round is about besides the load. */
interface Others {
  readonly live: Peer
  readonly watcher: Peer
  readonly willed: ReadonlyArray<string>
  /** Retained on `r`: the numbers that were sent and acknowledged. */
  setLast: number
  ackedLast: number
  readonly setter: Peer
}

const prepare = async (port: number, round: number): Promise<Others> => {
  for (let i = 0; i < publishersMax; i++) {
    const sink = await resume(port, `sink ${i}`)
    await sink.subscribe(`t/${i}`, 2)
    await sink.disconnect()
  }
  const live = await resume(port, 'live')
  await live.subscribe('t/0', 2)
  const watcher = await resume(port, 'watcher')
  await watcher.subscribe('w/#', 2)
  const willed: string[] = []
  for (const level of [3, 4, 5] as const) {
    const payload = `will ${round} ${level}`
    const will: WillOrder = { topic: `w/${level}`, payload, qos: 2 }
    const peer = await Peer.dial(port)
    await peer.connect({ level, id: `willed ${level}`, clean: true, keepAliveS: 0, will })
    willed.push(payload)
  }
  // What is taken back: a subscription, a session, a retained message, a will.
  const quiet = await resume(port, 'quiet')
  await quiet.subscribe('u', 1)
  await quiet.unsubscribe('u')
  const anew = await resume(port, 'anew')
  await anew.subscribe('u', 1)
  await anew.disconnect()
  const setter = await resume(port, 'setter')
  await setter.publish('u', `lost ${round}`, { qos: 1 })
  const clean = await Peer.dial(port)
  await clean.connect({ id: 'anew', clean: true })
  await clean.disconnect()
  await setter.publish('cleared', 'x', { qos: 1, retain: true })
  await setter.publish('cleared', '', { qos: 1, retain: true })
  const leaver = await Peer.dial(port)
  await leaver.connect({ id: 'leaver', will: { topic: 'w/no', payload: `no ${round}`, qos: 1 } })
  await leaver.disconnect()
  await setter.publish('r', `${round}-0`, { qos: 1, retain: true })
  return { live, watcher, willed, setLast: 0, ackedLast: 0, setter }
}

const set = (others: Others, round: number): void => {
  for (const answer of others.setter.answers.splice(0)) {
    if (answer.kind === 'PUBACK') others.ackedLast = answer.packetId - 1_000
  }
  if (others.setLast > others.ackedLast + 3) return
  others.setLast += 1
  others.setter.send(publishBytes({
    level: 4,
    topic: 'r',
    payload: `${round}-${others.setLast}`,
    qos: 1,
    packetId: 1_000 + others.setLast,
    retain: true,
  }))
}

/** Works the broker for so long and kills it: within a flush if `wantsFlush` and one is found. */
const killAt = async (
  broker: Keeping,
  round: number,
  publishers: ReadonlyArray<Publisher>,
  others: Others,
  afterMs: number,
  wantsFlush: boolean,
): Promise<boolean | null> => {
  const until = Date.now() + afterMs
  let inFlush: boolean | null = false
  while (Date.now() < until) {
    for (const publisher of publishers) publisher.work(round, true)
    set(others, round)
    await sleep(1)
  }
  const giveUp = Date.now() + 1_000
  do {
    for (const publisher of publishers) publisher.work(round, true)
    set(others, round)
    for (let i = 0; i < 300; i++) {
      inFlush = isFlushing(broker.pid)
      if (inFlush !== false || !wantsFlush) break
    }
    if (inFlush !== false || !wantsFlush) break
    await sleep(1)
  } while (Date.now() < giveUp)
  process.kill(broker.pid, 'SIGKILL')
  await broker.running.ended
  return inFlush
}

const collect = async (port: number, id: string, ping = true): Promise<Peer> => {
  const peer = await resume(port, id)
  if (ping) await peer.ping()
  return peer
}

/** Until it has what it has to, or nothing has come for so long that nothing will. */
const drained = async (peer: Peer, isDone: () => boolean): Promise<void> => {
  let last = peer.history.length
  for (let quiet = 0; quiet < 500 && !isDone(); quiet++) {
    await sleep(20)
    if (peer.history.length !== last) quiet = 0
    last = peer.history.length
  }
  // What would be too much has a moment to come.
  await sleep(30)
  await peer.ping()
}

const count = (
  who: string,
  topic: string,
  publishers: ReadonlyArray<Publisher>,
  takes: ReadonlyMap<string, number>,
): string[] => {
  const found: string[] = []
  for (const publisher of publishers) {
    if (publisher.topic !== topic) continue
    for (const { payload, qos } of publisher.sent) {
      const times = takes.get(payload) ?? 0
      if (times === 0) found.push(`${who} has not got '${payload}'`)
      if (qos === 2 && times > 1) found.push(`${who} got '${payload}' ${times} times`)
    }
  }
  return found
}

export const playRound = async (
  kind: Kind,
  folder: string,
  round: number,
  afterMs: number,
  wantsFlush: boolean,
): Promise<Result> => {
  const complaints: string[] = []
  const broker = await keep(kind, folder)
  const publishers = Array.from(
    { length: publishersMax },
    (_, i) => new Publisher(`publisher ${round} ${i}`, `t/${i}`),
  )
  const others = await prepare(broker.port, round)
  for (const publisher of publishers) await publisher.connect(broker.port)
  const inFlush = await killAt(broker, round, publishers, others, afterMs, wantsFlush)
  // What was still in the pipes was said before the end.
  await sleep(20)
  for (const publisher of publishers) publisher.work(round, false)
  for (const { kind: answer, packetId } of others.setter.answers) {
    if (answer === 'PUBACK') others.ackedLast = packetId - 1_000
  }
  const acknowledged = publishers.reduce((sum, { doneCount }) => sum + doneCount, 0)
  const sent = publishers.reduce((sum, publisher) => sum + publisher.sent.length, 0)

  const again = await keep(kind, folder)
  const { port } = again
  try {
    for (const publisher of publishers) await publisher.connect(port)
    const until = Date.now() + 10_000
    while (publishers.some((one) => one.doneCount < one.sent.length) && Date.now() < until) {
      for (const publisher of publishers) publisher.work(round, false)
      await sleep(1)
    }
    for (const one of publishers) {
      const open = one.sent.length - one.doneCount
      if (open > 0) complaints.push(`${one.name} is still owed ${open} answers`)
    }
    for (let i = 0; i < publishersMax; i++) {
      const sink = await collect(port, `sink ${i}`, false)
      const wanted = publishers[i]!.sent.length
      await drained(sink, () => takesOf(sink.history).size >= wanted)
      complaints.push(...count(`sink ${i}`, `t/${i}`, publishers, takesOf(sink.history)))
      await sink.disconnect()
    }
    const live = await collect(port, 'live', false)
    const all = (): ReadonlyMap<string, number> =>
      takesOf([...others.live.history, ...live.history])
    await drained(live, () => all().size >= publishers[0]!.sent.length)
    complaints.push(...count('live', 't/0', publishers, all()))
    await live.disconnect()
    complaints.push(...await leftovers(port, round, others))
  } finally {
    await again.end()
  }
  for (const { peer } of publishers) peer?.destroy()
  return { acknowledged, sent, inFlush, complaints }
}

/** Wills, what was taken back, and what is retained. */
const leftovers = async (port: number, round: number, others: Others): Promise<string[]> => {
  const found: string[] = []
  const watcher = await collect(port, 'watcher', false)
  const wills = (): ReadonlyMap<string, number> =>
    takesOf([...others.watcher.history, ...watcher.history])
  await drained(watcher, () => others.willed.every((will) => wills().has(will)))
  for (const will of others.willed) {
    const times = wills().get(will) ?? 0
    if (times !== 1) found.push(`'${will}' came ${times} times`)
  }
  if (wills().has(`no ${round}`)) found.push('a will came that was given up')
  await watcher.disconnect()
  const quiet = await collect(port, 'quiet')
  const anew = await collect(port, 'anew')
  const reader = await Peer.dial(port)
  await reader.connect({ id: 'reader', clean: true })
  await reader.publish('u', `probe ${round}`, { qos: 1 })
  await reader.subscribe('r', 1)
  await reader.subscribe('cleared', 1)
  for (const peer of [quiet, anew, reader]) await peer.ping()
  for (const [name, { messages }] of [['quiet', quiet], ['anew', anew]] as const) {
    for (const message of messages) found.push(`${name} got '${payloadText(message)}'`)
  }
  const [retained, ...more] = reader.payloads()
  for (const one of more) found.push(`'${one}' is retained and should not be`)
  const number = Number(retained?.split('-')[1])
  if (!(number >= others.ackedLast && number <= others.setLast)) {
    found.push(`'${retained}' is retained, after ${others.ackedLast} had been acknowledged`)
  }
  for (const peer of [quiet, anew, reader]) await peer.disconnect()
  return found
}
