// When a topic filter matches a topic name, in the fewest words. Nothing here is clever, so that
// the tree can be held against it.

import type { TopicFilter } from './filter.ts'
import type { TopicName } from './name.ts'

/**
 * Whether a subscription to the filter gets a message with this name. A shared filter is to be
 * split first (`splitShare`): here its `$share` would be a level like any other.
 */
export const match = (filter: TopicFilter, name: TopicName): boolean => {
  const wanted = filter.split('/')
  const levels = name.split('/')
  // A wildcard at the start leaves topics alone that begin with a dollar sign.
  if (name.startsWith('$') && (wanted[0] === '+' || wanted[0] === '#')) {
    return false // [MQTT-4.7.2-1] [v3 MQTT-4.7.2-1]
  }
  for (let i = 0; i < wanted.length; i++) {
    // Any number of levels, none of them too: `a/#` matches `a`.
    if (wanted[i] === '#') return true
    if (i === levels.length) return false
    // Level by level and character by character, with no normalising.
    if (wanted[i] !== '+' && wanted[i] !== levels[i]) {
      return false // [MQTT-4.7.3-4] [v3 MQTT-4.7.3-4]
    }
  }
  return wanted.length === levels.length
}
