// The options of bridges, none of which is there yet.

import { intMax, rows, text, truth, whole } from './option.ts'
import type { Kind, Option, Row } from './option.ts'

const missing = 'Bridges are not there yet: let another broker keep the connection, or clients ' +
  'that subscribe here and publish there.'

type Short = readonly [
  name: string,
  kind: Kind,
  meaning: string,
  more?: { readonly aliases?: ReadonlyArray<string>; readonly since?: string },
]

const number: Kind = whole(-intMax, '')

const bridge = (short: Short): Row => {
  const [name, kind, meaning, more = {}] = short
  return {
    name,
    scope: name === 'connection' ? 'global' : 'bridge',
    kind,
    key: null,
    initial: null,
    reload: 'restart',
    missing,
    meaning,
    ...more,
  }
}

const link: ReadonlyArray<Short> = [
  ['connection', text('name'), 'Begins a bridge. What follows belongs to it.'],
  ['address', text('HOST[:PORT] ...'), 'Where it connects to.', { aliases: ['addresses'] }],
  ['round_robin', truth, 'Whether the addresses take turns.'],
  ['bridge_bind_address', text('address'), 'Address that it connects from.'],
  ['start_type', text('type'), 'automatic, lazy or once.'],
  ['restart_timeout', text('BASE [CAP [STABLE]]'), 'Time before it connects again.'],
  ['idle_timeout', number, 'Time after which a lazy bridge disconnects.'],
  ['threshold', number, 'Messages for which a lazy bridge connects.'],
  ['keepalive_interval', number, 'Keep alive.'],
  ['bridge_tcp_keepalive', text('IDLE INTERVAL COUNT'), 'TCP keep alive.'],
  ['bridge_tcp_user_timeout', number, 'TCP_USER_TIMEOUT.', { since: '2.1' }],
  ['try_private', truth, 'Tells the other broker that it is a bridge.'],
  ['bridge_reload_type', text('type'), 'lazy or immediate.', { since: '2.1' }],
]

const protocol: ReadonlyArray<Short> = [
  ['topic', text('PATTERN [out|in|both [QOS [LOCAL [REMOTE]]]]'), 'What flows where.'],
  ['bridge_protocol_version', text('version'), 'mqttv31, mqttv311 or mqttv50.'],
  ['cleansession', truth, 'Clean session at the other broker.'],
  ['local_cleansession', truth, 'Clean session at this broker.'],
  ['remote_clientid', text('identifier'), 'Client identifier there.', { aliases: ['clientid'] }],
  ['local_clientid', text('identifier'), 'Client identifier here.'],
  ['remote_username', text('name'), 'User name there.', { aliases: ['username'] }],
  ['remote_password', text('password'), 'Password there.', { aliases: ['password'] }],
  ['local_username', text('name'), 'User name here.'],
  ['local_password', text('password'), 'Password here.'],
  ['notifications', truth, 'Whether its state is published.'],
  ['notifications_local_only', truth, 'Whether that is done here only.'],
  ['notification_topic', text('topic'), 'Where.'],
  ['bridge_attempt_unsubscribe', truth, 'Unsubscribes from what only flows out.'],
  ['bridge_outgoing_retain', truth, 'Whether messages that flow out stay retained.'],
  ['bridge_max_packet_size', number, 'Maximum Packet Size.'],
  ['bridge_max_topic_alias', number, 'Topic aliases.', { since: '2.1' }],
  ['bridge_receive_maximum', number, 'Receive Maximum.', { since: '2.1' }],
  ['bridge_session_expiry_interval', number, 'Session Expiry Interval.', { since: '2.1' }],
]

const security: ReadonlyArray<Short> = [
  ['bridge_cafile', text('file'), 'Who may have signed the other certificate.'],
  ['bridge_capath', text('folder'), 'The same as a folder.'],
  ['bridge_tls_use_os_certs', truth, 'The same as the machine knows it.', { since: '2.1' }],
  ['bridge_certfile', text('file'), 'Certificate of the bridge.'],
  ['bridge_keyfile', text('file'), 'Its key.'],
  ['bridge_identity', text('identity'), 'Identity for TLS-PSK.'],
  ['bridge_psk', text('key'), 'Key for TLS-PSK.'],
  ['bridge_alpn', text('name'), 'Application protocol.'],
  ['bridge_ciphers', text('list'), 'Ciphers up to TLS 1.2.'],
  ['bridge_ciphers_tls1.3', text('list'), 'Ciphers of TLS 1.3.'],
  ['bridge_tls_version', text('version'), 'Version of TLS.'],
  ['bridge_insecure', truth, 'Whether the name in the certificate is not looked at.'],
  ['bridge_require_ocsp', truth, 'Whether a stapled OCSP answer is needed.'],
]

export const bridges: ReadonlyArray<Option> = [
  ...rows('Bridges: the link', link.map(bridge)),
  ...rows('Bridges: protocol and topics', protocol.map(bridge)),
  ...rows('Bridges: TLS', security.map(bridge)),
]
