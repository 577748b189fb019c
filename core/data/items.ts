// Copies of small arrays with a little more or less, of exactly the right length: `push` on a full
// array would reserve room for sixteen more, which a million small nodes cannot afford.

export const withItem = <T>(items: ReadonlyArray<T>, index: number, item: T): T[] => {
  const count = items.length
  const copy = new Array<T>(count + 1)
  for (let i = 0; i < index; i++) copy[i] = items[i]!
  copy[index] = item
  for (let i = index; i < count; i++) copy[i + 1] = items[i]!
  return copy
}

export const withoutItem = <T>(items: ReadonlyArray<T>, index: number): T[] => {
  const count = items.length - 1
  const copy = new Array<T>(count)
  for (let i = 0; i < index; i++) copy[i] = items[i]!
  for (let i = index; i < count; i++) copy[i] = items[i + 1]!
  return copy
}

/** With two more at the end. */
export const withPair = <T>(items: ReadonlyArray<T>, one: T, other: T): T[] => {
  const count = items.length
  const copy = new Array<T>(count + 2)
  for (let i = 0; i < count; i++) copy[i] = items[i]!
  copy[count] = one
  copy[count + 1] = other
  return copy
}

/** Without the one at the index and the next. */
export const withoutPair = <T>(items: ReadonlyArray<T>, index: number): T[] => {
  const count = items.length - 2
  const copy = new Array<T>(count)
  for (let i = 0; i < index; i++) copy[i] = items[i]!
  for (let i = index; i < count; i++) copy[i] = items[i + 2]!
  return copy
}
