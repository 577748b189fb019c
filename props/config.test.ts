// A configuration file is read as mosquitto 2.1 reads it, or refused with its words, the place and
// the remedy. Whatever a file holds, there is an answer; and an error never yields settings.

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { settingsCodec } from '../core/config/codec.ts'
import { parseConfig, wanted } from '../core/config/parse.ts'
import { printSettings } from '../core/config/print.ts'
import type { ListenerSettings, Settings } from '../core/config/settings.ts'
import { optionNames, table } from '../core/config/table.ts'
import { E } from '../core/prelude.ts'
import { anySettings, errorIn, parse, settingsIn, sourcesOf } from './gen/configurations.ts'
import { runs } from './gen/settings.ts'

const config = suite('config')

type Plain = Omit<Settings, 'warnings' | 'notices' | 'origins'>

const plain = ({ warnings: _w, notices: _n, origins: _o, ...rest }: Settings): Plain => rest

const first = (text: string): ListenerSettings => settingsIn(text).listeners[0]!

config('what is printed is read as the same', () => {
  fc.assert(
    fc.property(anySettings, (settings) => {
      const read = parse(printSettings(settings))
      if (E.isLeft(read)) throw new Error(read.left.lines.join('\n'))
      assert.equal(plain(read.right), plain(settings))
    }),
    { numRuns: runs(400) },
  )
})

