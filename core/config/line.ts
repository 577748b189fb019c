// One line of a configuration file: which option it gives, to what, and whether it may stand there.

import { utf8Size } from '../codec/utf8.ts'
import { E } from '../prelude.ts'
import { addListener, fallbackOf, fault, keep, needsListener, showPlace, stop } from './draft.ts'
import type { Above, Draft, Fault, Values } from './draft.ts'
import type { Option, Value } from './option.ts'
import { denySpecialChars, givePlugin, loadPlugin, useNamed, usePlugin } from './plugin.ts'
import { logTypes, socketPathBytesMax } from './settings.ts'
import type { LogDestination, Place } from './settings.ts'
import { optionNames, optionOf } from './table.ts'
import { empty, isMalformed, malformed, parseNumeral, readValue, trim, wordsOf } from './value.ts'
import { meant, quoted } from './words.ts'

const portMax = 65_535

/** Takes in `name rest`; null if all is well. `include_dir` is not for here. */
export const takeLine = (
  draft: Draft,
  above: Above,
  name: string,
  rest: string,
  place: Place,
): Fault | null => {
  const option = optionOf(name)
  if (option === undefined) {
    return /^(auth|plugin)_opt_/.test(name)
      ? givePlugin(draft, above, name, rest, place)
      : unknown(name)
  }
  switch (option.name) {
    case 'listener':
      return takeListener(draft, above, rest, place)
    case 'port':
      return takePort(draft, above, option, rest, place)
    case 'bind_address':
      return takeAddress(draft, above, option, rest, place)
    case 'per_listener_settings':
      return takePerListener(draft, rest)
    case 'retry_interval':
      draft.warnings.push(`The '${name}' option is no longer available.`)
      return null
    case 'dhparamfile':
      draft.warnings.push('dhparamfile is no longer required.')
      return null
    case 'plugin':
    case 'global_plugin':
      return usePlugin(draft, above, name, rest, place)
    case 'plugin_load':
      return loadPlugin(draft, above, rest, place)
    case 'plugin_use':
      return useNamed(draft, above, rest)
    case 'plugin_opt_password_file':
    case 'plugin_opt_acl_file':
      return givePlugin(draft, above, name, rest, place)
    case 'auth_plugin_deny_special_chars':
      return denySpecialChars(above, rest, place)
    default:
      return takeValue(draft, above, option, name, rest, place)
  }
}

const unknown = (name: string): Fault => {
  const isComment = name.trim().startsWith('#')
  const near = isComment ? null : meant(name, optionNames)
  const remedy = isComment
    ? 'A comment begins with # as the very first character of its line.'
    : near === null
    ? 'mosquitto 2.1 and Sabethes know no such option: take the line out.'
    : `Did you mean '${near}'?${/^\w+[^\w.-]/.test(name) ? ' Write a blank behind it.' : ''}`
  return fault(`Unknown configuration variable '${quoted(name)}'.`, remedy)
}

/** What there is no use for here, and why; said, so that nobody waits for an effect. */
const withoutEffect: { readonly [option: string]: string } = {
  packet_buffer_size: 'buffers grow and shrink with what is read',
  persistence_file: 'the store is the file sabethes.sqlite3 in persistence_location',
}

const takeValue = (
  draft: Draft,
  above: Above,
  option: Option,
  name: string,
  rest: string,
  place: Place,
): Fault | null => {
  if (option.missing !== null) return refuseMissing(option, option.missing, name, rest)
  const values = valuesFor(draft, above, option, name, place)
  if (!(values instanceof Map)) return values
  // In messages mosquitto calls these two as they were written.
  const isNamed = option.name === 'persistence' || option.name === 'max_qos'
  const read = readValue(isNamed ? { ...option, label: name } : option, rest)
  if (E.isLeft(read)) return stop(read.left)
  if (option.deprecated !== null) {
    draft.notices.push(`The '${name}' option is deprecated: ${option.deprecated}.`)
  }
  const idle = withoutEffect[option.name]
  if (idle !== undefined) draft.notices.push(`The '${name}' option changes nothing: ${idle}.`)
  const { value } = read.right
  if (option.kind._tag !== 'Destination' && option.kind._tag !== 'LogType') {
    return keep(draft, values, option, name, read.right, place)
  }
  if (!Array.isArray(value)) return null
  const added: ReadonlyArray<LogDestination | string> = value
  if (added.some((one) => typeof one !== 'string' && one.to === 'file')) {
    if (draft.logFileAt !== null) {
      const where = `The other one is at ${showPlace(draft.logFileAt)}: leave one of them out.`
      return fault('Duplicate "log_dest file" value.', where)
    }
    draft.logFileAt = place
  }
  const key = option.key!
  const before = values.get(key)?.value
  // `none` forgets what was said before it, and what comes after it is added again.
  const all = added.length === 0 ? [] : joined(Array.isArray(before) ? before : [], added)
  values.set(key, { value: all, option: option.name, place })
  return null
}

/** Both, each once; types in their own order. */
const joined = (
  before: ReadonlyArray<LogDestination | string>,
  added: ReadonlyArray<LogDestination | string>,
): Value => {
  const types: Array<string> = logTypes.filter((one) => before.includes(one) || added.includes(one))
  if (types.length > 0) return types
  const isNew = (one: LogDestination | string): boolean =>
    !before.some((other) => JSON.stringify(other) === JSON.stringify(one))
  return [...before, ...added.filter(isNew)].filter((one) => typeof one !== 'string')
}

