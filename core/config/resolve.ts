// From what a configuration has given to whole settings: what was said for all listeners is put
// into each, names are found for them, plugins become the options that they stand for.

import { fault, showPlace } from './draft.ts'
import type { Draft, DraftListener, Fault, Given, Values } from './draft.ts'
import type { BrokerKey, ListenerKey, Value } from './option.ts'
import {
  defaultListener,
  defaultLog,
  defaultPersistence,
  defaultPort,
  defaultSettings,
  localOnly,
} from './settings.ts'
import type { ListenerSettings, Origin, PersistenceSettings, Settings } from './settings.ts'
import { table } from './table.ts'
import { path } from './words.ts'

/** A fault, and the line that is to blame. */
export interface Blame {
  readonly fault: Fault
  readonly given: Given['place']
}

/** Gives to listeners what plugins say; the first thing to do. */
const usePlugins = (draft: Draft): Blame | null => {
  for (const plugin of draft.plugins) {
    if (plugin.users.length === 0) continue
    if (plugin.kind === 'persist sqlite') {
      const given = { value: true, option: 'plugin', place: plugin.place }
      if (!draft.values.has('persistence')) draft.values.set('persistence', given)
      continue
    }
    const option = plugin.kind === 'password file' ? 'password_file' : 'acl_file'
    const { file } = plugin
    if (file === null) {
      const line = `Unable to load plugin "${path(plugin.base)}": it was given no file.`
      const remedy = `Write plugin_opt_${option} FILE below it.`
      return { fault: fault(line, remedy, 13), given: plugin.place }
    }
    for (const user of plugin.users) {
      // One for all is one for each, whatever per_listener_settings says.
      const targets = user !== null
        ? [user.values]
        : draft.isPerListener
        ? draft.listeners.map(({ values }) => values)
        : [draft.values]
      for (const values of targets) {
        const key = option === 'password_file' ? 'passwordFile' : 'aclFile'
        const other = values.get(key) ?? (user === null ? undefined : draft.values.get(key))
        if (other !== undefined) {
          const line = `Duplicate '${option}' value in configuration.`
          const remedy = `The other one is at ${showPlace(other.place)}: leave one of them out.`
          return { fault: fault(line, remedy), given: file.place }
        }
        values.set(key, file)
        if (plugin.denySpecialChars !== null) {
          values.set('denySpecialChars', plugin.denySpecialChars)
        }
      }
    }
  }
  return null
}

// What a table says of keys and kinds the type checker cannot follow; the codec looks at the end.
const put = <A extends object>(target: A, values: Values, key: BrokerKey | ListenerKey): A => {
  const given = values.get(key)
  return given === undefined ? target : { ...target, [key]: given.value }
}

/** Keys of listeners, and of these the ones that may be given for all of them. */
const listenerKeys: ReadonlyArray<ListenerKey> = Object.keys(defaultListener(0))
  .filter((key): key is ListenerKey => key !== 'name' && key !== 'port' && key !== 'path')

const securityKeys: ReadonlySet<string> = new Set(
  table.flatMap(({ scope, key }) => scope === 'security' || scope === 'plugin' ? [key ?? ''] : []),
)

const listenerOf = (draft: Draft, from: DraftListener): ListenerSettings => {
  let some: ListenerSettings = {
    ...defaultListener(from.port),
    path: from.path,
    host: from.host,
  }
  for (const key of listenerKeys) {
    if (securityKeys.has(key)) some = put(some, draft.values, key)
    some = put(some, from.values, key)
  }
  return some
}

const suffixOf = ({ host, bindInterface, domain }: ListenerSettings): string => {
  const some = [host, bindInterface, domain === 'any' ? null : domain].filter((one) => one !== null)
  return some.length === 0 ? '*' : some.join(' ')
}

/** Names the listeners: by port or path, and by what tells them apart where they share a port. */
const name = (
  drafts: ReadonlyArray<DraftListener>,
  listeners: ReadonlyArray<ListenerSettings>,
): ReadonlyArray<ListenerSettings> | Blame => {
  const named: Array<ListenerSettings> = []
  for (const [i, listener] of listeners.entries()) {
    const isShared = listener.path === null &&
      listeners.some((other, j) => j !== i && other.path === null && other.port === listener.port)
    const whole = listener.path ??
      (isShared ? `${listener.port} on ${suffixOf(listener)}` : String(listener.port))
    const same = named.findIndex((other) => other.name === whole)
    if (same !== -1) {
      const line = `Two listeners on ${listener.path === null ? 'port ' : ''}${path(whole)}.`
      const remedy = `The other one is at ${showPlace(drafts[same]!.place)}: leave one of them out.`
      return { fault: fault(line, remedy), given: drafts[i]!.place }
    }
    named.push({ ...listener, name: whole })
  }
  return named
}

