// Who may read and write what, as a value, and what the value comes to for one client. Nothing here
// is remembered in any state: what is worked out hangs on the value it was worked out from, and
// losing it costs time and changes no answer.

import type { TopicFilter } from '../topic/filter.ts'

/** `deny` takes away what the other rules of the same list give, wherever it stands in it. */
export type Access = 'read' | 'write' | 'readwrite' | 'deny'

export interface AclRule {
  readonly access: Access
  /** In a pattern `%c` stands for the client identifier and `%u` for the user name. */
  readonly filter: TopicFilter
  /** The line of its file, from 1 on; only said to people. */
  readonly line?: number
}

/**
 * Nothing is allowed but what a rule allows. The list of the client's user decides first: what it
 * denies is denied, what it allows is allowed. Where it says nothing the patterns do, likewise.
 */
export interface Acl {
  /** For clients without a user name. */
  readonly anonymous: ReadonlyArray<AclRule>
  /** For clients with one; a name stands here once. */
  readonly users: ReadonlyArray<readonly [userName: string, rules: ReadonlyArray<AclRule>]>
  /** For everybody. */
  readonly patterns: ReadonlyArray<AclRule>
  /** What the file was called that it was read from; only said to people. */
  readonly file?: string
}

/** Who speaks: what an access list is asked about. */
export interface Source {
  readonly clientId: string
  readonly userName: string | null
  /** The listener that the client came in through. */
  readonly listener: string
}

/** What the rules say of a topic, in bits. */
const READ = 1
const WRITE = 2
const DENIED = 4

/** A list of rules, taken apart. */
interface Rules {
  readonly denied: ReadonlyArray<string>
  readonly readable: ReadonlyArray<string>
  readonly writable: ReadonlyArray<string>
  /** The last topic that was asked for, and the answer. */
  lastTopic: string
  lastBits: number
}

const rulesOf = (some: ReadonlyArray<AclRule>): Rules => {
  const filtersOf = (...wanted: ReadonlyArray<Access>): ReadonlyArray<string> =>
    some.filter(({ access }) => wanted.includes(access)).map(({ filter }) => filter)
  return {
    denied: filtersOf('deny'),
    readable: filtersOf('read', 'readwrite'),
    writable: filtersOf('write', 'readwrite'),
    lastTopic: '',
    lastBits: 0,
  }
}

const nothing: Rules = rulesOf([])

/** What an access list gives to one client. */
interface Rights {
  readonly acl: Acl
  readonly isStrict: boolean
  /** Shared by all clients of a user. */
  readonly own: Rules
  readonly patterns: Rules
}

// Each by the value that it is made from, which lives at least as long.
const ownRules = new WeakMap<Acl, Map<string | null, Rules>>()
const rights = new WeakMap<Source, Rights>()

const ownRulesOf = (acl: Acl, userName: string | null): Rules => {
  let all = ownRules.get(acl)
  if (all === undefined) {
    all = new Map<string | null, Rules>([[null, rulesOf(acl.anonymous)]])
    for (const [name, some] of acl.users) all.set(name, rulesOf(some))
    ownRules.set(acl, all)
  }
  return all.get(userName) ?? nothing
}

