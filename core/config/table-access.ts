// The options about who may come in and what he may do.

import { rows, text, truth } from './option.ts'
import type { Kind, Option } from './option.ts'
import { defaultListener, defaultSettings } from './settings.ts'

const listener = defaultListener(0)
const initial = defaultSettings

const prefix: Kind = { _tag: 'Text', what: 'prefix', check: 'prefix' }

export const access: ReadonlyArray<Option> = rows('Access and identity', [
  {
    name: 'allow_anonymous',
    scope: 'security',
    kind: truth,
    key: 'anonymous',
    initial: false,
    reload: 'now',
    meaning: 'Whether clients without a user name may connect. Without any listener: true.',
  },
  {
    name: 'listener_allow_anonymous',
    scope: 'listener only',
    kind: truth,
    key: 'anonymous',
    initial: false,
    reload: 'now',
    since: '2.1',
    meaning: 'The same for one listener; it beats allow_anonymous.',
  },
  {
    name: 'password_file',
    scope: 'security',
    kind: text('file'),
    key: 'passwordFile',
    initial: null,
    reload: 'now',
    meaning:
      'Users and their passwords, as mosquitto_passwd writes them. Whose hash is another one ' +
      'after a reload, even of the same password, has to connect again. Wrong passwords for one ' +
      'user from one address that is not loopback are answered later and later, up to 8 seconds.',
  },
  {
    name: 'acl_file',
    scope: 'security',
    kind: text('file'),
    key: 'aclFile',
    initial: null,
    reload: 'now',
    meaning: 'Who may publish and subscribe to what.',
  },
  {
    name: 'psk_file',
    scope: 'security',
    kind: text('file'),
    key: null,
    initial: null,
    reload: 'restart',
    missing: 'Pre-shared keys need TLS, which is not there yet: use password_file.',
    meaning: 'Identities and keys for TLS-PSK.',
  },
  {
    name: 'allow_zero_length_clientid',
    scope: 'security',
    kind: truth,
    key: 'zeroLengthClientId',
    initial: listener.zeroLengthClientId,
    reload: 'new connections',
    meaning: 'Whether a client may come without an identifier and be given one.',
  },
  {
    name: 'auto_id_prefix',
    scope: 'security',
    kind: prefix,
    key: 'autoIdPrefix',
    initial: listener.autoIdPrefix,
    reload: 'new connections',
    deprecated: 'use listener_auto_id_prefix instead',
    meaning: 'In front of client identifiers that are made up, at most 50 bytes.',
  },
  {
    name: 'listener_auto_id_prefix',
    scope: 'listener only',
    kind: prefix,
    key: 'autoIdPrefix',
    initial: listener.autoIdPrefix,
    reload: 'new connections',
    since: '2.1',
    meaning: 'The same for one listener; it beats auto_id_prefix.',
  },
  {
    name: 'clientid_prefixes',
    scope: 'global',
    kind: text('prefix'),
    key: 'clientIdPrefix',
    initial: initial.clientIdPrefix,
    reload: 'new connections',
    deprecated: 'use an ACL file instead',
    meaning: 'Only clients whose own identifier begins with this may connect.',
  },
  {
    name: 'use_username_as_clientid',
    scope: 'listener',
    kind: truth,
    key: 'usernameAsClientId',
    initial: listener.usernameAsClientId,
    reload: 'new connections',
    meaning: 'The user name takes the place of the client identifier.',
  },
  {
    name: 'per_listener_settings',
    scope: 'global',
    kind: { _tag: 'Own', shape: 'true | false' },
    key: null,
    initial: false,
    reload: 'now',
    deprecated: 'use the listener_ options and plugin_use instead',
    meaning: 'Whether the options about security belong to the listener above them. Comes first.',
  },
  {
    name: 'check_retain_source',
    scope: 'global',
    kind: truth,
    key: 'checkRetainSource',
    initial: initial.checkRetainSource,
    reload: 'now',
    meaning: 'A retained message is delivered only while its publisher may still publish it.',
  },
  {
    name: 'enable_control_api',
    scope: 'global',
    kind: truth,
    key: null,
    initial: false,
    reload: 'restart',
    since: '2.1',
    missing: '$CONTROL is not there yet: leave the line out.',
    meaning: 'Whether $CONTROL/broker/v1 answers.',
  },
])
