// Holds one conversation with both brokers at a time and compares what everybody received, step by
// step. What a client is answered is compared in order; deliveries in order for each topic, but
// copies of one message for several subscriptions in any; releases in any.

import type { Difference, Place } from './differences.ts'
import { applies, differences, messageOf, silences } from './differences.ts'
import type { Received } from './play.ts'
import { begin } from './play.ts'
import type { Step, Talk } from './talk.ts'

export interface Unlike {
  /** Which step, counted from 0. */
  readonly index: number
  readonly step: Step
  readonly who: string
  readonly theirs: ReadonlyArray<string>
  readonly ours: ReadonlyArray<string>
}

export interface Outcome {
  /** Steps that were compared. */
  readonly steps: number
  readonly lines: number
  /** Names of the differences that were met. */
  readonly met: ReadonlySet<string>
  /** What is not in the list, or null. */
  readonly unlike: Unlike | null
}

const topicOf = (line: string): string => line.split(' ')[1] ?? ''

/** Stable, as sorting is, so that only what is told apart changes places. */
const sortBy = (lines: ReadonlyArray<string>, key: (line: string) => string): string[] =>
  [...lines].sort((a, b) => {
    const [one, other] = [key(a), key(b)]
    return one < other ? -1 : one > other ? 1 : 0
  })

/** Copies of one message that follow each other on its topic, in an order of their own. */
const withSortedCopies = (lines: ReadonlyArray<string>): string[] => {
  const sorted: string[] = []
  let copies: string[] = []
  for (const line of lines) {
    if (copies.length > 0 && messageOf(copies[0]!) !== messageOf(line)) {
      sorted.push(...copies.sort())
      copies = []
    }
    copies.push(line)
  }
  return [...sorted, ...copies.sort()]
}

const ordered = (lines: ReadonlyArray<string>): ReadonlyArray<string> => {
  const isDelivery = (line: string): boolean => line.startsWith('PUBLISH')
  const isRelease = (line: string): boolean => line.startsWith('PUBREL')
  return [
    ...lines.filter((line) => !isDelivery(line) && !isRelease(line)),
    ...lines.filter(isRelease).sort(),
    ...withSortedCopies(sortBy(lines.filter(isDelivery), topicOf)),
  ]
}

const without = (lines: ReadonlyArray<string>, others: ReadonlyArray<string>): string[] => {
  const left = [...others]
  return lines.filter((line) => {
    const at = left.indexOf(line)
    if (at < 0) return true
    left.splice(at, 1)
    return false
  })
}

const silenced = (
  said: ReadonlyArray<string>,
  { lines }: Place,
  met: Set<string>,
): ReadonlyArray<string> =>
  said.map((line) =>
    silences.filter((one) => applies(one, lines)).reduce((rest, { name, words }) => {
      const after = rest.replace(words, '')
      if (after !== rest) met.add(name)
      return after
    }, line)
  )

/** What one of the two said, and which lines of it the other did not say. */
interface Part {
  readonly all: ReadonlyArray<string>
  readonly only: string[]
}

const joins = (step: Step | undefined): boolean =>
  step !== undefined && 'joined' in step && step.joined === true

/** The place, and those of the steps that were written together with it. */
const placesOf = (place: Place): ReadonlyArray<Place> => {
  const places = [place]
  for (let index = place.index - 1; joins(place.talk.steps[index]); index--) {
    places.push({ ...place, index, step: place.talk.steps[index]! })
  }
  return places
}

/** Takes what a difference explains out of the lines that only one of the two said. */
const explain = (difference: Difference, place: Place, theirs: Part, ours: Part): boolean => {
  if (!applies(difference, place.lines)) return false
  if (!placesOf(place).some((one) => difference.at(one))) return false
  const { pairs, besides } = difference
  const matching = (part: Part, other: Part, pattern: RegExp | undefined): string[] =>
    part.only.filter((line) =>
      pattern?.test(line) === true &&
      (besides === undefined || other.all.some((one) => besides(line, one)))
    )
  const take = (part: Part, line: string): void => {
    part.only.splice(part.only.indexOf(line), 1)
  }
  const these = matching(theirs, ours, difference.theirs)
  const those = matching(ours, theirs, difference.ours)
  if (pairs === undefined) {
    for (const one of these) take(theirs, one)
    for (const other of those) take(ours, other)
    return these.length + those.length > 0
  }
  let isMet = false
  for (const one of these) {
    const at = those.findIndex((other) => pairs(one, other))
    if (at < 0) continue
    take(theirs, one)
    take(ours, those[at]!)
    those.splice(at, 1)
    isMet = true
  }
  return isMet
}

/** Compares one client's part of a step; answers whether the two parted, null where all is well. */
const compareOne = (
  place: Place,
  theirs: ReadonlyArray<string>,
  ours: ReadonlyArray<string>,
  met: Set<string>,
): 'unlike' | 'parted' | null => {
  const a = ordered(silenced(theirs, place, met))
  const b = ordered(silenced(ours, place, met))
  if (a.join('\n') === b.join('\n')) return null
  const onlyTheirs = without(a, b)
  const onlyOurs = without(b, a)
  // The same lines in another order.
  if (onlyTheirs.length + onlyOurs.length === 0) return 'unlike'
  const common = without(a, onlyTheirs)
  if (common.join('\n') !== without(b, onlyOurs).join('\n')) return 'unlike'
  let isParted = false
  for (const difference of differences) {
    if (!explain(difference, place, { all: a, only: onlyTheirs }, { all: b, only: onlyOurs })) {
      continue
    }
    met.add(difference.name)
    if (difference.parts !== undefined) isParted = true
  }
  return onlyTheirs.length + onlyOurs.length > 0 ? 'unlike' : isParted ? 'parted' : null
}

const clientsOf = (theirs: Received, ours: Received): ReadonlyArray<string> =>
  [...new Set([...theirs.keys(), ...ours.keys()])].sort()

export const compare = async (
  talk: Talk,
  mosquittoPort: number,
  sabethesPort: number,
  configuration: ReadonlyArray<string> = [],
): Promise<Outcome> => {
  const them = begin(mosquittoPort, talk)
  const us = begin(sabethesPort, talk)
  const met = new Set<string>()
  let unlike: Unlike | null = null
  let isParted = false
  let lines = 0
  let index = 0
  for (; index < talk.steps.length && unlike === null && !isParted; index++) {
    const steps = [talk.steps[index]!]
    while (joins(talk.steps[index])) steps.push(talk.steps[++index]!)
    const step = talk.steps[index]!
    const [theirs, ours] = await Promise.all([them.play(steps), us.play(steps)])
    const here = { talk, index, step, who: step.who, lines: configuration }
    for (const one of differences) {
      if (one.parts !== 'always' || !applies(one, configuration)) continue
      if (placesOf(here).some(one.at)) isParted = true
    }
    for (const who of clientsOf(theirs, ours)) {
      const one = theirs.get(who) ?? []
      const other = ours.get(who) ?? []
      lines += one.length
      const verdict = compareOne({ ...here, who }, one, other, met)
      if (verdict === 'parted') isParted = true
      if (verdict === 'unlike') unlike ??= { index, step, who, theirs: one, ours: other }
    }
  }
  await Promise.all([them.end(), us.end()])
  return { steps: index, lines, met, unlike }
}
