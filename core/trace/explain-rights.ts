// Which rule of an access list said no, as it would stand in the file of the list.

import type { Access, AclRule, Source } from '../broker/acl.ts'
import type { Config } from '../broker/config.ts'
import { rulesOf } from '../broker/config.ts'
import type { TopicFilter } from '../topic/filter.ts'
import { match } from '../topic/match.ts'
import type { TopicName } from '../topic/name.ts'
import { quote } from './words.ts'

const ruleText = (keyword: string, { access, filter }: AclRule): string =>
  `the line ${quote(`${keyword} ${access} ${filter}`, '"')}`

const gives = (access: Access, wanted: 'read' | 'write'): boolean =>
  access === wanted || access === 'readwrite'

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
  const { userName } = source
  const own = userName === null
    ? acl.anonymous
    : acl.users.find(([name]) => name === userName)?.[1] ?? []
  const whose = userName === null
    ? 'for clients without a user name'
    : `of user ${quote(userName, '"')}`
  const denying = own.find(({ access, filter }) => access === 'deny' && match(filter, topic))
  if (denying !== undefined) return `${ruleText('topic', denying)} ${whose}`
  if (own.some(({ access, filter }) => gives(access, wanted) && match(filter, topic))) return null
  const nobody = `the access list of listener ${quote(source.listener, '"')}, in which no line ` +
    `${whose} and no pattern lets it ${wanted} the topic`
  const name = dangerous(acl.patterns, source, denySpecialChars)
  if (name !== null) {
    return `${nobody}; patterns give nothing to ${quote(name, "'")}, for what is in that name`
  }
  const matching = acl.patterns.filter((rule) => {
    const filter = filled(rule, source)
    return filter !== null && match(filter, topic)
  })
  const pattern = matching.find(({ access }) => access === 'deny')
  if (pattern !== undefined) return ruleText('pattern', pattern)
  return matching.some(({ access }) => gives(access, wanted)) ? null : nobody
}
