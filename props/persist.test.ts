// What outlives the process: after every input the store holds what a walk over the whole state
// says it has to, however the inputs are cut into batches; and a broker that is made of the store
// goes on as the one that lost its connections at that moment.

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Acl } from '../core/broker/acl.ts'
import type { Effect } from '../core/broker/effect.ts'
import type { Conn, Input } from '../core/broker/input.ts'
import * as I from '../core/broker/input.ts'
import type { Config } from '../core/broker/config.ts'
import { defaults } from '../core/broker/config.ts'
import type { Record } from '../core/broker/record.ts'
import { none } from '../core/codec/properties.ts'
import { parseAcl } from '../core/config/mod.ts'
import { empty } from '../core/data/bytes.ts'
import * as IntMap from '../core/data/int-map.ts'
import { deadline, initial, Packet, restore, run, type State, step } from '../core/mod.ts'
import { E } from '../core/prelude.ts'
import { groupHistory } from './gen/groups.ts'
import {
  acl,
  filter,
  type History,
  history,
  name,
  taciturn,
  unproved,
  utf8,
  wholeFilters,
  wholeNames,
} from './gen/histories.ts'
import { isShortRun, leastOf, runs } from './gen/settings.ts'
import { addEffects, lines, newAccount } from './model/compare.ts'
import { check, checkFull } from './model/invariants.ts'
import { play, record } from './model/play.ts'
import { apply, compareRecords, inOrder, type Records, recordsOf, writesOf } from './model/store.ts'

const persist = suite('persist')

const vocabulary = { names: wholeNames, filters: wholeFilters }

const keeping = ({ config, commands }: History): History => ({
  config: { ...config, persistence: true },
  commands,
})

const some = (max: number): fc.Arbitrary<History> =>
  fc.oneof(
    { arbitrary: history(max), weight: 3 },
    { arbitrary: groupHistory(max), weight: 1 },
  ).map(keeping)

persist('the store holds what has to outlive the process, after every input', () => {
  let batches = 0
  const kinds = new Set<string>()
  fc.assert(
    fc.property(some(120), (one) => {
      const records: Records = new Map()
      play(one, {
        afterInput: (_before, _input, after, effects) => {
          const writes = writesOf(effects)
          if (writes.length > 0) batches++
          apply(records, writes)
          for (const write of writes) {
            if (write._tag === 'Forget') kinds.add('Forget')
            else kinds.add(`${write._tag} ${'key' in write ? write.key.kind : write.record.kind}`)
          }
          const wrong = compareRecords(records.values(), recordsOf(after, wholeNames))
          if (wrong !== null) throw new Error(wrong)
        },
      })
    }),
    { numRuns: runs(120) },
  )
  if (isShortRun(120)) return
  assert.ok(batches > leastOf(600, 120), `only ${batches} batches`)
  assert.is(kinds.size, 14, `only these: ${[...kinds].sort().join(', ')}`)
})

persist('a full store is given nothing new, and holds what it has to', () => {
  fc.assert(
    fc.property(some(120), fc.array(fc.nat(30), { minLength: 1, maxLength: 8 }), (one, spells) => {
      const isFull = spells.flatMap((count, i) => new Array<boolean>(count + 1).fill(i % 2 === 0))
      const records: Records = new Map()
      let place = 0
      play(one, {
        step: (state, input) => {
          const turned = isFull[place++ % isFull.length]
            ? I.storeFull(input.at)
            : I.storeFree(input.at)
          const [before, told] = step(state, turned)
          const [after, effects] = step(before, input)
          checkFull(before, after)
          return [after, [...told, ...effects]]
        },
        afterInput: (_before, _input, after, effects) => {
          check(after, vocabulary)
          apply(records, writesOf(effects))
          const wrong = compareRecords(records.values(), recordsOf(after, wholeNames))
          if (wrong !== null) throw new Error(wrong)
        },
      })
    }),
    { numRuns: runs(120) },
  )
})

