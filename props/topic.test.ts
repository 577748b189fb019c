// The laws of topics. `match` is the definition of matching, so it is held against a table, against
// a second definition by regular expression and against pairs made to match; the tree is held
// against `match`. A tree of old still answers as it did, and a search through one may be cut up at
// will.

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { newOwner } from '../core/data/owner.ts'
import type { Owner } from '../core/data/owner.ts'
import * as Table from '../core/data/table.ts'
import { E } from '../core/prelude.ts'
import { isTopicFilter, parseTopicFilter, splitShare } from '../core/topic/filter.ts'
import type { TopicFilter } from '../core/topic/filter.ts'
import { match } from '../core/topic/match.ts'
import { memo, memoBytesMax, memoCountMax, memoIfUseful } from '../core/topic/memo.ts'
import { isTopicName, parseTopicName } from '../core/topic/name.ts'
import type { TopicName } from '../core/topic/name.ts'
import * as Tree from '../core/topic/tree.ts'
import { isShortRun, runs } from './gen/settings.ts'
import { filter, filters, matchingPairs, name, names, nearMisses } from './gen/topics.ts'

const seed = 4711

/** A tree in which each key is its own value. */
const treeOf = <K extends TopicFilter | TopicName>(keys: Iterable<K>): Tree.Tree<string> => {
  let tree = Tree.empty<string>(seed)
  for (const key of keys) tree = Tree.set(tree, null, key, key)
  return tree
}

/** All that a search finds, in portions of these sizes, the last one again and again. */
const takeAll = (start: Tree.Cursor<string>, portions: ReadonlyArray<number>): string[] => {
  const found: string[] = []
  let rest: Tree.Cursor<string> | null = start
  for (let i = 0; rest !== null; i++) {
    const taken: ReturnType<typeof Tree.take<string>> = Tree.take(
      rest,
      portions[Math.min(i, portions.length - 1)] ?? 1,
    )
    for (const { topic, value } of taken.found) {
      assert.is(topic, value)
      found.push(topic)
    }
    rest = taken.rest
  }
  return found
}

// The table

const cases: ReadonlyArray<readonly [TopicFilter, TopicName, boolean]> = ([
  ['home/bedroom/temp', 'home/bedroom/temp', true],
  ['home/bedroom/temp', 'home/bedroom/tem', false],
  ['home/bedroom/temp', 'home/bedroom', false],
  ['home/bedroom', 'home/bedroom/temp', false],
  ['home/bedroom', 'home/Bedroom', false],
  ['home/+/temp', 'home/bedroom/temp', true],
  ['home/+/temp', 'home//temp', true],
  ['home/+/temp', 'home/temp', false],
  ['home/+/temp', 'home/a/b/temp', false],
  ['+', 'home', true],
  ['+', 'home/bedroom', false],
  ['+', '/home', false],
  ['+/+', '/home', true],
  ['/+', '/home', true],
  ['+/+', '/', true],
  ['home/+', 'home', false],
  ['home/+', 'home/', true],
  ['home/+', 'home/a', true],
  ['home/+', 'home/a/', false],
  ['+/+/temp', 'home/bedroom/temp', true],
  ['home/#', 'home', true],
  ['home/#', 'home/', true],
  ['home/#', 'home/bedroom/temp', true],
  ['home/#', 'homes/bedroom', false],
  ['home/+/#', 'home', false],
  ['home/+/#', 'home/a', true],
  ['home/+/#', 'home/a/b/c', true],
  ['#', 'home', true],
  ['#', '/', true],
  ['#', 'home/bedroom/temp', true],
  ['/#', '/home', true],
  ['/#', 'home', false],
  ['+/#', 'home', true],
  ['+/#', 'home/a/b', true],
  ['#', '$SYS/broker/uptime', false],
  ['+/broker/uptime', '$SYS/broker/uptime', false],
  ['+/#', '$SYS/broker/uptime', false],
  ['+', '$SYS', false],
  ['$SYS/#', '$SYS/broker/uptime', true],
  ['$SYS/#', '$SYS', true],
  ['$SYS/+/uptime', '$SYS/broker/uptime', true],
  ['$SYS/broker/uptime', '$SYS/broker/uptime', true],
  ['home/+', 'home/$SYS', true],
  ['home/#', 'home/$SYS/a', true],
  ['/+', '/$SYS', true],
  ['é', 'e\u0301', false],
  ['a.c', 'abc', false],
  ['a b', 'a b', true],
  ['+/b', '\u{1f600}/b', true],
] satisfies ReadonlyArray<readonly [string, string, boolean]>).map(([wanted, topic, expected]) => [
  filter(wanted),
  name(topic),
  expected,
])