/** Files that mosquitto refuses, and what it prints; a third line is our remedy. */
const refused: ReadonlyArray<readonly [text: string, ...lines: ReadonlyArray<string>]> = [
  [
    'allow_anonymouse false',
    "Error: Unknown configuration variable 'allow_anonymouse'.",
    'Error found at c:1.',
    "Did you mean 'allow_anonymous'?",
  ],
  [
    '\n# x\nlistener=1883',
    "Error: Unknown configuration variable 'listener=1883'.",
    'Error found at c:3.',
    "Did you mean 'listener'? Write a blank behind it.",
  ],
  [
    'Log-Dest stdout',
    "Error: Unknown configuration variable 'Log-Dest'.",
    'Error found at c:1.',
    "Did you mean 'log_dest'?",
  ],
  [
    'xyzzy 1',
    "Error: Unknown configuration variable 'xyzzy'.",
    'Error found at c:1.',
  ],
  [
    '  # indented',
    "Error: Unknown configuration variable '#'.",
    'Error found at c:1.',
    'A comment begins with # as the very first character of its line.',
  ],
  [
    '\t# indented',
    "Error: Unknown configuration variable '\\u{9}#'.",
    'Error found at c:1.',
    'A comment begins with # as the very first character of its line.',
  ],
  [
    '\tlistener 1883',
    "Error: Unknown configuration variable '\\u{9}listener'.",
    'Error found at c:1.',
    "Did you mean 'listener'?",
  ],
  // As they are copied from a page on the web.
  [
    'allow_anonymous\u00a0true',
    "Error: Unknown configuration variable 'allow_anonymous\\u{a0}true'.",
    'Error found at c:1.',
    "Did you mean 'allow_anonymous'? Write a blank behind it.",
  ],
  [
    'allow_anonymous true\u00a0',
    "Error: Invalid 'allow_anonymous' value (true\\u{a0}).",
    'Error found at c:1.',
    'Say true or false.',
  ],
  [
    'allow_anonymous true\u200b',
    "Error: Invalid 'allow_anonymous' value (true\\u{200b}).",
    'Error found at c:1.',
    'Say true or false.',
  ],
  [
    'allow_anonymous yes',
    "Error: Invalid 'allow_anonymous' value (yes).",
    'Error found at c:1.',
    'Say true or false.',
  ],
  [
    'allow_anonymous',
    "Error: Empty 'allow_anonymous' value in configuration.",
    'Error found at c:1.',
  ],
  ['pid_file   ', "Error: Empty 'pid_file' value in configuration.", 'Error found at c:1.'],
  [
    'pid_file a\npid_file a',
    "Error: Duplicate 'pid_file' value in configuration.",
    'Error found at c:2.',
    'The other one is at c:1: leave one of them out.',
  ],
  [
    'persistence_location /a\n\npersistence_location /b',
    "Error: Duplicate 'persistence_location' value in configuration.",
    'Error found at c:3.',
    'The other one is at c:1: leave one of them out.',
  ],
  [
    'max_inflight_messages 10x',
    "Error: 'max_inflight_messages' value not a number.",
    'Error found at c:1.',
    'Write 10x as a whole number without a unit.',
  ],
  [
    'max_queued_messages 08',
    "Error: 'max_queued_messages' value not a number.",
    'Error found at c:1.',
    'In place of 08 write a whole number from 0 to 2147483647.',
  ],
  [
    'max_queued_messages 99999999999',
    "Error: 'max_queued_messages' value out of range.",
    'Error found at c:1.',
  ],
  [
    'max_inflight_messages 65536',
    "Error: 'max_inflight_messages' must be <= 65535.",
    'Error found at c:1.',
  ],
  [
    'max_packet_size 19',
    "Error: 'max_packet_size' must be >= 20.",
    'Error found at c:1.',
    'In place of 19 write a whole number from 20 to 2147483647.',
  ],
  ['max_keepalive 65536', "Error: Invalid 'max_keepalive' value (65536).", 'Error found at c:1.'],
  ['max_keepalive -1', "Error: Invalid 'max_keepalive' value (-1).", 'Error found at c:1.'],
  ['memory_limit -1', "Error: Invalid 'memory_limit' value (-1).", 'Error found at c:1.'],
  [
    'message_size_limit 268435456',
    "Error: Invalid 'message_size_limit' value (268435456).",
    'Error found at c:1.',
  ],
  ['sys_interval 65536', "Error: Invalid 'sys_interval' value (65536).", 'Error found at c:1.'],
  [
    'retain_expiry_interval 0',
    'Error: retain_expiry_interval must be >= 1.',
    'Error found at c:1.',
  ],
  [
    'packet_buffer_size 65536',
    'Error: Packet buffer size must be between 0 and 65535 inclusive.',
    'Error found at c:1.',
  ],
  [
    'persistent_client_expiration 14',
    "Error: Invalid 'persistent_client_expiration' duration in configuration.",
    'Error found at c:1.',
    'Write a whole number and one of s h d w m y, as in 14d.',
  ],
  ['log_facility 8', "Error: Invalid 'log_facility' value (8).", 'Error found at c:1.'],
  [
    'log_dest dlt',
    "Error: Invalid 'log_dest' value (dlt).",
    'Error found at c:1.',
    'Sabethes has no such log: say file PATH, or syslog.',
  ],
  [
    'log_dest file',
    'Error: Empty "log_dest file" value in configuration.',
    'Error found at c:1.',
  ],
  [
    'log_dest file a\nlog_dest file b',
    'Error: Duplicate "log_dest file" value.',
    'Error found at c:2.',
    'The other one is at c:1: leave one of them out.',
  ],
  [
    'log_type verbose',
    "Error: Invalid 'log_type' value (verbose).",
    'Error found at c:1.',
    'Say none, all, error, warning, notice, information, debug, subscribe, unsubscribe, ' +
    'websockets or internal.',
  ],
  ['port 0', "Error: Invalid 'port' value (0).", 'Error found at c:1.'],
  ['listener', "Error: Empty 'listener port' value in configuration.", 'Error found at c:1.'],
  [
    'listener x',
    "Error: 'listener port' value not a number.",
    'Error found at c:1.',
    'In place of x write a port from 1 to 65535, and behind it, after a blank, an address if any.',
  ],
  [
    'listener 127.0.0.1:1883',
    "Error: 'listener port' value not a number.",
    'Error found at c:1.',
    'In place of 127.0.0.1:1883 write a port from 1 to 65535, and behind it, after a blank, an ' +
    'address if any.',
  ],
  [
    'listener 1883\t0.0.0.0',
    "Error: 'listener port' value not a number.",
    'Error found at c:1.',
    'In place of 1883\\u{9}0.0.0.0 write a port from 1 to 65535, and behind it, after a blank, ' +
    'an address if any.',
  ],
  ['listener 65536', "Error: Invalid 'port' value (65536).", 'Error found at c:1.'],
  [
    'listener 0',
    'Error: A listener with port 0 must provide a Unix socket path.',
    'Error found at c:1.',
    'Write listener 0 /path/of/the/socket, or a port from 1 to 65535.',
  ],
  [
    `listener 0 /${'x'.repeat(107)}`,
    `Error: Path to unix socket is too long "/${'x'.repeat(63)}...".`,
    'Error found at c:1.',
    'It may have 107 bytes.',
  ],
  [
    `listener 0 /${'é'.repeat(54)}`,
    `Error: Path to unix socket is too long "/${'é'.repeat(54)}".`,
    'Error found at c:1.',
    'It may have 107 bytes.',
  ],
  [
    'max_queued_messages -2147483649',
    "Error: 'max_queued_messages' value out of range.",
    'Error found at c:1.',
  ],
  [
    'plugin_load x mosquitto_acl_file.so\nplugin_load x mosquitto_acl_file.so',
    "Error: Duplicate plugin name 'x'.",
    'Error found at c:2.',
  ],
  [
    'plugin mosquitto_acl_file.so\nplugin_opt_acl_file x\nplugin_opt_acl_file x',
    "Error: Duplicate 'acl_file' value in configuration.",
    'Error found at c:3.',
    'The other one is at c:2: leave one of them out.',
  ],
  [
    'listener 1883\nlistener 1884\nlistener 1883',
    'Error: Two listeners on port 1883 on *.',
    'Error found at c:3.',
    'The other one is at c:1: leave one of them out.',
  ],
  [
    'mount_point x',
    "Error: The 'mount_point' option requires a listener to be defined first.",
    'Error found at c:1.',
    "Write it below a line 'listener PORT'.",
  ],
  [
    'port 1883\naccept_protocol_versions 4',
    "Error: The 'accept_protocol_versions' option requires a listener to be defined first.",
    'Error found at c:2.',
    "Write it below a line 'listener PORT'.",
  ],
  [
    'listener 1883\naccept_protocol_versions 4, 6',
    "Error: Invalid 'accept_protocol_versions' value (6).",
    'Error found at c:2.',
    'Say some of 3, 4 and 5.',
  ],
  [
    'listener 1883\nmax_qos 3',
    "Error: 'max_qos' must be between 0 and 2 inclusive.",
    'Error found at c:2.',
  ],
  [
    'listener 1883\nmax_topic_alias 65536',
    "Error: Invalid 'max_topic_alias' value in configuration.",
    'Error found at c:2.',
  ],
  [
    'listener 1883\nmount_point a/#',
    "Error: Invalid 'mount_point' value (a/#). Does it contain a wildcard character?",
    'Error found at c:2.',
    'It is no topic: it contains a wildcard.',
  ],
  [
    'listener 1883\nsocket_domain ipv5',
    "Error: Invalid 'socket_domain' value 'ipv5' in configuration.",
    'Error found at c:2.',
    'Say ipv4 or ipv6.',
  ],
  [
    'listener 1883\nprotocol mqttsn',
    "Error: Invalid 'protocol' value (mqttsn).",
    'Error found at c:2.',
  ],
  [
    'per_listener_settings true\nallow_anonymous true',
    "Error: The 'allow_anonymous' option requires a listener to be defined first.",
    'Error found at c:2.',
    "Write it below a line 'listener PORT'.",
  ],
  [
    'allow_anonymous true\nper_listener_settings true',
    'Error: per_listener_settings must be set before any other security settings.',
    'Error found at c:2.',
    'Make it the first line of the file.',
  ],
  [
    `auto_id_prefix ${'x'.repeat(51)}`,
    "Error: 'auto_id_prefix' length must be <= 50.",
    'Error found at c:1.',
  ],
  [
    'plugin_opt_password_file x',
    "Error: The 'plugin_opt_password_file' option requires plugin/global_plugin/plugin_load to " +
    'be defined first.',
    'Error found at c:1.',
  ],
  [
    'auth_plugin_deny_special_chars true',
    'Error: An auth_plugin_deny_special_chars option exists in the config file without a plugin.',
    'Error found at c:1.',
    'Write it below the line of mosquitto_acl_file.so.',
  ],
  ['pid_file a\x07b', 'Error: Malformed UTF-8 in configuration.', 'Error found at c:1.'],
  [
    'pid_file a\0b',
    'Error: Malformed UTF-8 in configuration.',
    'Error found at c:1.',
    'The line has a NUL.',
  ],
]

