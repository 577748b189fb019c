// An in-flight window: a persistent map from packet identifiers (1 to 65535) in order of adding. Up
// to 64 entries are two small arrays, searched from the front, since acknowledgements mostly come
// in the order of sending; a wider window is two tries, so that no window makes a packet dear.
//
// With an owner token, a window stamped with the token is edited in place, any other copied once.

import * as IntMap from './int-map.ts'
import { withItem, withoutItem } from './items.ts'
import type { Owner } from './owner.ts'

export interface Window<A> {
  readonly owner: Owner | null
  readonly size: number
  /** Where the window is narrow: identifiers and values by position, the oldest first. */
  readonly ids: number[]
  readonly values: A[]
  readonly wide: Wide<A> | null
}

/** Both tries have an entry for each in the window; sequence numbers only grow. */
interface Wide<A> {
  readonly sequences: IntMap.IntMap<number>
  readonly entries: IntMap.IntMap<Entry<A>>
  /** The next sequence number. */
  readonly next: number
}

interface Entry<A> {
  readonly id: number
  readonly value: A
}

interface Draft<A> {
  owner: Owner | null
  size: number
  ids: number[]
  values: A[]
  wide: Wide<A> | null
}

/** More entries than this make a window wide. */
export const narrowMax = 64

/** With so few entries a wide window becomes narrow again; lower, not to go to and fro. */
const narrowAgain = 32

const none: never[] = []

export const empty: Window<never> = { owner: null, size: 0, ids: none, values: none, wide: null }

export const size = <A>(window: Window<A>): number => window.size

export const get = <A>(window: Window<A>, id: number): A | undefined => {
  const wide = window.wide
  if (wide === null) {
    const index = indexOf(window.ids, id)
    return index < 0 ? undefined : window.values[index]
  }
  const sequence = IntMap.get(wide.sequences, id)
  return sequence === undefined ? undefined : IntMap.get(wide.entries, sequence)?.value
}

/** The window with a new last entry; throws where the identifier is in it already. */
export const add = <A>(
  window: Window<A>,
  owner: Owner | null,
  id: number,
  value: A,
): Window<A> => {
  if (get(window, id) !== undefined) throw new Error(`packet identifier ${id} is in the window`)
  const mine = owner !== null && window.owner === owner
  const draft = edit(window, owner)
  if (draft.wide === null && draft.size === narrowMax) widen(draft)
  if (draft.wide !== null) {
    draft.wide = append(draft.wide, owner, id, value)
  } else if (mine && draft.ids !== none) {
    draft.ids.push(id)
    draft.values.push(value)
  } else {
    draft.ids = withItem(draft.ids, draft.size, id)
    draft.values = withItem(draft.values, draft.size, value)
  }
  draft.size++
  return draft
}

/** The window with another value at its place; throws where the identifier is not in it. */
export const replace = <A>(
  window: Window<A>,
  owner: Owner | null,
  id: number,
  value: A,
): Window<A> => {
  const mine = owner !== null && window.owner === owner
  const wide = window.wide
  if (wide !== null) {
    const sequence = IntMap.get(wide.sequences, id)
    if (sequence === undefined) throw new Error(`packet identifier ${id} is not in the window`)
    const draft = edit(window, owner)
    const entries = IntMap.set(wide.entries, owner, sequence, { id, value })
    draft.wide = { sequences: wide.sequences, entries, next: wide.next }
    return draft
  }
  const index = indexOf(window.ids, id)
  if (index < 0) throw new Error(`packet identifier ${id} is not in the window`)
  const draft = edit(window, owner)
  if (!mine) {
    // Both or neither belong to the owner of the record.
    draft.ids = draft.ids.slice()
    draft.values = draft.values.slice()
  }
  draft.values[index] = value
  return draft
}

/** The window without the entry; the same window where there is none. */
export const remove = <A>(window: Window<A>, owner: Owner | null, id: number): Window<A> => {
  const mine = owner !== null && window.owner === owner
  const wide = window.wide
  if (wide !== null) {
    const sequence = IntMap.get(wide.sequences, id)
    if (sequence === undefined) return window
    const draft = edit(window, owner)
    const sequences = IntMap.remove(wide.sequences, owner, id)
    const entries = IntMap.remove(wide.entries, owner, sequence)
    draft.wide = { sequences, entries, next: wide.next }
    draft.size--
    if (draft.size <= narrowAgain) narrow(draft)
    return draft
  }
  const index = indexOf(window.ids, id)
  if (index < 0) return window
  const draft = edit(window, owner)
  draft.size--
  if (mine) {
    cut(draft.ids, index)
    cut(draft.values, index)
  } else {
    draft.ids = withoutItem(draft.ids, index)
    draft.values = withoutItem(draft.values, index)
  }
  return draft
}

/** Identifiers and values in order of adding. */
export function* entries<A>(window: Window<A>): IterableIterator<[number, A]> {
  const wide = window.wide
  if (wide === null) {
    for (let i = 0; i < window.size; i++) yield [window.ids[i]!, window.values[i]!]
    return
  }
  for (const [, entry] of IntMap.entries(wide.entries)) yield [entry.id, entry.value]
}

const edit = <A>(window: Window<A>, owner: Owner | null): Draft<A> =>
  owner !== null && window.owner === owner ? window : {
    owner,
    size: window.size,
    ids: window.ids,
    values: window.values,
    wide: window.wide,
  }

const append = <A>(wide: Wide<A>, owner: Owner | null, id: number, value: A): Wide<A> => {
  // After a thousand million packets without a narrow moment the numbers start again.
  const { sequences, entries, next } = wide.next < IntMap.keyLimit ? wide : renumber(wide, owner)
  return {
    sequences: IntMap.set(sequences, owner, id, next),
    entries: IntMap.set(entries, owner, next, { id, value }),
    next: next + 1,
  }
}

const renumber = <A>(wide: Wide<A>, owner: Owner | null): Wide<A> => {
  let fresh: Wide<A> = { sequences: IntMap.empty(), entries: IntMap.empty(), next: 0 }
  IntMap.each(wide.entries, (entry) => {
    fresh = append(fresh, owner, entry.id, entry.value)
  })
  return fresh
}

const widen = <A>(draft: Draft<A>): void => {
  let wide: Wide<A> = { sequences: IntMap.empty(), entries: IntMap.empty(), next: 0 }
  for (let i = 0; i < draft.size; i++) {
    wide = append(wide, draft.owner, draft.ids[i]!, draft.values[i]!)
  }
  draft.ids = none
  draft.values = none
  draft.wide = wide
}

const narrow = <A>(draft: Draft<A>): void => {
  const ids: number[] = []
  const values: A[] = []
  if (draft.wide !== null) {
    IntMap.each(draft.wide.entries, (entry) => {
      ids.push(entry.id)
      values.push(entry.value)
    })
  }
  draft.ids = ids
  draft.values = values
  draft.wide = null
}

const indexOf = (ids: number[], id: number): number => {
  for (let i = 0; i < ids.length; i++) {
    if (ids[i] === id) return i
  }
  return -1
}

const cut = <T>(items: T[], index: number): void => {
  const last = items.length - 1
  for (let i = index; i < last; i++) items[i] = items[i + 1]!
  items.pop()
}
