// A configuration as words, both ways: what differs from the defaults as `key=value`, the value in
// JSON. The codec of json.ts knows which options there are and what each of them may be.

import type { Config } from '../broker/config.ts'
import { defaults } from '../broker/config.ts'
import { E } from '../prelude.ts'
import { decodeConfig, encodeConfig } from './json.ts'
import type { Words } from './words.ts'
import { fail, peek, take } from './words.ts'

const optionsOf = (config: Config): Readonly<Record<string, unknown>> =>
  encodeConfig(config) as Readonly<Record<string, unknown>>

// JSON leaves alone what may look like something else, or like nothing.
const surprising = /[^ -~]/g

const escaped = (unit: string): string =>
  `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`

/** What differs from the defaults, in the order of the options. */
export const configText = (config: Config): ReadonlyArray<string> => {
  const usual = optionsOf(defaults)
  return Object.entries(optionsOf(config))
    .map(([key, value]) => [key, JSON.stringify(value)] as const)
    .filter(([key, value]) => value !== JSON.stringify(usual[key]))
    .map(([key, value]) => `${key}=${value.replaceAll(surprising, escaped)}`)
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The defaults with the options up to the end of the line in their place. */
export const takeConfig = (w: Words): Config => {
  const options: Record<string, unknown> = { ...optionsOf(defaults) }
  while (peek(w) !== '' && w.fault === null) {
    const token = take(w)
    const at = token.indexOf('=')
    const key = token.slice(0, Math.max(at, 0))
    const value = parsed(token.slice(at + 1))
    if (at < 0 || value === undefined) {
      fail(w, `${token} is no option: write key=value with the value in JSON`)
    } else if (!Object.hasOwn(options, key)) {
      fail(w, `there is no option ${key}: core/broker/config.ts has them all`)
    } else options[key] = value
  }
  if (w.fault !== null) return defaults
  const config = decodeConfig(options)
  if (E.isRight(config)) return config.right
  fail(w, `the configuration does not hold: ${config.left}`)
  return defaults
}
