// The options about the program as it runs: what outlives it, what it says, who it is.

import { large, rows, text, truth, whole } from './option.ts'
import type { Option } from './option.ts'
import { defaultLog, defaultPersistence, defaultSettings } from './settings.ts'

const initial = defaultSettings

export const persistence: ReadonlyArray<Option> = rows('Persistence', [
  {
    name: 'persistence',
    aliases: ['retained_persistence'],
    scope: 'global',
    kind: truth,
    key: 'persistence',
    initial: false,
    reload: 'restart',
    meaning: 'Whether sessions, their messages, retained messages and wills outlive the process.',
  },
  {
    name: 'persistence_location',
    scope: 'global',
    kind: text('folder'),
    key: 'persistence.folder',
    initial: defaultPersistence.folder,
    reload: 'restart',
    meaning: 'Folder of the store. Default: the working directory. The environment variable ' +
      'MOSQUITTO_PERSISTENCE_LOCATION beats it.',
  },
  {
    name: 'persistence_file',
    scope: 'global',
    kind: text('name'),
    key: 'persistence.fileName',
    initial: defaultPersistence.fileName,
    reload: 'restart',
    meaning: "mosquitto's name for its database. The store of Sabethes has a name of its own.",
  },
  {
    name: 'autosave_interval',
    scope: 'global',
    kind: whole(0, '', { below: 0, unit: 'seconds' }),
    key: 'persistence.autosaveIntervalS',
    initial: defaultPersistence.autosaveIntervalS,
    reload: 'now',
    meaning: 'Time between saves. Sabethes saves before it acknowledges, so nothing waits for it.',
  },
  {
    name: 'autosave_on_changes',
    scope: 'global',
    kind: truth,
    key: 'persistence.autosaveOnChanges',
    initial: defaultPersistence.autosaveOnChanges,
    reload: 'now',
    meaning: 'Whether autosave_interval counts changes. Likewise.',
  },
  {
    name: 'max_store_bytes',
    scope: 'global',
    kind: large('max_store_bytes', 1, 'bytes'),
    key: 'persistence.storeBytesMax',
    initial: defaultPersistence.storeBytesMax,
    reload: 'restart',
    since: 'Sabethes',
    meaning: 'What is in the store and its log stay below this. What has become free in its file ' +
      'is room again; the file does not become smaller. Default: the disk decides.',
  },
])

export const logging: ReadonlyArray<Option> = rows('Logging and status', [
  {
    name: 'log_dest',
    scope: 'global',
    kind: { _tag: 'Destination' },
    key: 'log.destinations',
    initial: defaultLog.destinations,
    reload: 'now',
    meaning: 'none, stdout, stderr, syslog, topic or file PATH; each line adds one.',
  },
  {
    name: 'log_type',
    scope: 'global',
    kind: { _tag: 'LogType' },
    key: 'log.types',
    initial: defaultLog.types,
    reload: 'now',
    meaning: 'none, error, warning, notice, information, debug, subscribe, unsubscribe, ' +
      'websockets, internal or all; each line adds one.',
  },
  {
    name: 'log_facility',
    scope: 'global',
    kind: { _tag: 'Facility' },
    key: 'log.facility',
    initial: defaultLog.facility,
    reload: 'now',
    meaning: 'Facility of syslog, 0 to 7 for local0 to local7.',
  },
  {
    name: 'log_timestamp',
    scope: 'global',
    kind: truth,
    key: 'log.timestamp',
    initial: defaultLog.timestamp,
    reload: 'now',
    meaning: 'Whether lines begin with the time.',
  },
  {
    name: 'log_timestamp_format',
    scope: 'global',
    kind: text('format'),
    key: 'log.timestampFormat',
    initial: defaultLog.timestampFormat,
    reload: 'now',
    meaning: 'The time as strftime(3) writes it. Default: Unix seconds.',
  },
  {
    name: 'log_format',
    scope: 'global',
    kind: {
      _tag: 'Word',
      words: [['text', 'text'], ['json', 'json']],
      refusal: "Invalid 'log_format' value (%).",
      missing: [],
    },
    key: 'log.format',
    initial: defaultLog.format,
    reload: 'now',
    since: 'Sabethes',
    meaning: 'A line of text for each event, or a JSON object.',
  },
  {
    name: 'connection_messages',
    scope: 'global',
    kind: truth,
    key: 'log.connectionMessages',
    initial: defaultLog.connectionMessages,
    reload: 'now',
    meaning: 'Whether clients that come and go are logged.',
  },
  {
    name: 'sys_interval',
    scope: 'global',
    kind: whole(0, "Invalid 'sys_interval' value (%).", { max: 65_535, unit: 'seconds' }),
    key: 'sysIntervalS',
    initial: initial.sysIntervalS,
    reload: 'now',
    meaning: 'Time between publications of $SYS; 0: none.',
  },
  {
    name: 'trace_file',
    scope: 'global',
    kind: text('file'),
    key: 'traceFile',
    initial: initial.traceFile,
    reload: 'now',
    since: 'Sabethes',
    meaning: 'Where all that the broker is told is recorded, for sabethes replay; never ' +
      'passwords. An older recording gets another name: PATH.1, then PATH.2 and PATH.3.',
  },
  {
    name: 'trace_on_start',
    scope: 'global',
    kind: truth,
    key: 'traceOnStart',
    initial: initial.traceOnStart,
    reload: 'now',
    since: 'Sabethes',
    meaning: 'Whether recording to trace_file begins with the broker. If not, it waits for ' +
      'sabethes trace start.',
  },
  {
    name: 'trace_size',
    scope: 'global',
    kind: large('trace_size', 65_536, 'bytes'),
    key: 'traceBytesMax',
    initial: initial.traceBytesMax,
    reload: 'now',
    since: 'Sabethes',
    meaning: 'About so much is recorded in four files, of which the oldest goes. Default: one ' +
      'file that grows.',
  },
  {
    name: 'trace_payload',
    scope: 'global',
    kind: {
      _tag: 'Word',
      words: [['full', 'full'], ['hash', 'hash'], ['length', 'length']],
      refusal: "Invalid 'trace_payload' value (%): it must be full, hash or length.",
      missing: [],
    },
    key: 'tracePayload',
    initial: initial.tracePayload,
    reload: 'now',
    since: 'Sabethes',
    meaning: 'What of payloads is recorded: all, a mark by which equal ones are known, or the ' +
      'length.',
  },
  {
    name: 'pid_file',
    scope: 'global',
    kind: text('file'),
    key: 'pidFile',
    initial: initial.pidFile,
    reload: 'restart',
    meaning: 'Where the process identifier is written.',
  },
  {
    name: 'user',
    scope: 'global',
    kind: text('name'),
    key: 'user',
    initial: initial.user,
    reload: 'restart',
    meaning: 'User to become after a start as root. Default: mosquitto.',
  },
  {
    name: 'include_dir',
    scope: 'global',
    kind: { _tag: 'Own', shape: 'FOLDER' },
    key: null,
    initial: null,
    reload: 'now',
    meaning: 'Reads every *.conf of a folder, A before a before B. In the main file only.',
  },
])

export const gone: ReadonlyArray<Option> = rows('Gone', [
  {
    name: 'retry_interval',
    scope: 'global',
    kind: { _tag: 'Own', shape: 'SECONDS' },
    key: null,
    initial: null,
    reload: 'now',
    meaning: 'Nothing any more: only a warning, as in mosquitto.',
  },
])
