// Holds the real broker against the dumb one: both get the same inputs, and after every command
// both must have said the same to every connection, in the same order, and noted the same.

import type { Effect } from '../../core/broker/effect.ts'
import type { Conn, Input } from '../../core/broker/input.ts'
import type { Note } from '../../core/broker/note.ts'
import type { Level, Packet } from '../../core/codec/packet.ts'
import type { Bytes } from '../../core/data/bytes.ts'
import * as B from '../../core/data/bytes.ts'
import { deadline, initial, type State, step } from '../../core/mod.ts'
import type { Command, History } from '../gen/histories.ts'
import { createWorld, originAt, originWall, perform } from './world.ts'
import { accept, due } from './broker.ts'
import type { Onlooker } from './play.ts'
import type { Model, Said } from './state.ts'
import { createModel } from './state.ts'

const isBytes = (u: unknown): u is Bytes =>
  typeof u === 'object' && u !== null && 'buffer' in u && u.buffer instanceof Uint8Array

/** Bytes as their beginning and their size, in the way of a comparison that has to be read. */
const shown = (bytes: Bytes): string =>
  `${B.size(bytes)}:${String.fromCharCode(...B.view(bytes).subarray(0, 12))}`

/**
 * A packet as one line; keys of properties in alphabetical order, for that order is the codec's.
 */
export const line = (packet: Packet): string => {
  const { _tag, ...rest } = packet
  return `${_tag} ${
    JSON.stringify(rest, (_key, value: unknown) =>
      isBytes(value)
        ? shown(value)
        : typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.fromEntries(
          Object.entries(value).sort(([a], [b]) =>
            a < b ? -1 : 1
          ),
        )
        : value)
  }`
}

const noteLine = (note: Note): string | null => {
  switch (note._tag) {
    case 'Dropped': {
      const whom = note.clientId === null ? 'for all' : `"${note.clientId}"`
      return `dropped ${whom} ${note.topic} ${note.qos} ${note.why}`
    }
    case 'ConnectionEnded':
      return `ended ${note.ending} ${note.reason}`
    case 'ClientConnected':
      return `connected "${note.clientId}" ${note.sessionPresent}`
    case 'WillPublished':
      return `will "${note.clientId}" ${note.topic}`
    case 'SessionEnded':
      return `session "${note.clientId}" ${note.why} ${note.messages}`
    case 'Contested':
      return `contested "${note.clientId}" ${note.peers.map((one) => one.port).join(' ')}`
    case 'TooManySubscriptions':
      return `surplus "${note.clientId}" ${note.count} ${note.filter}`
    case 'Denied':
      return `denied ${note.what} "${note.clientId}" ${note.topic}`
    case 'MemoryShort':
      return 'memory short'
    case 'MemoryFree':
      return 'memory free'
    case 'StoreFull':
      return 'store full'
    case 'StoreFree':
      return 'store free'
    case 'Stale':
      return `stale ${note.input}`
    case 'ConnectionOpened':
    case 'Subscribed':
    case 'Unsubscribed':
      return null
  }
}

/** What each connection got, in order, and what was noted, in any order. */
export interface Account {
  readonly conns: Map<string, Array<string>>
  readonly notes: Array<string>
}

export const newAccount = (): Account => ({ conns: new Map(), notes: [] })

// A PUBLISH has one form in levels 3 and 4, and one packet may go out to both.
const sent = (level: Level, packet: Packet): string =>
  `${packet._tag === 'Publish' && level === 3 ? 4 : level} ${line(packet)}`

const add = (account: Account, conn: Conn, what: string): void => {
  const key = `${conn.slot}.${conn.generation}`
  const lines = account.conns.get(key)
  if (lines === undefined) account.conns.set(key, [what])
  else lines.push(what)
}

export const addEffects = (account: Account, effects: ReadonlyArray<Effect>): void => {
  for (const effect of effects) {
    switch (effect._tag) {
      case 'Send':
        add(account, effect.conn, sent(effect.level, effect.packet))
        break
      case 'Multicast': {
        const what = sent(effect.level, effect.packet)
        for (const conn of effect.conns) add(account, conn, what)
        break
      }
      case 'Close':
        add(account, effect.conn, `close ${effect.reason}`)
        break
      case 'Judge':
        add(account, effect.conn, 'judge')
        break
      case 'Ask': {
        const { query } = effect
        const what = query._tag === 'ScramSalt' ? 'salt' : 'proof'
        add(account, effect.conn, `${what} of ${query.userName}`)
        break
      }
      case 'Note': {
        const what = noteLine(effect.note)
        if (what !== null) account.notes.push(what)
        break
      }
      case 'Pause':
      case 'Resume':
      // The dumb broker forgets when its process ends.
      case 'Persist':
        break
    }
  }
}

const addSaid = (account: Account, said: ReadonlyArray<Said>): void => {
  for (const one of said) {
    if (one._tag === 'Sent') add(account, one.conn, sent(one.level, one.packet))
    else if (one._tag === 'Closed') add(account, one.conn, `close ${one.reason}`)
    else if (one._tag === 'Asked') add(account, one.conn, one.what)
    else account.notes.push(one.line)
  }
}

/** An account as lines that can be compared and read. */
export const lines = (account: Account): ReadonlyArray<string> => [
  ...[...account.conns].sort(([a], [b]) => a < b ? -1 : 1)
    .flatMap(([conn, said]) => said.map((what) => `  ${conn} <- ${what}`)),
  ...account.notes.sort().map((what) => `  note ${what}`),
]

const difference = (core: ReadonlyArray<string>, model: ReadonlyArray<string>): string => {
  const onlyCore = core.filter((one) => !model.includes(one))
  const onlyModel = model.filter((one) => !core.includes(one))
  return onlyCore.length + onlyModel.length === 0
    ? `the same in another order\ncore:\n${core.join('\n')}\nmodel:\n${model.join('\n')}`
    : `only core:\n${onlyCore.join('\n')}\nonly model:\n${onlyModel.join('\n')}`
}

export interface Outcome {
  readonly state: State
  readonly model: Model
  readonly inputs: number
}

/**
 * Plays a history to both brokers. Throws at the first command after which they differ, with what
 * each of them said; `watch` sees what was said after every command, `look` every step.
 */
export const compare = (
  { config, commands }: History,
  watch?: (command: Command, said: ReadonlyArray<string>) => void,
  look?: Onlooker['afterInput'],
): Outcome => {
  const world = createWorld(config)
  let state = initial(config, { at: originAt, wall: originWall, seed: 7 })
  const model = createModel(config, originAt)
  let inputs = 0
  commands.forEach((command, index) => {
    const real = newAccount()
    const dumb = newAccount()
    perform(world, command, {
      feed: (input: Input) => {
        inputs++
        const [next, effects] = step(state, input)
        look?.(state, input, next, effects)
        state = next
        addEffects(real, effects)
        addSaid(dumb, accept(model, input))
        return effects
      },
      deadline: () => deadline(state),
    })
    const core = lines(real)
    const should = lines(dumb)
    const at = `after command ${index}, ${JSON.stringify(command)}`
    if (core.join('\n') !== should.join('\n')) {
      throw new Error(`core and model differ ${at}\n${difference(core, should)}`)
    }
    if (deadline(state) > due(model)) {
      throw new Error(
        `the deadline is ${deadline(state)}, but something is due ${due(model)} ${at}`,
      )
    }
    watch?.(command, core)
  })
  return { state, model, inputs }
}
