// What topic names and topic filters have in common: the characters, the length and the number of
// levels that are allowed, decided in one pass over the text. Where a limit goes beyond the
// standard it is mosquitto's, so that what one broker takes the other takes too.

/** Longest name or filter in bytes of UTF-8, the most that a two-byte length can say. */
const topicBytesMax = 65_535

/** Most separators in a name or filter, mosquitto's limit: 200 make 201 levels. */
const separatorsMax = 200

/** What `scan` found: no wildcard, wildcards where they may stand, or the fault it stopped at. */
export type Scan = number

export const plain: Scan = 0
const wild: Scan = 1

const isEmpty: Scan = -1
const tooLong: Scan = -2
const tooDeep: Scan = -3
const nullCharacter: Scan = -4
const controlCharacter: Scan = -5
const nonCharacter: Scan = -6
const loneSurrogate: Scan = -7
const plusInLevel: Scan = -8
const hashInLevel: Scan = -9
const hashNotLast: Scan = -10

/** The predicate of a sentence about the text, for a fault that `scan` answered. */
export const explain = (fault: Scan): string => {
  switch (fault) {
    case isEmpty:
      return 'is empty'
    case tooLong:
      return `is longer than ${topicBytesMax} bytes`
    case tooDeep:
      return `has more than ${separatorsMax} separators`
    case nullCharacter:
      return 'contains the character U+0000'
    case controlCharacter:
      return 'contains a control character'
    case nonCharacter:
      return 'contains a Unicode non-character'
    case loneSurrogate:
      return 'contains half of a surrogate pair'
    case plusInLevel:
      return 'has a + that does not fill its level'
    case hashInLevel:
      return 'has a # that does not fill its level'
    case hashNotLast:
      return 'has a # before its last level'
  }
  return 'is sound'
}

/** The numbers of a statement in MQTT 5 and in 3.1.1. */
export type Clauses = readonly [five: string, elder: string]

/** The general duty, for what the standard leaves to the broker. */
export const general: Clauses = ['MQTT-4.13.1-1', 'MQTT-4.8.0-1']

/** The statement that the text breaks, for a fault that `scan` answered. */
export const clausesOf = (fault: Scan): Clauses => {
  switch (fault) {
    case isEmpty:
      return ['MQTT-4.7.3-1', 'MQTT-4.7.3-1']
    case tooLong:
      return ['MQTT-4.7.3-3', 'MQTT-4.7.3-3']
    case nullCharacter:
      return ['MQTT-4.7.3-2', 'MQTT-4.7.3-2']
    case loneSurrogate:
      return ['MQTT-1.5.4-1', 'MQTT-1.5.3-1']
    case plusInLevel:
      return ['MQTT-4.7.1-2', 'MQTT-4.7.1-3']
    case hashInLevel:
    case hashNotLast:
      return ['MQTT-4.7.1-1', 'MQTT-4.7.1-2']
  }
  return general
}

/** Looks at every character once; `plain`, `wild` or the first fault (negative). */
export const scan = (text: string): Scan => {
  const length = text.length
  if (length === 0) return isEmpty // [MQTT-4.7.3-1] [v3 MQTT-4.7.3-1]
  // Every unit of UTF-16 is at least one byte of UTF-8: a claimed length is never walked through.
  if (length > topicBytesMax) return tooLong // [MQTT-4.7.3-3] [v3 MQTT-4.7.3-3]
  let found = plain
  let separators = 0
  let extraBytes = 0 // bytes of UTF-8 beyond one per unit of UTF-16
  for (let i = 0; i < length; i++) {
    const c = text.charCodeAt(i)
    if (c < 0x7f) {
      if (c > 0x2f) continue
      if (c === 0x2f) {
        separators++
        if (separators > separatorsMax) return tooDeep
      } else if (c === 0x2b) {
        if (!startsLevel(text, i) || !endsLevel(text, i)) {
          return plusInLevel // [MQTT-4.7.1-2] [v3 MQTT-4.7.1-3]
        }
        found = wild
      } else if (c === 0x23) {
        if (!startsLevel(text, i) || !endsLevel(text, i)) {
          return hashInLevel // [MQTT-4.7.1-1] [v3 MQTT-4.7.1-2]
        }
        if (i + 1 < length) return hashNotLast
        found = wild
      } else if (c < 0x20) {
        return c === 0 ? nullCharacter : controlCharacter // [MQTT-4.7.3-2] [v3 MQTT-4.7.3-2]
      }
    } else if (c < 0xa0) {
      return controlCharacter
    } else if (c < 0x800) {
      extraBytes += 1
    } else if (c < 0xd800 || c > 0xdfff) {
      if ((c >= 0xfdd0 && c <= 0xfdef) || c >= 0xfffe) return nonCharacter
      extraBytes += 2
    } else {
      const low = i + 1 < length ? text.charCodeAt(i + 1) : 0
      if (c > 0xdbff || low < 0xdc00 || low > 0xdfff) {
        return loneSurrogate // [MQTT-1.5.4-1] [v3 MQTT-1.5.3-1]
      }
      // The last two code points of every plane: high ends in 6 one bits, low in 9 and any.
      if ((c & 0x3f) === 0x3f && low >= 0xdffe) return nonCharacter
      extraBytes += 2 // four bytes for two units
      i++
    }
  }
  return length + extraBytes > topicBytesMax ? tooLong : found // [MQTT-4.7.3-3] [v3 MQTT-4.7.3-3]
}

const startsLevel = (text: string, i: number): boolean => i === 0 || text.charCodeAt(i - 1) === 0x2f

const endsLevel = (text: string, i: number): boolean =>
  i + 1 === text.length || text.charCodeAt(i + 1) === 0x2f
