// Settings as a mosquitto.conf that says them: only what differs from the defaults. What a file
// cannot say (the ports of local-only mode, a salvaged store) is left out.

import type { Option, Value } from './option.ts'
import { defaultListener, defaultPersistence, defaultSettings } from './settings.ts'
import type { ListenerSettings, Settings } from './settings.ts'
import { table } from './table.ts'
import { showValue } from './value.ts'

/** The value under a key such as `log.types`; undefined where there is none. */
export const valueAt = (from: object, key: string): Value | undefined => {
  const dot = key.indexOf('.')
  const name = dot === -1 ? key : key.slice(0, dot)
  const value: unknown = Object.entries(from).find(([one]) => one === name)?.[1]
  if (dot === -1) return value as Value | undefined
  return typeof value === 'object' && value !== null
    ? valueAt(value, key.slice(dot + 1))
    : undefined
}

export const isSame = (a: Value | undefined, b: Value | undefined): boolean =>
  a === b || JSON.stringify(a) === JSON.stringify(b)

const linesFor = (option: Option, value: Value): ReadonlyArray<string> =>
  showValue(option, value).map((text) => `${option.name} ${text}`)

const brokerLines = (settings: Settings): ReadonlyArray<string> =>
  table.flatMap((option) => {
    const { key, scope } = option
    if (key === null || scope !== 'global') return []
    if (key === 'persistence') return settings.persistence === null ? [] : ['persistence true']
    if (key.startsWith('persistence.') && settings.persistence === null) return []
    const value = valueAt(settings, key)
    const initial = valueAt({ ...defaultSettings, persistence: defaultPersistence }, key)
    return value === undefined || isSame(value, initial) ? [] : linesFor(option, value)
  })

/** The options that say something of this listener, each value under one name. */
export const listenerOptions = (
  isLocalOnly: boolean,
  isPerListener: boolean,
): ReadonlyArray<Option> =>
  table.filter(({ name, key, scope }) => {
    if (key === null || scope === 'global' || scope === 'plugin') return false
    if (isLocalOnly) return scope === 'security' || scope === 'listener'
    const hasOwn = key === 'anonymous' || key === 'autoIdPrefix'
    if (hasOwn) return name.startsWith('listener_')
    return scope !== 'security' || isPerListener
  })

const listenerLines = (
  listener: ListenerSettings,
  initial: ListenerSettings,
  options: ReadonlyArray<Option>,
): ReadonlyArray<string> => {
  const lines: Array<string> = []
  for (const option of options) {
    const value = valueAt(listener, option.key!)
    if (value === undefined || isSame(value, valueAt(initial, option.key!))) continue
    const plugin = option.key === 'aclFile' && !listener.denySpecialChars
    if (plugin) {
      lines.push('plugin mosquitto_acl_file.so', `plugin_opt_acl_file ${value}`)
      lines.push('auth_plugin_deny_special_chars false')
    } else lines.push(...linesFor(option, value))
  }
  return lines
}

/** The value of the line `listener`. */
export const showHead = ({ port, host, path }: ListenerSettings): string =>
  path !== null ? `0 ${path}` : host === null ? String(port) : `${port} ${host}`

/** The text of a configuration file that is read as these settings. */
export const printSettings = (settings: Settings): string => {
  const { isLocalOnly, listeners } = settings
  const lines = [...brokerLines(settings)]
  const [first] = listeners
  if (isLocalOnly && first !== undefined) {
    const initial = { ...defaultListener(first.port), anonymous: true }
    lines.unshift(...listenerLines(first, initial, listenerOptions(true, false)))
  } else {
    const isPerListener = listeners.some(({ passwordFile, aclFile, zeroLengthClientId }) =>
      passwordFile !== null || aclFile !== null || !zeroLengthClientId
    )
    if (isPerListener) lines.unshift('per_listener_settings true')
    const options = listenerOptions(false, isPerListener)
    for (const listener of listeners) {
      lines.push('', `listener ${showHead(listener)}`)
      lines.push(...listenerLines(listener, defaultListener(listener.port), options))
    }
  }
  return lines.map((line) => `${line}\n`).join('')
}