const table = suite('filter and name')

const subjects: Readonly<Record<string, (wanted: TopicFilter, topic: TopicName) => boolean>> = {
  match,
  find: (wanted, topic) => {
    const found = Tree.find(treeOf([wanted]), topic)
    assert.ok(found.length < 2)
    return found.length === 1
  },
  take: (wanted, topic) => takeAll(Tree.cursor(treeOf([topic]), wanted), [1]).length === 1,
}

for (const [subject, matches] of Object.entries(subjects)) {
  table(`${subject}() knows the table`, () => {
    for (const [wanted, topic, expected] of cases) {
      assert.is(matches(wanted, topic), expected, `${wanted} and ${topic}`)
    }
  })
}

table.run()

// Parsers

const parsers = suite('parsers')

const long = (bytes: number): string => 'a'.repeat(bytes)
const deep = (separators: number): string => '/'.repeat(separators)

/** Texts, whether they are a name and whether they are a filter. */
const texts: ReadonlyArray<readonly [string, boolean, boolean]> = [
  ['a', true, true],
  ['/', true, true],
  ['a//b', true, true],
  [' ', true, true],
  ['$SYS/broker', true, true],
  ['__proto__', true, true],
  ['~', true, true],
  ['\u00a0', true, true],
  ['\ufeff', true, true],
  ['\ufffd', true, true],
  ['\ufdcf', true, true],
  ['\ufdf0', true, true],
  ['\ud7ff\ue000', true, true],
  ['\u{1f600}', true, true],
  ['\u{1fffd}', true, true],
  ['', false, false],
  ['a\u0000b', false, false],
  ['a\u0001', false, false],
  ['\u001f', false, false],
  ['\u007f', false, false],
  ['\u009f', false, false],
  ['\ufdd0', false, false],
  ['\ufdef', false, false],
  ['\ufffe', false, false],
  ['\uffff', false, false],
  ['\u{1fffe}', false, false],
  ['\u{1ffff}', false, false],
  ['\u{10ffff}', false, false],
  ['\ud800', false, false],
  ['\udc00', false, false],
  ['\udc00\udc00', false, false],
  ['a\ud800b', false, false],
  ['\udc00\ud800', false, false],
  ['\ud800\ud800\udc00', false, false],
  [long(65_535), true, true],
  [long(65_536), false, false],
  [`${'é'.repeat(32_767)}a`, true, true],
  ['é'.repeat(32_768), false, false],
  ['\u20ac'.repeat(21_845), true, true],
  [`${'\u20ac'.repeat(21_845)}a`, false, false],
  [`${'\u{1f600}'.repeat(16_383)}aaa`, true, true],
  ['\u{1f600}'.repeat(16_384), false, false],
  [deep(200), true, true],
  [deep(201), false, false],
  ['+', false, true],
  ['#', false, true],
  ['/+', false, true],
  ['+/', false, true],
  ['/#', false, true],
  ['a/+/b/#', false, true],
  ['+/+', false, true],
  ['a+', false, false],
  ['+a', false, false],
  ['a/+b/c', false, false],
  ['a/b+/c', false, false],
  ['++', false, false],
  ['a#', false, false],
  ['#a', false, false],
  ['a/#/b', false, false],
  ['#/', false, false],
  ['#/+', false, false],
  ['+#', false, false],
  ['##', false, false],
  ['$share/g/a', true, true],
  ['$share/g/+/#', false, true],
  ['$share/g//', true, true],
  ['$share/g/#', false, true],
  ['$shared/a', true, true],
  ['$share', true, false],
  ['$share/', true, false],
  ['$share/g', true, false],
  ['$share/g/', true, false],
  ['$share//a', true, false],
  ['$share/+/a', false, false],
  ['$share/#', false, false],
  ['$share/#/a', false, false],
  ['$share/g+/a', false, false],
  ['$share/g/$share', true, true],
  ['$share/g/$share/a', true, false],
  ['$share/g/$share/h/a', true, true],
]

