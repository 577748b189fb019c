// Response Information: the operator's pattern made out for one client (section 3.2.2.3.15 of
// MQTT 5), a place for the answers to its requests.

import { utf8Size } from '../codec/utf8.ts'

/** A string on the wire has no more bytes. */
const stringBytesMax = 65_535

/** A name that is to be one level of a topic, so that it leads nowhere else. */
const isLevel = (name: string | null): name is string => name !== null && !/[+#/]/.test(name)

/**
 * The pattern with `%c` for the client identifier and `%u` for the user name; null where a name
 * that it wants is missing or could not be one level of a topic.
 */
export const informationFor = (
  pattern: string,
  clientId: string,
  userName: string | null,
): string | null => {
  let made = ''
  const parts = pattern.split(/(%[cu])/)
  for (const part of parts) {
    const name = part === '%c' ? clientId : part === '%u' ? userName : undefined
    if (name !== undefined && !isLevel(name)) return null
    made += name ?? part
  }
  return utf8Size(made) > stringBytesMax ? null : made
}
