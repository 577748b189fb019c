// Which filter matches which topic, and what stands in a shared one: a second definition, by
// regular expression, that has nothing of the broker's own.

import { escaped } from './words.ts'

const expressions = new Map<string, RegExp>()

const expressionOf = (filter: string): RegExp => {
  const start = /^[+#]/.test(filter) ? '^(?!\\$)' : '^'
  const levels = filter.replace(/(^|\/)#$/, '').split('/')
    .map((level) => level === '+' ? '[^/]*' : escaped(level))
  const end = filter === '#' ? '.*' : filter.endsWith('/#') ? '(/.*)?' : ''
  return new RegExp(`${start}${filter === '#' ? '' : levels.join('/')}${end}$`, 's')
}

export interface Shared {
  readonly group: string
  readonly filter: string
}

export const sharedIn = (filter: string): Shared | null => {
  const found = /^\$share\/([^/]*)\/(.*)$/s.exec(filter)
  return found === null ? null : { group: found[1]!, filter: found[2]! }
}

/** A filter of a client as the broker knows it: its mount point goes behind the group's name. */
export const mountedAt = (mountPoint: string, filter: string): string => {
  const shared = sharedIn(filter)
  return shared === null
    ? mountPoint + filter
    : `$share/${shared.group}/${mountPoint}${shared.filter}`
}

/** Whether the filter, shared or not, is for the topic. */
export const isFor = (filter: string, topic: string): boolean => {
  const plain = sharedIn(filter)?.filter ?? filter
  const known = expressions.get(plain) ?? expressionOf(plain)
  expressions.set(plain, known)
  return known.test(topic)
}
