// The wills of clients that were connected: each comes once, unless it was given up, or the client
// was back before its delay had passed.

import type { Seen } from './client.ts'
import { bytesText, type Episode, type Telling } from './telling.ts'

/** How often it may come, at least and at most. */
type Range = readonly [number, number]

const rangeOf = (episode: Episode, seen: ReadonlyArray<Seen>): Range => {
  const { who, will, isSure, end, endedAt } = episode
  const later = seen.slice(endedAt)
  const hasCrashed = later.some(({ event }) => event._tag === 'crash')
  if (end === null) return [0, 0]
  if (!isSure) return [0, 1]
  if (end === 'given up') return [0, hasCrashed && !isSettled(who, later) ? 1 : 0]
  const delayMs = (will.properties.willDelayInterval ?? 0) * 1_000
  if (delayMs === 0) return [1, 1]
  // A new connection to the session in time keeps the will back.
  const endedMs = later[0]!.time
  let restartMs = endedMs
  let askedMs = Infinity
  for (const { time, event } of later.slice(1)) {
    if (event._tag === 'restart') restartMs = time
    if (!('who' in event) || event.who !== who) continue
    if (event._tag === 'sent' && event.packet._tag === 'Connect') {
      if (askedMs === Infinity) askedMs = time
      // The session ends, and with it the delay.
      if (event.packet.cleanStart) return [0, 1]
    }
    if (event._tag !== 'got' || event.packet._tag !== 'Connack') continue
    if (time - endedMs < delayMs && event.packet.sessionPresent) return [0, 0]
    break
  }
  return askedMs - restartMs >= delayMs ? [1, 1] : [0, 1]
}

/** Whether the broker has said, after the client was gone, that something later is safe. */
const isSettled = (who: string, later: ReadonlyArray<Seen>): boolean => {
  const crash = later.findIndex(({ event }) => event._tag === 'crash')
  const before = later.slice(0, crash)
  const gone = before.findIndex(({ event }) => event._tag === 'closed' && event.who === who)
  if (gone < 0) return false
  const asked = new Set<string>()
  for (const { event } of before.slice(gone)) {
    if (event._tag === 'sent' && event.packet._tag === 'Subscribe') {
      asked.add(`${event.who} ${event.packet.packetId}`)
    }
    if (event._tag !== 'got' || event.packet._tag !== 'Suback') continue
    if (asked.has(`${event.who} ${event.packet.packetId}`)) return true
  }
  return false
}

export const checkWills = ({ parties, episodes }: Telling, seen: ReadonlyArray<Seen>): string[] => {
  const watcher = parties.get('watcher')
  if (watcher === undefined) return []
  const found: string[] = []
  for (const episode of episodes) {
    const payload = bytesText(episode.will.payload)
    // Nobody was there to see it but from here on.
    const watched = [...watcher.wanted.values()]
    const isWatched = watched.some(({ past }) => past.isAlways('yes', episode.endedAt, seen.length))
    if (!isWatched) continue
    const takes = watcher.takes.filter((take) => take.payload === payload && !take.retain)
    // At QoS 1 one may come twice, after a loss.
    const count = takes.filter(({ qos }) => qos === 2).length +
      (takes.some(({ qos }) => qos < 2) ? 1 : 0)
    const [least, most] = rangeOf(episode, seen)
    if (count < least || count > most) {
      found.push(
        `the will '${payload}' of ${episode.who} came ${count} times, not ${least}-${most}`,
      )
    }
  }
  return found
}
