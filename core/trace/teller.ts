// What a replay comes to, as lines of text: everything, or what one client or some topics have to
// do with it; the first run that differs from the recorded one, with the broker around it; and what
// clients would have seen under another configuration.

import type { Config } from '../broker/config.ts'
import type { Effect } from '../broker/effect.ts'
import type { Conn, Input } from '../broker/input.ts'
import type { State } from '../broker/state.ts'
import { run } from '../broker/step.ts'
import * as IntMap from '../data/int-map.ts'
import type { TopicFilter } from '../topic/filter.ts'
import type { PayloadText } from './connect-text.ts'
import { Aliases, eachSent, Translation } from './cut-acks.ts'
import { beginUnder, runUnder } from './judging.ts'
import type { Ear, Other, Under } from './judging.ts'
import { isAskedFor, Names } from './names.ts'
import type { Batch, Found } from './replay.ts'
import { brokenText, differenceOf, listenerUnder, seenOf } from './replay.ts'
import { explicitName, showEffect, showInput } from './show.ts'
import type { NameOf } from './show.ts'
import { Span } from './span.ts'
import type { SpanWish } from './span.ts'
import { veiledText } from './veil.ts'
import type { Veil } from './veil.ts'
import { plural, quote, seconds } from './words.ts'

export interface Telling {
  readonly span: SpanWish
  readonly client: string | null
  readonly topic: TopicFilter | null
  readonly quiet: boolean
  /** Who has subscribed to what, as lines. */
  readonly treeOf: (state: State) => string
  /** The other configuration; null where there is none. */
  readonly under: Under | null
}

const traceOf = (error: unknown): string =>
  error instanceof Error ? error.stack ?? error.message : String(error)

const connsOf = (one: Input | Effect): ReadonlyArray<Conn> =>
  'conns' in one ? one.conns : 'conn' in one ? [one.conn] : []

/** What a client sees, as text. */
interface Seen {
  readonly line: string
  /** The same without the packet identifier, where the broker has chosen it. */
  readonly what: () => string
  readonly isWanted: boolean
}

const lineOf = ({ line }: Seen): string => line

const wantedOf = (some: ReadonlyArray<Seen>): ReadonlyArray<string> =>
  some.filter(({ isWanted }) => isWanted).map(lineOf)

/** Packet identifiers are each broker's own: what is equal but for them has those of the day. */
const withIdsOf = (
  day: ReadonlyArray<Seen>,
  other: ReadonlyArray<Seen>,
): ReadonlyArray<Seen> => {
  const left = new Map<string, Array<string>>()
  for (const { what, line } of day) {
    const key = what()
    const lines = left.get(key)
    if (lines === undefined) left.set(key, [line])
    else lines.push(line)
  }
  return other.map((one) => ({ ...one, line: left.get(one.what())?.shift() ?? one.line }))
}

/** Without the identifier that the broker has given it. */
const bareOf = (effect: ReturnType<typeof seenOf>[number]): Effect =>
  effect._tag === 'Send' && (effect.packet._tag === 'Publish' || effect.packet._tag === 'Pubrel')
    ? { ...effect, packet: { ...effect.packet, packetId: 0 } }
    : effect

export class Teller {
  /** 0: all as recorded; 1: something differs; 2: it could not be read to its end. */
  status = 0
  /** There is nothing more to be told. */
  isOver = false
  /** The head of the recording has been read. */
  hasBegun = false
  private readonly telling: Telling
  private readonly names = new Names()
  private readonly span: Span
  private beganAt = 0
  private batches = 0
  private inputs = 0
  private version = ''
  private payload: Veil['payload'] = 'full'
  private other: Other | null = null
  private now = 0
  private readonly aliases = new Aliases()
  /** Of the inputs and effects of a run, those about messages, with their topics, whole. */
  private topics: ReadonlyMap<Input | Effect, ReadonlyArray<string>> = new Map()
  /** Listeners of the day that the other configuration does not have. */
  private readonly listeners = new Set<string>()
  /** What clients have seen of topic aliases, on the day and under the other configuration. */
  private readonly seenAliases = { day: new Aliases(), other: new Aliases() }
  /** What clients acknowledge, by the identifiers that it has under the other configuration. */
  private readonly translation = new Translation(this.names)
  private readonly ear: Ear = {
    hear: (input) => this.saidThere(input),
    sent: (effects) => this.translation.ofHere(effects),
  }
  /** Whether something differs that nobody asked for. */
  private differsElsewhere = false
  private hasGuessed = false
  private hasParted = false
  private readonly nameOf: NameOf = (conn) => {
    const clientId = this.names.of(conn.generation)
    return clientId === undefined
      ? explicitName(conn)
      : /^[\w-]{1,40}$/.test(clientId)
      ? clientId
      : quote(clientId, "'")
  }