persist('nothing is stored where nothing is to be', () => {
  fc.assert(
    fc.property(history(80), (one) => {
      play(one, {
        afterInput: (_before, _input, _after, effects) => {
          assert.equal(writesOf(effects), [])
          for (const effect of effects) {
            assert.ok(effect._tag !== 'Send' || effect.when === 'now', 'waits for no disk')
          }
        },
      })
    }),
    { numRuns: runs(60) },
  )
})

persist('a batch stores what its inputs would store one by one', () => {
  fc.assert(
    fc.property(some(80), fc.integer({ min: 2, max: 40 }), (one, size) => {
      const { inputs, states } = record(one)
      const records: Records = new Map()
      let state = states[0]!
      for (let at = 0; at < inputs.length; at += size) {
        const [next, effects] = run(state, inputs.slice(at, at + size))
        state = next
        assert.ok(effects.findIndex(({ _tag }) => _tag === 'Persist') <= 0, 'the first effect')
        apply(records, writesOf(effects))
        const after = states[Math.min(at + size, inputs.length)]!
        const wrong = compareRecords(records.values(), recordsOf(after, wholeNames))
        if (wrong !== null) throw new Error(wrong)
      }
    }),
    { numRuns: runs(60) },
  )
})

/** A broker whose client `s`, gone since, has so many messages of QoS 1 waiting; half are `t`'s. */
const withBacklog = (count: number, more: Partial<Config> = {}): State => {
  const config = { ...defaults, persistence: true, queuedCountMax: 0, ...more }
  let state = initial(config, { at: 0, wall: 0, seed: 1 })
  const told = (input: Input): void => {
    ;[state] = step(state, input)
  }
  const connects = (slot: number, clientId: string, expiry: number): void => {
    const conn = { slot, generation: 0 }
    const peer = { address: '127.0.0.1', port: 1 }
    told(I.opened(conn, 0, `nonce ${slot}`, '1883', peer))
    told(I.arrived(conn, 0, {
      _tag: 'Connect',
      level: 5,
      bridge: false,
      cleanStart: true,
      keepAliveS: 0,
      clientId,
      will: null,
      userName: null,
      password: null,
      properties: { sessionExpiryInterval: expiry },
    }))
  }
  const wants = (slot: number, text: string): void =>
    told(I.arrived({ slot, generation: 0 }, 0, {
      _tag: 'Subscribe',
      packetId: 1,
      requests: [{
        filter: filter(text),
        qos: 1,
        noLocal: false,
        retainAsPublished: false,
        retainHandling: 0,
      }],
      properties: none,
    }))
  connects(1, 's', 60)
  wants(1, '#')
  connects(2, 't', 600)
  wants(2, 'both')
  for (const slot of [1, 2]) told(I.closed({ slot, generation: 0 }, 0, 'failed'))
  connects(3, 'p', 0)
  for (let i = 0; i < count; i++) {
    told(I.arrived({ slot: 3, generation: 0 }, 0, {
      _tag: 'Publish',
      dup: false,
      qos: 1,
      retain: false,
      topic: name(i % 2 === 0 ? 'both' : 'one'),
      packetId: 1,
      payload: empty,
      properties: none,
    }))
  }
  return state
}

