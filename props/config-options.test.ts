// Every option of the table: it does what its row says, or it is refused with its name, the place
// and the remedy. What an option does to the machine is one field of its configuration.

import fc from 'fast-check'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Acl } from '../core/broker/acl.ts'
import { defaults } from '../core/broker/config.ts'
import type { Config, ListenerRules } from '../core/broker/config.ts'
import { brokerConfig } from '../core/config/broker.ts'
import type { Acls } from '../core/config/broker.ts'
import { diff, printDiff } from '../core/config/diff.ts'
import { printTable } from '../core/config/document.ts'
import { keepNames } from '../core/config/same-listeners.ts'
import { defaultSettings } from '../core/config/settings.ts'
import type { Settings } from '../core/config/settings.ts'
import { optionNames, table } from '../core/config/table.ts'
import { anySettings, errorIn, settingsIn } from './gen/configurations.ts'
import { runs } from './gen/settings.ts'
import { root } from './runtimes.ts'

const options = suite('config options')

/** What a line changes in the broker's configuration, or in the rules of its listener. */
type Effect = Partial<Config> & { readonly rules?: Partial<ListenerRules> } | 'shell'

const noRights: Acl = { anonymous: [], users: [], patterns: [] }

// 'shell' stands for what is no business of the machine.
const effects: Readonly<Record<string, readonly [value: string, effect: Effect]>> = {
  allow_anonymous: ['true', { rules: { authentication: 'none', allowAnonymous: true } }],
  listener_allow_anonymous: ['true', { rules: { authentication: 'none', allowAnonymous: true } }],
  password_file: ['p', 'shell'],
  // Also of those whose listener is gone.
  acl_file: ['a', { acl: noRights, rules: { acl: noRights } }],
  allow_zero_length_clientid: ['false', { rules: { emptyClientIds: false } }],
  auto_id_prefix: ['x', { rules: { autoIdPrefix: 'x' } }],
  listener_auto_id_prefix: ['x', { rules: { autoIdPrefix: 'x' } }],
  clientid_prefixes: ['x', { clientIdPrefix: 'x' }],
  use_username_as_clientid: ['true', { rules: { userNameAsClientId: true } }],
  per_listener_settings: ['true', 'shell'],
  check_retain_source: ['false', { checkRetainSource: false }],
  max_inflight_messages: ['7', { inflightCountMax: 7, receiveMaximum: 7 }],
  max_inflight_bytes: ['7', { inflightBytesMax: 7 }],
  max_queued_messages: ['7', { queuedCountMax: 7 }],
  max_queued_bytes: ['7', { queuedBytesMax: 7 }],
  max_packet_size: ['100', { packetBytesMax: 100, connectPacketBytesMax: 100 }],
  message_size_limit: ['7', { payloadBytesMax: 7 }],
  memory_limit: ['7', 'shell'],
  max_keepalive: ['7', { keepAliveMaxS: 7 }],
  global_max_clients: ['7', { sessionsMax: 7 }],
  global_max_connections: ['7', { connectionsMax: 7 }],
  queue_qos0_messages: ['true', { queueQos0: true }],
  upgrade_outgoing_qos: ['true', { upgradeOutgoingQos: true }],
  allow_duplicate_messages: ['false', { allowDuplicateMessages: false }],
  retain_available: ['false', { retainAvailable: false }],
  retain_expiry_interval: ['2', { retainedExpiryMs: 120_000 }],
  set_tcp_nodelay: ['false', 'shell'],
  packet_buffer_size: ['7', 'shell'],
  persistent_client_expiration: ['7s', { sessionExpiryMaxS: 7 }],
  shared_subscription_order: ['prefer_online', { sharedOrder: 'prefer online' }],
  shared_subscription_offline: ['drop', { sharedOffline: 'drop' }],
  reason_strings: ['true', { reasonStrings: true }],
  connect_timeout: ['7', { connectTimeoutMs: 7_000 }],
  stalled_timeout: ['7', { stalledMs: 7_000 }],
  max_connections_per_address: ['7', { connectionsPerAddressMax: 7 }],
  connection_rate_per_address: ['7', { connectionRatePerAddress: 7 }],
  connection_burst_per_address: ['7', { connectionBurstPerAddress: 7 }],
  max_subscriptions_per_client: ['7', { subscriptionsPerSessionMax: 7 }],
  max_retained_messages: ['7', { retainedCountMax: 7 }],
  max_retained_bytes: ['7', { retainedBytesMax: 7 }],
  persistence: ['false', 'shell'],
  persistence_location: ['/x', 'shell'],
  persistence_file: ['x', 'shell'],
  autosave_interval: ['7', 'shell'],
  autosave_on_changes: ['true', 'shell'],
  max_store_bytes: ['7', 'shell'],
  log_dest: ['stdout', 'shell'],
  log_type: ['debug', 'shell'],
  log_facility: ['7', 'shell'],
  log_timestamp: ['false', 'shell'],
  log_timestamp_format: ['%H', 'shell'],
  log_format: ['json', 'shell'],
  connection_messages: ['false', 'shell'],
  sys_interval: ['7', { sysIntervalMs: 7_000 }],
  trace_file: ['/x', 'shell'],
  trace_on_start: ['false', 'shell'],
  trace_size: ['65536', 'shell'],
  trace_payload: ['full', 'shell'],
  pid_file: ['/x', 'shell'],
  user: ['x', 'shell'],
  plugin: ['mosquitto_persist_sqlite.so', 'shell'],
  global_plugin: ['mosquitto_persist_sqlite.so', 'shell'],
  plugin_load: ['x mosquitto_persist_sqlite.so', 'shell'],
  listener: ['1884', 'shell'],
  port: ['1884', 'shell'],
  bind_address: ['127.0.0.1', 'shell'],
  bind_interface: ['eth0', 'shell'],
  socket_domain: ['ipv4', 'shell'],
  protocol: ['mqtt', 'shell'],
  accept_protocol_versions: ['4, 5', { rules: { protocolLevels: [4, 5] } }],
  max_connections: ['7', { rules: { listenerConnectionsMax: 7 } }],
  max_qos: ['1', { rules: { maximumQos: 1 } }],
  max_topic_alias: ['7', { rules: { topicAliasMaximum: 7 } }],
  max_topic_alias_broker: ['7', { rules: { outgoingTopicAliasMax: 7 } }],
  mount_point: ['x/', { rules: { mountPoint: 'x/' } }],
  dhparamfile: ['x', 'shell'],
  retry_interval: ['7', 'shell'],
}

