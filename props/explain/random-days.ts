// Random days, what the broker came to on them, and what `explain` says when it is asked.

import fc from 'fast-check'
import type { Acl } from '../../core/broker/acl.ts'
import { defaults } from '../../core/broker/config.ts'
import type { Effect } from '../../core/broker/effect.ts'
import type { Input } from '../../core/broker/input.ts'
import type { State } from '../../core/broker/state.ts'
import * as B from '../../core/data/bytes.ts'
import { run } from '../../core/mod.ts'
import { Explainer } from '../../core/trace/explain.ts'
import type { Question } from '../../core/trace/explain.ts'
import type { Found } from '../../core/trace/replay.ts'
import { groupHistory } from '../gen/groups.ts'
import { filter, restlessHistory, unproved, utf8 } from '../gen/histories.ts'
import type { Command, History, WillCommand } from '../gen/histories.ts'
import { begin, play } from '../model/play.ts'

/** Only what deletes is empty: what is empty is not told apart. */
const distinct = ({ config, commands }: History): History => ({
  config,
  commands: commands.map((one: Command) =>
    one._tag === 'Publish' ? { ...one, empty: one.empty && one.retain } : one
  ),
})

/** A payload of its own for what the world says more than once. */
const numbered = (input: Input, number: number): Input => {
  const mark = utf8(`${number}`)
  if (input._tag === 'Commanded' && input.command._tag === 'Publish') {
    const packet = { ...input.command.packet, payload: mark }
    return { ...input, command: { ...input.command, packet } }
  }
  if (input._tag !== 'Arrived') return input
  const { packet } = input
  if (packet._tag === 'Connect' && packet.will !== null) {
    const [first = 0x77] = B.view(packet.will.payload)
    const bytes = new Uint8Array([first, ...B.view(mark)])
    return { ...input, packet: { ...packet, will: { ...packet.will, payload: B.of(bytes) } } }
  }
  return packet._tag === 'Publish' && new TextDecoder().decode(B.view(packet.payload)) === 'odd'
    ? { ...input, packet: { ...packet, payload: mark } }
    : input
}

/** Some repeat what they have not released yet, or say something else under its identifier. */
const withMore = (input: Input, number: number): ReadonlyArray<Input> => {
  if (input._tag !== 'Arrived' || input.packet._tag !== 'Publish') return [input]
  const { packet } = input
  if (packet.qos !== 2 || packet.topic === '' || number % 4 > 1) return [input]
  const again = number % 4 === 0
    ? { ...packet, dup: true }
    : { ...packet, payload: utf8(`another ${number}`) }
  return [input, { ...input, packet: again }]
}

/** The same where everybody is let in and keeps his session, and may come back with less room. */
const calm = ({ config, commands }: History): History => {
  const { inflightCountMax, queuedCountMax, allowDuplicateMessages, retainedExpiryMs } = config
  return {
    config: {
      ...defaults,
      inflightCountMax,
      queuedCountMax,
      allowDuplicateMessages,
      retainedExpiryMs,
    },
    commands: commands.filter(({ _tag }) => _tag !== 'Reconfigure' && _tag !== 'Rights').map((
      one,
    ) =>
      one._tag !== 'Connect' ? one : {
        ...one,
        level: 5,
        cleanStart: false,
        sessionExpiryS: 30,
        receiveMaximum: one.receiveMaximum ?? (one.keepAliveS > 0 ? 1 : null),
        method: null,
        keepAliveS: 0,
      }
    ),
  }
}

const readOnly: Acl = {
  anonymous: [],
  users: [],
  patterns: [{ access: 'read', filter: filter('#') }],
}

const someWill: WillCommand = {
  topic: 0,
  qos: 1,
  retain: false,
  delayS: 0,
  expiryS: null,
  rich: false,
  broken: false,
}

/** The same where all have a will, and from its midst on may read everything and write nothing. */
const silenced = ({ config, commands }: History): History => {
  const midst = commands.length >> 1
  const silence: Command = {
    _tag: 'Rights',
    rights: {
      acl: readOnly,
      allowAnonymous: true,
      denySpecialChars: false,
      checkRetainSource: false,
    },
  }
  const armed = commands.map((one: Command): Command =>
    one._tag === 'Connect' ? { ...one, will: one.will ?? someWill } : one
  )
  const isOther = ({ _tag }: Command): boolean => _tag !== 'Reconfigure' && _tag !== 'Rights'
  return {
    config,
    commands: [...armed.slice(0, midst), silence, ...armed.slice(midst).filter(isOther)],
  }
}

/**
 * Days of all kinds, some on which everybody is in a shared group, and some on which nobody may
 * write any more, so that wills are denied.
 */
export const days: fc.Arbitrary<History> = fc.oneof(
  { arbitrary: restlessHistory(120).map(unproved), weight: 4 },
  { arbitrary: restlessHistory(120).map(calm), weight: 2 },
  { arbitrary: restlessHistory(120).map(unproved).map(silenced), weight: 1 },
  { arbitrary: groupHistory(120).map(unproved), weight: 1 },
).map(distinct)

/** How much of a day there is, as a share. */
export const shares = fc.constantFrom(1, 1, 0.9, 0.8, 0.6, 0.4)

export interface Played {
  readonly state: State
  readonly inputs: ReadonlyArray<Input>
  readonly effects: ReadonlyArray<ReadonlyArray<Effect>>
}

/** A day, or only so much of it. */
export const playedOf = (history: History, share: number): Played => {
  const inputs: Array<Input> = []
  const effects: Array<ReadonlyArray<Effect>> = []
  play(history, {
    step: (before, told) => {
      const number = inputs.length
      let after = before
      const all: Array<Effect> = []
      for (const input of withMore(numbered(told, number), number)) {
        const [next, some] = run(after, [input])
        inputs.push(input)
        effects.push(some)
        all.push(...some)
        after = next
      }
      return [after, all]
    },
  })
  const count = Math.ceil(inputs.length * share)
  return { state: begin(history), inputs: inputs.slice(0, count), effects: effects.slice(0, count) }
}

/** Whom to ask about a recording; told are so many publications of a moment at most. */
export const asked = (
  found: ReadonlyArray<Found>,
  question: Question,
  few = Infinity,
): Explainer => {
  const explainer = new Explainer(question, 'recording', few)
  for (const one of found) explainer.take(one)
  return explainer
}

/** The answer, in the time of the recording alone. */
export const ask = (
  found: ReadonlyArray<Found>,
  question: Question,
  few = Infinity,
): ReadonlyArray<string> => {
  const explainer = asked(found, question, few)
  return explainer.answer().map((line) => line.replaceAll(/ \(\d{4}-[^)]*Z\)/g, ''))
}

/** What is said of each publication. */
export const publicationsOf = (lines: ReadonlyArray<string>): ReadonlyArray<string> => {
  const found: Array<string> = []
  for (const line of lines) {
    if (/' was published (at|before) /.test(line) && !line.startsWith(' ')) found.push(line)
    else if (line.startsWith('  ')) found.push(`${found.pop() ?? ''}\n${line}`)
  }
  return found
}
