// What everybody is owed after a restart: the same messages, sessions, subscriptions, retained
// messages and wills that the broker would hold had it only lost its connections; wills that come
// due by that, shared groups, wildcards and retained messages all together. Which message went out
// before and which waits may differ, and who in a shared group has which: not what is owed.

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Config } from '../core/broker/config.ts'
import * as I from '../core/broker/input.ts'
import type { Record } from '../core/broker/record.ts'
import type { State } from '../core/broker/state.ts'
import * as IntMap from '../core/data/int-map.ts'
import { deadline, restore, step } from '../core/mod.ts'
import { groupHistory } from './gen/groups.ts'
import { type Command, type History, history, unproved, wholeNames } from './gen/histories.ts'
import { isShortRun, leastOf, runs } from './gen/settings.ts'
import { record } from './model/play.ts'
import { inOrder, recordsOf, recordText } from './model/store.ts'

const owed = suite('owed')

// Nobody's room is short, so that no message hangs on how much of it somebody else has taken; whom
// a group passes over because he is away, or hands over to because he is there, would hang on who
// was connected a moment before.
// What somebody may not see is found out when he is back.
const open = { acl: null, mountPoint: '' }

const roomy = (config: Config): Config => ({
  ...config,
  persistence: true,
  queuedCountMax: 0,
  queuedBytesMax: 0,
  inflightCountMax: 0,
  inflightBytesMax: 0,
  queueQos0: false,
  sharedOffline: 'queue',
  sysIntervalMs: 0,
  sharedOrder: config.sharedOrder === 'prefer online' ? 'round robin' : config.sharedOrder,
  connectionRatePerAddress: 0,
  sessionExpiryMaxS: 0xffffffff,
  ...open,
  listeners: config.listeners.map(([name, rules]) => [name, { ...rules, ...open }]),
})

/** Every session lasts, and takes whatever size; whoever in a group has the turn, it is kept. */
const lasting = (command: Command): Command => {
  switch (command._tag) {
    case 'Connect':
      return {
        ...command,
        cleanStart: command.level === 5 && command.cleanStart,
        sessionExpiryS: 100_000,
        packetBytesMax: null,
        // The wills of several for one topic come in no certain order, and the last is retained.
        will: command.will === null || command.client === 0
          ? command.will
          : { ...command.will, retain: false },
      }
    case 'Subscribe': {
      const requests = command.requests.map((one) =>
        one.shared && one.qos === 0 ? { ...one, qos: 1 as const } : one
      )
      return { ...command, requests }
    }
    default:
      return command
  }
}

const steady = ({ config, commands }: History): History => ({
  config: roomy(config),
  commands: commands.filter(({ _tag }) => _tag !== 'Rights' && _tag !== 'Memory').map((one) =>
    one._tag === 'Reconfigure' ? { ...one, config: roomy(one.config) } : lasting(one)
  ),
})

const settled = (state: State, at: number, wall: number): State => {
  let next = state
  for (let i = 0; i < 1_000 && deadline(next) <= at; i++) {
    ;[next] = step(next, I.ticked(at, wall))
  }
  return next
}

const loseAll = (state: State): State => {
  let next = state
  for (const [, { conn }] of [...IntMap.entries(state.links)]) {
    ;[next] = step(next, I.closed(conn, state.now, 'failed'))
  }
  return next
}

/** One line for everything that a client is owed, or the broker holds, in no order. */
const owedBy = (state: State): ReadonlyArray<string> => {
  const records = recordsOf(state, wholeNames)
  const messages = new Map<number, string>()
  for (const one of records) {
    if (one.kind !== 'message') continue
    const { id, ...said } = one
    messages.set(id, recordText({ ...said, id: 0 }))
  }
  const lineOf = (one: Record): string | null => {
    switch (one.kind) {
      case 'message':
        return null
      case 'outgoing': {
        const { clientId, message, qos, retain, share, stage, packetId } = one
        if (stage === 'released') return `${clientId} has ${packetId}`
        // Which member it is, and so with which QoS, is no matter.
        const whom = share === null
          ? `${clientId} qos${qos} retain ${retain}`
          : `a member of ${share.group} ${share.filter}`
        return `${whom} is owed ${messages.get(message)}`
      }
      case 'incoming':
        return `${one.clientId} sent ${one.packetId} ${messages.get(one.message)}`
      case 'retained':
        return `${one.topic} retains ${messages.get(one.message)}`
      case 'subscription':
        // What comes late comes anew after either.
        return recordText({ ...one, catchUp: 0 })
      case 'session':
      case 'will':
        return recordText(one)
    }
  }
  return records.map(lineOf).filter((line) => line !== null).sort()
}

const countOf = (lines: ReadonlyArray<string>, word: string): number =>
  lines.filter((line) => line.includes(word)).length

owed('after a restart everybody is owed what he was', () => {
  const seen = { wills: 0, shared: 0, messages: 0, retained: 0, dueWills: 0 }
  fc.assert(
    fc.property(
      fc.oneof(history(120), groupHistory(120)).map(unproved).map(steady),
      fc.nat(),
      (one, where) => {
        const { inputs, states } = record(one)
        const cut = states[where % (inputs.length + 1)]!
        const { now: at, wall } = cut
        const origin = { at, wall, seed: 7 }
        const [state] = restore(cut.config, inOrder(recordsOf(cut, wholeNames)), origin)
        const before = owedBy(settled(loseAll(cut), at, wall))
        const after = owedBy(settled(state, at, wall))
        const missing = before.filter((line) => countOf(before, line) !== countOf(after, line))
        const extra = after.filter((line) => countOf(before, line) !== countOf(after, line))
        if (missing.length + extra.length > 0) {
          throw new Error(`uncut:\n${missing.join('\n')}\nrestored:\n${extra.join('\n')}`)
        }
        const inCut = owedBy(cut)
        seen.wills += countOf(inCut, '"kind":"will"')
        seen.dueWills += countOf(inCut, '"kind":"will"') - countOf(after, '"kind":"will"')
        seen.shared += countOf(after, 'a member of')
        seen.messages += countOf(after, 'is owed')
        seen.retained += countOf(after, 'retains')
      },
    ),
    { numRuns: runs(300) },
  )
  if (isShortRun(300)) return
  for (const [what, count] of Object.entries(seen)) {
    assert.ok(count > leastOf(20, 300), `${count} ${what}`)
  }
})

owed.run()