/** Tested beside the plugin that they belong to, or beside the folder that they read. */
const elsewhere = [
  'include_dir',
  'plugin_use',
  'plugin_opt_password_file',
  'plugin_opt_acl_file',
  'auth_plugin_deny_special_chars',
]

/** How many lines a comparison has where it is not one. */
const changes: Readonly<Record<string, number>> = {
  protocol: 0,
  per_listener_settings: 0,
  dhparamfile: 0,
  retry_interval: 0,
  plugin: 0,
  global_plugin: 0,
  plugin_load: 0,
  // Two listeners with one port have other names than one.
  bind_address: 3,
}

const base = 'persistence true\nlistener 1883\n'

/** The fields in which two configurations differ, as the second has them. */
const changed = <A extends object>(a: A, b: A): Partial<A> =>
  Object.fromEntries(
    Object.entries(b).filter(([key, value]) =>
      key !== 'listeners' &&
      JSON.stringify(Object.entries(a).find(([one]) => one === key)?.[1]) !== JSON.stringify(value)
    ),
  ) as Partial<A>

const rulesIn = ({ listeners }: Partial<Config>): ListenerRules => listeners![0]![1]

options('every option has its test', () => {
  const tested = new Set([...Object.keys(effects), ...elsewhere])
  for (const { name, missing } of table) {
    assert.is(tested.has(name), missing === null, name)
  }
  assert.is(new Set(optionNames).size, optionNames.length)
  assert.ok(optionNames.length > 150)
})

for (const [name, [value, effect]] of Object.entries(effects)) {
  options(`${name} changes what it should, and nothing else`, () => {
    const without = settingsIn(base)
    const line = `${name} ${value}\n`
    const settings = settingsIn(name === 'per_listener_settings' ? line + base : base + line)
    const [a, b] = [brokerConfig(without), brokerConfig(settings)]
    const { rules: wantedRules = {}, ...wanted } = effect === 'shell' ? {} : effect
    assert.equal(changed(a, b), wanted)
    assert.equal(changed(rulesIn(a), rulesIn(b)), wantedRules)
    assert.is(diff(without, settings).length, changes[name] ?? 1)
    assert.equal(diff(settings, settings), [])
  })
}

