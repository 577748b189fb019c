// Which listeners of a new configuration are those of the one before, whose names they keep.

import type { ListenerSettings, Settings } from './settings.ts'

const isSame = (one: ListenerSettings, other: ListenerSettings): boolean =>
  one.port === other.port && one.path === other.path && one.host === other.host &&
  one.bindInterface === other.bindInterface && one.domain === other.domain

/**
 * The next settings, in which a listener that stays is called what it was called before. The name
 * that a file alone gives it says what tells it from others on its port, which may come and go;
 * its clients, and what is stored of them, know it by the one that they came in with.
 */
export const keepNames = (old: Settings, next: Settings): Settings => {
  const kept = new Map<string, string>()
  for (const one of next.listeners) {
    const before = old.listeners.find((other) => isSame(one, other))
    if (before !== undefined && before.name !== one.name) kept.set(one.name, before.name)
  }
  if (kept.size === 0) return next
  const nameOf = (name: string): string => kept.get(name) ?? name
  return {
    ...next,
    listeners: next.listeners.map((one) => ({ ...one, name: nameOf(one.name) })),
    origins: next.origins.map((one) => ({
      ...one,
      listener: one.listener === null ? null : nameOf(one.listener),
    })),
  }
}
