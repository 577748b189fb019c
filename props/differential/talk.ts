// Random conversations of four clients with a broker, each made from one number: what the clients
// do, one step after another, whatever the broker answers. Everything in a conversation is its own
// (names begin with its number), so that several can be held with one broker at a time.

import type { Level, Qos } from '../conformance/wire.ts'

export const names = ['a', 'b', 'c', 'd'] as const
export type Name = typeof names[number]

export interface Will {
  readonly topic: string
  readonly payload: string
  readonly qos: Qos
  readonly retain: boolean
  /** Level 5: so long that it does not pass by itself, or none. */
  readonly delayed: boolean
  /** Level 5: in the language of wire.ts. */
  readonly properties: string
}

interface Options {
  readonly noLocal: boolean
  readonly retainAsPublished: boolean
}

export interface Request extends Options {
  readonly filter: string
  readonly qos: Qos
  readonly retainHandling: 0 | 1 | 2
}

/** What a client does not acknowledge, or acknowledges with a reason code of failure. */
export type Mood = 'everything' | 'releases' | 'refuse'

export type Step =
  | {
    readonly act: 'connect'
    readonly who: Name
    readonly level: Level
    readonly clean: boolean
    /** Level 5: the session expiry interval, null for none. */
    readonly expiryS: number | null
    readonly receiveMaximum: number | null
    readonly packetBytesMax: number | null
    readonly aliasMax: number | null
    /** Level 5: whether reasons may be told. */
    readonly wantsReasons: boolean
    readonly will: Will | null
  }
  | {
    readonly act: 'subscribe'
    readonly who: Name
    /** The next step is the client's, too, and leaves with this one in one write. */
    readonly joined?: true
    readonly requests: ReadonlyArray<Request>
    /** Level 5: the subscription identifier, 0 for none. */
    readonly identifier: number
  }
  | {
    readonly act: 'unsubscribe'
    readonly who: Name
    readonly joined?: true
    readonly filters: ReadonlyArray<string>
  }
  | {
    readonly act: 'publish'
    readonly who: Name
    readonly joined?: true
    readonly topic: string
    readonly payload: string
    readonly qos: Qos
    readonly retain: boolean
    readonly packetId: number
    /** Level 5: in the language of wire.ts. */
    readonly properties: string
    /** Level 5: the topic is said by this alias, 0 for by name; a first use says both. */
    readonly alias: number
    /** QoS 2: its PUBREL waits for a step `release`. */
    readonly withheld: boolean
  }
  /** Sends the last message that is not finished once more. */
  | { readonly act: 'again'; readonly who: Name }
  | { readonly act: 'release'; readonly who: Name; readonly joined?: true }
  /** From now on acknowledges nothing, or no release. */
  | { readonly act: 'hold'; readonly who: Name; readonly what: Mood }
  /** An acknowledgement of what never was. */
  | { readonly act: 'stray'; readonly who: Name; readonly first: 0x40 | 0x50 | 0x62 | 0x70 }
  /** From now on acknowledges everything, at first what it owes. */
  | { readonly act: 'answer'; readonly who: Name }
  | {
    readonly act: 'disconnect'
    readonly who: Name
    /** Level 5. */
    readonly reason: 0 | 4
    readonly expiryS: number | null
  }
  /** The connection ends without DISCONNECT. */
  | { readonly act: 'drop'; readonly who: Name }

export interface Talk {
  readonly seed: number
  readonly steps: ReadonlyArray<Step>
}