parsers('know the table of texts, each with a sentence for what they refuse', () => {
  for (const [text, isName, isFilter] of texts) {
    const says = JSON.stringify(text.slice(0, 40))
    assert.is(isTopicName(text), isName, `name ${says}`)
    assert.is(isTopicFilter(text), isFilter, `filter ${says}`)
    const parsedName = parseTopicName(text)
    const parsedFilter = parseTopicFilter(text)
    assert.is(E.isRight(parsedName), isName)
    assert.is(E.isRight(parsedFilter), isFilter)
    if (E.isLeft(parsedName)) assert.match(parsedName.left, /^the topic name (is|has|contains) /)
    if (E.isLeft(parsedFilter)) {
      assert.match(parsedFilter.left, /^the topic filter (is|has|lacks|contains) /)
      assert.not.match(parsedFilter.left, /null|sound/)
    }
  }
})

/** The rules once more, code point by code point and slowly. */
const isSoundText = (text: string): boolean => {
  const points = [...text].map((character) => character.codePointAt(0)!)
  const bytes = points.map((c) => c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4)
  return text.length > 0 && bytes.reduce<number>((a, b) => a + b, 0) <= 65_535 &&
    text.split('/').length <= 201 &&
    points.every((c) =>
      c > 0x1f && !(c >= 0x7f && c <= 0x9f) && !(c >= 0xd800 && c <= 0xdfff) &&
      !(c >= 0xfdd0 && c <= 0xfdef) && (c & 0xfffe) !== 0xfffe
    )
}

