// What somebody may tell a broker whom no types help: the options of start(), configurations and
// commands, with what may stand in them. The types say the same; an option that is missing here is
// an error of theirs.

import type { Config } from '../../core/broker/config.ts'
import { defaults } from '../../core/broker/config.ts'
import type { Command, Revocation } from '../../core/broker/input.ts'
import type { StartOptions } from './start.ts'
import type { Kind, Shape } from './wrong.ts'
import {
  anything,
  checkNames,
  checkRecord,
  checkValue,
  flag,
  list,
  message,
  needed,
  number,
  oneOf,
  record,
  text,
  texts,
  work,
} from './wrong.ts'

const accessList: Kind = {
  words: 'null or an access list, as parseAcl makes them',
  holds: (it) =>
    it === null || (typeof it === 'object' && 'anonymous' in it && 'users' in it &&
      'patterns' in it),
}

/** Texts of a configuration that are one of a few words, and what its default does not show. */
const choices: { readonly [Name in keyof Config]?: Kind } = {
  authentication: oneOf('none', 'judge'),
  redirect: oneOf('none', 'use another server', 'server moved'),
  sharedOrder: oneOf('round robin', 'prefer online', 'sticky', 'hash of topic'),
  sharedOffline: oneOf('queue', 'drop'),
  acl: accessList,
}

const configNames = Object.keys(defaults)

const kindLike = (value: unknown): Kind => {
  if (typeof value === 'boolean') return flag
  if (typeof value === 'number') return number
  if (typeof value === 'string') return text
  return Array.isArray(value) ? list : anything
}

const configKinds = new Map<string, Kind>([
  ...Object.entries(defaults).map(([name, value]) => [name, kindLike(value)] as const),
  ...Object.entries(choices),
])

/** What differs from the defaults of the broker. */
export const checkConfig = (what: string, config: unknown): void => {
  checkNames(what, config, configNames)
  for (const [name, value] of Object.entries(Object(config))) {
    checkValue(`${what}: ${name}`, configKinds.get(name)!, value)
  }
}

type CommandShapes = {
  readonly [Tag in Command['_tag']]: Shape<Extract<Command, { readonly _tag: Tag }>>
}

// Which one it is has been looked at before.
const _tag = anything

const commandShapes: CommandShapes = {
  Stop: { _tag },
  Redirect: { _tag },
  Kick: { _tag, clientId: needed(text) },
  Publish: { _tag, packet: needed(message) },
  Shut: { _tag, listener: needed(text) },
  Revoke: { _tag, revocation: needed(record) },
}

const revocationShape: Shape<Revocation> = { listener: needed(text), userNames: needed(texts) }

const commandTag = oneOf(...Object.keys(commandShapes))

export const checkCommand = (command: Command): void => {
  checkValue('a command', record, command)
  checkValue('the _tag of a command', commandTag, command._tag)
  checkRecord(`command ${command._tag}`, commandShapes[command._tag], command)
  if (command._tag === 'Revoke') {
    checkRecord('revocation of command', revocationShape, command.revocation)
  }
}

const startShape: Shape<StartOptions> = {
  ports: list,
  hosts: texts,
  listeners: list,
  isLocalOnly: flag,
  introduction: list,
  listening: work,
  openStore: work,
  config: record,
  memoryLimitBytes: number,
  // Says by itself what it should be.
  persistence: anything,
  recording: record,
  verbosity: oneOf('quiet', 'normal', 'verbose'),
  log: record,
  print: work,
  judge: work,
  scram: record,
  fatal: work,
}

export const checkStart = (options: StartOptions): void => {
  checkRecord('start()', startShape, options)
  if (options.config !== undefined) checkConfig('config of start()', options.config)
}
