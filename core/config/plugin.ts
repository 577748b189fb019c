// The plugins that come with mosquitto, named by their files: some do what options of ours do, and
// are read as these. No code is loaded, so any other plugin is refused.

import { fault, needsListener, showPlace, stop } from './draft.ts'
import type { Above, Draft, DraftListener, Fault, Plugin, PluginKind } from './draft.ts'
import { optionOf } from './table.ts'
import type { Place } from './settings.ts'
import { empty, isMalformed, malformed, readValue, trim, wordsOf } from './value.ts'
import { path, quoted } from './words.ts'

const kinds: ReadonlyMap<string, PluginKind> = new Map<string, PluginKind>([
  ['mosquitto_password_file', 'password file'],
  ['mosquitto_acl_file', 'acl file'],
  ['mosquitto_persist_sqlite', 'persist sqlite'],
])

const refused: ReadonlyMap<string, string> = new Map([
  [
    'mosquitto_dynamic_security',
    'Dynamic security is not there yet: use password_file and acl_file.',
  ],
  ['mosquitto_sparkplug_aware', 'Sparkplug is not there yet: leave the plugin out.'],
])

/** What mosquitto_persist_sqlite is told about its database; ours flushes what it acknowledges. */
const idle: ReadonlySet<string> = new Set(['sync', 'page_size', 'flush_period'])

const pluginUnusable = 13

const baseOf = (name: string): string =>
  name.slice(
    Math.max(
      name.lastIndexOf('/'),
      name.lastIndexOf('\\'),
    ) + 1,
  )

const load = (draft: Draft, file: string, place: Place): Fault | Plugin => {
  const base = baseOf(file)
  const name = base.replace(/\.(so|dll|dylib)$/, '')
  const kind = kinds.get(name)
  if (kind === undefined || name === base) {
    return fault(
      `Unable to load plugin "${path(file)}".`,
      refused.get(name) ?? 'Sabethes loads no plugins: leave the line out, or use a program that ' +
          'embeds the broker.',
      pluginUnusable,
    )
  }
  const plugin: Plugin = { kind, base, place, file: null, denySpecialChars: null, users: [] }
  draft.plugins.push(plugin)
  return plugin
}

const isFault = (found: Fault | Plugin): found is Fault => 'line' in found

/** `plugin`, `auth_plugin` and `global_plugin`. */
export const usePlugin = (
  draft: Draft,
  above: Above,
  name: string,
  rest: string,
  place: Place,
): Fault | null => {
  let user: DraftListener | null = null
  if (name !== 'global_plugin') {
    if (draft.isPerListener && above.listener === null) return needsListener(name)
    if (draft.isPerListener) user = above.listener
  }
  draft.isSecured = true
  const [file] = wordsOf(rest)
  if (file === undefined) return stop(empty(name))
  const plugin = load(draft, file, place)
  if (isFault(plugin)) return plugin
  plugin.users.push(user)
  above.plugin = plugin
  return null
}

export const loadPlugin = (
  draft: Draft,
  above: Above,
  rest: string,
  place: Place,
): Fault | null => {
  const [name, ...more] = wordsOf(rest)
  if (name === undefined) return stop(empty('plugin_load'))
  const other = draft.named.get(name)
  if (other !== undefined) {
    return fault(
      `Duplicate plugin name '${quoted(name)}'.`,
      `The other one is at ${showPlace(other.place)}: give one of them another name.`,
    )
  }
  if (more.length === 0) {
    return fault(empty('plugin_load').line, 'It wants a name and the path of a plugin.')
  }
  const plugin = load(draft, trim(rest.slice(rest.indexOf(name) + name.length)), place)
  if (isFault(plugin)) return plugin
  draft.named.set(name, plugin)
  above.plugin = plugin
  return null
}

export const useNamed = (draft: Draft, above: Above, rest: string): Fault | null => {
  const { listener } = above
  if (listener === null || listener.isDefault) return needsListener('plugin_use')
  const name = trim(rest)
  if (name === '') return stop(empty('plugin_use'))
  const plugin = draft.named.get(name)
  if (plugin === undefined) {
    return fault(
      `Plugin '${quoted(name)}' not previously loaded.`,
      'A line plugin_load NAME PATH above it gives a plugin its name.',
    )
  }
  plugin.users.push(listener)
  above.plugin = plugin
  return null
}

/** `plugin_opt_*` and `auth_opt_*`. */
export const givePlugin = (
  draft: Draft,
  above: Above,
  name: string,
  rest: string,
  place: Place,
): Fault | null => {
  const { plugin } = above
  if (plugin === null) {
    return fault(
      `The '${quoted(name)}' option requires plugin/global_plugin/plugin_load to be defined first.`,
      'Write it below the line of its plugin.',
    )
  }
  const key = name.slice(name.indexOf('_opt_') + 5)
  if (key.length < 3) {
    return fault(
      "Invalid 'plugin_opt_' config option.",
      `Write a longer name than ${quoted(name)}.`,
    )
  }
  const value = trim(rest)
  if (value === '') return stop(empty(quoted(key)))
  if (isMalformed(value)) return stop(malformed(value))
  const isFile = (plugin.kind === 'password file' && key === 'password_file') ||
    (plugin.kind === 'acl file' && key === 'acl_file')
  if (isFile) {
    if (plugin.file !== null) {
      return fault(
        `Duplicate '${key}' value in configuration.`,
        `The other one is at ${showPlace(plugin.file.place)}: leave one of them out.`,
      )
    }
    plugin.file = { value, option: `plugin_opt_${key}`, place }
    return null
  }
  if (plugin.kind === 'persist sqlite' && idle.has(key)) {
    draft.warnings.push(
      `'${name}' does nothing: the store flushes whatever is acknowledged (${showPlace(place)}).`,
    )
    return null
  }
  return fault(`Plugin '${plugin.base}' has no option '${quoted(key)}'.`, 'Leave the line out.')
}

export const denySpecialChars = (above: Above, rest: string, place: Place): Fault | null => {
  const option = optionOf('auth_plugin_deny_special_chars')!
  if (above.plugin === null) {
    return fault(
      `An ${option.name} option exists in the config file without a plugin.`,
      'Write it below the line of mosquitto_acl_file.so.',
    )
  }
  const read = readValue(option, rest)
  if (read._tag === 'Left') return stop(read.left)
  above.plugin.denySpecialChars = { value: read.right.value, option: option.name, place }
  return null
}