parsers('agree with a second definition for any text', () => {
  const unit = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom('a', '/', '+', '#', '/+/', '/#', '$share/') },
    { weight: 1, arbitrary: fc.nat(0xffff).map((unit) => String.fromCharCode(unit)) },
    { weight: 1, arbitrary: fc.integer({ min: 0x10000, max: 0x10ffff }).map(String.fromCodePoint) },
    {
      weight: 1,
      arbitrary: fc.constantFrom('\ud83d', '\ude00', '\u{1fffe}', '\ufdd0', '\u0080', '\u0000'),
    },
  )
  let sound = 0
  fc.assert(
    fc.property(fc.array(unit, { maxLength: 8 }).map((units) => units.join('')), (text) => {
      const isSound = isSoundText(text)
      if (isSound) sound++
      assert.is(isTopicName(text), isSound && !/[+#]/.test(text))
      const isWellMade = text.split('/').every((level, i, all) =>
        level === '+' || (level === '#' && i === all.length - 1) || !/[+#]/.test(level)
      )
      let rest = text
      let isWellShared = true
      while (rest.startsWith('$share/') || rest === '$share') {
        const [, group = '', ...levels] = rest.split('/')
        const of = levels.join('/')
        if (group === '' || group === '+' || group === '#' || of === '') isWellShared = false
        if (rest === text && rest === '$share') isWellShared = false
        if (rest !== text && rest === '$share') isWellShared = true
        rest = of
      }
      assert.is(isTopicFilter(text), isSound && isWellMade && isWellShared)
    }),
    { numRuns: runs(2000) },
  )
  if (isShortRun(2000)) return
  const floor = Math.min(200, runs(2000) / 10)
  assert.ok(sound >= floor, `only ${sound} sound texts`)
})

parsers('splitShare() takes apart what was put together, and nothing else', () => {
  fc.assert(
    fc.property(filters, fc.constantFrom('g', 'group 1', 'é', '$'), (wanted, group) => {
      fc.pre(wanted !== '$share')
      const shared = `$share/${group}/${wanted}`
      assert.equal(splitShare(filter(shared)), { group, filter: wanted })
      if (!wanted.startsWith('$share/')) assert.is(splitShare(wanted), null)
    }),
    { numRuns: runs(200) },
  )
  assert.is(splitShare(filter('$shared/a/b')), null)
  assert.is(splitShare(filter('a/$share/b')), null)
})

parsers.run()

// Matching

const matching = suite('match')

/** The second definition: the filter as a regular expression, part by part. */
const expression = (wanted: TopicFilter): RegExp => {
  const escape = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
  const parts = wanted.split('/')
  const hasHash = parts.at(-1) === '#'
  const levels = (hasHash ? parts.slice(0, -1) : parts)
    .map((part) => part === '+' ? '[^/]*' : escape(part))
  const start = /^[+#]/.test(wanted) ? '^(?!\\$)' : '^'
  if (!hasHash) return new RegExp(`${start}${levels.join('/')}$`, 's')
  return levels.length === 0
    ? new RegExp(`${start}.*$`, 's')
    : new RegExp(`${start}${levels.join('/')}(/.*)?$`, 's')
}

matching('agrees with a regular expression', () => {
  let matched = 0
  fc.assert(
    fc.property(filters, names, (wanted, topic) => {
      const expected = expression(wanted).test(topic)
      if (expected) matched++
      assert.is(match(wanted, topic), expected)
    }),
    { numRuns: runs(2000) },
  )
  if (isShortRun(2000)) return
  const floor = Math.min(50, runs(2000) / 40)
  assert.ok(matched >= floor, `only ${matched} matched`)
})

matching('says yes to pairs made to match', () => {
  fc.assert(
    fc.property(matchingPairs, (pair) => {
      assert.ok(match(pair.filter, pair.name))
      assert.ok(expression(pair.filter).test(pair.name))
    }),
    { numRuns: runs(500) },
  )
})

matching('says no to near misses', () => {
  fc.assert(
    fc.property(nearMisses, (pair) => {
      assert.not.ok(match(pair.filter, pair.name))
      assert.not.ok(expression(pair.filter).test(pair.name))
    }),
    { numRuns: runs(500) },
  )
})

matching('says of near misses what the tree says', () => {
  fc.assert(
    fc.property(nearMisses, matchingPairs, (miss, pair) => {
      assert.equal(Tree.find(treeOf([miss.filter]), miss.name), [])
      assert.equal(Tree.find(treeOf([pair.filter]), pair.name), [pair.filter])
    }),
    { numRuns: runs(500) },
  )
})

matching.run()

// Trees of filters

const trees = suite('Tree')

trees('find() finds the filters that match() finds, each once', () => {
  let found = 0
  fc.assert(
    fc.property(fc.array(filters, { maxLength: 60, size: 'max' }), names, (keys, topic) => {
      const tree = treeOf(keys)
      const expected = [...new Set(keys)].filter((key) => match(key, topic))
      found += expected.length
      assert.equal([...Tree.find(tree, topic)].sort(), expected.sort())
    }),
    { numRuns: runs(500) },
  )
  if (isShortRun(500)) return
  const floor = Math.min(500, runs(500))
  assert.ok(found >= floor, `only ${found} found`)
})

trees('find() answers in one order, whatever the history: #, then literal, then +', () => {
  fc.assert(
    fc.property(fc.uniqueArray(filters, { maxLength: 40, size: 'max' }), names, (keys, topic) => {
      const forth = Tree.find(treeOf(keys), topic)
      const back = Tree.find(treeOf([...keys].reverse()), topic)
      assert.equal(forth, back)
    }),
    { numRuns: runs(200) },
  )
  const all = ['#', '+/#', '+/+', '+/b', 'a/#', 'a/+', 'a/b', 'a/b/#', 'a/b/c'].map(filter)
  assert.equal(Tree.find(treeOf(all), name('a/b')), [
    '#',
    'a/#',
    'a/b/#',
    'a/b',
    'a/+',
    '+/#',
    '+/b',
    '+/+',
  ])
})

/**
 * Every node is there for something: it holds two things at least, or one way on that is a node
 * again. Every leaf is below the levels of its key. Answers the number of nodes.
 */
const countNodes = (tree: Tree.Tree<string>): number => {
  const stack = [{ node: tree.root, way: '' }]
  let count = 0
  let leaves = 0
  for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
    const { node, way } = at
    count++
    const children: Array<typeof node | NonNullable<typeof node.end>> = []
    if (node.literals !== null) Table.each(node.literals, (child) => children.push(child))
    const width = children.length
    assert.is(node.literals === null ? 0 : Table.size(node.literals), width)
    assert.is(node.literals === null, width === 0)
    if (node.plus !== null) children.push(node.plus)
    const ending = [node.end, node.hash].filter((leaf) => leaf !== null)
    const nodes = children.filter((child) => !child.isLeaf).length
    const held = children.length + ending.length
    assert.ok(held > 1 || nodes === 1 || node === tree.root, 'a node that a leaf would do for')
    leaves += held - nodes
    if (node.end !== null) assert.is(`${node.end.key}/`, way)
    if (node.hash !== null) assert.is(node.hash.key, `${way}#`)
    for (const child of children) {
      if (child.isLeaf) {
        assert.ok(child.key.startsWith(way))
        assert.is(child === node.plus, /^\+($|\/)/.test(child.key.slice(way.length)))
      } else {
        assert.is(child === node.plus, child.level === '+')
        stack.push({ node: child, way: `${way}${child.level}/` })
      }
    }
  }
  assert.is(leaves, Tree.size(tree))
  return count
}

const freeze = (value: unknown): void => {
  const stack = [value]
  for (let item = stack.pop(); item !== undefined; item = stack.pop()) {
    if (typeof item !== 'object' || item === null || Object.isFrozen(item)) continue
    Object.freeze(item)
    for (const held of Object.values(item)) {
      if (typeof held === 'object' && held !== null) stack.push(held)
    }
  }
}

/** Whether below some first level there is more than one bucket of children. */
const isWide = ({ root }: Tree.Tree<string>): boolean => {
  let isWide = false
  if (root.literals !== null) {
    Table.each(root.literals, (child) => {
      isWide ||= !child.isLeaf && child.literals !== null && !Array.isArray(child.literals)
    })
  }
  return isWide
}

trees('agrees with Map on every version, while older versions are frozen', () => {
  const key = fc.oneof(filters, fc.nat(60).map((n) => filter(`a/dev${n}`)))
  const op = fc.tuple(key, fc.option(fc.string(), { freq: 3 }), fc.nat(4))
  let wide = 0
  fc.assert(
    fc.property(fc.array(op, { maxLength: 120, size: 'max' }), fc.boolean(), (some, isCrowded) => {
      const crowd = Array.from({ length: isCrowded ? 40 : 0 }, (_, i) => filter(`a/dev${i}`))
      const history = [...crowd.map((at) => [at, 'crowd', 4] as const), ...some]
      const versions: Array<readonly [Tree.Tree<string>, ReadonlyMap<TopicFilter, string>]> = []
      let owner: Owner | null = null
      let tree = Tree.empty<string>(seed)
      let model: ReadonlyMap<TopicFilter, string> = new Map()
      let wasWide = false
      for (const [at, value, holder] of history) {
        if (holder < 2 || owner === null) {
          freeze(tree)
          versions.push([tree, model])
          owner = holder === 0 ? null : newOwner()
        }
        const copy = new Map(model)
        // Removing mostly meets what is there.
        const there = [...model.keys()][at.length % Math.max(1, model.size)] ?? at
        if (value === null) {
          tree = Tree.remove(tree, owner, there)
          copy.delete(there)
        } else {
          tree = Tree.set(tree, owner, at, value)
          copy.set(at, value)
        }
        model = copy
        wasWide ||= isWide(tree)
      }
      versions.push([tree, model])
      if (wasWide) wide++
      const all = new Set(history.map(([at]) => at))
      for (const [then, was] of versions) {
        assert.is(Tree.size(then), was.size)
        for (const at of all) assert.is(Tree.get(then, at), was.get(at), at)
        countNodes(then)
      }
      let emptied = tree
      for (const at of model.keys()) emptied = Tree.remove(emptied, owner, at)
      assert.is(Tree.size(emptied), 0)
      assert.is(countNodes(emptied), 1)
    }),
    { numRuns: runs(100) },
  )
  if (isShortRun(100)) return
  const floor = Math.min(20, runs(100) / 10)
  assert.ok(wide >= floor, `only ${wide} wide trees`)
})

trees('set() and remove() answer the same object to their owner', () => {
  const owner = newOwner()
  const tree = Tree.set(Tree.empty<string>(seed), owner, filter('a/b'), '1')
  assert.is(Tree.set(tree, owner, filter('a/#'), '2'), tree)
  assert.is(Tree.remove(tree, owner, filter('a/b')), tree)
  assert.is(Tree.remove(tree, null, filter('a/b')), tree)
  assert.is.not(Tree.set(tree, null, filter('a/b'), '3'), tree)
  assert.is(Tree.get(tree, filter('a/b')), undefined)
})

trees('holds 201 levels', () => {
  const deepest = name(Array.from({ length: 201 }, (_, i) => `l${i}`).join('/'))
  const keys = [
    filter(deepest),
    filter(Array.from({ length: 201 }, () => '+').join('/')),
    filter([...deepest.split('/').slice(0, 200), '#'].join('/')),
    filter([...Array.from({ length: 200 }, () => '+'), '#'].join('/')),
  ]
  const tree = treeOf(keys)
  assert.is(Tree.find(tree, deepest).length, 4)
  const found = treeOf([deepest])
  for (const key of keys) assert.equal(takeAll(Tree.cursor(found, key), [7]), [deepest])
  let rest = tree
  for (const key of keys) rest = Tree.remove(rest, null, key)
  assert.is(countNodes(rest), 1)
})

trees('find() visits no more than there is where + branches at every level', () => {
  let tree = Tree.empty<string>(seed)
  const depth = 10
  for (let bits = 0; bits < 2 ** depth; bits++) {
    const levels = Array.from({ length: depth }, (_, i) => (bits >> i) % 2 === 1 ? '+' : 'a')
    tree = Tree.set(tree, null, filter(levels.join('/')), 'x')
  }
  const all = name(Array.from({ length: depth }, () => 'a').join('/'))
  const none = name(Array.from({ length: depth + 1 }, () => 'a').join('/'))
  assert.is(Tree.find(tree, all).length, 2 ** depth)
  assert.is(Tree.find(tree, none).length, 0)
})

trees.run()

// Trees of names

const cursors = suite('cursor')

const manyNames = fc.array(
  fc.oneof(
    { weight: 2, arbitrary: names },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.constantFrom('a', 'b'), fc.nat(30))
        .map(([first, n]) => name(`${first}/dev${n}`)),
    },
  ),
  { maxLength: 80, size: 'max' },
)

