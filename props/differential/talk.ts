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

export type Step =
  | {
    readonly act: 'connect'
    readonly who: Name
    readonly level: Level
    readonly clean: boolean
    /** Level 5: the session expiry interval, null for none. */
    readonly expiryS: number | null
    readonly receiveMaximum: number | null
    readonly will: Will | null
  }
  | {
    readonly act: 'subscribe'
    readonly who: Name
    readonly requests: ReadonlyArray<Request>
    /** Level 5: the subscription identifier, 0 for none. */
    readonly identifier: number
  }
  | { readonly act: 'unsubscribe'; readonly who: Name; readonly filters: ReadonlyArray<string> }
  | {
    readonly act: 'publish'
    readonly who: Name
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
  | { readonly act: 'release'; readonly who: Name }
  /** From now on acknowledges nothing, or no release. */
  | { readonly act: 'hold'; readonly who: Name; readonly what: 'everything' | 'releases' }
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
    return `m${++this.#messages}`
  }

  packetId(who: Name): number {
    const id = (this.#packetIds.get(who) ?? 0) + 1
    this.#packetIds.set(who, id)
    return id
  }

  topic(): string {
    return `x${this.seed}/${this.one('t', 't/u', 't/v', 't/u/w')}`
  }

  filter(): string {
    const filter = `x${this.seed}/${
      this.one('t', 't/u', 't/v', '#', 't/#', '+', 't/+', '+/u', 't/+/w')
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
    this.steps.push({
      act: 'connect',
      who,
      level,
      clean: this.chance(hasHeld ? 0.1 : 0.3),
      expiryS,
      receiveMaximum: this.chance(0.2) ? this.one(1, 2, 3) : null,
      will: !hasWill ? null : {
        topic: this.topic(),
        payload: this.payload(),
        qos: this.one<Qos>(0, 1, 2),
        retain: this.chance(0.3),
        delayed: (!isShort || this.#isWild) && this.chance(0.3),
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
    for (let count = this.one(1, 1, 2); count > 0; count--) {
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
    this.steps.push({ act: 'subscribe', who, requests, identifier: this.one(0, 0, 1, 2, 300) })
  }

  publish(who: Name): void {
    const qos = this.one<Qos>(0, 1, 1, 2, 2)
    const retain = this.chance(0.25)
    const payload = retain && this.chance(0.25) ? '' : this.payload()
    const five = this.online.get(who) === 5
    const topic = this.topic()
    const alias = five && this.chance(0.15) ? this.one(1, 2) : 0
    const properties = five
      ? [
        '02 000003e8',
        '01 01',
        '03 "text/plain"',
        '08 "reply"',
        '09 "id"',
        '26 "k" "v" 26 "k" "w"',
      ]
        .filter(() => this.chance(0.15)).join(' ')
      : ''
    this.steps.push({
      act: 'publish',
      who,
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
      this.steps.push({ act: 'unsubscribe', who, filters })
    } else if (roll < 72) {
      this.#holding.add(who)
      this.steps.push({ act: 'hold', who, what: this.one('everything', 'everything', 'releases') })
    } else if (roll < 81) {
      this.#holding.delete(who)
      this.steps.push({ act: 'answer', who })
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
  return { seed, steps: maker.steps }
}
