// Who may read and write what: the file and its value are the same, what the core makes of the
// value is what a search rule by rule finds, and both are what mosquitto does with the file.

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Acl, allowsRead, allowsSubscribe, allowsWrite } from '../core/broker/acl.ts'
import {
  arrived,
  closed,
  deadline,
  defaults,
  initial,
  opened,
  Packet,
  reconfigured,
  run,
} from '../core/mod.ts'
import { ticked } from '../core/mod.ts'
import { aclText, faultText, parseAcl, withoutPlaces } from '../core/config/mod.ts'
import { E } from '../core/prelude.ts'
import { acl, filter, filters, name, names } from './gen/histories.ts'
import { runs } from './gen/settings.ts'
import { isAllowed, isSubscribable } from './model/access.ts'

const access = suite('access')

const parsed = (text: string): Acl => {
  const file = parseAcl('acl', text)
  if (E.isLeft(file)) throw new Error(faultText(file.left))
  return withoutPlaces(file.right.acl)
}

const refused = (text: string): string => {
  const file = parseAcl('/etc/acl', text)
  return E.isLeft(file) ? faultText(file.left) : 'no fault'
}

access('an access list is read from its text as it was', () => {
  fc.assert(
    fc.property(
      acl,
      (some) => assert.is(JSON.stringify(parsed(aclText(some))), JSON.stringify(some)),
    ),
    { numRuns: runs(300) },
  )
})

const who = fc.record({
  clientId: fc.constantFrom('a', 't', 'u', 'a/b', '+', 'x#'),
  userName: fc.constantFrom(null, 'user', 'other', 'v', 'a/b', '+', 'nobody'),
  listener: fc.constant(''),
})

access('what a client may do is what its rules say one by one', () => {
  fc.assert(
    fc.property(acl, fc.array(who), fc.boolean(), (list, clients, isStrict) => {
      for (const one of clients) {
        // Twice, because what was found is remembered.
        for (const topic of [...names, ...names, name('a/b'), name('u/b'), name('t/user')]) {
          const should = (wanted: 'read' | 'write'): boolean =>
            isAllowed(list, one, isStrict, topic, wanted)
          assert.is(allowsRead(list, one, isStrict, topic), should('read'), topic)
          assert.is(allowsWrite(list, one, isStrict, topic), should('write'), topic)
        }
        for (const wanted of filters) {
          const should = isSubscribable(list, one, isStrict, wanted)
          assert.is(allowsSubscribe(list, one, isStrict, wanted), should, wanted)
        }
      }
    }),
    { numRuns: runs(400) },
  )
})

access('what is remembered of a client is of one list, and of one strictness', () => {
  const [open, shut] = ['pattern readwrite %c/#', 'pattern read b'].map(parsed) as [Acl, Acl]
  const source = { clientId: 'a/b', userName: null, listener: '' }
  const asked = [[open, false, true], [shut, false, false], [open, true, false]] as const
  for (const [list, isStrict, may] of [...asked, ...asked, ...[...asked].reverse()]) {
    assert.is(allowsRead(list, source, isStrict, name('a/b/c')), may)
    assert.is(allowsWrite(list, source, isStrict, name('a/b/c')), may)
    assert.is(allowsSubscribe(list, source, isStrict, filter('a/b/c')), may)
  }
})

access('a subscription to one topic is allowed where reading it is', () => {
  fc.assert(
    fc.property(acl, who, fc.boolean(), (list, one, isStrict) => {
      for (const topic of names) {
        const may = allowsRead(list, one, isStrict, topic)
        assert.is(allowsSubscribe(list, one, isStrict, filter(topic)), may, topic)
      }
    }),
    { numRuns: runs(400) },
  )
})

access('who may read anything may subscribe to everything', () => {
  fc.assert(
    fc.property(acl, who, fc.boolean(), (list, one, isStrict) => {
      const readable = ['t', 't/u', 't/u/w', '/', 'a/b'].map(name)
        .filter((topic) => allowsRead(list, one, isStrict, topic))
      fc.pre(readable.length > 0)
      assert.ok(allowsSubscribe(list, one, isStrict, filter('#')))
    }),
    { numRuns: runs(300) },
  )
})

access('a long list is remembered topic by topic and says the same', () => {
  const rules = Array.from({ length: 300 }, (_, i) => `topic read r/${i}\ntopic deny r/${i}/no\n`)
  const list = parsed(rules.join('') + 'topic write #\n')
  const source = { clientId: 'a', userName: null, listener: '' }
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < 20_000; i += 7) {
      const topic = name(`r/${i % 400}`)
      assert.is(allowsRead(list, source, true, topic), i % 400 < 300, topic)
    }
  }
  assert.is(allowsWrite(list, source, true, name('r/5/no')), false)
  assert.is(allowsWrite(list, source, true, name(`w/${'x'.repeat(1000)}`)), true)
  assert.is(allowsRead(list, source, true, name(`w/${'x'.repeat(1000)}`)), false)
})

access('a file says what mosquitto takes it to say', () => {
  const list = parsed(
    '\ufeff# comment\r\n\r\n  topic read a b/c  \r\nuser  al ice \r\ntopic x\r\n' +
      '\ttopic\tdeny\ty/#\nuser bob\ntopic write z\npattern read p/%u\nuser al ice\n' +
      'topic read\ntopic readwrite #\n',
  )
  assert.equal(list, {
    anonymous: [{ access: 'read', filter: 'a b/c' }],
    users: [
      ['al ice', [
        { access: 'readwrite', filter: 'x' },
        { access: 'deny', filter: 'y/#' },
        { access: 'readwrite', filter: 'read' },
        { access: 'readwrite', filter: '#' },
      ]],
      ['bob', [{ access: 'write', filter: 'z' }]],
    ],
    patterns: [{ access: 'read', filter: 'p/%u' }],
  })
  assert.equal(parsed(''), { anonymous: [], users: [], patterns: [] })
})