config('what mosquitto refuses is refused with its words, the place and the remedy', () => {
  for (const [text, ...lines] of refused) {
    const error = errorIn(text)
    assert.equal(error.lines.slice(0, lines.length), lines, text)
    assert.is(error.lines.length, 3, `${text}: without a remedy`)
    assert.is(error.status, 3, text)
    assert.is(error.file, 'c')
    assert.is(`Error found at c:${error.line}.`, error.lines[1])
  }
})

config('blanks, comments, ends of lines and numbers are what they are to mosquitto', () => {
  const rows: ReadonlyArray<readonly [text: string, key: keyof Settings, value: unknown]> = [
    ['  sys_interval 7', 'sysIntervalS', 7],
    ['sys_interval    7   # seconds', 'sysIntervalS', 7],
    ['sys_interval 0x10', 'sysIntervalS', 16],
    ['sys_interval 010', 'sysIntervalS', 8],
    ['sys_interval +7', 'sysIntervalS', 7],
    ['sys_interval 7\r\n', 'sysIntervalS', 7],
    ['\ufeffsys_interval 7', 'sysIntervalS', 7],
    ['\n\r\n   \n#sys_interval 3\nsys_interval 7', 'sysIntervalS', 7],
    ['sys_interval 3\nsys_interval 7', 'sysIntervalS', 7],
    ['retain_available 0 # none', 'retainAvailable', false],
    ['queue_qos0_messages 1', 'queueQos0', true],
    ['pid_file  /run/x # y ', 'pidFile', '/run/x # y'],
    ['pid_file #x', 'pidFile', '#x'],
    ['max_inflight_messages 65535', 'inflightCountMax', 0],
    ['max_inflight_messages -5', 'inflightCountMax', 0],
    ['max_queued_bytes -1', 'queuedBytesMax', 0],
    ['global_max_clients -1', 'sessionsMax', null],
    ['global_max_clients 0', 'sessionsMax', null],
    ['persistent_client_expiration 14d', 'sessionExpiryMaxS', 14 * 86_400],
    ['persistent_client_expiration 2m', 'sessionExpiryMaxS', 60 * 86_400],
    ['retain_expiry_interval 2', 'retainExpiryS', 120],
    ['retain_expiry_interval 10000001', 'retainExpiryS', 600_000_000],
    ['connect_timeout 3', 'connectTimeoutMs', 3_000],
    ['enable_control_api false', 'pidFile', null],
    ['retry_interval 20', 'pidFile', null],
  ]
  for (const [text, key, value] of rows) assert.equal(settingsIn(text)[key], value, text)
})