/** Numbers from 0 up to 1, the same ones for the same seed (mulberry32). */
const diceOf = (seed: number): () => number => {
  let at = seed | 0
  return () => {
    at = (at + 0x6d2b79f5) | 0
    let mixed = Math.imul(at ^ (at >>> 15), 1 | at)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

class Maker {
  readonly seed: number
  readonly dice: () => number
  readonly steps: Step[] = []
  /** Levels of those who are connected, as far as one can tell beforehand. */
  readonly online = new Map<Name, Level>()
  /**
   * Whether things may happen that are known to part the two brokers. Most conversations leave them
   * alone, or hardly any would come to its end.
   */
  readonly #isWild: boolean
  readonly #withWill = new Set<Name>()
  /** Who has a Receive Maximum. */
  readonly #narrow = new Set<Name>()
  /** Who acknowledges nothing at the moment. */
  readonly #holding = new Set<Name>()
  readonly #options = new Map<string, Options>()
  #messages = 0
  readonly #packetIds = new Map<Name, number>()

  constructor(seed: number) {
    this.seed = seed
    this.dice = diceOf(seed)
    this.#isWild = this.chance(0.1)
  }

  one<A>(...some: ReadonlyArray<A>): A {
    return some[Math.floor(this.dice() * some.length)]!
  }

  chance(part: number): boolean {
    return this.dice() < part
  }

  payload(): string {
    const name = `m${++this.#messages}`
    return this.chance(0.1) ? `${name}~${'z'.repeat(this.one(1, 40, 4_000))}` : name
  }

  packetId(who: Name): number {
    const id = (this.#packetIds.get(who) ?? 0) + 1
    this.#packetIds.set(who, id)
    return id
  }

  topic(): string {
    return `x${this.seed}${this.one('/t', '/t', '/t/u', '/t/v', '/t/u/w', '', '/', '/t/', '//u')}`
  }

  filter(): string {
    const filter = `x${this.seed}${
      this.one(
        '/t',
        '/t/u',
        '/t/v',
        '/#',
        '/t/#',
        '/+',
        '/t/+',
        '/+/u',
        '/t/+/w',
        '',
        '/',
        '//+',
        '/+/#',
        '/t/#',
      )
    }`
    return this.chance(0.15) ? `$share/${this.one('g', 'h')}/${filter}` : filter
  }

  connect(who: Name): void {
    // The will of a connection that is taken over.
    if (this.#withWill.has(who) && !this.#isWild) return
    const level = this.one<Level>(3, 4, 4, 5, 5, 5, 5)
    this.online.set(who, level)
    const hasHeld = this.#holding.delete(who)
    const expiryS = this.one(null, 0, 1_000, 1_000, 0xffffffff)
    const isShort = level < 5 || expiryS === null || expiryS === 0
    const hasWill = this.chance(0.3)
    if (hasWill) this.#withWill.add(who)
    else this.#withWill.delete(who)
    const receiveMaximum = this.chance(0.2) ? this.one(1, 2, 3) : null
    if (receiveMaximum === null) this.#narrow.delete(who)
    else this.#narrow.add(who)
    this.steps.push({
      act: 'connect',
      who,
      level,
      clean: this.chance(hasHeld ? 0.1 : 0.3),
      expiryS,
      receiveMaximum,
      packetBytesMax: this.chance(0.1) ? this.one(300, 400) : null,
      aliasMax: this.chance(0.3) ? this.one(0, 1, 2, 20) : null,
      wantsReasons: this.chance(0.8),
      will: !hasWill ? null : {
        topic: this.topic(),
        payload: this.payload(),
        qos: this.one<Qos>(0, 1, 2),
        retain: this.chance(0.3),
        delayed: (!isShort || this.#isWild) && this.chance(0.3),
        properties: this.properties(),
      },
    })
  }

  /** The options of a subscription: mostly the same ones whenever it is made again. */
  #optionsOf(key: string): Options {
    const known = this.#options.get(key)
    if (known !== undefined && !this.#isWild) return known
    const options = { noLocal: this.chance(0.2), retainAsPublished: this.chance(0.3) }
    this.#options.set(key, options)
    return options
  }

  subscribe(who: Name): void {
    const isFive = this.online.get(who) === 5
    const requests: Request[] = []
    for (let count = this.one(1, 1, 2, 4); count > 0; count--) {
      const filter = this.filter()
      const isShared = filter.startsWith('$share')
      const { noLocal, retainAsPublished } = this.#optionsOf(`${who} ${filter}`)
      requests.push({
        filter,
        qos: this.one<Qos>(0, 1, 2, 2),
        noLocal: isFive && noLocal && !isShared,
        retainAsPublished: isFive && retainAsPublished,
        retainHandling: !isFive ? 0 : isShared && !this.#isWild ? 2 : this.one(0, 0, 1, 2),
      })
    }
    this.steps.push({
      act: 'subscribe',
      who,
      ...this.#joins(),
      requests,
      identifier: this.one(0, 0, 1, 2, 300, 268_435_455),
    })
  }

  properties(): string {
    return [
      this.one('02 000003e8', '02 ffffffff'),
      '01 01',
      '03 "text/plain"',
      this.one('08 "reply"', '08 "r/1"'),
      this.one('09 "id"', '09 ""'),
      this.one('26 "k" "v" 26 "k" "w"', '26 "" ""'),
    ].filter(() => this.chance(0.15)).join(' ')
  }

  /** Not where somebody has little room: what is left waiting depends on who comes first. */
  #joins(): { readonly joined?: true } {
    const isWide = this.#narrow.size === 0 && this.#holding.size === 0
    return this.chance(0.2) && isWide ? { joined: true } : {}
  }

  publish(who: Name, forced = false): void {
    const qos = this.one<Qos>(0, 1, 1, 2, 2)
    const retain = this.chance(0.25)
    const payload = retain && this.chance(0.25) ? '' : this.payload()
    const five = this.online.get(who) === 5
    const topic = this.topic()
    const alias = five && this.chance(0.15) ? this.one(1, 2) : 0
    const properties = five ? this.properties() : ''
    this.steps.push({
      act: 'publish',
      who,
      ...(forced ? {} : this.#joins()),
      topic,
      payload,
      qos,
      retain,
      packetId: qos === 0 ? 0 : this.packetId(who),
      properties,
      alias,
      withheld: qos === 2 && this.chance(0.2),
    })
  }

  /** One more step of somebody's. */
  go(): void {
    const last = this.steps.at(-1)
    if (last !== undefined && 'joined' in last) return this.#goOn(last.who)
    const here = [...this.online.keys()]
    const away = names.filter((one) => !this.online.has(one))
    const who = here[Math.floor(this.dice() * here.length)]
    if (who === undefined || (away.length > 0 && this.chance(0.2))) {
      return this.connect(this.one(...away))
    }
    // Whoever owes acknowledgements is lost now and then, and comes back for the rest.
    if (this.#holding.has(who) && this.chance(0.25)) {
      this.#leave(who, { act: 'drop', who })
      return this.connect(who)
    }
    const roll = this.dice() * 100
    if (roll < 45) return this.publish(who)
    if (roll < 62) return this.subscribe(who)
    if (roll < 66) {
      const filters = [this.filter(), ...(this.chance(0.3) ? [this.filter()] : [])]
      this.steps.push({ act: 'unsubscribe', who, ...this.#joins(), filters })
    } else if (roll < 72) {
      this.#holding.add(who)
      this.steps.push({
        act: 'hold',
        who,
        what: this.one<Mood>('everything', 'everything', 'releases', 'refuse'),
      })
    } else if (roll < 81) {
      this.#holding.delete(who)
      this.steps.push({ act: 'answer', who })
    } else if (roll < 82) {
      this.steps.push({
        act: 'stray',
        who,
        first: this.one<0x40 | 0x50 | 0x62 | 0x70>(0x40, 0x50, 0x62, 0x70),
      })
    } else if (roll < 84) this.steps.push({ act: 'release', who })
    else if (roll < 86) this.steps.push({ act: 'again', who })
    else if (roll < 89) this.connect(who)
    else if (roll < 94) this.#leave(who, { act: 'drop', who })
    else {
      this.#leave(who, {
        act: 'disconnect',
        who,
        reason: this.chance(0.3) ? 4 : 0,
        expiryS: this.chance(0.2) ? this.one(0, 1_000) : null,
      })
    }
  }

  /** Something that is written together with what came before it. */
  #goOn(who: Name): void {
    const roll = this.dice() * 100
    if (roll < 60) return this.publish(who)
    if (roll < 80) return this.subscribe(who)
    if (roll < 90) this.steps.push({ act: 'unsubscribe', who, filters: [this.filter()] })
    else if (this.chance(0.5)) {
      this.#leave(who, { act: 'disconnect', who, reason: this.one(0, 4), expiryS: null })
    } else this.steps.push({ act: 'release', who })
  }

  #leave(who: Name, step: Step): void {
    this.online.delete(who)
    this.#withWill.delete(who)
    this.steps.push(step)
  }
}

/** The conversation with this number. */
export const talkOf = (seed: number): Talk => {
  const maker = new Maker(seed)
  for (const who of names.slice(0, maker.one(2, 3, 4))) {
    maker.connect(who)
    if (maker.chance(0.8)) maker.subscribe(who)
  }
  for (let count = maker.one(12, 16, 24); count > 0; count--) maker.go()
  const last = maker.steps.at(-1)!
  if ('joined' in last) maker.publish(last.who, true)
  return { seed, steps: maker.steps }
}
