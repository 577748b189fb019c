// A part of a recording as a story that can be kept: connections are called after their clients,
// what leads to nothing is left out, and below each ---- stands what the broker does. A shorter
// form is only taken if the broker does exactly the same when it is played.

import type { Conn, Input } from '../broker/input.ts'
import { commanded } from '../broker/input.ts'
import { initial } from '../broker/state.ts'
import { step } from '../broker/step.ts'
import { E } from '../prelude.ts'
import type { Either } from '../prelude.ts'
import type { Cut } from './cut.ts'
import { isEcho, play } from './play.ts'
import type { Played } from './play.ts'
import { explicitName, showEffect } from './show.ts'
import type { NameOf } from './show.ts'
import type { Line, Stanza, Story } from './story.ts'
import { storyOfInputs } from './story.ts'
import { isName } from './verb.ts'

/** A name for each connection: that of its client, with a number from the second one on. */
const namesOf = (inputs: ReadonlyArray<Input>): NameOf => {
  const names = new Map<number, string>()
  const taken = new Set<string>()
  const call = (generation: number, clientId: string): void => {
    if (names.has(generation)) return
    const plain = clientId.toLowerCase().replace(/[^a-z0-9.-]+/g, '-').slice(0, 30)
    // One that could be taken for a slot and a generation is none.
    const base = isName(plain) && !/^c[0-9]+\.[0-9]+$/.test(plain) ? plain : 'client'
    let name = base
    for (let i = 2; taken.has(name); i++) name = `${base}-${i}`
    taken.add(name)
    names.set(generation, name)
  }
  for (const input of inputs) {
    if (input._tag !== 'Arrived' || input.packet._tag !== 'Connect') continue
    call(input.conn.generation, input.packet.clientId)
  }
  // A name of a slot would get in the way of those that are given out when the story is played.
  for (const input of inputs) if (input._tag === 'Opened') call(input.conn.generation, '')
  return (conn) => names.get(conn.generation) ?? explicitName(conn)
}

/** What the broker does at each input, as a story has it, and who is told of nothing by it. */
const played = ({ config, origin, inputs }: Cut, nameOf: NameOf) => {
  const texts: Array<string> = []
  const silent = new Set<Input>()
  let state = initial(config, origin)
  for (const input of inputs) {
    const [after, effects] = step(state, input)
    state = after
    let isSilent = true
    for (const effect of effects) {
      isSilent = false
      if (effect._tag === 'Note' && isEcho(effect.note)) continue
      texts.push(showEffect(effect, nameOf))
    }
    if (isSilent) silent.add(input)
  }
  return { texts, silent }
}

/** What says nothing about a conversation as long as nothing comes of it. */
const isIdle = (input: Input): boolean =>
  input._tag === 'Continued' || input._tag === 'Written' || input._tag === 'Measured' ||
  input._tag === 'Ticked'

const isUsual = (line: Line | undefined, name: string): boolean =>
  line?.act._tag === 'Say' && line.act.name === name && line.act.packet._tag === 'Connect'

/** Without openings that a CONNECT stands for. */
const plain = (story: Story): Story => {
  const stanzas: Array<Stanza> = []
  for (const stanza of story.stanzas) {
    const lines: Array<Line> = []
    for (let i = 0; i < stanza.lines.length; i++) {
      const line = stanza.lines[i]!
      const { act } = line
      if (act._tag === 'Open' && isUsual(stanza.lines[i + 1], act.name)) continue
      lines.push(line)
    }
    stanzas.push({ ...stanza, lines })
  }
  return { ...story, stanzas }
}

const equal = (one: ReadonlyArray<string>, other: ReadonlyArray<string>): boolean =>
  one.length === other.length && one.every((line, i) => line === other[i])

/** The story with what comes of it; null if that is something else, or it cannot be played. */
const filled = (story: Story, texts: ReadonlyArray<string> | null): Story | null => {
  const found = playSafely(story, 'story')
  if (E.isLeft(found)) return null
  const { stanzas } = found.right
  if (texts !== null && !equal(stanzas.flatMap(({ effects }) => effects), texts)) return null
  return {
    ...story,
    stanzas: story.stanzas.map((stanza, i) => ({ ...stanza, effects: stanzas[i]!.effects })),
  }
}

/** A publish of the broker's own needs no packet identifier, but has one in a story. */
const identified = (input: Input): Input => {
  if (input._tag !== 'Commanded' || input.command._tag !== 'Publish') return input
  const { packet } = input.command
  if (packet.qos === 0 || packet.packetId > 0) return input
  return commanded(input.at, { _tag: 'Publish', packet: { ...packet, packetId: 1 } })
}

/** The shortest story that comes to the same. Left: the broker is at fault at what is told. */
export const goldenStory = (title: string, cut: Cut): Either<string, Story> => {
  const { config, origin, untold } = cut
  const inputs = cut.inputs.map(identified)
  const head = {
    title: [title, ...untold.map((one) => `Not told: ${one}.`)],
    coreOnly: 'its clock is that of a recording',
  }
  try {
    const nameOf = namesOf(inputs)
    const { texts, silent } = played({ ...cut, inputs }, nameOf)
    const few = inputs.filter((one) => !(isIdle(one) && silent.has(one)))
    const named = (some: ReadonlyArray<Input>): Story => ({
      ...storyOfInputs(title, config, origin, some, nameOf),
      ...head,
    })
    const exact = (): Story => ({ ...storyOfInputs(title, config, origin, inputs), ...head })
    const story = filled(plain(named(few)), texts) ?? filled(named(few), texts) ??
      filled(named(inputs), texts) ?? filled(exact(), null)
    return story === null ? E.left('It cannot be told as a story.') : E.right(story)
  } catch (error) {
    return E.left(
      `The broker is at fault at what is told (sabethes shrink --property throws makes it ` +
        `shorter): ${error instanceof Error ? error.message : String(error)}`,
    )
  }
}

/** The story as inputs, and how each stanza came out other than it is written. */
export interface Told {
  readonly inputs: ReadonlyArray<Input>
  readonly differing: ReadonlyArray<{
    /** Of the stanza's first line in the file. */
    readonly line: number
    readonly written: ReadonlyArray<string>
    readonly played: ReadonlyArray<string>
  }>
}

const playSafely = (story: Story, file: string): Either<string, Played> => {
  try {
    return play(story, file)
  } catch (error) {
    return E.left(
      `${file}: the broker is at fault: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
}

/** Plays a story. Left: `file:line: what cannot be done`. */
export const tellStory = (story: Story, file: string): Either<string, Told> => {
  const found = playSafely(story, file)
  if (E.isLeft(found)) return found
  const conns = new Map<number, Conn>()
  const known = (input: Input): Input => {
    if (!('conn' in input)) return input
    const conn = conns.get(input.conn.generation) ?? input.conn
    conns.set(conn.generation, conn)
    return conn.slot === input.conn.slot ? { ...input, conn } : input
  }
  const differing = found.right.stanzas.flatMap(({ effects }, i) => {
    const { lines, effects: written } = story.stanzas[i]!
    // Where nothing is written, nothing was promised.
    const isOpen = lines.length === 0 || (written.length === 0 && lines[0]!.act._tag === 'Quiet')
    return isOpen || equal(written, effects)
      ? []
      : [{ line: lines[0]!.number, written, played: effects }]
  })
  const inputs = found.right.stanzas.flatMap(({ lines }) => lines.flatMap((one) => one.inputs))
  return E.right({ inputs: inputs.map(known), differing })
}
