// What is known of an option: one row of the table that the parser, the printer, the comparison of
// two configurations and the documentation are made of.

import type { ListenerSettings, LogDestination, LogSettings, Settings } from './settings.ts'
import type { PersistenceSettings } from './settings.ts'

/** A value as Settings hold it. */
export type Value =
  | null
  | boolean
  | number
  | string
  | ReadonlyArray<number>
  | ReadonlyArray<string>
  | ReadonlyArray<LogDestination>

/** Where in Settings an option ends up. */
export type BrokerKey =
  | Exclude<keyof Settings, 'listeners' | 'log' | 'warnings' | 'notices' | 'origins'>
  | `log.${keyof LogSettings}`
  | `persistence.${keyof PersistenceSettings}`

/** Where in ListenerSettings an option ends up. */
export type ListenerKey = Exclude<keyof ListenerSettings, 'name' | 'port' | 'path'>

/** How the words after the name are read. */
export type Kind =
  | { readonly _tag: 'Truth' }
  /** A whole number, as strtol(3) reads it with base 0. */
  | {
    readonly _tag: 'Whole'
    readonly min: number
    readonly max: number
    /** What lies outside is refused with these words, `%` stands for the number. */
    readonly refusal: string
    /** What is less than `min` counts as this instead; null means "no limit". */
    readonly below?: number | null
    /** What is more than `max` counts as `max`, with this warning. */
    readonly above?: string
    /** Single numbers that count as another. */
    readonly same?: readonly [from: number, to: number]
    /** One unit of the file is so many of Settings. */
    readonly scale: number
    readonly unit: string
  }
  /** The rest of the line without blanks at its ends. */
  | { readonly _tag: 'Text'; readonly what: string; readonly check?: 'prefix' | 'topic' }
  | {
    readonly _tag: 'Word'
    readonly words: ReadonlyArray<readonly [word: string, value: string]>
    /** Other words are refused with this, `%` stands for the word. */
    readonly refusal: string
    /** Words of mosquitto's that are not there, with the reason and the remedy. */
    readonly missing: ReadonlyArray<readonly [word: string, sentence: string]>
  }
  /** A number and one of s h d w m y. */
  | { readonly _tag: 'Duration' }
  | { readonly _tag: 'Levels' }
  | { readonly _tag: 'Facility' }
  /** Each line adds a destination, or a type. */
  | { readonly _tag: 'Destination' }
  | { readonly _tag: 'LogType' }
  /** The parser has a rule of its own for it. */
  | { readonly _tag: 'Own'; readonly shape: string }

export type Scope =
  /** One value for the broker. */
  | 'global'
  /** One value for the broker; with `per_listener_settings true`, for the listener above it. */
  | 'security'
  /** Of the listener above it; without one it makes the default listener. */
  | 'listener'
  /** Of the listener above it, which there must be. */
  | 'listener only'
  /** The same, and the default listener is not enough. */
  | 'explicit listener'
  /** Of the plugin above it. */
  | 'plugin'
  /** Of the bridge above it. */
  | 'bridge'

/** When a change of an option takes effect after a reload. */
export type Reload = 'now' | 'new connections' | 'restart'

export const groups = [
  'Access and identity',
  'Limits and delivery',
  'Persistence',
  'Logging and status',
  'Plugins',
  'Listeners',
  'Listeners: TLS',
  'Bridges: the link',
  'Bridges: protocol and topics',
  'Bridges: TLS',
  'Gone',
] as const

export type Group = (typeof groups)[number]

export interface Option {
  readonly name: string
  /** Older names of mosquitto's that mean the same. */
  readonly aliases: ReadonlyArray<string>
  readonly group: Group
  readonly scope: Scope
  readonly kind: Kind
  /** As Settings hold it; for what Settings do not hold, what counts as not asked for. */
  readonly initial: Value
  /** Null for what the parser turns into something else, and for what is not there. */
  readonly key: BrokerKey | ListenerKey | null
  /** The name in messages about its value, where mosquitto has another one. */
  readonly label: string
  readonly reload: Reload
  /** The version of mosquitto that brought it, null for older than 2.0; ours are 'Sabethes'. */
  readonly since: string | null
  /** What to do instead, without a full stop, for what mosquitto 2.1 calls deprecated. */
  readonly deprecated: string | null
  /** Why it is refused, with the remedy; null where it works. */
  readonly missing: string | null
  readonly meaning: string
}

/** What may be left out of a row. */
export type Row =
  & Pick<Option, 'name' | 'scope' | 'kind' | 'initial' | 'key' | 'reload' | 'meaning'>
  & Partial<Pick<Option, 'aliases' | 'label' | 'since' | 'deprecated' | 'missing'>>

export const rows = (group: Group, some: ReadonlyArray<Row>): ReadonlyArray<Option> =>
  some.map((row) => ({
    aliases: [],
    label: row.name,
    since: null,
    deprecated: null,
    missing: null,
    ...row,
    group,
  }))

/** The largest number that mosquitto reads: its `int`. */
export const intMax = 2_147_483_647

export const truth: Kind = { _tag: 'Truth' }

export const text = (what: string): Kind => ({ _tag: 'Text', what })

/** A number that mosquitto keeps in an `int`. */
export const whole = (
  min: number,
  refusal: string,
  more: { max?: number; below?: number | null; scale?: number; unit?: string } = {},
): Kind => {
  const { max = intMax, scale = 1, unit = '' } = more
  const base = { _tag: 'Whole' as const, min, max, refusal, scale, unit }
  return more.below === undefined ? base : { ...base, below: more.below }
}

/** A number of ours, which may be as large as numbers are exact; a time may have 68 years. */
export const large = (name: string, min: number, unit: string, scale = 1): Kind => ({
  _tag: 'Whole',
  min,
  max: scale === 1 ? Number.MAX_SAFE_INTEGER : intMax,
  refusal: `Invalid '${name}' value (%): it must be at least ${min}.`,
  scale,
  unit,
})
