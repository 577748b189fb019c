// What clients may complain of after a broker has been down: judged by nothing but what they sent
// and what they got. Knows MQTT and the promise, and nothing of how the broker keeps it.

import { splitShare } from '../../core/topic/filter.ts'
import { match } from '../../core/topic/match.ts'
import type { Seen } from './client.ts'
import { type Message, type Party, type Take, type Telling, tellingOf } from './telling.ts'
import { checkWills } from './wills.ts'

/** All that is wrong; empty for a broker that kept its word. */
export const complaintsOf = (seen: ReadonlyArray<Seen>): ReadonlyArray<string> => {
  const telling = tellingOf(seen)
  return [
    ...telling.complaints,
    ...missing(telling),
    ...tooOften(telling),
    ...unwanted(telling),
    ...disordered(telling),
    ...checkRetained(telling),
    ...checkWills(telling, seen),
  ]
}

interface Receiver {
  readonly party: Party
  /** The group of a shared subscription. */
  readonly group: string | null
  readonly qos: number
  readonly isSure: boolean
}

/** Where a message is over: from then on nobody new can get it. */
const windowEnd = (message: Message, { end }: Telling): number => message.ackedAt ?? end

/** More than what a PUBLISH has besides its payload, in a script. */
const OVERHEAD_BYTES = 20

const mayBeTooLarge = ({ payload }: Message, { packetBytesMax }: Party): boolean =>
  payload.length + OVERHEAD_BYTES > packetBytesMax

/** Who subscribed to the topic at any time between the first word of a message and the last. */
const receiversOf = (message: Message, telling: Telling): ReadonlyArray<Receiver> => {
  const to = windowEnd(message, telling)
  const found: Receiver[] = []
  for (const party of telling.parties.values()) {
    for (const { filter, qos, past } of party.wanted.values()) {
      const share = splitShare(filter)
      if (!match(share?.filter ?? filter, message.topic)) continue
      if (past.isAlways('no', message.first, to)) continue
      if (party.session.isAlways('no', message.first, to)) continue
      const isSure = !mayBeTooLarge(message, party) &&
        past.isAlways('yes', message.first, to) &&
        party.session.isAlways('yes', message.first, telling.end)
      found.push({ party, group: share === null ? null : filter, qos, isSure })
    }
  }
  return found
}

/** A message that arrives because it was published, and not because it is retained. */
const takesOf = ({ payload }: Message, party: Party): ReadonlyArray<Take> =>
  party.takes.filter((take) => take.payload === payload && !take.retain)

const isPromised = ({ payload, qos, ackedAt, isRefused, expiresAtMs }: Message, endMs: number) =>
  payload !== '' && qos > 0 && ackedAt !== null && !isRefused && expiresAtMs > endMs

const missing = (telling: Telling): ReadonlyArray<string> => {
  const found: string[] = []
  for (const message of telling.messages) {
    if (!isPromised(message, telling.endMs)) continue
    const receivers = receiversOf(message, telling)
    for (const { party, group, qos, isSure } of receivers) {
      if (qos === 0 || !isSure) continue
      const group_ = receivers.filter((one) => one.group === group)
      // Where one of a group may be gone, it may have taken the message with it.
      if (group !== null && !group_.every((one) => one.isSure)) continue
      const owners = group === null ? [party] : group_.map((one) => one.party)
      if (owners.some((owner) => takesOf(message, owner).length > 0)) continue
      const who = group === null ? party.name : `nobody of ${group}`
      found.push(`'${message.payload}' was acknowledged and has not reached ${who}`)
    }
  }
  return found
}