access('a line that is none is named, with what to do', () => {
  assert.is(
    refused('topic a\ntopic raed b\n'),
    '/etc/acl:2: an access type that does not exist (raed). Write read, write, readwrite or deny ' +
      'before the topic, and comments on lines of their own.',
  )
  assert.match(refused('topic x # comment'), /:1: an access type that does not exist \(x\)\./)
  assert.match(refused('topic\n'), /:1: a line without a topic \(topic\)\./)
  assert.match(refused('\nuser \n'), /:2: a line without a user name \(user\)\./)
  assert.match(refused('TOPIC a'), /:1: a line that begins with another word \(TOPIC\)\./)
  assert.match(refused('topic a/#/b'), /:1: the topic .*\(a\/#\/b\)\. Write a topic filter/)
  assert.match(refused('pattern read a+/%c'), /:1: the topic .*\(a\+\/%c\)\./)
})

access('rules keep the lines of their file', () => {
  const text = '\ufeff# a\ntopic a\n\nuser u\n topic read b\npattern write %u/#\r\n' +
    'user u\ntopic c'
  const file = parseAcl('/etc/acl', text)
  assert.ok(E.isRight(file))
  const { acl: { anonymous, users, patterns, file: name } } = file.right
  assert.is(name, '/etc/acl')
  const lines = [anonymous, users[0]![1], patterns].map((some) => some.map(({ line }) => line))
  assert.equal(lines, [[2], [5, 8], [6]])
})

access('a pattern without a name in it is odd', () => {
  const file = parseAcl('/etc/acl', 'topic a\npattern read b/#\n')
  assert.ok(E.isRight(file))
  assert.equal(file.right.warnings, [
    "ACL pattern 'b/#' does not contain '%c' or '%u' (/etc/acl:2).",
  ])
})

access('any text is read or refused', () => {
  const line = fc.oneof(
    fc.string(),
    fc.tuple(fc.constantFrom('topic', 'user', 'pattern'), fc.string({ unit: 'binary' }))
      .map((words) => words.join(' ')),
  )
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      const file = parseAcl('acl', lines.join('\n'))
      if (E.isRight(file)) {
        const { acl: found } = file.right
        assert.equal(parsed(aclText(found)), withoutPlaces(found))
      } else assert.ok(file.left.line > 0 && file.left.remedy.endsWith('.'))
    }),
    { numRuns: runs(1_000) },
  )
})

access('no filter is taken apart to be held against a list', () => {
  const { split } = String.prototype
  const rules = Array.from({ length: 500 }, (_, i) => `topic ${i % 2 ? 'deny' : 'read'} a/${i}/#`)
  const list = parsed(`topic readwrite own\n${rules.join('\n')}\npattern read of/%c/#`)
  const source = { clientId: 'c', userName: null, listener: '1883' }
  let count = 0
  String.prototype.split = function (this: string, ...args: unknown[]): string[] {
    count++
    return Reflect.apply(split, this, args) as string[]
  }
  try {
    for (const text of ['a/498/b', '+/+/c', 'of/c/d', 'none/of/them/#']) {
      allowsSubscribe(list, source, false, filter(text))
    }
  } finally {
    String.prototype.split = split
  }
  assert.is(count, 0)
})

access('a will that is denied was not published', () => {
  const conn = { slot: 0, generation: 1 }
  for (const [text, said] of [['topic write w', 'WillPublished'], ['', 'Denied']] as const) {
    const acl = parsed(`topic read #\n${text}`)
    const connect = Packet.connect({ clientId: 'c', will: { topic: 'w', payload: 'gone' } })
    const [, effects] = run(initial({ ...defaults, acl }, { at: 0, wall: 0, seed: 1 }), [
      opened(conn, 0, 'nonce', '1883', { address: '127.0.0.1', port: 1 }),
      arrived(conn, 0, connect),
      closed(conn, 0, 'failed'),
    ])
    const ofWill = effects.flatMap((one) =>
      one._tag === 'Note' && /^(WillPublished|Denied)$/.test(one.note._tag) ? [one.note._tag] : []
    )
    assert.equal(ofWill, [said])
  }
})

access('connections are looked at again in portions, each once and in order', () => {
  const count = 2_500
  const conns = Array.from({ length: count }, (_, i) => ({ slot: i, generation: i + 1 }))
  const peer = { address: '127.0.0.1', port: 1 }
  const userOf = (i: number) => i % 2 === 0 ? {} : { userName: 'u' }
  const inputs = conns.flatMap((conn, i) => [
    opened(conn, 0, `nonce-${i}`, '1883', peer),
    arrived(conn, 0, Packet.connect({ clientId: `c${i}`, ...userOf(i) })),
  ])
  const config = { ...defaults, unauthenticatedMax: 10_000 }
  const [full] = run(initial(config, { at: 0, wall: 0, seed: 1 }), inputs)
  let [state] = run(full, [reconfigured(1, { ...config, allowAnonymous: false })])
  const ended: number[] = []
  const portions: number[] = []
  while (deadline(state) <= 1) {
    const [next, effects] = run(state, [ticked(1, 1)])
    const slots = effects.flatMap((one) => one._tag === 'Close' ? [one.conn.slot] : [])
    ended.push(...slots)
    portions.push(slots.length)
    state = next
  }
  assert.equal(portions, [500, 500, 250])
  assert.equal(ended, conns.map(({ slot }) => slot).filter((slot) => slot % 2 === 0))
})

access.run()
