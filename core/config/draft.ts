// A configuration while it is being read: what was given so far, and where. Mutable, and seen by
// nobody but the parser.

import type { BrokerKey, ListenerKey, Option, Value } from './option.ts'
import type { Place } from './settings.ts'
import type { Read, Refusal } from './value.ts'
import { path } from './words.ts'

/** What one line has given. */
export interface Given {
  readonly value: Value
  readonly option: string
  readonly place: Place
}

export type Values = Map<BrokerKey | ListenerKey, Given>

export interface DraftListener {
  port: number
  host: string | null
  readonly path: string | null
  readonly place: Place
  readonly isDefault: boolean
  /** Where the default listener was given a port, or an address. */
  portAt: Place | null
  hostAt: Place | null
  readonly values: Values
}

export type PluginKind = 'password file' | 'acl file' | 'persist sqlite'

/** A plugin of mosquitto's that stands for options of ours. */
export interface Plugin {
  readonly kind: PluginKind
  /** The name of its file, without the folder. */
  readonly base: string
  readonly place: Place
  file: Given | null
  denySpecialChars: Given | null
  /** Whom it serves: a listener, or with null all of them. */
  readonly users: Array<DraftListener | null>
}

export interface Draft {
  readonly values: Values
  readonly listeners: Array<DraftListener>
  fallback: DraftListener | null
  isLocalOnly: boolean
  isPerListener: boolean
  /** An option about security was given. */
  isSecured: boolean
  /** Where a log file was named. */
  logFileAt: Place | null
  readonly plugins: Array<Plugin>
  readonly named: Map<string, Plugin>
  readonly warnings: Array<string>
  readonly notices: Array<string>
}

export const emptyDraft = (): Draft => ({
  values: new Map(),
  listeners: [],
  fallback: null,
  isLocalOnly: true,
  isPerListener: false,
  isSecured: false,
  logFileAt: null,
  plugins: [],
  named: new Map(),
  warnings: [],
  notices: [],
})

/** What a file has above the line that is being read. */
export interface Above {
  listener: DraftListener | null
  plugin: Plugin | null
}

/** Why reading ends. */
export interface Fault extends Refusal {
  readonly status: 3 | 13
}

export const fault = (line: string, remedy: string, status: 3 | 13 = 3): Fault => ({
  line,
  remedy,
  status,
})

export const stop = ({ line, remedy }: Refusal): Fault => fault(line, remedy)

export const needsListener = (name: string): Fault =>
  fault(
    `The '${name}' option requires a listener to be defined first.`,
    "Write it below a line 'listener PORT'.",
  )

export const showPlace = ({ file, line }: Place): string => `${path(file)}:${line}`

/** Adds a listener. */
export const addListener = (
  draft: Draft,
  place: Place,
  some: Partial<Pick<DraftListener, 'port' | 'host' | 'path' | 'isDefault'>>,
): DraftListener => {
  const listener: DraftListener = {
    port: 1883,
    host: null,
    path: null,
    isDefault: false,
    ...some,
    place,
    portAt: null,
    hostAt: null,
    values: new Map(),
  }
  draft.listeners.push(listener)
  return listener
}

/** The default listener, made where there is none. */
export const fallbackOf = (draft: Draft, name: string, place: Place): DraftListener => {
  if (draft.fallback === null) {
    draft.fallback = addListener(draft, place, { isDefault: true })
    draft.notices.push(`Creating default listener due to '${name}' option.`)
  }
  return draft.fallback
}

/** Keeps a value; whoever gives one twice is told, or stopped. */
export const keep = (
  draft: Draft,
  values: Values,
  option: Option,
  name: string,
  read: Read,
  place: Place,
): Fault | null => {
  if (read.warning !== null) draft.warnings.push(read.warning)
  const key = option.key
  if (key === null) return null
  const before = values.get(key)
  const given: Given = { value: read.value, option: option.name, place }
  if (before === undefined) {
    values.set(key, given)
    return null
  }
  if (option.kind._tag === 'Text') {
    const where = `The other one is at ${showPlace(before.place)}: leave one of them out.`
    if (option.name === 'persistence_location' && before.value === read.value) {
      draft.warnings.push(
        `'${name}' is given twice with the same value: at ${showPlace(before.place)} and ` +
          `${showPlace(place)}.`,
      )
      return null
    }
    return fault(`Duplicate '${option.label}' value in configuration.`, where)
  }
  if (before.value !== read.value && option.kind._tag !== 'LogType') {
    draft.warnings.push(
      `'${name}' is given twice: ${showPlace(place)} counts, ${showPlace(before.place)} does not.`,
    )
  }
  values.set(key, given)
  return null
}