options('what is not there is refused with its name, the place and the remedy', () => {
  for (const { name, aliases, missing } of table) {
    if (missing === null) continue
    for (const one of [name, ...aliases]) {
      const { lines, status } = errorIn(`listener 1883\n${one} 1`)
      assert.is(lines[0], `Error: The '${one}' option cannot be used.`, one)
      assert.equal(lines.slice(1), ['Error found at c:2.', missing])
      assert.is(status, 3)
    }
  }
  const websockets = errorIn('listener 1883\nprotocol websockets')
  assert.equal(websockets.lines, [
    "Error: Invalid 'protocol' value (websockets).",
    'Error found at c:2.',
    'WebSockets are not there yet: use protocol mqtt.',
  ])
})

options('what is not there may be told not to be', () => {
  for (const { name, kind, missing, initial } of table) {
    if (missing === null || kind._tag !== 'Truth' || initial !== false) continue
    assert.is(settingsIn(`listener 1883\n${name} false`).listeners.length, 1, name)
  }
})

options('the older names of an option are the option', () => {
  for (const { name, aliases } of table) {
    const row = effects[name]
    if (row === undefined) continue
    for (const one of aliases) {
      const [a, b] = [name, one].map((word) => settingsIn(`${base}${word} ${row[0]}`))
      assert.equal({ ...b, notices: [], warnings: [] }, { ...a, notices: [], warnings: [] })
    }
  }
})

options('a program that was told nothing has the defaults of the machine', () => {
  const config = { ...defaults, ...brokerConfig(settingsIn('')) }
  const { listeners: _l, authentication: _a, allowAnonymous: _n, ...rest } = config
  const { listeners: _m, authentication: _b, allowAnonymous: _o, ...wanted } = defaults
  // A broker in a test says nothing of itself unless it is told to.
  assert.equal(rest, { ...wanted, sysIntervalMs: 10_000 })
  assert.is(rulesIn(config).authentication, 'none')
})

options('nobody is let in without being asked unless somebody said so', () => {
  const asks = (text: string) => rulesIn(brokerConfig(settingsIn(text))).authentication
  assert.is(asks('listener 1883'), 'judge')
  assert.is(asks('allow_anonymous false'), 'judge')
  assert.is(asks('allow_anonymous true\npassword_file p'), 'judge')
  assert.is(asks('listener 1883\nallow_anonymous true'), 'none')
  const { authentication, allowAnonymous } = brokerConfig(defaultSettings)
  assert.equal([authentication, allowAnonymous], ['judge', false])
})

options('as many unfinished publishes are taken as are sent', () => {
  const window = (count: number) => {
    const { receiveMaximum, incomingCountMax } = brokerConfig(
      settingsIn(`max_inflight_messages ${count}`),
    )
    return [receiveMaximum, incomingCountMax]
  }
  assert.equal(window(0), [65_535, 65_535])
  assert.equal(window(1), [1, 1_000])
  assert.equal(window(2_000), [2_000, 2_000])
})

options('publishes of QoS 2 have room for as much as CONNACK allows', () => {
  const room = (text: string) => brokerConfig(settingsIn(text)).incomingBytesMax
  assert.is(room(''), defaults.incomingBytesMax)
  assert.is(room('max_inflight_messages 1\nmax_packet_size 200000000'), 200_000_000)
  assert.is(room('max_inflight_messages 100'), 100 * 2_000_000)
})

options('an access list that was not read allows nothing', () => {
  const acl = { anonymous: [], users: [['a', []] as const], patterns: [] }
  const settings = settingsIn('acl_file a\nlistener 1')
  const rules = (acls?: Acls) => rulesIn(brokerConfig(settings, acls)).acl
  assert.equal(rules(), noRights)
  assert.equal(rules(new Map([['b', acl]])), noRights)
  assert.is(rules(new Map([['a', acl]])), acl)
  const plugin = 'plugin mosquitto_acl_file.so\nplugin_opt_acl_file a\n'
  const deny = (text: string) => rulesIn(brokerConfig(settingsIn(text))).denySpecialChars
  assert.is(deny(plugin), true)
  assert.is(deny(`${plugin}auth_plugin_deny_special_chars false`), false)
})

