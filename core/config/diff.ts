// What changes between two configurations, and when it takes effect: for the log of a reload, and
// for whoever wants to know before.

import type { Option, Reload, Value } from './option.ts'
import { isSame, listenerOptions, showHead, valueAt } from './print.ts'
import { defaultPersistence } from './settings.ts'
import type { ListenerSettings, Settings } from './settings.ts'
import { optionOf, table } from './table.ts'
import { showValue } from './value.ts'
import { path } from './words.ts'

export interface Change {
  readonly option: string
  /** Name of the listener that it belongs to, null for the broker. */
  readonly listener: string | null
  /** As a file says it, null for nothing; an empty text is as good as nothing. */
  readonly before: string | null
  readonly after: string | null
  readonly effect: Reload
}

const shown = (option: Option, value: Value | undefined): string | null =>
  value === undefined || value === null
    ? null
    : showValue(option, value).filter((one, i, all) => one !== 'none' || i === all.length - 1)
      .join(', ')

const compare = (
  options: ReadonlyArray<Option>,
  listener: string | null,
  old: object,
  next: object,
): ReadonlyArray<Change> =>
  options.flatMap((option) => {
    const { name, key, reload: effect } = option
    if (key === null) return []
    const [a, b] = [valueAt(old, key), valueAt(next, key)]
    if (isSame(a, b)) return []
    return [{ option: name, listener, before: shown(option, a), after: shown(option, b), effect }]
  })

/** With `persistence` as the file says it. */
const flat = (settings: Settings): object => ({
  ...settings,
  persistence: { ...defaultPersistence, ...settings.persistence },
})

const listenerOption = optionOf('listener')!

const own: ReadonlyArray<Option> = [
  ...listenerOptions(false, true),
  ...table.filter(({ scope, key }) => scope === 'plugin' && key !== null),
]

const listenerChanges = (
  old: ReadonlyArray<ListenerSettings>,
  next: ReadonlyArray<ListenerSettings>,
): ReadonlyArray<Change> => {
  const changes: Array<Change> = []
  const head = (listener: string, before: string | null, after: string | null): void => {
    if (before === after) return
    changes.push({ option: 'listener', listener, before, after, effect: listenerOption.reload })
  }
  for (const one of old) {
    const other = next.find(({ name }) => name === one.name)
    head(one.name, showHead(one), other === undefined ? null : showHead(other))
    if (other !== undefined) changes.push(...compare(own, one.name, one, other))
  }
  for (const one of next) {
    if (!old.some(({ name }) => name === one.name)) head(one.name, null, showHead(one))
  }
  return changes
}

const brokerOptions = table.filter(({ scope, key }) => scope === 'global' && key !== 'persistence')

/** All that changes, in the order of the documentation, then listener by listener. */
export const diff = (old: Settings, next: Settings): ReadonlyArray<Change> => {
  const kept = (one: Settings): string => String(one.persistence !== null)
  const changes = compare(brokerOptions, null, flat(old), flat(next))
  const persistence: ReadonlyArray<Change> = kept(old) === kept(next) ? [] : [{
    option: 'persistence',
    listener: null,
    before: kept(old),
    after: kept(next),
    effect: optionOf('persistence')!.reload,
  }]
  return [...changes, ...persistence, ...listenerChanges(old.listeners, next.listeners)]
}

const effects: Readonly<Record<Reload, string>> = {
  now: 'at once',
  'new connections': 'for new connections',
  restart: 'after a restart',
}

/** A line for each change. */
export const printDiff = (changes: ReadonlyArray<Change>): ReadonlyArray<string> =>
  changes.map(({ option, listener, before, after, effect }) => {
    const where = listener === null ? '' : ` of listener ${path(listener)}`
    const [from, to] = [before, after].map((one) => one ? path(one) : 'nothing')
    return `${option}${where}: ${from} -> ${to} (${effects[effect]})`
  })