persist('a long session ends at once, and its messages go in portions that a crash may cut', () => {
  const count = 3_500
  let state = withBacklog(count)
  const records: Records = new Map()
  const topics = [name('both'), name('one')]
  apply(records, recordsOf(state, topics).map((record) => ({ _tag: 'Put', record, isNew: true })))
  assert.is(records.size, 2 + 2 + count + count + count / 2)
  let largest = 0
  let ticks = 0
  for (; deadline(state) < 120_000 && ticks < 100; ticks++) {
    const at = Math.max(60_000, deadline(state))
    const [next, effects] = step(state, I.ticked(at, at))
    const writes = writesOf(effects)
    largest = Math.max(largest, writes.length)
    apply(records, writes)
    const wrong = compareRecords(records.values(), recordsOf(next, topics))
    if (wrong !== null) throw new Error(wrong)
    // Whoever is made of what there is has nothing of the session, and nothing but what is in use.
    const origin = { at, wall: at, seed: 2 }
    const [again, cleaned] = restore(next.config, inOrder([...records.values()]), origin)
    const kept = new Map(records)
    apply(kept, writesOf(cleaned))
    assert.is(kept.size, 1 + 1 + count / 2 + count / 2)
    assert.is(IntMap.size(again.sessions), 1)
    // The store gets its breath.
    if (next.remainsCount > 0) assert.ok(next.remainsAt >= at + 20)
    state = next
  }
  assert.ok(largest <= 1_010, `${largest} writes at once`)
  assert.ok(ticks >= 4, `all gone after ${ticks} ticks`)
  assert.is(IntMap.size(state.remains), 0)
  assert.is(IntMap.size(state.references), count / 2)
})

persist('no more messages of ended sessions are kept than may be', () => {
  for (const [endedMessagesMax, left, known] of [[500, 500, 500], [498, 498, 499]] as const) {
    const state = withBacklog(500, { endedMessagesMax })
    const [next] = step(state, I.ticked(60_000, 60_000))
    assert.is(next.remainsCount, left)
    // Of the two that go at once one is another session's as well.
    assert.is(IntMap.size(next.references), known)
  }
})

persist('who begins anew has nothing of the session before, however long that was', () => {
  const before = withBacklog(500)
  const conn = { slot: 4, generation: 0 }
  const peer = { address: '127.0.0.1', port: 1 }
  const connect = (expiry: number): Input =>
    I.arrived(conn, 1, {
      _tag: 'Connect',
      level: 5,
      bridge: false,
      cleanStart: true,
      keepAliveS: 0,
      clientId: 's',
      will: null,
      userName: null,
      password: null,
      properties: { sessionExpiryInterval: expiry },
    })
  const topics = [name('both'), name('one')]
  for (const expiry of [0, 60]) {
    const records: Records = new Map()
    for (const record of recordsOf(before, topics)) {
      apply(records, [{ _tag: 'Put', record, isNew: true }])
    }
    const opened = I.opened(conn, 1, 'nonce', '1883', peer)
    // And once more in the same run, with a session that came and went in between.
    const twice = { ...conn, generation: 1 }
    const more: ReadonlyArray<Input> = [
      I.closed(conn, 1, 'failed'),
      { ...opened, conn: twice } as Input,
      { ...connect(expiry), conn: twice } as Input,
    ]
    const [state, effects] = run(before, [opened, connect(expiry), ...more])
    apply(records, writesOf(effects))
    const wrong = compareRecords(records.values(), recordsOf(state, topics))
    if (wrong !== null) throw new Error(wrong)
    assert.is(
      [...records.values()].filter((one) => one.kind === 'outgoing' && one.clientId === 's').length,
      0,
    )
  }
})

/** Every connection is lost, in the order of its slot. */
const loseAll = (state: State): State => {
  let next = state
  for (const [, { conn }] of [...IntMap.entries(state.links)]) {
    ;[next] = step(next, I.closed(conn, state.now, 'failed'))
  }
  return next
}

interface Going {
  state: State
  account: ReturnType<typeof newAccount>
}

const give = (going: Going, input: Input): void => {
  const [next, effects] = step(going.state, input)
  going.state = next
  addEffects(going.account, effects.map(unnumbered))
}

/** Packet identifiers count on after a restart from where they can be seen to have been. */
const unnumbered = (effect: Effect): Effect =>
  effect._tag === 'Send' && effect.packet._tag === 'Publish'
    ? { ...effect, packet: { ...effect.packet, packetId: 0 } }
    : effect

/** Makes room in the slot that a connection is to have. */
const vacate = (going: Going, { conn, at }: Extract<Input, { readonly _tag: 'Opened' }>): void => {
  const link = IntMap.get(going.state.links, conn.slot)
  if (link !== undefined) give(going, I.closed(link.conn, at, 'failed'))
}