cursors('take() in any portions finds what match() finds, each once', () => {
  let found = 0
  fc.assert(
    fc.property(
      manyNames,
      fc.oneof(filters, fc.constantFrom(filter('#'), filter('+/+'), filter('a/+'), filter('+/#'))),
      fc.array(fc.nat(20), { minLength: 1, maxLength: 5 }),
      (topics, wanted, portions) => {
        const tree = treeOf(topics)
        freeze(tree)
        const expected = [...new Set(topics)].filter((topic) => match(wanted, topic))
        found += expected.length
        const whole = takeAll(Tree.cursor(tree, wanted), [1_000_000])
        assert.equal([...whole].sort(), expected.sort())
        assert.equal(takeAll(Tree.cursor(tree, wanted), portions), whole)
      },
    ),
    { numRuns: runs(500) },
  )
  if (isShortRun(500)) return
  const floor = Math.min(500, runs(500))
  assert.ok(found >= floor, `only ${found} found`)
})

cursors('isAhead() says what take() would still find', () => {
  let [ahead, behind] = [0, 0]
  fc.assert(
    fc.property(
      manyNames,
      fc.oneof(filters, fc.constantFrom(filter('#'), filter('+/+'), filter('a/+'), filter('+/#'))),
      fc.nat(200),
      fc.array(names, { maxLength: 5 }),
      // More than a bucket of a table has.
      fc.nat(120),
      (some, wanted, visits, others, count) => {
        const topics = [...some, ...Array.from({ length: count }, (_, i) => name(`a/dev${i}`))]
        const start = Tree.cursor(treeOf(topics), wanted)
        const { rest } = visits === 0 ? { rest: start } : Tree.take(start, visits)
        if (rest === null) return
        const left = new Set(takeAll(rest, [7]))
        for (const topic of [...topics, ...others]) {
          assert.is(Tree.isAhead(rest, topic), left.has(topic), topic)
          if (!match(wanted, topic)) continue
          if (left.has(topic)) ahead += 1
          else behind += 1
        }
      },
    ),
    { numRuns: runs(500) },
  )
  if (isShortRun(500)) return
  const floor = Math.min(500, runs(500))
  assert.ok(ahead >= floor && behind >= floor, `only ${ahead} ahead, ${behind} behind`)
})