config('an option that there is no use for says so', () => {
  for (const text of ['packet_buffer_size 8192', 'persistence_file other.db']) {
    const [notice = '', ...others] = settingsIn(text).notices
    assert.match(notice, `The '${text.split(' ')[0]}' option changes nothing: `)
    assert.equal(others, [])
  }
  assert.equal(settingsIn('sys_interval 1').notices, [])
})

config('destinations and types of the log add up, and none forgets', () => {
  const log = (text: string) => settingsIn(text).log
  assert.equal(log('').destinations, [{ to: 'stderr' }])
  assert.equal(
    log('log_dest syslog\nlog_dest stdout\nlog_dest topic\nlog_dest syslog').destinations,
    [
      { to: 'syslog' },
      { to: 'stdout' },
      { to: 'topic' },
    ],
  )
  assert.equal(log('log_dest stdout\nlog_dest none').destinations, [])
  assert.equal(log('log_dest file   /var/log/x y ').destinations, [{
    to: 'file',
    path: '/var/log/x y',
  }])
  assert.equal(log('log_dest stdout unbuffered').destinations, [{ to: 'stdout' }])
  assert.equal(log('log_type debug\nlog_type error').types, ['error', 'debug'])
  assert.equal(log('log_type all').types.length, 9)
  assert.equal(log('log_type all\nlog_type none').types, [])
})

config('without a listener only this machine is served, and whoever is forbidden stays out', () => {
  const alone = settingsIn('')
  assert.is(alone.isLocalOnly, true)
  assert.equal([first('').name, first('').host, first('').anonymous], ['1883', 'localhost', true])
  assert.match(alone.warnings.join(), /only clients on this machine.*'listener 1883'/)
  assert.is(first('allow_anonymous false').anonymous, false)
  assert.is(first('password_file p').anonymous, true)
  assert.is(first('password_file p').passwordFile, 'p')
  assert.is(first('max_connections 5').connectionsMax, 5)
  assert.is(settingsIn('max_connections 5').isLocalOnly, true)
  const ports = parse('', [1884, 1885, 1884])
  assert.ok(E.isRight(ports))
  assert.equal(ports.right.listeners.map(({ port }) => port), [1884, 1885])
  const ignored = parse('listener 1883', [1884])
  assert.ok(E.isRight(ignored))
  assert.equal(ignored.right.listeners.map(({ port }) => port), [1883])
  assert.is(ignored.right.isLocalOnly, false)
})

