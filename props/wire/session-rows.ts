// What outlives a connection and what a subscriber says: acknowledgements of deliveries, the window
// towards a client, sessions that are resumed, messages that expire or are too large, and time.

import type { Exchange } from './exchange.ts'
import { rows } from './exchange.ts'

/** A client that hears `count` messages of a QoS, none of them acknowledged. */
const delivered = (qos: 1 | 2): string =>
  qos === 1
    ? `| subscribes ~/t 1 | b connects | b> 32 ["~/t" 0009 {()} 'x'] | b< 40 [0009]
      | < 32 ["~/t" 0001 {()} 'x']`
    : `| subscribes ~/t 2 | b connects | b> 34 ["~/t" 0009 {()} 'x'] 62 [0009]
  | b< 50 [0009] 70 [0009]
      | < 34 ["~/t" 0001 {()} 'x']`

const answers = `
[MQTT-4.3.2-3] [MQTT-4.13.1-1] [v3 MQTT-4.3.2-1] [v3 MQTT-4.8.0-1]
345 PUBACK ends a delivery of QoS 1 ${delivered(1)} | > 40 [0001]
5 PUBACK with a failure ends a delivery of QoS 1 ${delivered(1)} | > 40 [0001 80]
345 PUBACK twice is ignored ${delivered(1)} | > 40 [0001] 40 [0001]
345 PUBACK for another identifier is ignored ${delivered(1)} | > 40 [0002]
345 PUBREC for a delivery of QoS 1 ${delivered(1)} | > 50 [0001] | refused 82
5 PUBREC with a failure for a delivery of QoS 1 ${delivered(1)} | > 50 [0001 80] | refused 82
345 PUBCOMP for a delivery of QoS 1 ${delivered(1)} | > 70 [0001] | refused 82
345 PUBREL for a delivery of QoS 1 is about nothing ${delivered(1)} | > 62 [0001]
  | < 70 [0001 {92}]
[MQTT-4.3.3-4] [MQTT-4.3.3-5] [MQTT-4.13.1-1] [v3 MQTT-4.3.3-1] [v3 MQTT-4.8.0-1]
345 PUBREC and PUBCOMP end a delivery of QoS 2 ${delivered(2)} | > 50 [0001] | < 62 [0001]
  | > 70 [0001]
345 PUBREC twice is answered twice ${delivered(2)} | > 50 [0001] 50 [0001] | < 62 [0001] 62 [0001]
  | > 70 [0001]
5 PUBREC with a failure ends a delivery of QoS 2 ${delivered(2)} | > 50 [0001 80]
  | > 50 [0001] | < 62 [0001 92]
5 PUBREC with 0x10 goes on ${delivered(2)} | > 50 [0001 10] | < 62 [0001] | > 70 [0001]
5 PUBCOMP with 0x92 ends a delivery of QoS 2 ${delivered(2)} | > 50 [0001] | < 62 [0001]
  | > 70 [0001 92] | > 50 [0001] | < 62 [0001 92]
345 PUBACK for a delivery of QoS 2 ${delivered(2)} | > 40 [0001] | refused 82
5 PUBACK with a failure for a delivery of QoS 2 ${delivered(2)} | > 40 [0001 80] | refused 82
345 PUBACK after PUBREC for a delivery of QoS 2 ${delivered(2)} | > 50 [0001] | < 62 [0001]
  | > 40 [0001] | refused 82
345 PUBCOMP before PUBREC for a delivery of QoS 2 ${delivered(2)} | > 70 [0001] | refused 82
345 PUBCOMP twice is ignored ${delivered(2)} | > 50 [0001] | < 62 [0001] | > 70 [0001] 70 [0001]
345 PUBREC for nothing ${delivered(2)} | > 50 [0007] | < 62 [0007 {92}]
5 PUBREC for nothing with a failure | > 50 [0007 80] | open
345 PUBCOMP for nothing | > 70 [0007] | open
345 PUBACK for nothing | > 40 [0007] | open
[MQTT-2.2.1-4] [v3 MQTT-2.3.1-4]
345 identifiers count from 1 and go on | subscribes ~/t 1 | b connects
  | b> 32 ["~/t" 0009 {()} 'x'] 32 ["~/t" 0009 {()} 'y'] | b< 40 [0009] 40 [0009]
  | < 32 ["~/t" 0001 {()} 'x'] 32 ["~/t" 0002 {()} 'y'] | > 40 [0001] 40 [0002]
  | b> 32 ["~/t" 0009 {()} 'z'] | b< 40 [0009] | < 32 ["~/t" 0003 {()} 'z'] | > 40 [0003]

[MQTT-3.3.4-9] [MQTT-4.9.0-2]
raw 5 no more under way than the client's Receive Maximum | > 10 [@v 02 003c (21 0001) "~a"] | < @ok
  | subscribes ~/t 1 | b connects | b> 32 ["~/t" 0009 () 'x'] 32 ["~/t" 0009 () 'y']
  | b< 40 [0009] 40 [0009] | < 32 ["~/t" 0001 () 'x'] | open | > 40 [0001]
  | < 32 ["~/t" 0002 () 'y'] | > 40 [0002]
raw 5 a failure in PUBACK makes room as well [MQTT-4.4.0-2] | > 10 [@v 02 003c (21 0001) "~a"]
  | < @ok
  | subscribes ~/t 1 | b connects | b> 32 ["~/t" 0009 () 'x'] 32 ["~/t" 0009 () 'y']
  | b< 40 [0009] 40 [0009] | < 32 ["~/t" 0001 () 'x'] | > 40 [0001 97] | < 32 ["~/t" 0002 () 'y']
raw 5 PUBREC makes no room, PUBCOMP does | > 10 [@v 02 003c (21 0001) "~a"] | < @ok
  | subscribes ~/t 2 | b connects | b> 34 ["~/t" 0009 () 'x'] 62 [0009] 32 ["~/t" 000a () 'y']
  | b< 50 [0009] 70 [0009] 40 [000a] | < 34 ["~/t" 0001 () 'x'] | > 50 [0001] | < 62 [0001] | open
  | > 70 [0001] | < 32 ["~/t" 0002 () 'y'] | > 40 [0002]
raw 5 a failure in PUBREC makes room | > 10 [@v 02 003c (21 0001) "~a"] | < @ok
  | subscribes ~/t 2 | b connects | b> 34 ["~/t" 0009 () 'x'] 62 [0009] 32 ["~/t" 000a () 'y']
  | b< 50 [0009] 70 [0009] 40 [000a] | < 34 ["~/t" 0001 () 'x'] | > 50 [0001 80]
  | < 32 ["~/t" 0002 () 'y'] | > 40 [0002]
raw 5 a full window does not hold back QoS 0 [MQTT-3.3.4-10] [MQTT-4.9.0-3]
  | > 10 [@v 02 003c (21 0001) "~a"] | < @ok | subscribes ~/t 1 | b connects
  | b> 32 ["~/t" 0009 () 'x'] 30 ["~/t" () 'y'] | b< 40 [0009]
  | < 32 ["~/t" 0001 () 'x'] 30 ["~/t" () 'y'] | > 40 [0001]
small 34 no more under way than the broker allows [v3 MQTT-4.3.2-1] | subscribes ~/t 1 | b connects
  | b> 32 ["~/t" 0009 '1'] 32 ["~/t" 0009 '2'] 32 ["~/t" 0009 '3']
  | b< 40 [0009] 40 [0009] 40 [0009]
  | < 32 ["~/t" 0001 '1'] 32 ["~/t" 0002 '2'] | open | > 40 [0002] | < 32 ["~/t" 0003 '3']

[MQTT-3.1.2-24] [MQTT-3.1.2-25]
raw 5 a message as large as the client's Maximum Packet Size | > 10 [@v 02 003c (27 00000020) "~a"]
  | < @ok | subscribes ~/t 0 | b connects | b> 30 ["~/t" () 78*21] | b open | < 30 ["~/t" () 78*21]
raw 5 a message larger than the client's Maximum Packet Size | > 10 [@v 02 003c (27 00000020) "~a"]
  | < @ok | subscribes ~/t 0 | b connects | b> 30 ["~/t" () 78*22] 30 ["~/t" () 'x'] | b open
  | < 30 ["~/t" () 'x']
raw 5 a message of QoS 1 as large as the client's Maximum Packet Size
  | > 10 [@v 02 003c (27 00000020) "~a"] | < @ok | subscribes ~/t 1 | b connects
  | b> 32 ["~/t" 0009 () 78*19] | b< 40 [0009] | < 32 ["~/t" 0001 () 78*19] | > 40 [0001]
raw 5 a message of QoS 1 larger than that uses no identifier | > 10 [@v 02 003c (27 00000020) "~a"]
  | < @ok | subscribes ~/t 1 | b connects | b> 32 ["~/t" 0009 () 78*20] 32 ["~/t" 0009 () 'x']
  | b< 40 [0009] 40 [0009] | < 32 ["~/t" 0001 () 'x'] | > 40 [0001]
raw 5 a retained message larger than the client's Maximum Packet Size
  | > 10 [@v 02 003c (27 00000020) "~a"] | < @ok | > 31 ["~/t" () 78*22] 82 [0009 () "~/t" 00]
  | < 90 [0009 () 00]
raw 5 a retained message as large as the client's Maximum Packet Size
  | > 10 [@v 02 003c (27 00000020) "~a"] | < @ok | > 31 ["~/t" () 78*21] 82 [0009 () "~/t" 00]
  | < 90 [0009 () 00] 31 ["~/t" () 78*21]
raw 5 the identifier of the subscription counts to the size | > 10 [@v 02 003c (27 00000020) "~a"]
  | < @ok | > 82 [0009 (0b 01) "~/t" 00] | < 90 [0009 () 00]
  | > 30 ["~/t" () 78*19] 30 ["~/t" () 78*20] | < 30 ["~/t" (0b 01) 78*19]

[MQTT-3.3.2-5] [MQTT-3.3.2-6]
5 an expiry is passed on | b connects | b subscribes ~/t 0 | > 30 ["~/t" (02 0000003c) 'x'] | open
  | b< 30 ["~/t" (02 0000003c) 'x']
raw 5 what expired in the queue is not sent | > 10 [@v 00 003c (11 0000003c) "~a"] | < @ok
  | subscribes ~/t 1 | > e000 | closed | b connects
  | b> 32 ["~/t" 0009 (02 00000001) 'x'] 32 ["~/t" 0009 () 'y'] | b< 40 [0009] 40 [0009]
  | wait 1000 | a dials | > 10 [@v 00 003c (11 0000003c) "~a"]
  | < @present 32 ["~/t" 0001 () 'y'] | > 40 [0001] | > e0 [00 (11 00000000)] | closed
raw 5 what waited in the queue is counted down | > 10 [@v 00 003c (11 0000003c) "~a"] | < @ok
  | subscribes ~/t 1 | > e000 | closed | b connects
  | b> 32 ["~/t" 0009 (02 0000003c) 'x'] | b< 40 [0009]
  | wait 1100 | a dials | > 10 [@v 00 003c (11 0000003c) "~a"]
  | < @present 32 ["~/t" 0001 (02 0000003b) 'x'] | > 40 [0001] | > e0 [00 (11 00000000)] | closed
`

