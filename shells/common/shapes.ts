// What somebody may tell a broker whom no types help: the options of start(), configurations,
// listeners and commands, with what may stand in them. The types say the same; an option that is
// missing here is an error of theirs.

import type { Config, ListenerRules } from '../../core/broker/config.ts'
import { defaults } from '../../core/broker/config.ts'
import type { Command, Revocation } from '../../core/broker/input.ts'
import { logTypes } from '../../core/config/settings.ts'
import type { LogDestination, LogSettings } from '../../core/config/settings.ts'
import type { Address, Wanted } from './listen.ts'
import type { Recording } from './recorder.ts'
import type { Tapes } from './tape.ts'
import type { ScramOptions } from './scram.ts'
import type { StartOptions } from './start-options.ts'
import type { StoreOptions } from './store.ts'
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
  octets,
  oneOf,
  orNull,
  place,
  places,
  record,
  shown,
  someOf,
  text,
  texts,
  whole,
  work,
} from './wrong.ts'

const accessList: Kind = {
  words: "null or an access list, as in parseAcl('acl', text).right.acl",
  holds: (it) =>
    it === null || (typeof it === 'object' && 'anonymous' in it && 'users' in it &&
      'patterns' in it),
}

/** What may be only this or that, has to fit into a packet, or is not shown by its default. */
const choices: { readonly [Name in keyof Config]?: Kind } = {
  authentication: oneOf('none', 'judge'),
  authenticationMethods: someOf('SCRAM-SHA-256'),
  clientIdPrefix: orNull(text),
  keepAliveMaxS: whole(0xffff),
  maximumQos: oneOf(0, 1, 2),
  outgoingTopicAliasMax: whole(0xffff),
  packetBytesMax: whole(0xffffffff, 1),
  packetIdMax: whole(0xffff, 1),
  protocolLevels: someOf(3, 4, 5),
  receiveMaximum: whole(0xffff, 1),
  responseInformation: orNull(text),
  serverReference: orNull(text),
  sessionExpiryMaxS: whole(0xffffffff),
  topicAliasMaximum: whole(0xffff),
  // The oldest of none is nobody.
  unauthenticatedMax: whole(Number.MAX_SAFE_INTEGER, 1),
  redirect: oneOf('none', 'use another server', 'server moved'),
  sharedOrder: oneOf('round robin', 'prefer online', 'sticky', 'hash of topic'),
  sharedOffline: oneOf('queue', 'drop'),
  acl: accessList,
}

const configNames = Object.keys(defaults)

const kindLike = (value: unknown): Kind => {
  if (typeof value === 'boolean') return flag
  // What a recording can say.
  if (typeof value === 'number') return whole(Number.MAX_SAFE_INTEGER)
  if (typeof value === 'string') return text
  return Array.isArray(value) ? list : anything
}

const configKinds = new Map<string, Kind>([
  ...Object.entries(defaults).map(([name, value]) => [name, kindLike(value)] as const),
  ...Object.entries(choices),
])

const rules: { readonly [Name in keyof ListenerRules]: true } = {
  authentication: true,
  listenerConnectionsMax: true,
  protocolLevels: true,
  mountPoint: true,
  emptyClientIds: true,
  autoIdPrefix: true,
  allowAnonymous: true,
  userNameAsClientId: true,
  acl: true,
  denySpecialChars: true,
  topicAliasMaximum: true,
  outgoingTopicAliasMax: true,
  maximumQos: true,
}

const pair: Kind = {
  words: 'a pair of a name and its rules',
  holds: (it) => Array.isArray(it) && it.length === 2 && text.holds(it[0]),
}

