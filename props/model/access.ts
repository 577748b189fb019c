// Who may read and write what, rule by rule: nothing is compiled, shared or remembered but what two
// filters have to do with each other, which is found out by trying all topics that could tell.

import type { Acl, AclRule } from '../../core/broker/acl.ts'
import type { TopicFilter } from '../../core/topic/filter.ts'
import { splitShare } from '../../core/topic/filter.ts'
import { match } from '../../core/topic/match.ts'
import { isTopicName, type TopicName } from '../../core/topic/name.ts'
import type { Message, Model, Session, Who } from './state.ts'
import { dropped, noted, rulesFor } from './state.ts'

/** The patterns with names in them; null where one asks for a name that is not to be trusted. */
const spelled = (
  { patterns }: Acl,
  { clientId, userName }: Who,
  isStrict: boolean,
): ReadonlyArray<AclRule> | null => {
  const usable = patterns.filter(({ filter }) => userName !== null || !filter.includes('%u'))
  const wanted = usable.map(({ filter }) => filter).join(' ')
  const names = (wanted.includes('%c') ? clientId : '') +
    (wanted.includes('%u') ? userName ?? '' : '')
  if (names.includes('+') || names.includes('#')) return null
  if (isStrict && names.includes('/')) return null
  return usable.map(({ access, filter }) => {
    const parts = filter.split(/(%c|%u)/)
    const text = parts.map((part) =>
      part === '%c' ? clientId : part === '%u' ? userName ?? '' : part
    ).join('')
    return { access, filter: text as TopicFilter }
  })
}

const ownOf = (acl: Acl, { userName }: Who): ReadonlyArray<AclRule> =>
  userName === null ? acl.anonymous : acl.users.find(([name]) => name === userName)?.[1] ?? []

/** Null where the rules have nothing to say. */
const verdict = (
  rules: ReadonlyArray<AclRule>,
  topic: TopicName,
  wanted: 'read' | 'write',
): boolean | null => {
  const hits = rules.filter(({ filter }) => match(filter, topic)).map(({ access }) => access)
  if (hits.includes('deny')) return false
  return hits.includes(wanted) || hits.includes('readwrite') ? true : null
}

export const isAllowed = (
  acl: Acl,
  who: Who,
  isStrict: boolean,
  topic: TopicName,
  wanted: 'read' | 'write',
): boolean =>
  verdict(ownOf(acl, who), topic, wanted) ??
    verdict(spelled(acl, who, isStrict) ?? [], topic, wanted) ?? false

const known = new Map<string, { readonly meet: boolean; readonly covers: boolean }>()

/** All topics of these levels, up to this depth. */
const topicsOf = (levels: ReadonlyArray<string>, depth: number): ReadonlyArray<string> =>
  depth === 1 ? levels : [
    ...levels,
    ...topicsOf(levels, depth - 1).flatMap((rest) => levels.map((one) => `${one}/${rest}`)),
  ]

/** Whether two filters share a topic, and whether the first matches all that the second does. */
const compare = (
  one: TopicFilter,
  other: TopicFilter,
): { readonly meet: boolean; readonly covers: boolean } => {
  const key = `${one} ${other}`
  const before = known.get(key)
  if (before !== undefined) return before
  const levels = [...new Set([...one.split('/'), ...other.split('/'), 'another'])]
    .filter((level) => level !== '+' && level !== '#')
  const depth = Math.max(one.split('/').length, other.split('/').length) + 1
  const topics = topicsOf(levels, depth).filter(isTopicName)
  const wanted = topics.filter((topic) => match(other, topic))
  const found = {
    meet: wanted.some((topic) => match(one, topic)),
    covers: wanted.every((topic) => match(one, topic)),
  }
  known.set(key, found)
  return found
}

export const isSubscribable = (
  acl: Acl,
  who: Who,
  isStrict: boolean,
  filter: TopicFilter,
): boolean => {
  for (const rules of [ownOf(acl, who), spelled(acl, who, isStrict) ?? []]) {
    if (rules.some((rule) => rule.access === 'deny' && compare(rule.filter, filter).covers)) {
      return false
    }
    const readable = rules.filter(({ access }) => access === 'read' || access === 'readwrite')
    if (readable.some((rule) => compare(rule.filter, filter).meet)) return true
  }
  return false
}

const may = (model: Model, who: Who, topic: TopicName, wanted: 'read' | 'write'): boolean => {
  const { acl, denySpecialChars } = rulesFor(model, who.listener)
  return acl === null || isAllowed(acl, who, denySpecialChars, topic, wanted)
}

export const mayRead = (model: Model, { who }: Session, topic: TopicName): boolean =>
  may(model, who, topic, 'read')

export const mayWrite = (model: Model, { who }: Session, topic: TopicName): boolean =>
  may(model, who, topic, 'write')

export const maySubscribe = (model: Model, { who }: Session, filter: TopicFilter): boolean => {
  const { acl, denySpecialChars } = rulesFor(model, who.listener)
  return acl === null ||
    isSubscribable(acl, who, denySpecialChars, splitShare(filter)?.filter ?? filter)
}

/** Whether a retained message may still be shown, as far as its publisher goes. */
export const isFounded = (model: Model, { who, topic }: Message): boolean =>
  who === null || !model.config.checkRetainSource || may(model, who, topic, 'write')

export const denied = (
  model: Model,
  session: Session,
  what: 'publish' | 'subscribe' | 'will',
  topic: string,
): void => noted(model, `denied ${what} "${session.clientId}" ${topic}`)

export const refused = (
  model: Model,
  session: Session,
  what: 'publish' | 'will',
  { topic, qos }: Message,
): void => {
  denied(model, session, what, topic)
  dropped(model, null, topic, qos, 'not allowed')
}