/** A client with a session that stays, which leaves; at level 5 it says for how long. */
const stays = `| > 10 [@v 00 003c {(11 0000003c)} "~a"] | < @ok`
const leaves = '| > e000 | closed'
const returns = `| a dials | > 10 [@v 00 003c {(11 0000003c)} "~a"]`

const sessions = `
[MQTT-3.1.2-5] [MQTT-3.2.2-3] [v3 MQTT-3.1.2-4] [v3 MQTT-3.2.2-2]
raw 345 a session is resumed ${stays} ${leaves} ${returns} | < @present
raw 345 a clean start ends the session [MQTT-3.1.2-4] [MQTT-3.2.2-2] [v3 MQTT-3.1.2-6]
  [v3 MQTT-3.2.2-1] ${stays} ${leaves} | a dials | > @connect | < @ok
raw 345 a session that does not stay [MQTT-3.1.2-6] [v3 MQTT-3.2.2-3]
  | > @connect | < @ok ${leaves} ${returns} | < @ok
raw 5 without an expiry a session ends with its connection [MQTT-4.1.0-2]
  | > 10 [@v 00 003c () "~a"] | < @ok ${leaves} ${returns} | < @ok
raw 5 a session that expires [MQTT-4.1.0-2] | > 10 [@v 00 003c (11 00000001) "~a"] | < @ok
  ${leaves} | wait 1200 ${returns} | < @ok
raw 5 a session that has not yet expired | > 10 [@v 00 003c (11 0000003c) "~a"] | < @ok
  ${leaves} | wait 100 ${returns} | < @present
raw 5 DISCONNECT changes the expiry [MQTT-3.1.2-23] ${stays} | > e0 [00 (11 00000000)] | closed
  ${returns} | < @ok
raw 5 DISCONNECT makes a session last longer [MQTT-3.1.2-23] | > 10 [@v 00 003c (11 00000001) "~a"]
  | < @ok | > e0 [00 (11 0000003c)] | closed | wait 1200 ${returns} | < @present
5 DISCONNECT cannot make a session last that was to end [MQTT-4.13.1-1] | > e0 [00 (11 00000001)]
  | refused 82
5 DISCONNECT may repeat that a session is to end | > e0 [00 (11 00000000)] | closed
small raw 5 an expiry above what the broker allows [MQTT-3.2.2-3]
  | > 10 [@v 02 003c (11 000003e9) "~a"]
  | < 20 [00 00 (22 0002 11 000003e8 27 0000012c 21 0005)] | > e0 [00 (11 00000000)] | closed
small raw 5 an expiry of what the broker allows | > 10 [@v 02 003c (11 000003e8) "~a"] | < @ok
  | > e0 [00 (11 00000000)] | closed
raw 345 subscriptions outlive the connection [MQTT-4.1.0-1] [v3 MQTT-4.1.0-1] ${stays}
  | subscribes ~/t 0 ${leaves} ${returns} | < @present | > 30 ["~/t" {()} 'x']
  | < 30 ["~/t" {()} 'x']
raw 345 QoS 1 is kept for a client that is away [MQTT-4.5.0-1] [v3 MQTT-3.1.2-5] ${stays}
  | subscribes ~/t 1 ${leaves} | b connects | b> 32 ["~/t" 0009 {()} 'x'] | b< 40 [0009] ${returns}
  | < @present 32 ["~/t" 0001 {()} 'x'] | > 40 [0001]
raw 345 QoS 0 is not kept for a client that is away [MQTT-4.5.0-1] [v3 MQTT-3.1.2-5] ${stays}
  | subscribes ~/t 1 ${leaves} | b connects | b> 30 ["~/t" {()} 'x'] | b open ${returns}
  | < @present
raw 345 what was not acknowledged is sent again with DUP [MQTT-4.4.0-1] [MQTT-3.3.1-1]
  [v3 MQTT-4.4.0-1] [v3 MQTT-3.3.1-1] ${stays} | subscribes ~/t 1 | b connects
  | b> 32 ["~/t" 0009 {()} 'x'] | b< 40 [0009] | < 32 ["~/t" 0001 {()} 'x'] ${leaves} ${returns}
  | < @present 3a ["~/t" 0001 {()} 'x'] | > 40 [0001]
raw 345 QoS 2 without PUBREC is sent again with DUP [MQTT-4.4.0-1] [v3 MQTT-4.4.0-1] ${stays}
  | subscribes ~/t 2 | b connects | b> 34 ["~/t" 0009 {()} 'x'] 62 [0009] | b< 50 [0009] 70 [0009]
  | < 34 ["~/t" 0001 {()} 'x'] ${leaves} ${returns} | < @present 3c ["~/t" 0001 {()} 'x']
  | > 50 [0001] | < 62 [0001] | > 70 [0001]
raw 345 QoS 2 after PUBREC goes on with PUBREL [MQTT-4.3.3-6] [v3 MQTT-4.3.3-1] ${stays}
  | subscribes ~/t 2 | b connects | b> 34 ["~/t" 0009 {()} 'x'] 62 [0009] | b< 50 [0009] 70 [0009]
  | < 34 ["~/t" 0001 {()} 'x'] | > 50 [0001] | < 62 [0001] ${leaves} ${returns}
  | < @present 62 [0001] | > 70 [0001]
raw 345 a QoS 2 publish is released after a return [MQTT-4.3.3-10] [v3 MQTT-4.3.3-2] ${stays}
  | b connects | b subscribes ~/t 0 | > 34 ["~/t" 0009 {()} 'x'] | < 50 [0009] ${leaves} ${returns}
  | < @present | > 3c ["~/t" 0009 {()} 'x'] 62 [0009] | < 50 [0009] 70 [0009]
  | b< 30 ["~/t" {()} 'x']
raw 345 a clean start forgets what was not released [MQTT-3.1.2-4] [v3 MQTT-3.1.2-6] ${stays}
  | > 34 ["~/t" 0009 {()} 'x'] | < 50 [0009] ${leaves} | a dials | > @connect | < @ok
  | > 62 [0009] | < 70 [0009 {92}]
raw 345 re-sends keep their order [MQTT-4.6.0-5] [v3 MQTT-4.6.0-1] ${stays} | subscribes ~/t 1
  | b connects | b> 32 ["~/t" 0009 {()} '1'] 32 ["~/t" 0009 {()} '2'] 32 ["~/t" 0009 {()} '3']
  | b< 40 [0009] 40 [0009] 40 [0009]
  | < 32 ["~/t" 0001 {()} '1'] 32 ["~/t" 0002 {()} '2'] 32 ["~/t" 0003 {()} '3'] | > 40 [0002]
  ${leaves} ${returns} | < @present 3a ["~/t" 0001 {()} '1'] 3a ["~/t" 0003 {()} '3']
  | > 40 [0001] 40 [0003]
raw 5 a delivery that was begun goes on when the message has expired [MQTT-4.4.0-1] ${stays}
  | subscribes ~/t 1 | b connects | b> 32 ["~/t" 0009 (02 00000001) 'x'] | b< 40 [0009]
  | < 32 ["~/t" 0001 (02 00000001) 'x'] ${leaves} | wait 1100 ${returns}
  | < @present 3a ["~/t" 0001 (02 00000000) 'x'] | > 40 [0001]
raw 5 re-sends within the Receive Maximum of the new connection [MQTT-4.9.0-1] ${stays}
  | subscribes ~/t 1 | b connects | b> 32 ["~/t" 0009 () '1'] 32 ["~/t" 0009 () '2']
  | b< 40 [0009] 40 [0009] | < 32 ["~/t" 0001 () '1'] 32 ["~/t" 0002 () '2'] ${leaves}
  | a dials | > 10 [@v 00 003c (11 0000003c 21 0001) "~a"] | < @present 3a ["~/t" 0001 () '1']
  | open
  | > 40 [0001] | < 3a ["~/t" 0002 () '2'] | > 40 [0002]
raw 5 a re-send just as large as the new connection takes [MQTT-3.1.2-25] ${stays}
  | subscribes ~/t 1 | b connects | b> 32 ["~/t" 0009 () 78*30] | b< 40 [0009]
  | < 32 ["~/t" 0001 () 78*30] ${leaves} | a dials
  | > 10 [@v 00 003c (11 0000003c 27 0000002b) "~a"] | < @present 3a ["~/t" 0001 () 78*30]
  | > 40 [0001]
raw 5 a re-send that is too large for the new connection [MQTT-3.1.2-25] ${stays}
  | subscribes ~/t 1 | b connects | b> 32 ["~/t" 0009 () 78*30] 32 ["~/t" 0009 () 'x']
  | b< 40 [0009] 40 [0009] | < 32 ["~/t" 0001 () 78*30] 32 ["~/t" 0002 () 'x'] ${leaves}
  | a dials | > 10 [@v 00 003c (11 0000003c 27 00000020) "~a"] | < @present 3a ["~/t" 0002 () 'x']
  | > 40 [0002]
raw 5 a window of unreleased publishes begins anew with the connection [MQTT-4.9.0-1]
  ${stays} | > ${
  Array.from({ length: 20 }, (_, i) => `34 ["~/t" 00${(i + 16).toString(16)} () 'x']`).join(' ')
}
  | < ${
  Array.from({ length: 20 }, (_, i) => `50 [00${(i + 16).toString(16)}]`).join(' ')
} ${leaves} ${returns}
  | < @present | > 34 ["~/t" 0009 () 'x'] | < 50 [0009]
raw 345 a session is another level's too [MQTT-3.1.2-5] [v3 MQTT-3.1.2-4] ${stays} ${leaves}
  | a dials 4 | > 10 [@v 00 003c "~a"] | < @present
small raw 5 a full queue is told in PUBACK [MQTT-3.4.2-1] ${stays} | subscribes ~/t 1 ${leaves}
  | b connects
  | b> 32 ["~/t" 0007 () '1'] 32 ["~/t" 0008 () '2'] 32 ["~/t" 0009 () '3'] 30 ["~/t" () '4']
  | b< 40 [0007] 40 [0008] 40 [0009 97] ${returns}
  | < @present 32 ["~/t" 0001 () '1'] 32 ["~/t" 0002 () '2'] | > 40 [0001] 40 [0002]
  | > e0 [00 (11 00000000)] | closed
small raw 5 what has expired makes room in a full queue [MQTT-3.3.2-5] ${stays}
  | subscribes ~/t 1 ${leaves} | b connects
  | b> 32 ["~/t" 0007 (02 00000001) '1'] 32 ["~/t" 0008 (02 00000001) '2'] | b< 40 [0007] 40 [0008]
  | wait 1100 | b> 32 ["~/t" 0009 () '3'] | b< 40 [0009] ${returns}
  | < @present 32 ["~/t" 0001 () '3'] | > 40 [0001] | > e0 [00 (11 00000000)] | closed

[MQTT-3.14.4-3] [MQTT-3.14.4-1] [v3 MQTT-3.14.4-3]
345 DISCONNECT is not answered | > e000 | closed
345 nothing behind DISCONNECT is looked at | b connects | b subscribes ~/t 0
  | > e000 30 ["~/t" {()} 'x'] 0000 | closed | b open
5 DISCONNECT with user properties | > e0 [00 (26 "k" "v")] | closed
5 DISCONNECT with a reason string | > e0 [04 (1f "why")] | closed
5 DISCONNECT with a server reference [MQTT-4.13.1-1] | > e0 [00 (1c "elsewhere")] | refused 82

[MQTT-3.1.2-22] [v3 MQTT-3.1.2-24]
raw 345 silence for one and a half times the keep alive | > 10 [@v 02 0001 {()} "~a"] | < @ok
  | wait 1600 | refused 8d
raw 345 keep alive 0 is never | > 10 [@v 02 0000 {()} "~a"] | < @ok | wait 1600 | open
raw 345 a packet in time | > 10 [@v 02 0002 {()} "~a"] | < @ok | wait 1500 | > c000 | < d000
  | wait 2000 | open
raw 345 the will of a client that kept silent | h connects | h subscribes ~/w 0
  | > 10 [@v 06 0001 {()} "~a" {()} "~/w" "x"] | < @ok | wait 1600 | refused 8d
  | h< 30 ["~/w" {()} 'x']
hasty raw 345 a connection without CONNECT | wait 600 | dropped 8d
hasty raw 345 a connection with half a CONNECT | > 10 0a 0004 | wait 600 | dropped 8d
small raw 5 a keep alive that is too long is shortened [MQTT-3.1.2-21]
  | > 10 [@v 02 0065 () "~a"] | < 20 [00 00 (22 0002 13 0064 27 0000012c 21 0005)]
small raw 5 no keep alive where one is wanted [MQTT-3.1.2-21]
  | > 10 [@v 02 0000 () "~a"] | < 20 [00 00 (22 0002 13 0064 27 0000012c 21 0005)]
small raw 345 the longest keep alive that is wanted | > 10 [@v 02 0064 {()} "~a"] | < @ok
small raw 34 a keep alive that is too long [v3 MQTT-3.2.2-5] | > 10 [@v 02 0065 "~a"]
  | rejected 85 02
small raw 34 no keep alive where one is wanted [v3 MQTT-3.2.2-5] | > 10 [@v 02 0000 "~a"]
  | rejected 85 02

[MQTT-3.2.2-7] [v3 MQTT-3.2.2-5]
full 345 two sessions where there may be two | b connects
full 345 a third session where there may be two | b connects | c dials | c> @connect
  | c< {20 [00 97 ()];20 [00 03]} | c closed
full 345 take-over where there may be no more sessions | b connects | c dials
  | c> 10 [@v 02 003c {()} "~b"] | c< @ok | b refused 8e
crowded raw 345 the longest without CONNECT makes room | b dials | c dials | dropped 97
  | b> @connect | b< @ok | c> @connect | c< @ok
crowded raw 345 two without CONNECT are not too many | b dials | > @connect | < @ok | b> @connect
  | b< @ok
patient raw 345 too many who have only just come are given time | b dials | c dials
  | > @connect | < @ok | b> @connect | b< @ok | c> @connect | c< @ok
crowded 345 a connection more than there may be | b connects | c connects | d connects | e dials
  | e closed
`

export const sessionRows: ReadonlyArray<Exchange> = [answers, sessions].flatMap(rows)