options('nobody gains by a listener that is gone', () => {
  const acls: Acls = new Map(['a', 'b'].map((file) => [file, { ...noRights }]))
  const acl = (text: string) => brokerConfig(settingsIn(text), acls).acl
  assert.is(acl('listener 1\nlistener 2'), null)
  assert.is(acl('acl_file a\nlistener 1\nlistener 2'), acls.get('a'))
  const each = 'per_listener_settings true\nlistener 1\n'
  assert.is(acl(`${each}acl_file a\nlistener 2\nacl_file a`), acls.get('a'))
  assert.equal(acl(`${each}acl_file a\nlistener 2`), noRights)
  assert.equal(acl(`${each}listener 2\nacl_file a`), noRights)
  const mixed = acl(`${each}acl_file a\nlistener 2\nacl_file b`)
  assert.equal(mixed, noRights)
  assert.not(mixed === acls.get('a') || mixed === acls.get('b'))
  const strict = (text: string) => brokerConfig(settingsIn(text)).denySpecialChars
  const plugin = 'plugin mosquitto_acl_file.so\nplugin_opt_acl_file a\n'
  const lax = `${plugin}auth_plugin_deny_special_chars false\n`
  assert.is(strict(`${each}${lax}listener 2\n${plugin}`), true)
  assert.is(strict(`${each}${lax}listener 2\n${lax}`), false)
})

options('a change is told with where and when', () => {
  const old = settingsIn('listener 1883\nmax_qos 1\nlistener 1884\nlog_type debug\nuser a')
  const next = settingsIn(
    'listener 1883 127.0.0.1\nlistener 0 /s\nlog_type debug\nlog_type error\nuser b\n' +
      'persistence true',
  )
  assert.equal(printDiff(diff(old, next)), [
    'log_type: debug -> error, debug (at once)',
    'user: a -> b (after a restart)',
    'persistence: false -> true (after a restart)',
    'listener of listener 1883: 1883 -> 1883 127.0.0.1 (at once)',
    'max_qos of listener 1883: 1 -> 2 (for new connections)',
    'listener of listener 1884: 1884 -> nothing (at once)',
    'listener of listener /s: nothing -> 0 /s (at once)',
  ])
})

options('an empty text in a change is called nothing', () => {
  const none = settingsIn('persistence true')
  const some = settingsIn('persistence true\npersistence_location /x')
  assert.equal(printDiff([...diff(none, some), ...diff(some, none)]), [
    'persistence_location: nothing -> /x (after a restart)',
    'persistence_location: /x -> nothing (after a restart)',
  ])
})

options('a listener that stays keeps its name, whatever comes or goes on its port', () => {
  const names = ({ listeners }: Settings) => listeners.map(({ name }) => name)
  const one = settingsIn('listener 1883 127.0.0.1')
  const two = keepNames(one, settingsIn('listener 1883 ::1\nlistener 1883 127.0.0.1\nmax_qos 1'))
  assert.equal(names(two), ['1883 on ::1', '1883'])
  assert.equal(printDiff(diff(one, two)), [
    'max_qos of listener 1883: 2 -> 1 (for new connections)',
    'listener of listener 1883 on ::1: nothing -> 1883 ::1 (at once)',
  ])
  assert.is(two.origins.find(({ option }) => option === 'max_qos')?.listener, '1883')
  const other = keepNames(two, settingsIn('listener 1883 ::1'))
  assert.equal(names(other), ['1883 on ::1'])
  assert.equal(names(keepNames(other, settingsIn('listener 1883 ::1\nlistener 1883'))), [
    '1883 on ::1',
    '1883 on *',
  ])
  // On another address it is another one, or the same one moved: the file says what it is called.
  assert.equal(names(keepNames(one, settingsIn('listener 1883 ::1'))), ['1883'])
})

options('there is a difference where there is one', () => {
  const plain = ({ warnings: _w, notices: _n, origins: _o, ...rest }: Settings) => {
    const { isLocalOnly: _l, ...all } = rest
    // Off is off, whatever was said about how.
    return { ...all, listeners: rest.listeners.map(({ host: _h, ...one }) => one) }
  }
  fc.assert(
    fc.property(anySettings, anySettings, (a, b) => {
      assert.equal(diff(a, a), [])
      const isSame = JSON.stringify(plain(a)) === JSON.stringify(plain(b))
      assert.ok(isSame || diff(a, b).length > 0)
      for (const line of printDiff(diff(a, b))) assert.not.match(line, /[\n\r]|undefined/)
    }),
    { numRuns: runs(300) },
  )
})

options('the page of all options is what the table says', () => {
  const file = join(root, 'core/config/OPTIONS.md')
  const wanted = printTable(table)
  if (process.env['UPDATE'] === '1') writeFileSync(file, wanted)
  assert.is(readFileSync(file, 'utf8'), wanted, 'run UPDATE=1 npx tsx props/config-options.test.ts')
})

options.run()
