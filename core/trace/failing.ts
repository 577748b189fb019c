// What may be wrong with a recording, by name: properties that say whether, and behind which input,
// a history shows the failure that somebody is after.

import type { Config } from '../broker/config.ts'
import type { Effect } from '../broker/effect.ts'
import type { Input } from '../broker/input.ts'
import type { Origin, State } from '../broker/state.ts'
import { E } from '../prelude.ts'
import type { Either } from '../prelude.ts'
import type { TopicFilter } from '../topic/filter.ts'
import { isTopicFilter } from '../topic/filter.ts'
import { disagreement } from './agree.ts'
import { beginUnder, runUnder } from './judging.ts'
import type { Other, Under } from './judging.ts'
import { notDelivered } from './loss.ts'
import { nearNames } from './near.ts'
import { differenceOf, seenByClients } from './replay.ts'
import type { Run } from './replay.ts'
import { explicitName } from './show.ts'
import type { Failing } from './watching.ts'
import { isOn, sentTo, watching } from './watching.ts'

export type { Failing, Trial } from './watching.ts'

const throws: Failing = ({ from, inputs }, run) => {
  let state = from
  for (let i = 0; i < inputs.length; i++) {
    try {
      state = run(state, [inputs[i]!])[0]
    } catch {
      return i + 1
    }
  }
  return null
}

const invariants = watching(() => (_before, _input, after) => disagreement(after) !== null)

const sends = (client: string, filter: TopicFilter): Failing =>
  watching(() => (before, _input, after, effects) =>
    sentTo(client, [before, after], effects).some(({ topic }) => isOn(filter, topic))
  )

/** The broker of the day: how it was, and its step. */
interface Side {
  readonly state: State
  readonly run: Run
}

/** A broker beside it: what it comes to with an input that came to these effects on the day. */
interface Beside<Other> {
  readonly other: Other
  readonly follow: (
    other: Other,
    day: { readonly inputs: ReadonlyArray<Input>; readonly effects: ReadonlyArray<Effect> },
  ) => { readonly other: Other; readonly effects: ReadonlyArray<Effect> }
}

/** Behind how many inputs clients see something else for the first time; null where never. */
const whereApart = <Other>(
  inputs: ReadonlyArray<Input>,
  day: Side,
  beside: Beside<Other>,
): number | null => {
  let { state } = day
  let { other } = beside
  try {
    for (let i = 0; i < inputs.length; i++) {
      const some = [inputs[i]!]
      const [after, effects] = day.run(state, some)
      const there = beside.follow(other, { inputs: some, effects })
      state = after
      other = there.other
      const [seen, seenThere] = [effects, there.effects].map((one) =>
        seenByClients(one, explicitName)
      )
      if (differenceOf(seen!, seenThere!).length > 0) return i + 1
    }
  } catch {
    // Neither is at fault by being another one.
  }
  return null
}

/** Nothing has happened to it yet, and no store has told it anything. */
const isNew = ({ nextOpening, nextSession, retained }: State): boolean =>
  nextOpening === 0 && nextSession === 0 && retained.size === 0

/** Clients see something else under another configuration; those who are there may at once. */
const differsUnder = (under: Under): Failing => ({ from, inputs }, run) => {
  const begun = beginUnder(from, isNew(from), under, run)
  if (seenByClients(begun.effects, explicitName).length > 0) return 0
  return whereApart<Other>(inputs, { state: from, run }, {
    other: begun,
    follow: (before, day) => {
      const other = runUnder(before, day, under, run)
      return { other, effects: other.effects }
    },
  })
}

/** The broker of another version of this program. */
export interface Version {
  readonly initial: (config: Config, origin: Origin) => State
  readonly run: Run
}

/**
 * Clients see something else from another version. It has to begin anew: of a state that runs each
 * version has its own form.
 */
const differsFrom = (version: Version): Failing => ({ from, inputs }, run) => {
  if (!isNew(from)) return null
  let other: State
  try {
    other = version.initial(from.config, from.origin)
  } catch {
    return null
  }
  return whereApart(inputs, { state: from, run }, {
    other,
    follow: (before, day) => {
      const [state, effects] = version.run(before, day.inputs)
      return { other: state, effects }
    },
  })
}

/** What `sabethes shrink --list` prints: each name with a sentence. */
export const properties: ReadonlyArray<readonly [name: string, says: string]> = [
  ['throws', 'The broker is at fault: it throws.'],
  ['invariants', 'The parts of its state do not agree with each other.'],
  [
    'differs',
    'Clients see something else under --config FILE, or from the version at --against DIR.',
  ],
  ['sends:CLIENT:TOPIC', 'The client is sent a message on a topic that the filter matches.'],
  [
    'not-delivered:CLIENT:TOPIC',
    'A message that the client had subscribed to is neither sent to it nor kept for it.',
  ],
]

/** What is said of a name that is none of a property, and which was meant. */
const unknownProperty = (name: string): string => {
  const headOf = (text: string): string => text.split(':')[0]!
  const names = properties.map(([one]) => one)
  const [near] = nearNames(headOf(name), names.map(headOf))
  const found = names.find((one) => headOf(one) === headOf(name) || headOf(one) === near)
  const question = found === undefined ? '' : `did you mean '${found}'? `
  return `There is no property '${name}': ${question}sabethes shrink --list has them all.`
}

const withClient = /^(sends|not-delivered):(.+):([^:]+)$/s

/** The client that a property is about; null where it is about all. */
export const clientOf = (name: string): string | null => withClient.exec(name)?.[2] ?? null

/**
 * The property of this name. `under` is that of --config, `version` that of --against. Left: what
 * makes no sense.
 */
export const propertyOf = (
  name: string,
  under: Under | null,
  version: Version | null = null,
): Either<string, Failing> => {
  switch (name) {
    case 'throws':
      return E.right(throws)
    case 'invariants':
      return E.right(invariants)
    case 'differs':
      if (version !== null) return E.right(differsFrom(version))
      return under === null
        ? E.left(
          'differs wants something to compare with: --config FILE, a configuration, or ' +
            '--against DIR, where another version is installed.',
        )
        : E.right(differsUnder(under))
    case 'diverges':
      // Of fewer inputs nobody knows what the version would have made that recorded them all.
      return E.left(
        'A recording only says that the version that recorded it came to something else with all ' +
          'of its inputs, not with fewer. Ask that version: --property differs --against DIR, ' +
          'where it is installed.',
      )
  }
  const found = withClient.exec(name)
  const [, what, client, topic] = found ?? []
  if (what === undefined || client === undefined || topic === undefined) {
    return E.left(unknownProperty(name))
  }
  if (!isTopicFilter(topic)) return E.left(`'${topic}' is no topic filter.`)
  return E.right(what === 'sends' ? sends(client, topic) : notDelivered(client, topic))
}
