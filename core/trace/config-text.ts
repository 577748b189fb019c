// A configuration as words, both ways: what differs from the defaults as `key=value`, the value in
// JSON, and then each listener with rules of its own, as `listener "name"` and what of its rules
// differs from the broker's. The codec of json.ts knows which options there are and what each of
// them may be. An access list is the lines of its file as one text, where that says it all:
// `acl="user u; topic read a"`.

import type { Acl } from '../broker/acl.ts'
import type { Config } from '../broker/config.ts'
import { defaults } from '../broker/config.ts'
import { aclText, parseAcl, withoutPlaces } from '../config/acl-file.ts'
import { E } from '../prelude.ts'
import { acl as aclCodec, listenerRuleKeys } from './input.ts'
import { decodeConfig, encodeConfig } from './json.ts'
import type { Words } from './words.ts'
import { accept, fail, peek, quote, take, takeQuoted } from './words.ts'

type Options = Readonly<Record<string, unknown>>

const optionsOf = (config: Config): Options => encodeConfig(config) as Options

const rulesIn = (options: Options): Options =>
  Object.fromEntries(listenerRuleKeys.map((key) => [key, options[key]]))

// JSON leaves alone what may look like something else, or like nothing.
const surprising = /[^ -~]/g

const escaped = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`

const aclOf = (lines: string): Acl | null => {
  const file = parseAcl('acl', lines.replaceAll('; ', '\n'))
  return E.isRight(file) ? withoutPlaces(file.right.acl) : null
}

/**
 * The lines of an access list in one, as far as they read as the same list; else its JSON. The
 * file that it was read from is left out: who reads the text does not have it.
 */
const shortAcl = (json: unknown): unknown => {
  const acl = aclCodec.decode(json)
  if (E.isLeft(acl)) return json
  const bare = aclCodec.encode(withoutPlaces(acl.right))
  const lines = aclText(acl.right).trimEnd().replaceAll('\n', '; ')
  const again = aclOf(lines)
  const isSame = again !== null && JSON.stringify(aclCodec.encode(again)) === JSON.stringify(bare)
  return isSame ? lines : bare
}

const differing = (options: Options, usual: Options): ReadonlyArray<string> =>
  Object.entries(options)
    .filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(usual[key]))
    .map(([key, value]) => [key, key === 'acl' ? shortAcl(value) : value] as const)
    .map(([key, value]) => `${key}=${JSON.stringify(value).replaceAll(surprising, escaped)}`)

/** What differs from the defaults, in the order of the options; listeners left out. */
export const optionsText = (config: Config): ReadonlyArray<string> =>
  differing({ ...optionsOf(config), listeners: [] }, optionsOf(defaults))

/** The words of each listener that has rules of its own. */
export const listenerTexts = (config: Config): ReadonlyArray<ReadonlyArray<string>> => {
  const usual = rulesIn(optionsOf(config))
  return config.listeners.map(([name, rules]) => {
    const own = rulesIn(optionsOf({ ...config, ...rules, listeners: [] }))
    return ['listener', quote(name, '"'), ...differing(own, usual)]
  })
}

/** Both on one line. */
export const configText = (config: Config): ReadonlyArray<string> => [
  ...optionsText(config),
  ...listenerTexts(config).flat(),
]

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** These options with those up to the next listener or the end of the line in their place. */
const takeOptions = (w: Words, usual: Options, what: string): Options => {
  const options: Record<string, unknown> = { ...usual }
  while (peek(w) !== '' && peek(w) !== 'listener' && w.fault === null) {
    const token = take(w)
    const at = token.indexOf('=')
    const key = token.slice(0, Math.max(at, 0))
    const text = parsed(token.slice(at + 1))
    const acl = key === 'acl' && typeof text === 'string' ? aclOf(text) : null
    const value = acl === null ? text : aclCodec.encode(acl)
    if (at < 0 || value === undefined) {
      fail(w, `${token} is no ${what}: write key=value with the value in JSON`)
    } else if (!Object.hasOwn(options, key)) {
      fail(w, `there is no ${what} ${key}: core/broker/config.ts has them all`)
    } else options[key] = value
  }
  return options
}

const settled = (w: Words, options: Options, otherwise: Config): Config => {
  if (w.fault !== null) return otherwise
  const config = decodeConfig(options)
  if (E.isRight(config)) return config.right
  fail(w, `the configuration does not hold: ${config.left}`)
  return otherwise
}

/** The configuration with the listeners that are written up to the end of the line. */
export const takeListeners = (w: Words, config: Config): Config => {
  const options = optionsOf(config)
  const listeners = [...options['listeners'] as ReadonlyArray<unknown>]
  while (accept(w, 'listener')) {
    const name = takeQuoted(w, '"', 'the name of a listener')
    listeners.push([name, takeOptions(w, rulesIn(options), 'rule of a listener')])
  }
  return settled(w, { ...options, listeners }, config)
}

/** The defaults with the options and the listeners up to the end of the line. */
export const takeConfig = (w: Words): Config => {
  const config = settled(w, takeOptions(w, optionsOf(defaults), 'option'), defaults)
  return peek(w) === 'listener' ? takeListeners(w, config) : config
}
