// Names that somebody may have meant who wrote another one.

/** How many letters differ, as long as it is at most `max`; more than that otherwise. */
const distance = (one: string, other: string, max: number): number => {
  if (Math.abs(one.length - other.length) > max) return max + 1
  let row = Array.from({ length: other.length + 1 }, (_, i) => i)
  for (let i = 1; i <= one.length; i++) {
    const next = [i]
    for (let j = 1; j <= other.length; j++) {
      const same = row[j - 1]! + (one[i - 1] === other[j - 1] ? 0 : 1)
      next.push(Math.min(same, row[j]! + 1, next[j - 1]! + 1))
    }
    row = next
  }
  return row[other.length]!
}

const shownMax = 3

// Longer names are only compared for what is the same in them.
const lengthMax = 100

/** The names that are nearest to the wanted one, the nearest first; none that is far. */
export const nearNames = (wanted: string, names: Iterable<string>): ReadonlyArray<string> => {
  // Two of three letters are nearly all of them.
  const max = wanted.length < 4 ? 1 : Math.min(6, Math.max(2, Math.floor(wanted.length / 3)))
  const small = wanted.toLowerCase()
  const found: Array<readonly [far: number, name: string]> = []
  for (const name of names) {
    if (name === wanted) continue
    const other = name.toLowerCase()
    const far = other === small
      ? 0
      : `/${other}`.endsWith(`/${small}`) || `/${small}`.endsWith(`/${other}`)
      ? 1
      : wanted.length > lengthMax || name.length > lengthMax
      ? max + 1
      : distance(small, other, max)
    if (far <= max) found.push([far, name])
  }
  found.sort((one, other) => one[0] - other[0] || (one[1] < other[1] ? -1 : 1))
  return found.slice(0, shownMax).map(([, name]) => name)
}