const settle = (going: Going, at: number, wall: number): void => {
  for (let i = 0; i < 1_000 && deadline(going.state) <= at; i++) give(going, I.ticked(at, wall))
  // What ends at the cut ends for another reason here and there.
  going.account = newAccount()
}

// How often an address has connected is forgotten. Nor is there what a shared group has given to
// members that end with their connection: who is still there gets it when they end one by one.
// The order of retained messages among topics that one filter matches is nobody's law either, so
// there are wildcards, or retained messages.
const steady = (config: Config, wildcards: boolean): Config => ({
  ...config,
  wildcardAvailable: wildcards,
  retainAvailable: !wildcards,
  sharedAvailable: false,
  connectionRatePerAddress: 0,
})

// The wills of those who lose their connections one by one reach those who still have theirs, which
// nobody has after a restart: wills are looked at by themselves.
const unwilling = ({ config, commands }: History, wildcards: boolean): History => ({
  config: steady(config, wildcards),
  commands: commands.map((one) => one._tag === 'Connect' ? { ...one, will: null } : one),
})

persist('a broker made of its store goes on as the one that it was', () => {
  let restored = 0
  fc.assert(
    fc.property(
      some(100).map(unproved).map(taciturn),
      fc.nat(),
      fc.boolean(),
      (one, where, wildcards) => {
        const { inputs, states } = record(unwilling(one, wildcards))
        const cut = where % (inputs.length + 1)
        const at = states[cut]!.now
        const wall = states[cut]!.wall
        const records = recordsOf(states[cut]!, wholeNames)
        const uncut: Going = { state: loseAll(states[cut]!), account: newAccount() }
        const origin = { at, wall, seed: 7 }
        const [state, effects] = restore(states[cut]!.config, inOrder(records), origin)
        const again: Going = { state, account: newAccount() }
        if (states[cut]!.isShort) give(again, I.memoryShort(at))
        settle(uncut, at, wall)
        settle(again, at, wall)
        const changed: Records = new Map()
        apply(changed, records.map((record) => ({ _tag: 'Put', record, isNew: true })))
        apply(changed, writesOf(effects))
        const wrong = compareRecords(changed.values(), recordsOf(state, wholeNames))
        if (wrong !== null) throw new Error(wrong)
        const known = new Set<Conn>()
        for (const input of inputs.slice(cut)) {
          // Those who were connected are gone, and say nothing more.
          if (input._tag === 'Opened') {
            known.add(input.conn)
            // The recorded broker had closed who was there before, which this one may not have.
            for (const going of [uncut, again]) vacate(going, input)
          }
          if ('conn' in input && !known.has(input.conn)) continue
          give(uncut, input)
          give(again, input)
        }
        const had = lines(uncut.account)
        const has = lines(again.account)
        const first = had.findIndex((line, i) => line !== has[i])
        if (first >= 0 || had.length !== has.length) {
          const from = Math.max(0, first < 0 ? had.length : first)
          const end = from + 3
          throw new Error(
            `cut after ${cut} inputs\nuncut:\n${had.slice(from, end).join('\n')}\n` +
              `again:\n${has.slice(from, end).join('\n')}`,
          )
        }
        if (IntMap.size(state.sessions) > 0) restored++
      },
    ),
    { numRuns: runs(120) },
  )
  if (isShortRun(120)) return
  assert.ok(restored > leastOf(20, 120), `only ${restored} had sessions`)
})

/** A broker that lost its links at this state, and one made of what it had stored by then. */
const cutAt = (state: State): { readonly uncut: Going; readonly again: Going } => {
  const origin = { at: state.now, wall: state.wall, seed: 7 }
  const [next] = restore(state.config, inOrder(recordsOf(state, wholeNames)), origin)
  const uncut: Going = { state, account: newAccount() }
  for (const [, { conn }] of [...IntMap.entries(state.links)]) {
    give(uncut, I.closed(conn, state.now, 'failed'))
  }
  return { uncut, again: { state: next, account: newAccount() } }
}