  private readonly payloadText: PayloadText = (bytes, topic) =>
    veiledText(bytes, topic, this.payload)

  constructor(telling: Telling) {
    this.telling = telling
    this.span = new Span(telling.span)
  }

  /** Lines without ends. */
  tell(found: Found): ReadonlyArray<string> {
    switch (found._tag) {
      case 'Began':
        return this.begin(found)
      case 'Ran':
        return this.ran(found.batch, found.isSame)
      case 'Threw':
        this.status = 1
        return [
          ...found.inputs.slice(-20).map((input) =>
            showInput(input, this.nameOf, this.payloadText)
          ),
          `At these inputs, the last of ${plural(this.inputs + found.inputs.length, 'input')}, ` +
          `the broker is at fault: ${traceOf(found.error)}`,
          ...aroundOf(found.before, this.telling.treeOf),
        ]
      case 'Ended':
        return [`The recording ends: ${found.why.replace(/[^ -~]/g, '?')}.`]
      case 'Broken':
        this.status = 2
        return [brokenText(found)]
    }
  }

  /** What all of it came to. */
  sum(): string {
    const [runs, inputs] = [plural(this.batches, 'run'), plural(this.inputs, 'input')]
    const played = `${runs} with ${inputs} in ${seconds(this.now - this.beganAt)} were played`
    if (this.status === 1 || !this.hasBegun) return `${played}.`
    return this.differsElsewhere
      ? `${played}. Something differs in what was not asked for.`
      : `${played}, and all came to what was recorded.`
  }

  private begin({ head, state }: Extract<Found, { readonly _tag: 'Began' }>) {
    this.hasBegun = true
    this.beganAt = head.at
    this.span.begin(head.at, head.wall)
    this.now = head.at
    this.version = head.version
    this.payload = head.payload
    this.names.know(state)
    this.aliases.begin(state)
    return [
      `Recorded by sabethes ${head.version.replace(/[^ -~]/g, '?')} from ${
        Math.floor(head.wall / 1000)
      } on ` +
      `(Unix seconds), payloads: ${head.payload}; ` +
      `${plural(IntMap.size(state.sessions), 'session')}, ` +
      `${plural(IntMap.size(state.links), 'connection')} at the beginning.`,
      ...this.beginOther(state, !head.hasSnapshot),
    ]
  }

  /** What clients who are there see of the other configuration. */
  private beginOther(day: State, isNew: boolean): ReadonlyArray<string> {
    const { under } = this.telling
    if (under === null) return []
    const other = beginUnder(day, isNew, under)
    const { state, effects, guessed } = other
    this.other = other
    const listeners: Array<string> = []
    IntMap.each(day.links, ({ listener }) => listeners.push(listener))
    const told = [...this.moved(listeners, state.config), ...this.guesses(guessed)]
    this.seenAliases.day.begin(day)
    this.seenAliases.other.begin(state)
    this.translation.begin(day, state)
    const lines = this.differing([], this.seen(effects, this.seenAliases.other, state.config), true)
    return lines.length === 0 ? told : [
      ...told,
      'Of those who are connected by then the other configuration lets some in no more:',
      ...lines,
    ]
  }

  /** A sentence, once, where passwords are taken to be right. */
  private guesses(guessed: boolean): ReadonlyArray<string> {
    if (!guessed || this.hasGuessed) return []
    this.hasGuessed = true
    return [
      'A recording has no passwords: who names a user of a password file is taken to know his ' +
      'password.',
    ]
  }