/** An option that is not there is refused unless it asks for nothing. */
const refuseMissing = (
  option: Option,
  why: string,
  name: string,
  rest: string,
): Fault | null => {
  if (option.initial !== null) {
    const read = readValue({ ...option, label: name }, rest)
    if (E.isLeft(read)) return stop(read.left)
    if (read.right.value === option.initial) return null
  }
  return fault(`The '${name}' option cannot be used.`, why)
}

const valuesFor = (
  draft: Draft,
  above: Above,
  option: Option,
  name: string,
  place: Place,
): Values | Fault => {
  switch (option.scope) {
    case 'security':
      if (draft.isPerListener && above.listener === null) return needsListener(name)
      draft.isSecured = true
      return draft.isPerListener ? above.listener!.values : draft.values
    case 'listener':
      above.listener ??= fallbackOf(draft, name, place)
      return above.listener.values
    case 'listener only':
      return above.listener === null ? needsListener(name) : above.listener.values
    case 'explicit listener':
      return above.listener === null || above.listener.isDefault
        ? needsListener(name)
        : above.listener.values
    default:
      return draft.values
  }
}

const readPort = (rest: string, label: string, min: number, behind: string): Fault | number => {
  const [word] = wordsOf(rest)
  if (word === undefined) return stop(empty(label))
  const port = parseNumeral(word)
  const remedy = `In place of ${quoted(word)} write a port from 1 to ${portMax}${behind}.`
  if (port === null) return fault(`'${label}' value not a number.`, remedy)
  if (port < -2_147_483_648 || port > 2_147_483_647) {
    return fault(`'${label}' value out of range.`, remedy)
  }
  return port < min || port > portMax ? fault(`Invalid 'port' value (${port}).`, remedy) : port
}

const hostOf = (word: string | undefined): string | null | Fault => {
  if (word === undefined || word === '*') return null
  return isMalformed(word) ? stop(malformed(word)) : word
}

const takeListener = (draft: Draft, above: Above, rest: string, place: Place): Fault | null => {
  const behind = ', and behind it, after a blank, an address if any'
  const port = readPort(rest, 'listener port', 0, behind)
  if (typeof port !== 'number') return port
  const word = wordsOf(rest)[1]
  const second = word?.[0] === '#' ? undefined : word
  const host = hostOf(second)
  if (typeof host === 'object' && host !== null) return host
  if (port === 0 && second === undefined) {
    return fault(
      'A listener with port 0 must provide a Unix socket path.',
      'Write listener 0 /path/of/the/socket, or a port from 1 to 65535.',
    )
  }
  if (port === 0 && utf8Size(second!) > socketPathBytesMax) {
    return fault(
      `Path to unix socket is too long "${quoted(second!)}".`,
      `It may have ${socketPathBytesMax} bytes.`,
    )
  }
  draft.isLocalOnly = false
  above.listener = port === 0
    ? addListener(draft, place, { port, path: second! })
    : addListener(draft, place, { port, host })
  return null
}

const takePort = (
  draft: Draft,
  above: Above,
  option: Option,
  rest: string,
  place: Place,
): Fault | null => {
  const port = readPort(rest, 'port', 1, '')
  if (typeof port !== 'number') return port
  draft.notices.push(`The 'port' option is deprecated: ${option.deprecated}.`)
  draft.isLocalOnly = false
  const listener = fallbackOf(draft, 'port', place)
  if (listener.portAt !== null && listener.port !== port) {
    draft.warnings.push(
      'Default listener port specified multiple times. Only the latest will be used: ' +
        `${showPlace(place)} counts, ${showPlace(listener.portAt)} does not.`,
    )
  }
  listener.port = port
  listener.portAt = place
  above.listener = listener
  return null
}

const takeAddress = (
  draft: Draft,
  above: Above,
  option: Option,
  rest: string,
  place: Place,
): Fault | null => {
  const text = trim(rest)
  if (text === '') return stop(empty(option.label))
  const host = hostOf(text)
  if (typeof host === 'object' && host !== null) return host
  draft.notices.push(`The 'bind_address' option is deprecated: ${option.deprecated}.`)
  draft.isLocalOnly = false
  const listener = fallbackOf(draft, 'bind_address', place)
  if (listener.hostAt !== null) {
    return fault(
      `Duplicate '${option.label}' value in configuration.`,
      `The other one is at ${showPlace(listener.hostAt)}: leave one of them out.`,
    )
  }
  listener.host = host
  listener.hostAt = place
  above.listener = listener
  return null
}

const takePerListener = (draft: Draft, rest: string): Fault | null => {
  const option = optionOf('per_listener_settings')!
  draft.notices.push(`The '${option.name}' option is deprecated: ${option.deprecated}.`)
  if (draft.isPerListener) return null
  const read = readValue({ ...option, kind: { _tag: 'Truth' } }, rest)
  if (E.isLeft(read)) return stop(read.left)
  if (read.right.value === true && draft.isSecured) {
    return fault(
      'per_listener_settings must be set before any other security settings.',
      'Make it the first line of the file.',
    )
  }
  draft.isPerListener = read.right.value === true
  return null
}
