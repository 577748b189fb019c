// What an exchange is, and the text in which the tables write one: a line per row, its cells
// between bars. The first cell says at which levels the row is played and what it is about, the
// others are steps. README.md describes the text; `rows` reads it.

import type { Level } from '../conformance/wire.ts'

/** Which broker a row is played against: `shared` with all other rows, else one row at a time. */
export type Room =
  | 'shared'
  | 'alone'
  | 'judge'
  | 'small'
  | 'hasty'
  | 'patient'
  | 'full'
  | 'crowded'
  | 'modest'
  | 'strict'
  | 'wordy'
  | 'elsewhere'
  | 'moved'
  | 'scram'
  | 'far'
  | 'tight'
  | 'kept'

/** Rooms that only memory has: where what the broker invents is known, or an address is foreign. */
const inMemory: ReadonlyArray<Room> = ['scram', 'far', 'tight', 'kept']

/** `who` is one letter; `a` is the client that the row is about. */
export type Step =
  | { readonly _tag: 'Dial'; readonly who: string; readonly level: Level }
  | { readonly _tag: 'Send'; readonly who: string; readonly bytes: string }
  /** All that was sent to `who` since the last look, byte for byte. */
  | { readonly _tag: 'Hear'; readonly who: string; readonly bytes: string }
  /**
   * The server has ended the connection, and said nothing but what was heard. `reason` is what the
   * broker notes for its log, also where no client can be told; null: as it likes.
   */
  | { readonly _tag: 'Closed'; readonly who: string; readonly reason: number | null }
  /** A PINGREQ is answered, and nothing came before the answer. */
  | { readonly _tag: 'Open'; readonly who: string }
  /** The client's side of the connection is gone, without a DISCONNECT. */
  | { readonly _tag: 'Lost'; readonly who: string }
  | { readonly _tag: 'Wait'; readonly ms: number }
  /** The client's socket takes nothing from here on. In memory only, like the next one. */
  | { readonly _tag: 'Deaf'; readonly who: string }
  /** What the broker is told by somebody who is not a client, in the words of README.md. */
  | { readonly _tag: 'Order'; readonly words: ReadonlyArray<string> }

export interface Exchange {
  readonly name: string
  readonly level: Level
  /** The statements of the standard of this level that the row is about. */
  readonly clauses: ReadonlyArray<string>
  /** The same and those of the other standard; a fault that the broker notes names one of them. */
  readonly cited: ReadonlyArray<string>
  readonly room: Room
  readonly steps: ReadonlyArray<Step>
  /** In what the broker is known to be wrong by the standard, which the row follows. */
  readonly differs: string | null
}

const levelNames = { 3: '3.1', 4: '3.1.1', 5: '5' }

/** Whether a shell can play the row too. */
export const isForSockets = ({ room, steps }: Exchange): boolean =>
  !inMemory.includes(room) && !steps.some(({ _tag }) => _tag === 'Order' || _tag === 'Deaf')

const rooms: ReadonlyArray<Room> = [
  'alone',
  'judge',
  'small',
  'hasty',
  'patient',
  'full',
  'crowded',
  'modest',
  'strict',
  'wordy',
  'elsewhere',
  'moved',
  ...inMemory,
]

/** What CONNACK announces, in the order in which mosquitto says it; by room where it differs. */
const announced: { readonly [room in Room]?: string } = {
  small: '22 0002 27 0000012c 21 0005',
  modest: '22 000a 25 00 27 001e8480 21 0014 24 01 28 00 29 00 2a 00',
}

/** The answers to an accepted CONNECT without wishes. */
export const accepted = (level: Level, room: Room, present = false): string => {
  if (level < 5) return `20 [0${present && level === 4 ? 1 : 0} 00]`
  const properties = announced[room] ?? '22 000a 27 001e8480 21 0014'
  return `20 [0${present ? 1 : 0} 00 (${properties})]`
}

const protocols = { 3: '"MQIsdp" 03', 4: '"MQTT" 04', 5: '"MQTT" 05' }

/** `{a;b;c}` is a at level 5, b at 3.1.1, c at 3.1; what is left out is as before, or nothing. */
const choose = (text: string, level: Level): string =>
  text.replaceAll(/\{([^{}]*)\}/g, (_, inside: string) => {
    const [five = '', four = '', three = four] = inside.split(';')
    return level === 5 ? five : level === 4 ? four : three
  })

/** The text for one client: its level chosen, its macros replaced. */
const resolve = (text: string, level: Level, who: string, room: Room): string =>
  choose(text, level)
    .replaceAll('@connect', `10 [@v 02 003c ${level === 5 ? '()' : ''} "~${who}"]`)
    .replaceAll('@v', protocols[level])
    .replaceAll('@present', accepted(level, room, true))
    .replaceAll('@ok', accepted(level, room))

/** Reads the cells of one row at one level. */
class RowReader {
  readonly steps: Step[] = []
  differs: string | null = null
  private readonly level: Level
  private readonly room: Room
  private readonly levels = new Map<string, Level>()
  private readonly ended = new Set<string>()

  constructor(level: Level, room: Room) {
    this.level = level
    this.room = room
  }

  dial(who: string, level: Level): void {
    this.levels.set(who, level)
    this.ended.delete(who)
    this.steps.push({ _tag: 'Dial', who, level })
  }

  connect(who: string, level: Level): void {
    this.dial(who, level)
    this.send(who, '@connect')
    this.hear(who, '@ok')
  }

  private text(who: string, text: string): string {
    const level = this.levels.get(who)
    if (level === undefined) throw new Error(`${who} has not been dialled`)
    return resolve(text, level, who, this.room)
  }