  private ran(batch: Batch, isSame: boolean | null): ReadonlyArray<string> {
    const { quiet } = this.telling
    this.span.hear(batch.inputs)
    if (this.span.isAfter(batch.after.now)) {
      this.isOver = true
      return []
    }
    this.now = batch.after.now
    this.batches += 1
    this.inputs += batch.inputs.length
    const isShown = !quiet && !this.span.isBefore(batch.after.now)
    if (!quiet || this.other !== null) this.names.learn(batch)
    if (this.telling.topic !== null) this.topics = topicsOf(batch, this.aliases, this.names)
    const lines = isShown ? this.show(batch) : []
    const { under } = this.telling
    const differing = this.other === null || under === null
      ? []
      : this.compare(this.other, under, batch)
    const told = lines.length + differing.length === 0
      ? []
      : [`${seconds(batch.after.now - this.beganAt)} run ${this.batches}`, ...lines, ...differing]
    if (isSame !== false) return told
    this.status = 1
    this.isOver = true
    return [...told, ...this.diverged(batch, isShown)]
  }

  private diverged(batch: Batch, isShown: boolean): ReadonlyArray<string> {
    const all = [
      ...batch.inputs.map((one) => showInput(one, this.nameOf, this.payloadText)),
      '----',
      ...batch.effects.map((one) => showEffect(one, this.nameOf, this.payloadText)),
    ]
    return [
      `Run ${this.batches} does not come to what was recorded by version ${this.version}` +
      (isShown ? ':' : '; it is told this and wants that:'),
      ...(isShown ? [] : all),
      ...this.unproved(batch.inputs),
      ...aroundOf(batch.before, this.telling.treeOf),
    ]
  }

  /** The reason that is none of the broker's, where the run has one. */
  private unproved(inputs: ReadonlyArray<Input>): ReadonlyArray<string> {
    for (const input of inputs) {
      if (input._tag !== 'Arrived') continue
      const { conn, packet } = input
      if (packet._tag !== 'Connect' && packet._tag !== 'Auth') continue
      const { authenticationMethod: method } = packet.properties
      if (method === undefined) continue
      const name = packet._tag === 'Connect' ? quote(packet.clientId, "'") : this.nameOf(conn)
      return [
        `In it ${name} authenticates itself by ${quote(method, "'")}. A recording has no ` +
        'secrets, so that the broker refuses in a replay whom it took on the day: that need not ' +
        'be a fault, and what comes later cannot be compared.',
      ]
    }
    return []
  }

  /** A sentence, once, where there is no recording of what clients would have done. */
  private partings(parted: boolean): ReadonlyArray<string> {
    if (!parted || this.hasParted) return []
    this.hasParted = true
    return [
      'Whose connection the day has closed, and the other configuration has not, is taken to ' +
      'leave when its place is given to another.',
    ]
  }

  private compare(before: Other, under: Under, batch: Batch): ReadonlyArray<string> {
    try {
      const opened = batch.inputs.flatMap((one) => one._tag === 'Opened' ? [one.listener] : [])
      const told = this.moved(opened, before.state.config)
      const other = runUnder(before, batch, under, run, this.ear)
      const { effects, guessed, parted } = other
      this.other = other
      this.translation.ofDay(batch.effects)
      const { seenAliases } = this
      const lines = this.differing(
        this.seen(batch.effects, seenAliases.day, batch.after.config),
        this.seen(effects, seenAliases.other, other.state.config),
        !this.span.isBefore(batch.after.now),
      )
      return [...told, ...this.guesses(guessed), ...this.partings(parted), ...lines]
    } catch {
      // What happened on the day need not be possible there: the slot of one whom the broker would
      // have kept is given to another.
      this.other = null
      return ['The two have come so far apart that no comparison is possible from here on.']
    }
  }

  /** An input of the day as the other broker hears it: nobody acknowledges what he was not sent. */
  private saidThere(input: Input): Input | null {
    if (input._tag !== 'Arrived') return input
    const packet = this.translation.translate(input.conn.generation, input.packet)
    if (packet === null) return null
    return packet === input.packet ? input : { ...input, packet }
  }

  /** What clients see, and whether that was asked for. */
  private seen(
    effects: ReadonlyArray<Effect>,
    aliases: Aliases,
    config: Config,
  ): ReadonlyArray<Seen> {
    const { client, topic } = this.telling
    const { names } = this
    return seenOf(effects).map((one) => {
      const isMessage = one._tag === 'Send' && one.packet._tag === 'Publish'
      const { generation } = one.conn
      const shown = isMessage ? aliases.topicOf(-generation, one.packet) : ''
      const isWanted = (client === null || names.of(generation) === client) &&
        (topic === null || isAskedFor(topic, names.wholeOf(generation, shown), config))
      const textOf = (effect: Effect): string => showEffect(effect, this.nameOf, this.payloadText)
      return { line: textOf(one), what: () => textOf(bareOf(one)), isWanted }
    })
  }

