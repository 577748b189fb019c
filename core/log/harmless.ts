// Text that a peer chose, made fit for a line of the log.

import { isHarmful } from '../config/words.ts'

const charactersMax = 64

/** In JSON strings are data and not a line to read, so they may be longer. */
const jsonCharactersMax = 1_024

/**
 * Makes text that a peer chose fit for a line of the log: at most 64 characters; controls, marks
 * that change the direction of writing and line separators as `\xNN` or `\uNNNN`.
 */
export const harmless = (text: string): string => escaped(cut(text, charactersMax), shortEscape)

/** The value as JSON that is one line and shows what is there; long strings are cut. */
export const harmlessJson = (value: unknown): string =>
  escaped(
    JSON.stringify(
      value,
      (_, part: unknown) => typeof part === 'string' ? cut(part, jsonCharactersMax) : part,
    ),
    // Outside of strings JSON has none of these characters.
    longEscape,
  )

const cut = (text: string, max: number): string => {
  if (text.length <= max) return text
  // Half a surrogate pair would be no character at all.
  const last = text.charCodeAt(max - 1)
  const end = last >= 0xd800 && last < 0xdc00 ? max - 1 : max
  return text.slice(0, end) + '...'
}

const escaped = (text: string, escape: (code: number) => string): string => {
  let written = ''
  let from = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (!isHarmful(code)) continue
    written += text.slice(from, i) + escape(code)
    from = i + 1
  }
  return from === 0 ? text : written + text.slice(from)
}

const longEscape = (code: number): string => `\\u${code.toString(16).padStart(4, '0')}`

const shortEscape = (code: number): string =>
  code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : longEscape(code)