  private send(who: string, text: string): void {
    this.steps.push({ _tag: 'Send', who, bytes: this.text(who, text) })
  }

  private hear(who: string, text: string): void {
    this.steps.push({ _tag: 'Hear', who, bytes: this.text(who, text) })
  }

  private end(who: string, _tag: 'Lost' | 'Open'): void {
    this.steps.push({ _tag, who })
    if (_tag === 'Lost') this.ended.add(who)
  }

  private close(who: string, reason: string | null): void {
    const code = reason === null ? null : parseInt(reason, 16)
    this.steps.push({ _tag: 'Closed', who, reason: code })
    this.ended.add(who)
  }

  cell(text: string): void {
    const bytes = /^([a-z]?)([<>])(.*)$/s.exec(text)
    if (bytes !== null) {
      const [, name = '', direction, rest = ''] = bytes
      const who = name === '' ? 'a' : name
      if (direction === '>') this.send(who, rest.trim())
      else this.hear(who, rest.trim())
      return
    }
    const differs = /^differs: (.+)$/s.exec(text)?.[1]
    if (differs !== undefined) {
      this.differs = differs
      return
    }
    const words = text.split(/\s+/)
    if (words[0] === 'order') {
      this.steps.push({ _tag: 'Order', words: words.slice(1) })
      return
    }
    const who = /^[a-z]$/.test(words[0] ?? '') ? words.shift()! : 'a'
    this.verb(who, words)
  }

  private verb(who: string, [verb = '', first = '', second = '']: ReadonlyArray<string>): void {
    const level = /^[345]$/.test(first) ? Number(first) as Level : this.level
    switch (verb) {
      case 'dials':
        return this.dial(who, level)
      case 'connects':
        return this.connect(who, level)
      case 'subscribes':
        this.send(who, `82 [7001 {()} "${first}" 0${second}]`)
        return this.hear(who, `90 [7001 {()} 0${second}]`)
      case 'closed':
        return this.close(who, null)
      case 'dropped': // without a word at any level
        return this.close(who, first)
      case 'open':
        return this.end(who, 'Open')
      case 'lost':
        return this.end(who, 'Lost')
      case 'refused': // after CONNACK: below level 5 there is no word for it
        this.hear(who, `{e0 [${first}]}`)
        // DISCONNECT does not have every code: the second one is then the reason behind the first.
        return this.close(who, second === '' ? first : second)
      case 'rejected': // before it: below level 5 silence, unless a return code is given
        this.hear(who, `{20 [00 ${first} ()];${second === '' ? '' : `20 [00 ${second}]`}}`)
        return this.close(who, first)
      case 'deaf':
        this.steps.push({ _tag: 'Deaf', who })
        return
      case 'wait':
        this.steps.push({ _tag: 'Wait', ms: Number(first) })
        return
      default:
        throw new Error(`no such step: ${verb}`)
    }
  }

  /** Whoever is still there at the end is asked for a sign of life, `a` before the others. */
  finish(): void {
    for (const who of this.levels.keys()) {
      const last = this.steps.at(-1)
      const isAsked = last?._tag === 'Open' && last.who === who
      if (!this.ended.has(who) && !isAsked) this.end(who, 'Open')
    }
  }
}

const clausePattern = /\[((?:v3 )?MQTT-[\d.]+-\d+)\]/g

const clausesIn = (text: string): string[] =>
  [...text.matchAll(clausePattern)].map((found) => found[1] ?? '')

const readRow = (line: string, section: ReadonlyArray<string>): Exchange[] => {
  const [head = '', ...cells] = line.split('|').map((cell) => cell.trim())
  const found = /^((?:[a-z]+ )*)([345]+) (.+)$/s.exec(head)
  if (found === null) throw new Error(`not the head of a row: ${head}`)
  const [, flags = '', levels = '', rest = ''] = found
  const own = clausesIn(rest)
  // Clauses of its own stand in place of those of the section.
  const cited = own.length > 0 ? own : section
  const about = rest.replaceAll(clausePattern, '').trim().replaceAll(/\s+/g, ' ')
  const words = flags.split(' ').filter((word) => word !== '')
  const room = rooms.find((name) => words.includes(name)) ?? 'shared'
  return [...levels].map((digit): Exchange => {
    const level = Number(digit) as Level
    const reader = new RowReader(level, room)
    const name = `${about}, ${levelNames[level]}`
    try {
      if (words.includes('raw')) reader.dial('a', level)
      else reader.connect('a', level)
      for (const cell of cells) reader.cell(cell)
      reader.finish()
    } catch (error) {
      throw new Error(`${name}: ${error instanceof Error ? error.message : String(error)}`)
    }
    const clauses = cited.filter((clause) => clause.startsWith('v3 ') === level < 5)
    return { name, level, clauses, cited, room, steps: reader.steps, differs: reader.differs }
  })
}

/** The rows of a table. */
export const rows = (text: string): Exchange[] => {
  const lines: string[] = []
  for (const line of text.split('\n')) {
    if (line.trim() === '' || line.trim().startsWith('#')) continue
    if (/^\s/.test(line) && lines.length > 0) lines.push(`${lines.pop()} ${line.trim()}`)
    else lines.push(line)
  }
  let section: ReadonlyArray<string> = []
  const found: Exchange[] = []
  for (const line of lines) {
    if (line.startsWith('[')) section = clausesIn(line)
    else found.push(...readRow(line, section))
  }
  return found
}

/** What stands for `~` in topics and client identifiers: four characters no other row has. */
export const prefixOf = (index: number): string => `w${index.toString(36).padStart(3, '0')}`