cursors('a cursor can be gone on with again, whatever became of the tree', () => {
  fc.assert(
    fc.property(manyNames, fc.integer({ min: 1, max: 30 }), (topics, visits) => {
      const tree = treeOf(topics)
      const first = Tree.take(Tree.cursor(tree, filter('#')), visits)
      fc.pre(first.rest !== null)
      const before = takeAll(first.rest!, [3])
      let later = tree
      const owner = newOwner()
      for (const topic of topics) later = Tree.remove(later, owner, topic)
      later = Tree.set(later, owner, name('new'), 'new')
      assert.equal(takeAll(first.rest!, [2]), before)
      assert.equal(takeAll(Tree.cursor(later, filter('#')), [1]), ['new'])
    }),
    { numRuns: runs(100) },
  )
})

cursors('take() visits what is below a literal prefix, no more than allowed at once', () => {
  let tree = Tree.empty<string>(seed)
  const owner = newOwner()
  for (let i = 0; i < 10_000; i++) {
    const topic = name(`site/${i % 100}/dev${i}/temp`)
    tree = Tree.set(tree, owner, topic, topic)
  }
  const portionsOf = (wanted: TopicFilter, visits: number): number => {
    let portions = 0
    let rest: Tree.Cursor<string> | null = Tree.cursor(tree, wanted)
    while (rest !== null) {
      const taken: ReturnType<typeof Tree.take<string>> = Tree.take(rest, visits)
      assert.ok(taken.found.length <= visits)
      rest = taken.rest
      portions++
    }
    return portions
  }
  // The root, `site`, `site/7` and the name, which no other name shares the rest of its way with.
  assert.is(portionsOf(filter('site/7/dev7/temp'), 1), 3)
  assert.is(portionsOf(filter('nowhere/7/dev7/temp'), 1), 1)
  // Three nodes, a hundred names.
  assert.is(portionsOf(filter('site/7/+/temp'), 1), 103)
  // As many as there are names and a node to each site, the root and `site`.
  assert.is(portionsOf(filter('#'), 1), 10_102)
  assert.is(portionsOf(filter('#'), 1_000), 11)
})

