// The options of listeners and plugins.

import { intMax, rows, text, truth, whole } from './option.ts'
import type { Kind, Option, Row } from './option.ts'
import { defaultListener } from './settings.ts'

const initial = defaultListener(0)

const port: Kind = {
  _tag: 'Own',
  shape: 'PORT',
}

const aliases = (name: string): Kind =>
  whole(0, `Invalid '${name}' value in configuration.`, { max: 65_535 })

const webSockets = 'WebSockets are not there yet: use protocol mqtt.'
const httpApi = 'The HTTP API is not there yet: leave the listener out.'
const proxy = 'The PROXY protocol is not there yet: let clients connect directly.'

export const listeners: ReadonlyArray<Option> = rows('Listeners', [
  {
    name: 'listener',
    scope: 'global',
    kind: { _tag: 'Own', shape: 'PORT [HOST], or 0 PATH' },
    key: null,
    initial: null,
    label: 'listener port',
    reload: 'now',
    meaning: 'Listens on a port, of one address or (also with *) of all; or on a Unix socket. ' +
      'What follows belongs to it. Without any: port 1883, for clients on this machine only.',
  },
  {
    name: 'port',
    scope: 'global',
    kind: port,
    key: null,
    initial: null,
    reload: 'now',
    deprecated: 'use listener instead',
    meaning: 'Port of the default listener, 1883 where nobody says.',
  },
  {
    name: 'bind_address',
    scope: 'global',
    kind: { _tag: 'Own', shape: 'HOST' },
    key: null,
    initial: null,
    label: 'default listener bind_address',
    reload: 'now',
    deprecated: 'use listener instead',
    meaning: 'Address of the default listener.',
  },
  {
    name: 'bind_interface',
    scope: 'listener',
    kind: text('interface'),
    key: 'bindInterface',
    initial: initial.bindInterface,
    reload: 'now',
    meaning: 'Listens on the addresses of one network interface only; where the listener names ' +
      'an address, that has to be one of them.',
  },
  {
    name: 'socket_domain',
    scope: 'listener',
    kind: {
      _tag: 'Word',
      words: [['ipv4', 'ipv4'], ['ipv6', 'ipv6']],
      refusal: "Invalid 'socket_domain' value '%' in configuration.",
      missing: [],
    },
    key: 'domain',
    initial: initial.domain,
    reload: 'now',
    meaning: 'Only this one of ipv4 and ipv6. Default: both.',
  },
  {
    name: 'protocol',
    scope: 'listener',
    kind: {
      _tag: 'Word',
      words: [['mqtt', 'mqtt']],
      refusal: "Invalid 'protocol' value (%).",
      missing: [['websockets', webSockets], ['http_api', httpApi]],
    },
    key: 'protocol',
    initial: initial.protocol,
    reload: 'restart',
    meaning: 'What is spoken.',
  },
  {
    name: 'accept_protocol_versions',
    scope: 'explicit listener',
    kind: { _tag: 'Levels' },
    key: 'levels',
    initial: initial.levels,
    reload: 'new connections',
    since: '2.1',
    meaning: 'Protocol levels that are served: 3 is MQTT 3.1, 4 is 3.1.1, 5 is 5.0.',
  },
  {
    name: 'max_connections',
    scope: 'listener',
    kind: whole(1, '', { below: null }),
    key: 'connectionsMax',
    initial: initial.connectionsMax,
    reload: 'now',
    meaning: 'Connections at once; -1: no limit of its own.',
  },
  {
    name: 'max_qos',
    aliases: ['maximum_qos'],
    scope: 'listener',
    kind: whole(0, "'max_qos' must be between 0 and 2 inclusive.", { max: 2 }),
    key: 'maximumQos',
    initial: initial.maximumQos,
    reload: 'new connections',
    meaning: 'Highest QoS of publishes and subscriptions; MQTT 5 clients are told.',
  },
  {
    name: 'max_topic_alias',
    scope: 'listener only',
    kind: aliases('max_topic_alias'),
    key: 'topicAliasMaximum',
    initial: initial.topicAliasMaximum,
    reload: 'new connections',
    meaning: 'Topic aliases that an MQTT 5 client may set.',
  },
  {
    name: 'max_topic_alias_broker',
    scope: 'listener only',
    kind: aliases('max_topic_alias_broker'),
    key: 'outgoingTopicAliasMax',
    initial: initial.outgoingTopicAliasMax,
    reload: 'new connections',
    since: '2.1',
    meaning: 'Topic aliases that are set towards an MQTT 5 client.',
  },
  {
    name: 'mount_point',
    scope: 'listener only',
    kind: { _tag: 'Text', what: 'prefix', check: 'topic' },
    key: 'mountPoint',
    initial: initial.mountPoint,
    reload: 'new connections',
    meaning: 'In front of all topics of its clients.',
  },
  {
    name: 'http_dir',
    scope: 'listener only',
    kind: text('folder'),
    key: null,
    initial: null,
    reload: 'restart',
    missing: webSockets,
    meaning: 'Files that are served over HTTP.',
  },
  {
    name: 'websockets_origin',
    scope: 'listener only',
    kind: text('origin'),
    key: null,
    initial: null,
    reload: 'restart',
    since: '2.1',
    missing: webSockets,
    meaning: 'Origin that a browser may come from.',
  },
  {
    name: 'websockets_log_level',
    scope: 'global',
    kind: whole(-intMax, ''),
    key: null,
    initial: 0,
    reload: 'restart',
    missing: 'There is no libwebsockets in here: leave the line out.',
    meaning: 'What libwebsockets logs.',
  },
  {
    name: 'enable_proxy_protocol',
    scope: 'listener only',
    kind: whole(1, 'enable_proxy_protocol must be 1 or 2.', { max: 2 }),
    key: null,
    initial: 0,
    reload: 'restart',
    since: '2.1',
    missing: proxy,
    meaning: 'Expects a header of the PROXY protocol.',
  },
  {
    name: 'proxy_protocol_v2_require_tls',
    scope: 'listener only',
    kind: truth,
    key: null,
    initial: false,
    reload: 'restart',
    since: '2.1',
    missing: proxy,
    meaning: 'Whether the leg before the proxy must have had TLS.',
  },
])