const tooOften = (telling: Telling): ReadonlyArray<string> => {
  const found: string[] = []
  for (const message of telling.messages) {
    if (message.qos < 2 || message.payload === '') continue
    const receivers = receiversOf(message, telling)
    const groups = new Set(receivers.map(({ group }) => group).filter((one) => one !== null)).size
    let all = 0
    let allowed = groups
    for (const party of telling.parties.values()) {
      const own = receivers.filter((one) => one.party === party && one.group === null).length
      const takes = takesOf(message, party).filter(({ qos }) => qos === 2)
      for (let epoch = 0; epoch <= party.epoch; epoch++) {
        const count = takes.filter((take) => take.epoch === epoch).length
        if (count > own + groups) {
          found.push(`${party.name} took '${message.payload}' ${count} times`)
        }
      }
      all += takes.filter(({ epoch }) => epoch === party.epoch).length
      allowed += own
    }
    if (all > allowed) found.push(`'${message.payload}' was taken ${all} times, not ${allowed}`)
  }
  return found
}

/** What somebody got who had no more, or not yet, subscribed to it. */
const unwanted = (telling: Telling): ReadonlyArray<string> => {
  const found: string[] = []
  for (const message of telling.messages) {
    if (message.payload === '') continue
    for (const party of telling.parties.values()) {
      for (const take of takesOf(message, party)) {
        const what = `${party.name} took '${message.payload}'`
        if (message.isRefused) found.push(`${what}, which was refused`)
        const from = Math.max(message.first, take.since)
        const isWanted = [...party.wanted.values()].some(({ filter, past }) => {
          const share = splitShare(filter)
          // What a member of a group leaves behind goes to whoever is in it then.
          const to = share === null ? Math.min(windowEnd(message, telling), take.at) : take.at
          return match(share?.filter ?? filter, message.topic) && from <= to &&
            !past.isAlways('no', from, to)
        })
        if (!isWanted) found.push(`${what} and had not subscribed to it [${take.at}]`)
      }
    }
  }
  return found
}

const disordered = (telling: Telling): ReadonlyArray<string> => {
  const found: string[] = []
  const byPayload = new Map(telling.messages.map((message) => [message.payload, message]))
  for (const party of telling.parties.values()) {
    const latest = new Map<string, Message>()
    const known = new Set<string>()
    for (const { payload, retain, qos, epoch } of party.takes) {
      const message = byPayload.get(payload)
      if (message === undefined || retain || known.has(`${epoch} ${payload}`)) continue
      known.add(`${epoch} ${payload}`)
      const line = `${epoch} ${message.publisher} ${message.topic} ${message.qos} ${qos}`
      const before = latest.get(line)
      if (before !== undefined && before.first > message.first) {
        found.push(`${party.name} took '${payload}' after '${before.payload}'`)
      }
      latest.set(line, message)
    }
  }
  return found
}

/** What the reader finds retained could be the last that was published there. */
const checkRetained = (telling: Telling): ReadonlyArray<string> => {
  const found: string[] = []
  const reader = telling.parties.get('reader')
  if (reader === undefined) return ['nobody has looked at what is retained']
  const wills = telling.episodes.map(({ will }) => will)
  const topics = new Set(telling.messages.map(({ topic }) => topic))
  for (const topic of topics) {
    const takes = reader.takes.filter((take) => take.topic === topic && take.retain)
    if (takes.length > 1) found.push(`${topic} retains ${takes.length} messages`)
    const payload = takes[0]?.payload ?? ''
    const sets = telling.messages.filter((one) => one.topic === topic && one.retain)
    const willed = wills.filter((will) => will.retain && will.topic === topic)
    // A will may be published at any time after it was left.
    if (willed.length > 0) continue
    const isLater = (one: Message, than: number): boolean =>
      one.ackedAt !== null && !one.isRefused && one.first > than
    const lastOf = (one: Message): number => one.ackedAt ?? one.last
    const may = (one: Message): boolean => !sets.some((other) => isLater(other, lastOf(one)))
    const couldBe = sets.filter((one) => one.payload === payload && !one.isRefused)
    const isExpired = sets.some((one) => one.expiresAtMs <= telling.endMs && may(one))
    const isRight = couldBe.some(may) ||
      (payload === '' && (isExpired || !sets.some((one) => isLater(one, -1))))
    if (!isRight) found.push(`${topic} retains '${payload}'`)
  }
  return found
}