cursors('the first levels are those of all names', () => {
  fc.assert(
    fc.property(manyNames, (topics) => {
      const expected = new Set(topics.map((topic) => topic.split('/')[0]!))
      assert.equal([...Tree.firstLevels(treeOf(topics))].sort(), [...expected].sort())
    }),
    { numRuns: runs(300) },
  )
  assert.is(Tree.firstLevels(treeOf([])).size, 0)
})

cursors('take() makes progress when it is allowed nothing', () => {
  const tree = treeOf([name('a'), name('b')])
  assert.equal(takeAll(Tree.cursor(tree, filter('#')), [0]).sort(), ['a', 'b'])
})

cursors.run()

// Memo

const memos = suite('memo')

memos('answers what the computation answers, for any history of handles and names', () => {
  const handles = [{}, {}, {}]
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(2), fc.nat(6000), fc.nat(2_000)), { maxLength: 400, size: 'max' }),
      (asked) => {
        for (const [at, n, weight] of asked) {
          const topic = `n${n}`
          const result = memo(handles[at]!, topic, (text) => `${at} ${text}`, () => weight)
          assert.is(result, `${at} n${n}`)
        }
      },
    ),
    { numRuns: runs(50) },
  )
})

/** How often the names have to be computed when asked for in turn. */
const computed = (handle: object, count: number, weight: number): number => {
  let times = 0
  for (let i = 0; i < count; i++) {
    const compute = (text: string): string => {
      times++
      return text
    }
    memo(handle, `n${i}`, compute, () => weight)
  }
  return times
}