config('listeners hold what was said for all of them, and what was said for one', () => {
  assert.is(first('listener 1883').anonymous, false)
  assert.is(first('allow_anonymous true\nlistener 1883').anonymous, true)
  assert.is(first('listener 1883\nallow_anonymous true').anonymous, true)
  const { listeners } = settingsIn(
    'allow_anonymous true\nacl_file a\nlistener 1883 127.0.0.1\nlistener_allow_anonymous false\n' +
      'max_connections 3\nlistener 1883 ::1 # six\nmount_point x/\nlistener 0 /run/s.sock\n' +
      'listener 1884 *\nlistener_auto_id_prefix z',
  )
  assert.equal(listeners.map((one) => [one.name, one.host, one.anonymous, one.aclFile]), [
    ['1883 on 127.0.0.1', '127.0.0.1', false, 'a'],
    ['1883 on ::1', '::1', true, 'a'],
    ['/run/s.sock', null, true, 'a'],
    ['1884', null, true, 'a'],
  ])
  assert.equal(listeners.map((one) => [one.connectionsMax, one.mountPoint, one.autoIdPrefix]), [
    [3, null, 'auto-'],
    [null, 'x/', 'auto-'],
    [null, null, 'auto-'],
    [null, null, 'z'],
  ])
  const each = settingsIn(
    'per_listener_settings true\nper_listener_settings false\nlistener 1\npassword_file p\n' +
      'listener 2\nallow_anonymous true\nlistener 3',
  ).listeners
  assert.equal(each.map((one) => [one.passwordFile, one.anonymous]), [
    ['p', false],
    [null, true],
    [null, false],
  ])
})

config('what is deprecated is said in one sentence, with what to do about it', () => {
  const said = (text: string): string => settingsIn(text).notices.join('|')
  assert.is(
    said('allow_duplicate_messages false'),
    "The 'allow_duplicate_messages' option is deprecated: leave it out, as one day it will " +
      'always be true.',
  )
  assert.is(
    said('message_size_limit 5'),
    "The 'message_size_limit' option is deprecated: use max_packet_size instead.",
  )
  for (const { name, deprecated } of table) {
    if (deprecated !== null) assert.match(deprecated, /^(use .* instead|leave it out.*[^.])$/, name)
  }
})

config('protocol levels are some of three', () => {
  const levels = (value: string) => first(`listener 1\naccept_protocol_versions ${value}`).levels
  assert.equal(levels('5 , 3\t4'), [3, 4, 5])
  assert.equal(levels('5,4,5'), [4, 5])
  assert.equal(levels('4 # 3.1.1'), [4])
})

