// Who is connected and may not be any more, after a new configuration or other passwords: looked
// for in portions, so that many connections make nobody wait.

import * as IntMap from '../data/int-map.ts'
import { NOT_AUTHORIZED } from '../codec/reason-code.ts'
import { type Config, rulesOf } from './config.ts'
import { BROUGHT_MAX, broughtBy, type Draft, finish, open } from './draft.ts'
import type { Effect } from './effect.ts'
import type { Revocation } from './input.ts'
import { expel } from './leave.ts'
import type { Link, State } from './state.ts'

/** Connections looked at before others get their turn. */
const PORTION = 1_000

const demandsNames = (config: Config): boolean =>
  !config.allowAnonymous || config.listeners.some(([, rules]) => !rules.allowAnonymous)

/** Begins to look at everybody who is connected now, for what is new and what was not done yet. */
const begin = (draft: Draft, more: ReadonlyArray<Revocation>): void => {
  const before = draft.recheck === null ? [] : draft.recheck.revocations
  const revocations = [...before, ...more]
  draft.recheck = { next: 0, before: draft.nextOpening, revocations }
}

/** There is a new configuration. */
export const recheckNames = (draft: Draft): void => {
  if (demandsNames(draft.config) && IntMap.size(draft.links) > 0) begin(draft, [])
}

/** Users have lost what they proved to be by. */
export const revoke = (draft: Draft, revocation: Revocation): void => {
  if (revocation.userNames.length > 0 && IntMap.size(draft.links) > 0) begin(draft, [revocation])
}

const isRevoked = (
  { listener }: Link,
  userName: string,
  revocations: ReadonlyArray<readonly [listener: string, names: ReadonlySet<string>]>,
): boolean => revocations.some(([name, names]) => name === listener && names.has(userName))

/** Whether it is there by a user name, and by no authentication method. */
export const hasGivenName = (draft: Draft, { phase }: Link): boolean => {
  if (phase.phase !== 'Ready' || phase.identity !== null) return false
  const { source } = IntMap.get(draft.sessions, phase.session)!
  return source !== null && source.userName !== null
}

/** Looks at one portion. */
export const advanceRecheck = (draft: Draft): void => {
  const { recheck } = draft
  if (recheck === null) return
  const { before } = recheck
  const revocations = recheck.revocations
    .map(({ listener, userNames }) => [listener, new Set(userNames)] as const)
  const broughtMax = broughtBy(draft) + BROUGHT_MAX
  let { next } = recheck
  for (let i = 0; i < PORTION && broughtBy(draft) <= broughtMax; i++) {
    const found = IntMap.firstFrom(draft.links, next)
    if (found === undefined) {
      draft.recheck = null
      return
    }
    const [slot, link] = found
    next = slot + 1
    const { phase } = link
    // Who came in later was asked by the new rules; a method has secrets of its own.
    if (link.opening >= before || phase.phase !== 'Ready' || phase.identity !== null) continue
    const { source } = IntMap.get(draft.sessions, phase.session)!
    const userName = source === null ? null : source.userName
    const isAllowed = userName === null
      ? rulesOf(draft.config, link.listener).allowAnonymous
      : !isRevoked(link, userName, revocations)
    if (!isAllowed) expel(draft, link, 'not authorised', NOT_AUTHORIZED)
  }
  draft.recheck = { ...recheck, next }
}

/** Looks at all portions, and does nothing else: for who plays a day and keeps nobody waiting. */
export const recheckAll = (state: State): readonly [State, ReadonlyArray<Effect>] => {
  const draft = open(state)
  while (draft.recheck !== null) advanceRecheck(draft)
  return finish(draft)
}
