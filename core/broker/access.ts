// The access list of a listener, asked about the clients that came in through it: at PUBLISH and
// again when what was kept is published, at SUBSCRIBE, and for every delivery. Where no listener
// has one a single look at `isGuarded` is all that it costs.

import type { TopicFilter } from '../topic/filter.ts'
import { allowsRead, allowsSubscribe, allowsWrite, type Source } from './acl.ts'
import { type Config, rulesOf } from './config.ts'
import { type Draft, drop, note } from './draft.ts'
import type { Denied } from './note.ts'
import type { Message, Session } from './state.ts'

/** Whether the client may publish to the topic. */
const mayWrite = (config: Config, source: Source, topic: string): boolean => {
  const { acl, denySpecialChars } = rulesOf(config, source.listener)
  return acl === null || allowsWrite(acl, source, denySpecialChars, topic)
}

/**
 * Whether the session's client may publish to the topic. Nobody knows who that is only of a will
 * that an older program stored: its client was let in, so what it left is published.
 */
export const mayPublish = (draft: Draft, { source }: Session, topic: string): boolean =>
  source === null || mayWrite(draft.config, source, topic)

/**
 * Whether a message with this topic may go to the session's client. While nobody knows who that is
 * it may wait for him: the question comes again when he is there.
 */
export const mayRead = (draft: Draft, { source }: Session, topic: string): boolean => {
  if (source === null) return true
  const { acl, denySpecialChars } = rulesOf(draft.config, source.listener)
  return acl === null || allowsRead(acl, source, denySpecialChars, topic)
}

/** Whether a subscription of the session to the filter could be sent anything. */
export const maySubscribe = (
  draft: Draft,
  { source }: Session,
  filter: TopicFilter,
): boolean => {
  if (source === null) return false
  const { acl, denySpecialChars } = rulesOf(draft.config, source.listener)
  return acl === null || allowsSubscribe(acl, source, denySpecialChars, filter)
}

/** Whether who had the message retained may publish it still, where that is asked. */
export const maySource = (draft: Draft, { source, topic }: Message): boolean =>
  source === null || !draft.config.checkRetainSource || mayWrite(draft.config, source, topic)

/** Says that a client was refused something, for the log. */
export const deny = (draft: Draft, clientId: string, what: Denied['what'], topic: string): void =>
  note(draft, { _tag: 'Denied', clientId, what, topic })

/** The client may not publish the message: it is dropped, and said. */
export const denyPublish = (
  draft: Draft,
  session: Session,
  what: Denied['what'],
  message: { readonly topic: string; readonly qos: Message['qos'] },
): void => {
  // In this order: what follows the note of a will is of that will.
  deny(draft, session.clientId, what, message.topic)
  drop(draft, null, message.topic, message.qos, 'not allowed')
}