persist('a will is published after a restart if it would be without, and denied likewise', () => {
  const seen = { published: 0, denied: 0 }
  fc.assert(
    fc.property(some(60).map(taciturn), acl, fc.nat(), (one, list, where) => {
      const config = { ...steady(one.config, true), acl: list, checkRetainSource: false }
      const { states } = record({ ...one, config })
      const { uncut, again } = cutAt(states[where % states.length]!)
      // No delay is longer.
      const { now, wall } = uncut.state
      for (const going of [uncut, again]) {
        for (let at = now; at <= now + 60_000; at += 1_000) {
          for (let i = 0; i < 100 && deadline(going.state) <= at; i++) {
            give(going, I.ticked(at, wall))
          }
        }
      }
      const willsOf = ({ account }: Going): ReadonlyArray<string> =>
        account.notes.filter((line) => /^(will|denied will) /.test(line)).sort()
      assert.equal(willsOf(again), willsOf(uncut))
      for (const line of willsOf(again)) seen[line.startsWith('will') ? 'published' : 'denied']++
    }),
    { numRuns: runs(400) },
  )
  if (isShortRun(400)) return
  const least = leastOf(6, 400)
  assert.ok(seen.published >= least && seen.denied >= least, JSON.stringify(seen))
})

const peer = { address: '127.0.0.1', port: 50_000 }
const at = 1_000
const origin = { at, wall: 0, seed: 7 }

const aclOf = (text: string): Acl => {
  const file = parseAcl('acl', text)
  if (E.isLeft(file)) throw new Error(text)
  return file.right.acl
}

/** Everybody may read, and write what the listener allows. */
const guarded = (own: string, listener: string): Config => ({
  ...defaults,
  persistence: true,
  acl: aclOf(`topic read #\n${own}`),
  listeners: [['1884', { ...defaults, acl: aclOf(`topic read #\n${listener}`) }]],
})

let opened = 0

/** A client connects through a listener and says something; what it is sent. */
const visit = (
  state: State,
  listener: string,
  clientId: string,
  ...packets: ReadonlyArray<Packet>
): readonly [State, ReadonlyArray<string>] => {
  const conn: Conn = { slot: opened, generation: ++opened }
  const connect = Packet.connect({
    clientId,
    will: { topic: 'gone', payload: clientId, retain: true },
    properties: { sessionExpiryInterval: 60 },
  })
  const [next, effects] = run(state, [
    I.opened(conn, at, `nonce${opened}`, listener, peer),
    ...[connect, ...packets].map((packet) => I.arrived(conn, at, packet)),
  ])
  const got = effects.flatMap((one) =>
    one._tag === 'Send' && one.conn.slot === conn.slot && one.packet._tag === 'Publish'
      ? [one.packet.topic]
      : []
  )
  return [next, got]
}

const restart = (state: State, config: Config): State =>
  restore(config, inOrder(recordsOf(state, ['gone', 'a', 'b'].map(name))), origin)[0]

const tick = (state: State): State => step(state, I.ticked(at, 0))[0]