config('the older names still define a listener', () => {
  const old = settingsIn('port 1884\nbind_address 127.0.0.1\nmaximum_qos 1')
  assert.is(old.isLocalOnly, false)
  const { name, host, maximumQos, anonymous } = old.listeners[0]!
  assert.equal([name, host, maximumQos, anonymous], ['1884', '127.0.0.1', 1, false])
  assert.match(old.notices.join(), /'port' option is deprecated: use listener/)
  assert.match(errorIn('bind_address a\nbind_address a').lines[0]!, /'default listener bind_addr/)
  // An option above all listeners makes one more, on all addresses, as in mosquitto 2.1.
  assert.equal(settingsIn('max_connections 5\nlistener 1884').listeners.map((one) => one.name), [
    '1883',
    '1884',
  ])
})

config("mosquitto's own plugins are what they stand for, and others are refused", () => {
  const load = '/usr/lib/x86_64-linux-gnu/'
  const both = first(
    `plugin ${load}mosquitto_password_file.so\nplugin_opt_password_file p\n` +
      `auth_plugin ${load}mosquitto_acl_file.so\nauth_opt_acl_file a\n` +
      'auth_plugin_deny_special_chars false\nlistener 1883',
  )
  assert.equal([both.passwordFile, both.aclFile, both.denySpecialChars], ['p', 'a', false])
  const used = settingsIn(
    `plugin_load pw ${load}mosquitto_password_file.so\nplugin_opt_password_file p\n` +
      'listener 1\nplugin_use pw\nlistener 2',
  ).listeners
  assert.equal(used.map((one) => one.passwordFile), ['p', null])
  // What nobody uses does nothing, and need not be told anything.
  assert.is(
    first(`plugin_load pw ${load}mosquitto_password_file.so\nlistener 1`).passwordFile,
    null,
  )
  assert.is(settingsIn('plugin_load x mosquitto_persist_sqlite.so').persistence, null)
  const all = settingsIn(
    'per_listener_settings true\nglobal_plugin mosquitto_acl_file.so\nplugin_opt_acl_file a\n' +
      'listener 1\nlistener 2',
  ).listeners
  assert.equal(all.map((one) => one.aclFile), ['a', 'a'])
  assert.ok(settingsIn('plugin mosquitto_persist_sqlite.so\nplugin_opt_sync full').persistence)
  const rows: ReadonlyArray<readonly [text: string, status: number, line: RegExp, remedy: RegExp]> =
    [
      ['plugin a/mosquitto_dynamic_security.so', 13, /Unable to load plugin/, /Dynamic security/],
      ['plugin mosquitto_sparkplug_aware.so', 13, /Unable to load plugin/, /Sparkplug/],
      ['plugin /x/go-auth.so', 13, /Unable to load plugin "\/x\/go-auth.so"/, /loads no plugins/],
      ['plugin_load x', 3, /Empty 'plugin_load'/, /name and the path/],
      ['listener 1\nplugin_use x', 3, /Plugin 'x' not previously loaded/, /plugin_load/],
      ['plugin mosquitto_acl_file.so', 13, /was given no file/, /plugin_opt_acl_file/],
      [
        'plugin mosquitto_acl_file.so\nplugin_opt_password_file x',
        3,
        /has no option 'password_file'/,
        /Leave/,
      ],
      [
        'acl_file a\nplugin mosquitto_acl_file.so\nplugin_opt_acl_file b',
        3,
        /Duplicate 'acl_file'/,
        /c:1/,
      ],
    ]
  for (const [text, status, line, remedy] of rows) {
    const error = errorIn(text)
    assert.is(error.status, status, text)
    assert.match(error.lines[0]!, line)
    assert.match(error.lines[error.lines.length - 1]!, remedy)
  }
})

config('an equal repeat of persistence_location is a warning', () => {
  const twice = settingsIn('persistence true\npersistence_location /a\npersistence_location /a')
  assert.is(twice.persistence?.folder, '/a')
  assert.match(twice.warnings.join(), /'persistence_location' is given twice .*c:2 and c:3/)
})

config('what counts when a value is given twice is said', () => {
  const { warnings, origins } = settingsIn('listener 1883\nsys_interval 1\nsys_interval 2')
  assert.equal(warnings, ["'sys_interval' is given twice: c:3 counts, c:2 does not."])
  assert.equal(origins, [
    { option: 'sys_interval', listener: null, place: { file: 'c', line: 3 } },
    { option: 'listener', listener: '1883', place: { file: 'c', line: 1 } },
  ])
})

config('include_dir reads a folder in order, and errors name both files', () => {
  const files = {
    c: 'include_dir d\n',
    'd/b.conf': 'sys_interval 5',
    'd/B.conf': 'sys_interval 4',
    'd/a.conf': 'sys_interval 3',
    'd/A.conf': 'sys_interval 2',
    'd/01.conf': 'sys_interval 1',
    'd/.conf': 'nonsense',
    'd/README': 'nonsense',
  }
  const read = parseConfig('c', sourcesOf(files))
  assert.ok(E.isRight(read))
  assert.is(read.right.sysIntervalS, 5)
  assert.equal(
    read.right.notices,
    ['01', 'A', 'a', 'B', 'b'].map((one) => `Loading config file 'd/${one}.conf'`),
  )
  const wrong = parseConfig('c', sourcesOf({ c: '\ninclude_dir d', 'd/x.conf': '\n\nbad x' }))
  assert.ok(E.isLeft(wrong))
  assert.equal(wrong.left, {
    lines: [
      "Error: Unknown configuration variable 'bad'.",
      "Error found at 'd/x.conf:3'.",
      'Error found at c:2.',
      'mosquitto 2.1 and Sabethes know no such option: take the line out.',
    ],
    status: 3,
    file: 'd/x.conf',
    line: 3,
  })
  const nested = parseConfig('c', sourcesOf({ c: 'include_dir d', 'd/x.conf': 'include_dir d' }))
  assert.ok(E.isLeft(nested))
  assert.equal(nested.left.lines, [
    'Error: The include_dir option is only valid in the main configuration file.',
    "Error found at 'd/x.conf:1'.",
    'Error found at c:1.',
    'Write it in c, or take it out.',
  ])
  // A listener of the main file is none of an included one.
  const below = parseConfig(
    'c',
    sourcesOf({ c: 'listener 1884\ninclude_dir d\nmax_qos 1', 'd/x.conf': 'mount_point x' }),
  )
  assert.ok(E.isLeft(below))
})

config('what cannot be read is said in the words of mosquitto', () => {
  const none = parseConfig('c', sourcesOf({}))
  assert.ok(E.isLeft(none))
  assert.is(none.left.lines[0], "Error: Unable to open config file 'c'.")
  assert.is(none.left.status, 3)
  const folder = parseConfig('c', {
    ...sourcesOf({}),
    files: new Map([['c', E.left('directory')]]),
  })
  assert.ok(E.isLeft(folder))
  assert.equal(folder.left.lines, [
    "Error: Config file 'c' is a directory.",
    'Name a file in it.',
  ])
  const blanks = 'A blank at its ends, and what follows it, count as a part of its name.'
  for (
    const [folder, why, remedy] of [
      ['/x', 'missing', 'Name a folder that is there.'],
      ['/x', 'not allowed', 'The user that the broker runs as may not read it.'],
      ['/x ', 'missing', blanks],
      [' /x', 'missing', blanks],
      ['/x # mine', 'missing', blanks],
    ] as const
  ) {
    const sources = sourcesOf({ c: `include_dir ${folder}` })
    const read = parseConfig('c', { ...sources, folders: new Map([[folder, E.left(why)]]) })
    assert.ok(E.isLeft(read))
    assert.equal(read.left.lines, [
      `Error: Unable to open include_dir '${folder}'.`,
      'Error found at c:1.',
      remedy,
    ])
  }
})

config('a shell is asked for what has to be read, step by step', () => {
  const whole = {
    c: 'include_dir ${D}\npid_file ${file:p}',
    'd/x.conf': 'user ${file:u}',
    p: '/run/x\n',
    u: 'me',
  }
  const all = sourcesOf(whole, { expand: true, variables: new Map([['D', 'd']]) })
  const given = { ...all, files: new Map(), folders: new Map() }
  const steps: Array<ReadonlyArray<string>> = []
  for (;;) {
    const { files, folders } = wanted('c', given)
    if (files.length + folders.length === 0) break
    steps.push([...files, ...folders])
    for (const file of files) given.files.set(file, all.files.get(file))
    for (const folder of folders) given.folders.set(folder, all.folders.get(folder))
  }
  assert.equal(steps, [['c'], ['p', 'd'], ['d/x.conf'], ['u']])
  const read = parseConfig('c', given)
  assert.ok(E.isRight(read))
  assert.equal([read.right.pidFile, read.right.user], ['/run/x', 'me'])
})

config('variables stand for themselves unless they are allowed', () => {
  assert.is(settingsIn('pid_file ${HOME}').pidFile, '${HOME}')
  const variables = new Map([['A', 'b c'], ['TWO', 'a\nuser root']])
  const read = (text: string, content = 'x') => {
    const parsed = parseConfig('c', sourcesOf({ c: text, f: content }, { expand: true, variables }))
    return E.isLeft(parsed) ? parsed.left.lines.slice(0, 2).join(' ') : parsed.right.pidFile
  }
  assert.is(read('pid_file /${A}/${file:f}'), '/b c/x')
  assert.is(read('pid_file $${A} $SYS $'), '${A} $SYS $')
  assert.is(read('#pid_file ${NO}'), null)
  assert.is(read('pid_file ${NO}'), "Error: Variable 'NO' is not set. Error found at c:1.")
  assert.match(String(read('pid_file ${A')), /Missing } after/)
  assert.match(String(read('pid_file ${TWO}')), /Variable 'TWO' holds more than one line/)
  assert.match(String(read('pid_file ${file:nope}')), /Unable to open file 'nope'/)
  assert.match(String(read('pid_file ${file:f}', 'a\nallow_anonymous true')), /more than one line/)
})

