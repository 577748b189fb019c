// Every way in which a connection can end has a story: a new one without a story is no program.

import type { Ending } from '../../core/broker/note.ts'
import type { Explained } from './explained-begin.ts'

/** The names of stories that end so. */
export const endings: { readonly [ending in Ending]: ReadonlyArray<string> } = {
  'disconnected': ['its own DISCONNECT', 'DISCONNECT with the will'],
  'connection closed by client': ['back before the will was due'],
  'connection failed': ['the network, and a will that was put off'],
  'exceeded timeout': ['keep alive', 'a CONNECT that does not come', 'a password that takes long'],
  'session taken over': ['taken over'],
  'protocol error': ['a protocol error', 'bytes that are no packet'],
  'stalled': ['a client that does not read'],
  'global_max_connections exceeded': ['too many connections'],
  'max_connections exceeded': ['too many connections by a listener'],
  'max_connections_per_address exceeded': ['too many connections from an address'],
  'global_max_clients exceeded': ['too many sessions'],
  'too many without CONNECT': ['one that hesitates makes room'],
  'connecting too often': ['connecting too often'],
  'not authorised': [
    'not let in',
    'a wrong password',
    'a password that nobody has looked at',
    'a password that could not be checked',
    'a right password, and a wrong name',
    'a password that was changed',
    'nobody without a name any more',
  ],
  'refused': ['a CONNECT that is refused', 'a CONNECT that is refused without a word'],
  'memory short': ['short of memory at a publish'],
  'store full': ['the store is full at a publish'],
  'kicked': ['kicked'],
  'listener closed': ['a listener that is no more'],
  'redirected': [
    'sent elsewhere',
    'sent elsewhere at the door',
    'sent elsewhere below MQTT 5',
    'sent elsewhere without a word',
  ],
  'server shutting down': ['the broker is stopped while a client is there', 'too late'],
}