const wildcards = /[+#]/
const special = /[+#/]/

/**
 * The patterns for one client. A name with wildcards in it would match what is not its own: where a
 * pattern asks for such a name, patterns give the client nothing at all. `isStrict`: nor where it
 * has a separator, which would let it choose its place in the hierarchy.
 */
const patternsFor = (acl: Acl, source: Source, isStrict: boolean): Rules => {
  const { clientId, userName } = source
  const dangerous = isStrict ? special : wildcards
  const made: AclRule[] = []
  for (const { access, filter } of acl.patterns) {
    const asksClient = filter.includes('%c')
    const asksUser = filter.includes('%u')
    if (asksUser && userName === null) continue
    if (asksClient && dangerous.test(clientId)) return nothing
    if (asksUser && dangerous.test(userName ?? '')) return nothing
    // In one go: what is put in the place of a name is not looked through again.
    const text = asksClient || asksUser
      ? filter.replaceAll(/%[cu]/g, (sign) => sign === '%c' ? clientId : userName ?? '')
      : filter
    // Names bring no wildcards, so what was a filter is one still.
    made.push({ access, filter: text as TopicFilter })
  }
  return made.length === 0 ? nothing : rulesOf(made)
}

const rightsOf = (acl: Acl, source: Source, isStrict: boolean): Rights => {
  const known = rights.get(source)
  if (known !== undefined && known.acl === acl && known.isStrict === isStrict) return known
  const made: Rights = {
    acl,
    isStrict,
    own: ownRulesOf(acl, source.userName),
    patterns: patternsFor(acl, source, isStrict),
  }
  rights.set(source, made)
  return made
}

const SLASH = 0x2f
const HASH = 0x23
const PLUS = 0x2b
const DOLLAR = 0x24

/** As topic/match.ts has it, without making anything: it is asked for every rule. */
const matches = (filter: string, topic: string): boolean => {
  // A wildcard at the start leaves topics alone that begin with a dollar sign.
  if (topic.charCodeAt(0) === DOLLAR && filter.charCodeAt(0) !== DOLLAR) return false
  const filterEnd = filter.length
  const topicEnd = topic.length
  let f = 0
  let t = 0
  for (;;) {
    const code = filter.charCodeAt(f)
    if (code === HASH) return true
    if (code === PLUS) {
      f++
      while (t < topicEnd && topic.charCodeAt(t) !== SLASH) t++
    } else {
      while (
        f < filterEnd && t < topicEnd && filter.charCodeAt(f) !== SLASH &&
        filter.charCodeAt(f) === topic.charCodeAt(t)
      ) {
        f++
        t++
      }
    }
    if (f === filterEnd) return t === topicEnd
    if (filter.charCodeAt(f) !== SLASH) return false
    f++
    // `a/#` matches `a`.
    if (t === topicEnd) return f + 1 === filterEnd && filter.charCodeAt(f) === HASH
    if (topic.charCodeAt(t) !== SLASH) return false
    t++
  }
}

const anyMatches = (filters: ReadonlyArray<string>, topic: string): boolean => {
  for (let i = 0; i < filters.length; i++) if (matches(filters[i]!, topic)) return true
  return false
}

/** Lists of fewer rules are gone through as fast as a table is searched. */
const REMEMBERED_RULES_MIN = 8
const REMEMBERED_TOPICS_MAX = 16_384
const REMEMBERED_TOPIC_LENGTH_MAX = 256

// What long lists say of topics; forgotten as a whole when it has grown large.
let remembered = new WeakMap<Rules, Map<string, number>>()
let rememberedCount = 0

const search = (rules: Rules, topic: string): number =>
  anyMatches(rules.denied, topic) ? DENIED : (anyMatches(rules.readable, topic) ? READ : 0) |
    (anyMatches(rules.writable, topic) ? WRITE : 0)

const recall = (rules: Rules, topic: string): number => {
  let table = remembered.get(rules)
  const known = table?.get(topic)
  if (known !== undefined) return known
  const bits = search(rules, topic)
  if (topic.length > REMEMBERED_TOPIC_LENGTH_MAX) return bits
  if (rememberedCount >= REMEMBERED_TOPICS_MAX) {
    remembered = new WeakMap()
    rememberedCount = 0
    table = undefined
  }
  if (table === undefined) {
    table = new Map()
    remembered.set(rules, table)
  }
  table.set(topic, bits)
  rememberedCount++
  return bits
}

/** What a list says of a topic: DENIED, or what it allows. */
const bitsOf = (rules: Rules, topic: string): number => {
  if (rules === nothing) return 0
  if (rules.lastTopic === topic) return rules.lastBits
  const { denied, readable, writable } = rules
  const count = denied.length + readable.length + writable.length
  const bits = count < REMEMBERED_RULES_MIN ? search(rules, topic) : recall(rules, topic)
  rules.lastTopic = topic
  rules.lastBits = bits
  return bits
}

const allows = (
  acl: Acl,
  source: Source,
  isStrict: boolean,
  topic: string,
  wanted: number,
): boolean => {
  const { own, patterns } = rightsOf(acl, source, isStrict)
  const bits = bitsOf(own, topic)
  if (bits === DENIED) return false
  return (bits & wanted) !== 0 || (bitsOf(patterns, topic) & wanted) !== 0
}

/** Whether a message with this topic may be delivered to the client. `isStrict`: see Config. */
export const allowsRead = (
  acl: Acl,
  source: Source,
  isStrict: boolean,
  topic: string,
): boolean => allows(acl, source, isStrict, topic, READ)

/** Whether the client may publish to the topic. */
export const allowsWrite = (
  acl: Acl,
  source: Source,
  isStrict: boolean,
  topic: string,
): boolean => allows(acl, source, isStrict, topic, WRITE)

/** Whether a wildcard at the start of one filter stands before a dollar sign of the other. */
const areApart = (one: string, other: string): boolean => {
  const first = one.charCodeAt(0)
  const second = other.charCodeAt(0)
  return (first === DOLLAR && (second === PLUS || second === HASH)) ||
    (second === DOLLAR && (first === PLUS || first === HASH))
}

const levelEnd = (filter: string, start: number): number => {
  const end = filter.indexOf('/', start)
  return end < 0 ? filter.length : end
}

/** Whether two filters have the same level, in the one from `a` on and in the other from `b`. */
const isSameLevel = (one: string, a: number, other: string, b: number): boolean => {
  for (let i = 0;; i++) {
    const code = one.charCodeAt(a + i)
    const isOver = a + i >= one.length || code === SLASH
    if (b + i >= other.length || other.charCodeAt(b + i) === SLASH) return isOver
    if (isOver || code !== other.charCodeAt(b + i)) return false
  }
}

// Both are asked for every rule and every filter of a SUBSCRIBE, so they make nothing.

/** Whether there is a topic that both filters match. */
const meet = (one: string, other: string): boolean => {
  if (areApart(one, other)) return false
  for (let a = 0, b = 0;; a = levelEnd(one, a) + 1, b = levelEnd(other, b) + 1) {
    const code = one.charCodeAt(a)
    const otherCode = other.charCodeAt(b)
    if (code === HASH || otherCode === HASH) return true
    if (a > one.length || b > other.length) return a > one.length && b > other.length
    if (code !== PLUS && otherCode !== PLUS && !isSameLevel(one, a, other, b)) return false
  }
}

/** Whether the first filter matches every topic that the second does. */
export const covers = (one: string, other: string): boolean => {
  if (areApart(one, other)) return false
  // Every topic has a first level.
  if (one === '+/#') return true
  for (let a = 0, b = 0;; a = levelEnd(one, a) + 1, b = levelEnd(other, b) + 1) {
    const code = one.charCodeAt(a)
    if (code === HASH) return true
    if (a > one.length || b > other.length) return a > one.length && b > other.length
    if (other.charCodeAt(b) === HASH) return false
    if (code !== PLUS && !isSameLevel(one, a, other, b)) return false
  }
}

/** Null where the list leaves it to the next one. */
const mayYield = (rules: Rules, wanted: string): boolean | null => {
  for (let i = 0; i < rules.denied.length; i++) if (covers(rules.denied[i]!, wanted)) return false
  for (let i = 0; i < rules.readable.length; i++) if (meet(rules.readable[i]!, wanted)) return true
  return null
}

/**
 * Whether a subscription to the filter, which is not a shared one, could ever be sent anything: a
 * rule allows some of its topics to be read, and none denies them all. For a filter without
 * wildcards it is what `allowsRead` says of its one topic.
 */
export const allowsSubscribe = (
  acl: Acl,
  source: Source,
  isStrict: boolean,
  filter: TopicFilter,
): boolean => {
  const { own, patterns } = rightsOf(acl, source, isStrict)
  return mayYield(own, filter) ?? mayYield(patterns, filter) ?? false
}