config('the environment names the folder of the store', () => {
  const variables = new Map([['MOSQUITTO_PERSISTENCE_LOCATION', '/e']])
  const text = 'persistence true\npersistence_location /a'
  const read = parseConfig('c', sourcesOf({ c: text }, { variables }))
  assert.ok(E.isRight(read))
  assert.is(read.right.persistence?.folder, '/e')
})

/** What may have happened to a file. */
const anyDamage: fc.Arbitrary<(text: string) => string> = fc.oneof(
  fc.tuple(fc.nat(), fc.string({ unit: 'binary', maxLength: 4 })).map(
    ([at, some]) => (text: string) => {
      const i = at % (text.length + 1)
      return text.slice(0, i) + some + text.slice(i + 1)
    },
  ),
  fc.nat().map((at) => (text: string) => text.slice(0, at % (text.length + 1))),
  fc.tuple(fc.nat(), fc.nat()).map(([a, b]) => (text: string) => {
    const lines = text.split('\n')
    const [i, j] = [a % lines.length, b % lines.length]
    const [x, y] = [lines[i]!, lines[j]!]
    lines[i] = y
    lines[j] = x
    return lines.join('\n')
  }),
  fc.constantFrom(
    (text: string) => text.replaceAll('\n', '\r\n'),
    (text: string) => `\ufeff${text}`,
    (text: string) => `${text}${'x'.repeat(100_000)}`,
    (text: string) => `${text}pid_file ${'x'.repeat(70_000)}\n`,
    (text: string) => text.replaceAll(' ', '\0'),
    (text: string) => text.replaceAll(' ', '\t'),
    (text: string) => text.toUpperCase(),
    (text: string) => text + text,
  ),
)

