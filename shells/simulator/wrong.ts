// What callers get wrong whom no types tell: which name or value it is, and what should be there.
// Nothing that is misspelt is passed over, since a test that it makes pass shows nothing.

/** Something for people, no more of it than says what it is. */
export const shown = (value: unknown): string => {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, shownMax))
  if (typeof value === 'function') return 'a function'
  if (typeof value !== 'object' || value === null) return String(value)
  const name = Object.prototype.toString.call(value).slice('[object '.length, -1)
  return name === 'Array' ? 'a list' : name === 'Object' ? 'an object' : `a ${name}`
}

const shownMax = 40