persist('whose time was over before the restart is nobody when he comes first', () => {
  const conn: Conn = { slot: 0, generation: 1_000_000 }
  const enter = (state: State, clientId: string, expiryS: number) =>
    run(state, [
      I.opened(conn, at, 'nonce', '1883', peer),
      I.arrived(
        conn,
        at,
        Packet.connect({
          clientId,
          cleanStart: false,
          will: { topic: 'gone', payload: clientId },
          properties: { sessionExpiryInterval: expiryS },
        }),
      ),
    ])
  const config = { ...defaults, persistence: true }
  for (const expiryS of [0, 60]) {
    const [there, effects] = enter(initial(config, origin), 'one', expiryS)
    const records: Records = new Map()
    apply(records, writesOf(effects))
    if (expiryS > 0) {
      const [, left] = step(there, I.closed(conn, at, 'closed'))
      apply(records, writesOf(left))
    }
    const late = { ...origin, at: at + 1_000 * expiryS }
    const [again] = restore(config, inOrder([...records.values()]), late)
    // Nobody has told it the time yet.
    const [state, told] = enter(again, 'one', 60)
    const said = told.flatMap((one) => one._tag === 'Send' ? [one.packet] : [])
    assert.equal(said.map((one) => one._tag === 'Connack' && one.sessionPresent), [false])
    const wills = told.filter((one) => one._tag === 'Note' && one.note._tag === 'WillPublished')
    assert.is(wills.length, expiryS === 0 ? 1 : 0, 'the will of the connection that was lost')
    const [, session] = IntMap.first(state.sessions)!
    assert.ok(session.stored, 'what is promised is kept')
  }
})

persist('nobody gains by a restart', () => {
  const all = guarded('topic write #', 'topic write #')
  const retained = (topic: string) => Packet.publish({ topic, payload: 'x', retain: true })
  const [one] = visit(initial(all, origin), '1884', 'p', retained('a'))
  // The same client through the other listener.
  const [two] = visit(one, '1883', 'p', retained('b'))
  const seen = (config: Config): ReadonlyArray<string> =>
    visit(tick(restart(two, config)), '1883', 's', Packet.subscribe('#'))[1].slice().sort()
  assert.equal(seen(all), ['a', 'b', 'gone'])
  // Of what is retained the listener is remembered that it came in through, also of a will.
  assert.equal(seen(guarded('topic write #', '')), ['b', 'gone'])
  // The will of the first connection was published when the second one took over.
  assert.equal(seen(guarded('', 'topic write #')), ['a', 'gone'])
  const [mourned] = visit(initial(all, origin), '1884', 'p')
  const later = tick(restart(mourned, all))
  const [, lost] = visit(
    restart(later, guarded('topic write #', '')),
    '1883',
    's',
    Packet.subscribe('gone'),
  )
  assert.equal(lost, [])
  // A listener that is gone leaves the broker's own rules.
  assert.equal(seen({ ...guarded('', 'topic write #'), listeners: [] }), [])
})

persist('what an older program stored is served, though nobody knows whose it was', () => {
  const config = guarded('topic write a', '')
  const bare = { retain: true, payload: empty, properties: none, source: null } as const
  const records: ReadonlyArray<Record> = [
    { kind: 'message', id: 1, topic: name('b'), qos: 0, expiresAt: null, ...bare },
    { kind: 'session', clientId: 'p', expiryS: 60, offlineAt: null, level: 5, source: null },
    { kind: 'retained', topic: name('b'), message: 1 },
    {
      kind: 'will',
      clientId: 'p',
      topic: name('gone'),
      qos: 0,
      delayMs: 0,
      dueAt: null,
      ...bare,
      payload: utf8('p'),
    },
  ]
  const [state] = restore(config, records, origin)
  assert.equal(visit(tick(state), '1883', 's', Packet.subscribe('#'))[1], ['b', 'gone'])
})

persist('a shorter cap on sessions holds for those that are away when the broker starts', () => {
  const session = (clientId: string, expiryS: number): Record => ({
    kind: 'session',
    clientId,
    expiryS,
    offlineAt: 1_000,
    level: 4,
    source: null,
  })
  const records = [session('never', 0xffffffff), session('soon', 30)]
  const config = { ...defaults, sessionExpiryMaxS: 60 }
  const [state, effects] = restore(config, records, { at: 2_000, wall: 0, seed: 7 })
  assert.equal(writesOf(effects), [
    { _tag: 'Put', record: session('never', 60), isNew: false },
  ])
  assert.is(deadline(state), 31_000)
  assert.is(deadline(step(state, I.ticked(31_000, 0))[0]), 61_000)
})

persist.run()