memos('remembers while the handle is the same, and only then', () => {
  const handle = {}
  assert.is(computed(handle, 100, 10), 100)
  assert.is(computed(handle, 100, 10), 0)
  assert.is(computed({}, 100, 10), 100)
  assert.is(computed(handle, 100, 10), 0)
})

memos('answers for its own handle after a computation that failed', () => {
  const [one, other] = [{}, {}]
  memo(one, 'n', () => 'of one', () => 0)
  const failing = (): string => {
    throw new Error('in vain')
  }
  assert.throws(() => memo(other, 'n', failing, () => 0), /in vain/)
  assert.is(memo(other, 'n', () => 'of the other', () => 0), 'of the other')
  assert.is(memo(one, 'n', () => 'anew', () => 0), 'of one')
})

memos('remembers 2,048 names at least and 4,096 at most', () => {
  const handle = {}
  assert.is(computed(handle, memoCountMax / 2, 0), memoCountMax / 2)
  assert.is(computed(handle, memoCountMax / 2, 0), 0)
  const many = {}
  computed(many, 3 * memoCountMax, 0)
  const last = 3 * memoCountMax
  let forgotten = 0
  for (let i = last - 1; i >= 0; i--) {
    let isKnown = true
    // Too heavy to be remembered now, so that asking changes nothing.
    memo(many, `n${i}`, () => {
      isKnown = false
      return ''
    }, () => Infinity)
    if (!isKnown) forgotten++
  }
  assert.ok(last - forgotten <= memoCountMax)
  assert.ok(last - forgotten >= memoCountMax / 2)
})

memos('remembers through the generations what is asked for often', () => {
  const handle = {}
  let times = 0
  for (let i = 0; i < 3 * memoCountMax; i++) {
    memo(handle, `n${i}`, () => '', () => 0)
    if (i % 1_000 === 0) memo(handle, 'often', () => times++, () => 0)
  }
  assert.is(times, 1)
})

memos('remembers again after it was full of heavy results', () => {
  const handle = {}
  computed(handle, 1_000, memoBytesMax / 100)
  assert.is(computed(handle, 100, 1), 100)
  assert.is(computed(handle, 100, 1), 0)
})

memos('remembers 4 MiB at most, and nothing that is too heavy alone', () => {
  const handle = {}
  computed(handle, 1, memoBytesMax)
  assert.is(computed(handle, 1, memoBytesMax), 1)
  // Eight of a quarter each cannot all be there.
  computed(handle, 8, memoBytesMax / 4 - 10)
  assert.ok(computed(handle, 8, memoBytesMax / 4 - 10) > 0)
  // The name counts too.
  const long = 'x'.repeat(memoBytesMax)
  let times = 0
  for (let i = 0; i < 2; i++) memo(handle, long, () => times++, () => 0)
  assert.is(times, 2)
})

memos('is let be for a while where hardly a name comes twice, and then tried again', () => {
  const handle = {}
  let times = 0
  const ask = (text: string): void => {
    const result = memoIfUseful(handle, text, (name) => {
      times += 1
      return `of ${name}`
    }, () => 0)
    assert.is(result, `of ${text}`)
  }
  const timesFor = (count: number, textOf: (i: number) => string): number => {
    times = 0
    for (let i = 0; i < count; i++) ask(textOf(i))
    return times
  }
  // However it was before, ten thousand that come twice make it remember.
  timesFor(10_000, () => 'often')
  assert.is(timesFor(10_000, () => 'often'), 0)
  assert.is(timesFor(2_000, (i) => `new ${i}`), 2_000)
  // Now it computes what it had remembered, though not for ever.
  assert.ok(timesFor(5_000, () => 'often') > 4_000)
  assert.ok(timesFor(5_000, () => 'often') < 5_000)
  assert.is(timesFor(5_000, () => 'often'), 0)
  // A quarter that comes again is worth it.
  timesFor(20_000, (i) => i % 4 === 0 ? 'often' : `more ${i}`)
  assert.is(timesFor(1_000, () => 'often'), 0)
})

memos.run()