  /** What differs of that; that something else does is only remembered. */
  private differing(
    day: ReadonlyArray<Seen>,
    there: ReadonlyArray<Seen>,
    isShown: boolean,
  ): ReadonlyArray<string> {
    if (differenceOf(day.map(lineOf), there.map(lineOf)).length === 0) return []
    const other = withIdsOf(day, there)
    const lines = isShown ? differenceOf(wantedOf(day), wantedOf(other)) : []
    if (lines.length > 0) this.status = 1
    else this.differsElsewhere ||= differenceOf(day.map(lineOf), other.map(lineOf)).length > 0
    return lines
  }

  /** Sentences on connections that come in through another listener than on the day, once each. */
  private moved(listeners: ReadonlyArray<string>, config: Config): ReadonlyArray<string> {
    const found: Array<string> = []
    for (const listener of listeners) {
      if (config.listeners.length === 0) continue
      const there = listenerUnder(config, listener)
      if (there === listener || this.listeners.has(listener)) continue
      this.listeners.add(listener)
      found.push(
        `The other configuration has no listener ${
          listener.replace(/[^ -~]/g, '?')
        }: connections ` +
          `of the day are taken to be of ${there.replace(/[^ -~]/g, '?')} there.`,
      )
    }
    return found
  }

  private show({ inputs, effects, after: { config } }: Batch): ReadonlyArray<string> {
    const lines: Array<string> = []
    for (const one of inputs) {
      if (this.isWanted(one, config)) lines.push(showInput(one, this.nameOf, this.payloadText))
    }
    for (const one of effects) {
      if (!this.isWanted(one, config)) continue
      lines.push(`    ${showEffect(one, this.nameOf, this.payloadText)}`)
    }
    return lines
  }

  private isWanted(one: Input | Effect, config: Config): boolean {
    const { client, topic } = this.telling
    if (topic !== null) {
      const about = this.topics.get(one) ?? []
      if (!about.some((whole) => isAskedFor(topic, whole, config))) return false
    }
    if (client === null) return true
    if (connsOf(one).some(({ generation }) => this.names.of(generation) === client)) return true
    return one._tag === 'Note' && 'clientId' in one.note && one.note.clientId === client
  }
}

/** Where a topic alias stands for it, what that is; the one of a client is not the broker's. */
const topicsOf = (
  { inputs, effects }: Batch,
  aliases: Aliases,
  names: Names,
): ReadonlyMap<Input | Effect, ReadonlyArray<string>> => {
  const found = new Map<Input | Effect, ReadonlyArray<string>>()
  for (const one of inputs) {
    if (one._tag === 'Commanded' && one.command._tag === 'Publish') {
      found.set(one, [one.command.packet.topic])
    } else if (one._tag === 'Arrived' && one.packet._tag === 'Publish') {
      const { conn: { generation }, packet } = one
      found.set(one, [names.wholeOf(generation, aliases.topicOf(generation, packet))])
    }
  }
  for (const one of effects) {
    const about: Array<string> = []
    eachSent([one], (generation, packet) => {
      about.push(names.wholeOf(generation, aliases.topicOf(-generation, packet)))
    })
    // What was dropped or denied, and wills.
    if (one._tag === 'Note' && 'topic' in one.note) about.push(one.note.topic)
    found.set(one, about)
  }
  return found
}

/** The broker at a glance, with who has subscribed to what. */
export const stateText = (state: State, treeOf: Telling['treeOf']): string =>
  `${aroundOf(state, treeOf).join('\n')}\n`

const aroundOf = (state: State, treeOf: Telling['treeOf']): ReadonlyArray<string> => [
  `Before it: ${plural(IntMap.size(state.links), 'connection')}, ` +
  `${plural(IntMap.size(state.sessions), 'session')}, ` +
  `${plural(state.retained.size, 'retained message')}; subscriptions:`,
  ...treeOf(state).split('\n').slice(0, 100).filter((line) => line !== ''),
]
