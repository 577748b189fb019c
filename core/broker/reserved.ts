// Topics that clients cannot publish to, whatever their access list says.

import { rulesOf } from './config.ts'
import type { Draft } from './draft.ts'
import type { Link } from './state.ts'

/** Topics that only the broker publishes to, and those that no filter could name. */
export const isReserved = (topic: string): boolean =>
  topic.charCodeAt(0) === 0x24 /* $ */ &&
  (topic === '$SYS' || topic.startsWith('$SYS/') ||
    topic === '$CONTROL' || topic.startsWith('$CONTROL/') ||
    topic === '$share' || topic.startsWith('$share/'))

const ofBridges = '$SYS/broker/connection/'

/** A bridge of mosquitto's tells its state there, by an ordinary publish and as its will. */
export const isBridgeState = (topic: string): boolean => topic.startsWith(ofBridges)

/** The topic that it has for that if nothing else is configured: with its name as one level. */
const isUsualState = (topic: string): boolean =>
  topic.startsWith(ofBridges) && topic.endsWith('/state') &&
  topic.indexOf('/', ofBridges.length) === topic.length - '/state'.length

/**
 * Whether only the broker publishes to the topic. The usual place for the state of a bridge is open
 * to everybody, since one of MQTT 5, or with `try_private false`, does not say that it is one; the
 * others are for those who say so, or whom an access list allows it.
 */
export const isForbidden = (
  draft: Draft,
  link: Link,
  bridge: boolean,
  topic: string,
): boolean =>
  isReserved(topic) &&
  !isUsualState(topic) &&
  !(isBridgeState(topic) && (bridge || rulesOf(draft.config, link.listener).acl !== null))