export const ending: ReadonlyArray<Explained> = [
  [
    'DISCONNECT with the will',
    '--why-disconnected a',
    `
    quiet
    a> connect will [ 'w' "gone" ]
    tick +1s
    a> disconnect 0x04
    ----`,
    [
      `'a' (127.0.0.1:50001), connected since 0.000s, was disconnected at 1.000s by the` +
      ` client itself, with DISCONNECT 0x04, which asks for its will. Its will on 'w' was` +
      ` published. Its session ended as well (disconnected).`,
    ],
  ],
  [
    'a CONNECT that does not come',
    '--why-disconnected 192.0.2.7',
    `
    quiet
    a open from "192.0.2.7" 40001
    tick +20s
    ----`,
    [
      'A connection from 192.0.2.7:40001, whose client had not said its name, was ended at' +
      ' 10.000s by the broker, because it had not come as far as an accepted CONNECT within' +
      ' 10 s.',
    ],
  ],
  [
    'a password that takes long',
    '--why-disconnected a',
    `
    config authentication="judge"

    quiet
    a> connect user "u"
    tick +20s
    ----`,
    [
      `'a' (127.0.0.1:50001) was not let in at 10.000s by the broker, because it had not` +
      ` come as far as an accepted CONNECT within 10 s.`,
    ],
  ],
  [
    'bytes that are no packet',
    '--why-disconnected a',
    `
    quiet
    a> connect
    tick +1s
    a> raw 3600
    ----`,
    [
      `'a' (127.0.0.1:50001), connected since 0.000s, was disconnected at 1.000s by the` +
      ` broker, for a protocol error: a PUBLISH has QoS 3 [MQTT-3.3.1-4]. It had no will.` +
      ` Its session ended as well (disconnected).`,
    ],
  ],
  [
    'a client that does not read',
    '--why-disconnected a',
    `
    config stalledMs=30000

    quiet
    a> connect session-expiry-interval 60
    a> subscribe id1 'd/#' qos1
    p> connect
    tick +1s
    p> publish 'd/1' "x"*200000
    tick +1s
    p> publish 'd/2' qos1 id1 "on"
    tick +60s
    ----`,
    [
      `'a' (127.0.0.1:50001), connected since 0.000s, was disconnected at 31.000s by the` +
      ` broker, because its socket has taken nothing of 200044 bytes since 1.000s (at most` +
      ` 30 s): the client did not read. It had no will. Its session was kept for 60 s, with` +
      ` 1 message for it.`,
    ],
  ],
  [
    'too many connections',
    '--why-disconnected 192.0.2.7:40001',
    `
    config connectionsMax=1

    quiet
    p> connect
    a open from "192.0.2.7" 40001
    ----`,
    [
      'A connection from 192.0.2.7:40001, whose client had not said its name, was ended at' +
      ' 0.000s by the broker, which had as many connections as it may have (1).',
    ],
  ],
  [
    'too many connections by a listener',
    '--why-disconnected 192.0.2.7',
    `
    config connectionsMax=10
    listener "1884" listenerConnectionsMax=1

    quiet
    p open listener "1884"
    p> connect
    a open listener "1884" from "192.0.2.7" 40001
    ----`,
    [
      'A connection from 192.0.2.7:40001, whose client had not said its name, was ended at' +
      ' 0.000s by the broker, which had as many connections as may come by listener "1884"' +
      ' (max_connections 1).',
    ],
  ],
  [
    'too many connections from an address',
    '--why-disconnected 192.0.2.7',
    `
    config connectionsPerAddressMax=1

    quiet
    p open from "192.0.2.7" 40000
    p> connect
    a open from "192.0.2.7" 40001
    ----`,
    [
      'A connection from 192.0.2.7:40001, whose client had not said its name, was ended at' +
      ' 0.000s by the broker, which had as many connections from 192.0.2.7 as may come from' +
      ' one address (1).',
    ],
  ],
  [
    'too many sessions',
    '--why-disconnected a',
    `
    config sessionsMax=1

    quiet
    p> connect
    a> connect
    ----`,
    [
      `'a' (127.0.0.1:50002) was not let in at 0.000s by the broker, which had as many` +
      ` sessions as it may have (global_max_clients 1).`,
    ],
  ],
  [
    'one that hesitates makes room',
    '--why-disconnected 192.0.2.7',
    `
    config unauthenticatedMax=1

    quiet
    a open from "192.0.2.7" 40001
    tick +2s
    b open
    ----`,
    [
      'A connection from 192.0.2.7:40001, whose client had not said its name, was ended at' +
      ' 2.000s by the broker, to make room: no more than 1 connection may be without an' +
      ' accepted CONNECT, and it had hesitated longest.',
    ],
  ],
  [
    'connecting too often',
    '--why-disconnected 192.0.2.7',
    `
    config connectionRatePerAddress=1 connectionBurstPerAddress=1

    quiet
    p open from "192.0.2.7" 40000
    p> connect
    a open from "192.0.2.7" 40001
    ----`,
    [
      'A connection from 192.0.2.7:40001, whose client had not said its name, was ended at' +
      ' 0.000s by the broker, because too many connections came from its address in a short' +
      ' time.',
    ],
  ],
  [
    'a wrong password',
    '--why-disconnected a',
    `
    config authentication="judge"

    quiet
    a> connect user "u"
    a judged 0x86
    ----`,
    [
      `'a' (127.0.0.1:50001) was not let in at 0.000s by the broker, because user name and` +
      ` password were not accepted.`,
    ],
  ],
  [
    'a password that nobody has looked at',
    '--why-disconnected a',
    `
    config authentication="judge"

    quiet
    a> connect user "u"
    a judged 0x89
    ----`,
    [
      `'a' (127.0.0.1:50001) was not let in at 0.000s by the broker, because too many passwords` +
      ` were waiting to be checked (0x89): its own was not looked at.`,
    ],
  ],
  [
    'a password that could not be checked',
    '--why-disconnected a',
    `
    config authentication="judge"

    quiet
    a> connect user "u"
    a judged 0x88
    ----`,
    [
      `'a' (127.0.0.1:50001) was not let in at 0.000s by the broker, because what checks user` +
      ` names and passwords was not available (0x88).`,
    ],
  ],
  [
    'a right password, and a wrong name',
    '--why-disconnected a',
    `
    config authentication="judge" clientIdPrefix="dev-"

    quiet
    a> connect user "u"
    a judged 0x00
    ----`,
    [
      `'a' (127.0.0.1:50001) was not let in at 0.000s by the broker, because it may not be` +
      ` there: a client identifier without the prefix that all have here [MQTT-3.1.4-2].`,
    ],
  ],
  [
    'a password that was changed',
    '--why-disconnected a',
    `
    config authentication="judge"

    quiet
    a> connect user "u"
    a judged 0x00
    revoke "1883" "u"
    tick +1ms
    ----`,
    [
      `'a' (127.0.0.1:50001), connected since 0.000s, was disconnected at 0.000s by the` +
      ` broker, because the user "u" was given another password, or none any more. It had` +
      ` no will. Its session ended as well (disconnected).`,
    ],
  ],
  [
    'nobody without a name any more',
    '--why-disconnected a',
    `
    quiet
    a> connect
    tick +1s
    reconfigure allowAnonymous=false
    tick +1ms
    ----`,
    [
      `'a' (127.0.0.1:50001), connected since 0.000s, was disconnected at 1.000s by the` +
      ` broker, because since a reload nobody may be there without a user name` +
      ` (allow_anonymous false). It had no will. Its session ended as well (disconnected).`,
    ],
  ],
  [
    'a CONNECT that is refused',
    '--why-disconnected a',
    `
    config protocolLevels=[5]

    quiet
    a> connect v4
    ----`,
    [
      `'a' (127.0.0.1:50001) was not let in at 0.000s by the broker, which refused its` +
      ` CONNECT: a protocol level that this listener does not take [v3 MQTT-3.1.2-2].`,
    ],
  ],
  [
    'a CONNECT that is refused without a word',
    '--why-disconnected a',
    `
    quiet
    a> connect maximum-packet-size 3
    ----`,
    [
      `'a' (127.0.0.1:50001) was not let in at 0.000s by the broker, which refused its` +
      ` CONNECT: CONNACK would be larger than Maximum Packet Size [MQTT-3.1.2-24].`,
    ],
  ],
  [
    'sent elsewhere without a word',
    '--why-disconnected 127.0.0.1',
    `
    config redirect="use another server" serverReference="other.example"

    quiet
    a> connect v4
    ----`,
    [
      `'a' (127.0.0.1:50001) was not let in at 0.000s by the broker, which sends its clients` +
      ` to another server, "other.example" (0x9c); below MQTT 5 it cannot be told so.`,
    ],
  ],
  [
    'sent elsewhere without a word after it was judged',
    '--why-disconnected a',
    `
    config authentication="judge"

    quiet
    a> connect v4 user "u"
    reconfigure authentication="judge" redirect="use another server" serverReference="other.example"
    a judged 0x00
    ----`,
    [
      `'a' (127.0.0.1:50001) was not let in at 0.000s by the broker, which sends its clients` +
      ` to another server, "other.example" (0x9c); below MQTT 5 it cannot be told so.`,
    ],
  ],
  [
    'short of memory at a publish',
    '--why-disconnected p',
    `
    quiet
    p> connect v4
    memory short
    p> publish 'd/1' qos2 id1 "on"
    ----`,
    [
      `'p' (127.0.0.1:50001), connected since 0.000s, was disconnected at 0.000s by the` +
      ` broker, which was short of memory and could not take what the client published with` +
      ` QoS 2; below MQTT 5 there is no other way to say so. It had no will. Its session` +
      ` was kept for ever.`,
    ],
  ],
  [
    'the store is full at a publish',
    '--why-disconnected p',
    `
    quiet
    p> connect v4
    store full
    p> publish 'd/1' qos1 id1 "on"
    ----`,
    [
      `'p' (127.0.0.1:50001), connected since 0.000s, was disconnected at 0.000s by the` +
      ` broker, whose store was full and could not take what the client published with QoS` +
      ` 1; below MQTT 5 there is no other way to say so. It had no will. Its session was` +
      ` kept for ever.`,
    ],
  ],
  [
    'sent elsewhere',
    '--why-disconnected a',
    `
    quiet
    a> connect session-expiry-interval 60
    tick +1s
    reconfigure redirect="server moved" serverReference="other.example:1883"
    redirect
    ----`,
    [
      `'a' (127.0.0.1:50001), connected since 0.000s, was disconnected at 1.000s by the` +
      ` broker, which sends its clients to another server for good, "other.example:1883"` +
      ` (0x9d). It had no will. Its session was kept for 60 s.`,
    ],
  ],
  [
    'sent elsewhere at the door',
    '--why-disconnected a',
    `
    config redirect="use another server" serverReference="other.example:1883"

    quiet
    a> connect
    ----`,
    [
      `'a' (127.0.0.1:50001) was not let in at 0.000s by the broker, which sends its` +
      ` clients to another server, "other.example:1883" (0x9c).`,
    ],
  ],
  [
    'sent elsewhere below MQTT 5',
    '--why-disconnected a',
    `
    config serverReference="other.example"

    quiet
    a> connect v4
    tick +1s
    redirect
    ----`,
    [
      `'a' (127.0.0.1:50001), connected since 0.000s, was disconnected at 1.000s by the` +
      ` broker, which sends its clients to another server, "other.example" (0x9c); below` +
      ` MQTT 5 it cannot be told so. It had no will. Its session was kept for ever.`,
    ],
  ],
  [
    'the broker is stopped while a client is there',
    '--why-disconnected a',
    `
    quiet
    a> connect session-expiry-interval 60 will [ 'w' "gone" will-delay-interval 30 ]
    tick +1s
    stop
    ----`,
    [
      `'a' (127.0.0.1:50001), connected since 0.000s, was disconnected at 1.000s by the` +
      ` broker, which was stopped. Its will on 'w' was put off until 31.000s. Its session` +
      ` was kept for 60 s.`,
    ],
  ],
  [
    'too late',
    '--why-disconnected 192.0.2.7',
    `
    quiet
    stop
    a open from "192.0.2.7" 40001
    ----`,
    [
      'A connection from 192.0.2.7:40001, whose client had not said its name, was ended at' +
      ' 0.000s by the broker, which was stopped.',
    ],
  ],
]