const tlsMissing = 'TLS is not there yet: let a proxy in front of the broker speak it.'

type Short = readonly [name: string, scope: Row['scope'], kind: Kind, meaning: string]

const unserved = ([name, scope, kind, meaning]: Short): Row => ({
  name,
  scope,
  kind,
  key: null,
  initial: kind._tag === 'Truth' ? false : null,
  reload: 'restart',
  missing: tlsMissing,
  meaning,
})

export const tls: ReadonlyArray<Option> = rows('Listeners: TLS', [
  ...([
    ['certfile', 'listener', text('file'), 'Certificate of the listener.'],
    ['keyfile', 'listener', text('file'), 'Its key.'],
    ['cafile', 'listener only', text('file'), 'Who may sign the certificates of clients.'],
    ['capath', 'listener', text('folder'), 'The same as a folder.'],
    ['crlfile', 'listener', text('file'), 'Certificates that were revoked.'],
    ['require_certificate', 'listener', truth, 'Whether clients need a certificate.'],
    ['use_identity_as_username', 'listener', truth, 'The common name becomes the user name.'],
    ['use_subject_as_username', 'listener', truth, 'The whole subject becomes the user name.'],
    ['disable_client_cert_date_checks', 'listener only', truth, 'Expired certificates will do.'],
    ['ciphers', 'listener', text('list'), 'Ciphers up to TLS 1.2.'],
    ['ciphers_tls1.3', 'listener', text('list'), 'Ciphers of TLS 1.3.'],
    ['tls_version', 'listener only', text('version'), 'The oldest version that is spoken.'],
    ['psk_hint', 'listener', text('hint'), 'Turns on TLS-PSK.'],
    ['tls_engine', 'listener', text('name'), 'Engine of OpenSSL.'],
    ['tls_engine_kpass_sha1', 'listener', text('hash'), 'Its password.'],
    ['tls_keyform', 'listener', text('form'), 'Form of the key.'],
  ] satisfies ReadonlyArray<Short>).map(unserved),
  {
    name: 'dhparamfile',
    scope: 'listener',
    kind: { _tag: 'Own', shape: 'FILE' },
    key: null,
    initial: null,
    reload: 'now',
    meaning: 'Nothing any more: only a warning, as in mosquitto.',
  },
])

export const plugins: ReadonlyArray<Option> = rows('Plugins', [
  {
    name: 'plugin',
    aliases: ['auth_plugin'],
    scope: 'security',
    kind: { _tag: 'Own', shape: 'PATH' },
    key: null,
    initial: null,
    reload: 'now',
    meaning: 'mosquitto_password_file.so, mosquitto_acl_file.so and mosquitto_persist_sqlite.so, ' +
      'wherever they lie, mean password_file, acl_file and persistence true. Others are refused.',
  },
  {
    name: 'global_plugin',
    scope: 'global',
    kind: { _tag: 'Own', shape: 'PATH' },
    key: null,
    initial: null,
    reload: 'now',
    since: '2.1',
    meaning: 'The same for all listeners, whatever per_listener_settings says.',
  },
  {
    name: 'plugin_load',
    scope: 'global',
    kind: { _tag: 'Own', shape: 'NAME PATH' },
    key: null,
    initial: null,
    reload: 'now',
    since: '2.1',
    meaning: 'The same under a name, for the listeners that say plugin_use.',
  },
  {
    name: 'plugin_use',
    scope: 'explicit listener',
    kind: { _tag: 'Own', shape: 'NAME' },
    key: null,
    initial: null,
    reload: 'now',
    since: '2.1',
    meaning: 'Uses what plugin_load has named.',
  },
  {
    name: 'plugin_opt_password_file',
    aliases: ['auth_opt_password_file'],
    scope: 'plugin',
    kind: text('file'),
    key: null,
    initial: null,
    reload: 'now',
    since: '2.1',
    meaning: 'The file of mosquitto_password_file.so.',
  },
  {
    name: 'plugin_opt_acl_file',
    aliases: ['auth_opt_acl_file'],
    scope: 'plugin',
    kind: text('file'),
    key: null,
    initial: null,
    reload: 'now',
    since: '2.1',
    meaning: 'The file of mosquitto_acl_file.so.',
  },
  {
    name: 'auth_plugin_deny_special_chars',
    scope: 'plugin',
    kind: truth,
    key: 'denySpecialChars',
    initial: initial.denySpecialChars,
    reload: 'now',
    meaning: 'Whether names with + # / are kept away from the patterns of an ACL.',
  },
])