config('every file has an answer: whole settings, or an error with its place', () => {
  fc.assert(
    fc.property(
      anySettings,
      fc.array(anyDamage, { minLength: 1, maxLength: 3 }),
      (settings, all) => {
        const text = all.reduce((before, damage) => damage(before), printSettings(settings))
        const read = parse(text)
        if (E.isRight(read)) {
          assert.ok(settingsCodec.is(read.right))
          return
        }
        const { lines, file, line, status } = read.left
        assert.is(file, 'c')
        assert.ok(line >= 1 && line <= text.split('\n').length)
        assert.ok(status === 3 || status === 13)
        assert.match(lines[0]!, /^Error: /)
        assert.is(lines[1], `Error found at c:${line}.`)
        // deno-lint-ignore no-control-regex
        for (const one of lines) assert.not.match(one, /[\x00-\x1f\x7f]/)
        // A path is there whole, and may have 4,096 characters.
        assert.ok(lines.join().length < 5_000)
      },
    ),
    { numRuns: runs(600) },
  )
})

config('every option has an answer to every value', () => {
  const values = [
    ...['', ' ', '#', '*', '%', '"', '-', '$&', '\t1', '1\t', 'true', '__proto__', 'constructor'],
    ...['0', '-1', '1', '2147483647', '2147483648', '-2147483648', '0x7fffffff', '0777777777777'],
    ...['9007199254740991', '9007199254740993', '1e308', `9${'9'.repeat(400)}`, 'Infinity', 'NaN'],
    ...['1s', '2147483647y', '4294967295s', '9999999999w', '/x'.repeat(40_000), 'a b c d'],
  ]
  for (const name of [...optionNames, '__proto__', 'constructor', 'plugin_opt_', 'auth_opt_abc']) {
    for (const above of ['', 'listener 1\n', 'plugin_load x mosquitto_persist_sqlite.so\n']) {
      for (const value of values) {
        const read = parse(`${above}${name} ${value}`)
        if (E.isRight(read)) assert.ok(settingsCodec.is(read.right), `${name} ${value}`)
        else assert.ok(read.left.line > 0 && read.left.lines.length > 1, `${name} ${value}`)
      }
    }
  }
})

config('no error opens what the file without it would have closed', () => {
  const wrong = refused.map(([text]) => text).filter((text) => !text.includes('\n'))
  fc.assert(
    fc.property(anySettings, fc.constantFrom(...wrong), fc.nat(), (settings, line, at) => {
      const lines = printSettings(settings).split('\n')
      lines.splice(at % (lines.length + 1), 0, line)
      const read = parse(lines.join('\n'))
      if (E.isLeft(read)) return
      // It was no error in this place: then it is no way in either.
      const isOpen = (some: Settings): boolean => some.listeners.some(({ anonymous }) => anonymous)
      assert.ok(!isOpen(read.right) || isOpen(settings))
    }),
    { numRuns: runs(400) },
  )
})

config.run()