const originsOf = (
  values: Values,
  listener: string | null,
): ReadonlyArray<Origin> =>
  [...values.values()].map(({ option, place }) => ({ option, listener, place }))

const inside = <A extends object>(prefix: string, initial: A, values: Values): A => {
  let some = initial
  for (const key of Object.keys(initial)) {
    const given = values.get(`${prefix}.${key}` as BrokerKey)
    if (given !== undefined) some = { ...some, [key]: given.value }
  }
  return some
}

/** What was said about the store outside of a file. */
export interface StoreWishes {
  readonly isKept?: boolean
  readonly folder?: string
  readonly storeBytesMax?: number
  readonly salvage?: boolean
}

/** Where a file may say something else, and whatever it says. */
export interface StoreWish {
  readonly before: StoreWishes
  readonly after: StoreWishes
}

const noWish: StoreWish = { before: {}, after: {} }

const partly = ({ isKept: _, ...some }: StoreWishes): Partial<PersistenceSettings> => some

/** Settings with the store that was asked for, here and there. */
export const withStore = (
  settings: Settings,
  values: Values,
  variables: ReadonlyMap<string, string>,
  { before, after }: StoreWish,
): Settings => {
  const said: Value = values.get('persistence')?.value ?? before.isKept ?? false
  const folder = variables.get('MOSQUITTO_PERSISTENCE_LOCATION')
  const kept: PersistenceSettings = {
    ...inside('persistence', { ...defaultPersistence, ...partly(before) }, values),
    ...(folder ? { folder } : {}),
    ...partly(after),
  }
  return { ...settings, persistence: (after.isKept ?? said) === true ? kept : null }
}

/** Whole settings of what was given. `ports` count where no listener was defined. */
export const resolve = (
  draft: Draft,
  ports: ReadonlyArray<number>,
  variables: ReadonlyMap<string, string>,
  wish: StoreWish = noWish,
): Settings | Blame => {
  const blame = usePlugins(draft)
  if (blame !== null) return blame
  const { values } = draft
  let broker: Settings = defaultSettings
  for (const { key, scope } of table) {
    if (scope !== 'global' || key === null || key.includes('.') || key === 'persistence') continue
    broker = put(broker, values, key)
  }
  const lasting = withStore(broker, values, variables, wish)
  const whole: Settings = {
    ...lasting,
    log: inside('log', defaultLog, values),
    warnings: draft.warnings,
    notices: draft.notices,
  }
  if (draft.isLocalOnly) return alone(draft, whole, ports)
  const listeners = name(
    draft.listeners,
    draft.listeners.map((listener) => listenerOf(draft, listener)),
  )
  if ('fault' in listeners) return listeners
  return {
    ...whole,
    listeners,
    origins: [
      ...originsOf(values, null),
      ...draft.listeners.flatMap((from, i) => [
        { option: 'listener', listener: listeners[i]!.name, place: from.place },
        ...originsOf(from.values, listeners[i]!.name),
      ]),
    ],
  }
}

/** Local-only mode: the default listener is not opened, but what it was told holds. */
const alone = (draft: Draft, whole: Settings, ports: ReadonlyArray<number>): Settings => {
  const from = draft.fallback
  const every = listenerOf(
    draft,
    from ?? {
      port: defaultPort,
      host: null,
      path: null,
      place: { file: '', line: 0 },
      isDefault: true,
      portAt: null,
      hostAt: null,
      values: new Map(),
    },
  )
  const isSaid = draft.values.has('anonymous') || from?.values.has('anonymous') === true
  const anonymous = isSaid ? every.anonymous : true
  const remedy = 'No listener is defined, so only clients on this machine can connect: ' +
    "a line 'listener 1883' lets others in."
  return localOnly(
    ports.length === 0 ? [defaultPort] : [...new Set(ports)],
    {
      ...whole,
      warnings: [...whole.warnings, remedy],
      origins: [...originsOf(draft.values, null), ...originsOf(from?.values ?? new Map(), null)],
    },
    { ...every, anonymous },
  )
}