/** What differs from the defaults of the broker. */
export const checkConfig = (what: string, config: unknown): void => {
  checkNames(what, config, configNames)
  const given = Object.entries(Object(config))
  for (const [name, value] of given) checkValue(`${what}: ${name}`, configKinds.get(name)!, value)
  for (const one of Object(config).listeners ?? []) {
    checkValue(`a listener in ${what}`, pair, one)
    const itsRules = `the rules of ${shown(one[0])} in ${what}`
    checkConfig(itsRules, one[1])
    for (const name of Object.keys(rules)) {
      // Nothing is taken from the other listeners.
      if (!(name in one[1])) checkValue(`${itsRules}: ${name}`, configKinds.get(name)!, undefined)
    }
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
  hosts: places,
  listeners: list,
  isLocalOnly: flag,
  introduction: list,
  listening: work,
  begun: work,
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

const wantedShape: Shape<Wanted> = {
  name: needed(orNull(text)),
  addresses: needed(list),
  noDelay: needed(flag),
}

type AddressShapes = {
  readonly [Tag in Address['_tag']]: Shape<Extract<Address, { readonly _tag: Tag }>>
}

const addressShapes: AddressShapes = {
  // A port that is none is told by who opens it.
  Tcp: { _tag, host: needed(place), port: anything },
  Unix: { _tag, path: needed(place) },
}

const addressTag = oneOf(...Object.keys(addressShapes))

/** Listeners as they are wanted. */
export const checkListeners = (what: string, wanted: ReadonlyArray<Wanted>): void => {
  checkValue(what, list, wanted)
  for (const one of wanted) {
    checkRecord(`a listener in ${what}`, wantedShape, one)
    for (const address of one.addresses) {
      checkValue(`an address in ${what}`, record, address)
      checkValue(`the _tag of an address in ${what}`, addressTag, address._tag)
      checkRecord(`an address in ${what}`, addressShapes[address._tag], address)
    }
  }
}

const logType = oneOf(...logTypes)

const localFacilities = Array.from({ length: 8 }, (_, number) => `local${number}`)

const logShape: Shape<LogSettings> = {
  destinations: needed(list),
  types: needed(list),
  timestamp: needed(flag),
  timestampFormat: needed(orNull(text)),
  facility: needed(oneOf('daemon', ...localFacilities)),
  format: needed(oneOf('text', 'json')),
  connectionMessages: needed(flag),
}

const destinationTo = oneOf('stderr', 'stdout', 'syslog', 'topic', 'file')

type LogFile = Extract<LogDestination, { readonly to: 'file' }>

const fileShape: Shape<LogFile> = { to: anything, path: needed(text) }
const streamShape: Shape<Exclude<LogDestination, LogFile>> = { to: anything }

const checkDestination = (what: string, destination: LogDestination): void => {
  checkValue(what, record, destination)
  checkValue(`${what}: to`, destinationTo, destination.to)
  checkRecord(what, destination.to === 'file' ? fileShape : streamShape, destination)
}

export const checkLog = (what: string, settings: LogSettings): void => {
  checkRecord(what, logShape, settings)
  for (const one of settings.destinations) checkDestination(`a destination of ${what}`, one)
  for (const type of settings.types) checkValue(`a type of ${what}`, logType, type)
}

const tapeWork: ReadonlyArray<keyof Tapes> = ['holds', 'create', 'rename']

// Whoever brings them may have more in them than is asked for.
const tapes: Kind = {
  words: 'an object with holds, create and rename',
  holds: (it) =>
    record.holds(it) && tapeWork.every((name) => work.holds(Reflect.get(Object(it), name))),
}

const recordingShape: Shape<Recording> = {
  tapes,
  path: needed(text),
  bytesMax: orNull(number),
  payload: oneOf('full', 'hash', 'length'),
  writers: work,
}

export const checkRecording = (what: string, options: Recording): void =>
  checkRecord(what, recordingShape, options)

const storeShape: Shape<StoreOptions> = {
  folder: needed(text),
  salvage: flag,
  storeBytesMax: number,
}

const scramShape: Shape<ScramOptions> = {
  credentials: needed(work),
  iterations: number,
  saltBytes: whole(1024, 1),
  secret: octets,
}

const isLine = (it: unknown): boolean =>
  Array.isArray(it) && it.length === 2 && logType.holds(it[0]) && text.holds(it[1])

const line: Kind = { words: 'a pair of a type of the log and a string', holds: isLine }

/** A judge whom nobody asks would let everybody in. Who says 'none' has thought of it. */
export const checkJudge = (what: string, judge: unknown, config: Partial<Config> = {}): void => {
  const isSaid = config.authentication !== undefined || config.listeners !== undefined
  if (judge === undefined || isSaid) return
  throw new TypeError(
    `nobody asks the judge of ${what}: have its config say authentication: 'judge', or 'none' ` +
      'where that comes later',
  )
}

/** Without a judge everybody is refused, and the reason would be looked for elsewhere. */
export const checkJudged = (what: string, config: Partial<Config>, remedy: string): void => {
  const { authentication, listeners = [] } = config
  const isAsked = authentication === 'judge' ||
    listeners.some(([, rules]) => rules.authentication === 'judge')
  if (!isAsked) return
  throw new TypeError(`${what} says authentication: 'judge', and nobody judges: ${remedy}`)
}

/** Whoever a configuration has asked about clients has to be there. */
export const checkAsked = (
  what: string,
  config: Partial<Config>,
  { judge, scram }: StartOptions,
): void => {
  // Who proves himself by a method is let in without a judge, and nobody else may be wanted.
  if (judge === undefined && scram === undefined) {
    checkJudged(
      what,
      config,
      'give start() a judge, such as judge: async ({ userName }) => userName === null ? 0x86 : 0',
    )
  }
  if (scram !== undefined || !config.authenticationMethods?.length) return
  throw new TypeError(
    `${what} offers SCRAM-SHA-256, and nobody knows its users: give start() the option ` +
      '`scram: { credentials }`, which offers it',
  )
}

export const checkStart = (options: StartOptions): void => {
  checkRecord('start()', startShape, options)
  const { config, introduction = [], listeners, log, persistence, recording, scram } = options
  if (config !== undefined) checkConfig('config of start()', config)
  checkJudge('start()', options.judge, config)
  checkAsked('config of start()', config ?? {}, options)
  if (listeners !== undefined) checkListeners('listeners of start()', listeners)
  for (const one of introduction) checkValue('a line of introduction of start()', line, one)
  if (log !== undefined) checkLog('log of start()', log)
  if (recording !== undefined) checkRecording('recording of start()', recording)
  if (scram !== undefined) checkRecord('scram of start()', scramShape, scram)
  if (persistence === undefined) return
  if (typeof persistence?.folder !== 'string') {
    throw new TypeError(
      'The option `persistence` names the folder of the store: `persistence: { folder }`.',
    )
  }
  checkRecord('persistence of start()', storeShape, persistence)
}
