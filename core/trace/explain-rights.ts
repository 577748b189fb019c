// Which rule of an access list said no: as it stands in the file of the list, which line that is
// where the recording knows it, and since which reload.

import { allowsSubscribe, covers } from '../broker/acl.ts'
import type { Access, Acl, AclRule, Source } from '../broker/acl.ts'
import type { Config } from '../broker/config.ts'
import { rulesOf } from '../broker/config.ts'
import type { Millis } from '../broker/input.ts'
import type { State } from '../broker/state.ts'
import { splitShare } from '../topic/filter.ts'
import type { TopicFilter } from '../topic/filter.ts'
import { match } from '../topic/match.ts'
import { isTopicName } from '../topic/name.ts'
import type { TopicName } from '../topic/name.ts'
import { since } from './explain-time.ts'
import type { Clock } from './explain-time.ts'
import { quote } from './words.ts'

/** A new configuration that came while the recording ran, and what was before it. */
export interface Reload {
  readonly at: Millis
  readonly before: Config
}

/** A name in the middle of a sentence: only what would spoil the line is escaped. */
const bare = (text: string): string => quote(text, '"').slice(1, -1)

const placeText = ({ file }: Acl, line: number | undefined): string =>
  file === undefined ? '' : ` (${bare(file)}${line === undefined ? '' : `:${line}`})`

const ruleText = (
  acl: Acl,
  keyword: string,
  { access, filter, line }: AclRule,
  whose: string,
): string =>
  `the line ${quote(`${keyword} ${access} ${filter}`, '"')}${whose}${placeText(acl, line)}`

const gives = (access: Access, wanted: 'read' | 'write'): boolean =>
  access === wanted || access === 'readwrite'

const ownRules = (acl: Acl, { userName }: Source): ReadonlyArray<AclRule> =>
  userName === null ? acl.anonymous : acl.users.find(([name]) => name === userName)?.[1] ?? []

const whoseText = ({ userName }: Source): string =>
  userName === null ? 'for clients without a user name' : `of user ${quote(userName, '"')}`

/** The pattern with the client's names in it; null where it says nothing to this client. */
const filled = ({ filter }: AclRule, { clientId, userName }: Source): TopicFilter | null =>
  filter.includes('%u') && userName === null
    ? null
    // Names that bring wildcards were told apart before.
    : filter.replaceAll(
      /%[cu]/g,
      (sign) => sign === '%c' ? clientId : userName ?? '',
    ) as TopicFilter

/** The name of the client that no pattern may have in it; null where there is none. */
const dangerous = (
  patterns: ReadonlyArray<AclRule>,
  { clientId, userName }: Source,
  isStrict: boolean,
): string | null => {
  const special = isStrict ? /[+#/]/ : /[+#]/
  for (const { filter } of patterns) {
    if (filter.includes('%u') && userName === null) continue
    if (filter.includes('%c') && special.test(clientId)) return clientId
    if (filter.includes('%u') && special.test(userName ?? '')) return userName
  }
  return null
}

/**
 * Why the list of its listener does not let the client read or write the topic, as what stands
 * behind "denied by"; null where there is no list, or where it does let it.
 */
export const whyDenied = (
  config: Config,
  source: Source,
  wanted: 'read' | 'write',
  topic: TopicName,
): string | null => {
  const { acl, denySpecialChars } = rulesOf(config, source.listener)
  if (acl === null) return null
  const own = ownRules(acl, source)
  const whose = whoseText(source)
  const denying = own.find(({ access, filter }) => access === 'deny' && match(filter, topic))
  if (denying !== undefined) return ruleText(acl, 'topic', denying, ` ${whose}`)
  if (own.some(({ access, filter }) => gives(access, wanted) && match(filter, topic))) return null
  const nobody = `the access list of listener ${quote(source.listener, '"')}` +
    `${placeText(acl, undefined)}, in which no line ${whose} and no pattern lets it ${wanted} ` +
    'the topic'
  const name = dangerous(acl.patterns, source, denySpecialChars)
  if (name !== null) {
    return `${nobody}; patterns give nothing to ${quote(name, "'")}, for what is in that name`
  }
  const matching = acl.patterns.filter((rule) => {
    const filter = filled(rule, source)
    return filter !== null && match(filter, topic)
  })
  const pattern = matching.find(({ access }) => access === 'deny')
  if (pattern !== undefined) return ruleText(acl, 'pattern', pattern, '')
  return matching.some(({ access }) => gives(access, wanted)) ? null : nobody
}

/** The line that lets the client read or write the topic; null where there is no list. */
const whichAllows = (
  config: Config,
  source: Source,
  wanted: 'read' | 'write',
  topic: TopicName,
): string | null => {
  const { acl } = rulesOf(config, source.listener)
  if (acl === null) return null
  const own = ownRules(acl, source)
    .find(({ access, filter }) => gives(access, wanted) && match(filter, topic))
  if (own !== undefined) return ruleText(acl, 'topic', own, ` ${whoseText(source)}`)
  const pattern = acl.patterns.find((rule) => {
    const filter = gives(rule.access, wanted) ? filled(rule, source) : null
    return filter !== null && match(filter, topic)
  })
  return pattern === undefined ? null : ruleText(acl, 'pattern', pattern, '')
}

/** The same, with the reload that brought it, where one did while the recording ran. */
export const whyDeniedSince = (
  config: Config,
  source: Source,
  wanted: 'read' | 'write',
  topic: TopicName,
  { now }: Pick<State, 'now'>,
  { reloads, clock }: { readonly reloads: ReadonlyArray<Reload>; readonly clock: Clock },
): string | null => {
  const rule = whyDenied(config, source, wanted, topic)
  if (rule === null) return null
  for (let i = reloads.length - 1; i >= 0; i--) {
    const reload = reloads[i]!
    if (reload.at > now || whyDenied(reload.before, source, wanted, topic) !== null) continue
    const old = whichAllows(reload.before, source, wanted, topic)
    return `${rule}, since the reload at ${since(reload.at, clock)}` +
      (old === null ? '' : ` (before that it was allowed by ${old})`)
  }
  return rule
}

/** Why a subscription to the filter is refused; null where no access list is the reason. */
export const whyNotSubscribed = (
  config: Config,
  source: Source,
  filter: TopicFilter,
): string | null => {
  const plain: string = splitShare(filter)?.filter ?? filter
  if (isTopicName(plain)) return whyDenied(config, source, 'read', plain)
  const { acl, denySpecialChars } = rulesOf(config, source.listener)
  // What a filter without its group is, is a filter.
  if (acl === null || allowsSubscribe(acl, source, denySpecialChars, plain as TopicFilter)) {
    return null
  }
  const isDenying = (rule: AclRule, filter: TopicFilter | null): boolean =>
    rule.access === 'deny' && filter !== null && covers(filter, plain)
  const denying = ownRules(acl, source).find((rule) => isDenying(rule, rule.filter))
  if (denying !== undefined) return ruleText(acl, 'topic', denying, ` ${whoseText(source)}`)
  const pattern = acl.patterns.find((rule) => isDenying(rule, filled(rule, source)))
  return pattern !== undefined
    ? ruleText(acl, 'pattern', pattern, '')
    : `the access list of listener ${quote(source.listener, '"')}${placeText(acl, undefined)}, ` +
      'in which no line lets it read any such topic'
}
