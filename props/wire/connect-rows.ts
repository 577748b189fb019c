// CONNECT: protocol name and level, flags, identifiers, wills, who is let in, and take-over.

import { anyNonce } from './account.ts'
import type { Exchange } from './exchange.ts'
import { rows } from './exchange.ts'

const invented = `20 [00 00 (22 000a 12 "auto-${anyNonce}" 27 001e8480 21 0014)]`

const protocol = `
[MQTT-3.1.2-1] [v3 MQTT-3.1.2-1]
raw 345 the protocol name MQTX | > 10 ["MQTX" 0{5;4;3} 02 003c {()} "~a"] | dropped 84
raw 345 the protocol name mqtt | > 10 ["mqtt" 0{5;4;3} 02 003c {()} "~a"] | dropped 84
raw 345 the protocol name MQT | > 10 ["MQT" 0{5;4;3} 02 003c {()} "~a"] | dropped 84
raw 345 the protocol name MQTTT | > 10 ["MQTTT" 0{5;4;3} 02 003c {()} "~a"] | dropped 84
raw 345 the protocol name MQIsdP | > 10 ["MQIsdP" 0{5;4;3} 02 003c {()} "~a"] | dropped 84
raw 345 the protocol name MQIsdpX | > 10 ["MQIsdpX" 0{5;4;3} 02 003c {()} "~a"] | dropped 84
raw 345 an empty protocol name | > 10 [0000 0{5;4;3} 02 003c {()} "~a"] | dropped 84
raw 345 a protocol name longer than the packet | > 10 [00ff 'MQTT' 0{5;4;3} 02 003c] | dropped 84
raw 345 a CONNECT with nothing in it [MQTT-4.13.1-1] [v3 MQTT-4.8.0-1] | > 1000 | dropped 81
raw 345 a CONNECT of zeros | > 10 [00*12] | dropped 84

[MQTT-3.1.2-2] [v3 MQTT-3.1.2-2]
raw 5 MQTT at level 0 | > 10 ["MQTT" 00 02 003c () "~a"] | rejected 84
raw 5 MQTT at level 1 | > 10 ["MQTT" 01 02 003c () "~a"] | rejected 84
raw 5 MQTT at level 2 | > 10 ["MQTT" 02 02 003c () "~a"] | rejected 84
raw 5 MQTT at level 6 | > 10 ["MQTT" 06 02 003c () "~a"] | rejected 84
raw 5 MQTT at level 64 | > 10 ["MQTT" 40 02 003c () "~a"] | rejected 84
raw 5 MQTT at level 127 | > 10 ["MQTT" 7f 02 003c () "~a"] | rejected 84
raw 5 MQTT at level 6 and as a bridge | > 10 ["MQTT" 86 02 003c () "~a"] | rejected 84
raw 5 MQTT at level 6 with nothing behind it | > 10 ["MQTT" 06] | rejected 84
raw 4 MQTT at level 3 | > 10 ["MQTT" 03 02 003c "~a"] | rejected 84 01
raw 3 MQIsdp at level 0 | > 10 ["MQIsdp" 00 02 003c "~a"] | rejected 84 01
raw 3 MQIsdp at level 2 | > 10 ["MQIsdp" 02 02 003c "~a"] | rejected 84 01
raw 3 MQIsdp at level 4 | > 10 ["MQIsdp" 04 02 003c "~a"] | rejected 84 01
raw 3 MQIsdp at level 5 | > 10 ["MQIsdp" 05 02 003c () "~a"] | rejected 84 01
raw 3 MQIsdp at level 6 | > 10 ["MQIsdp" 06 02 003c "~a"] | rejected 84 01
raw 5 MQTT at level 5 as a bridge | > 10 ["MQTT" 85 02 003c () "~a"] | < @ok
raw 4 MQTT at level 4 as a bridge | > 10 ["MQTT" 84 02 003c "~a"] | < @ok
raw 3 MQIsdp at level 3 as a bridge | > 10 ["MQIsdp" 83 02 003c "~a"] | < @ok

[MQTT-3.1.2-3] [v3 MQTT-3.1.2-3]
raw 45 the reserved connect flag | > 10 [@v 03 003c {()} "~a"] | rejected 81
raw 45 the reserved connect flag with all others
  | > 10 [@v f7 003c {()} "~a" {()} "~/w" "x" "u" "p"]
  | rejected 81
raw 3 the reserved connect flag, which 3.1 does not use | > 10 [@v 03 003c "~a"] | < @ok

[MQTT-3.1.2-11] [v3 MQTT-3.1.2-13]
raw 45 will QoS 1 without a will | > 10 [@v 0a 003c {()} "~a"] | rejected 81
raw 45 will QoS 2 without a will | > 10 [@v 12 003c {()} "~a"] | rejected 81
raw 45 will QoS 3 without a will | > 10 [@v 1a 003c {()} "~a"] | rejected 81
[MQTT-3.1.2-13] [v3 MQTT-3.1.2-15]
raw 45 will retain without a will | > 10 [@v 22 003c {()} "~a"] | rejected 81
raw 3 will QoS 1 without a will, which 3.1 disregards | > 10 [@v 0a 003c "~a"] | < @ok
raw 3 will QoS 3 and retain without a will, which 3.1 disregards
  | > 10 [@v 3a 003c "~a"] | < @ok
[MQTT-3.1.2-12] [v3 MQTT-3.1.2-14]
raw 345 will QoS 3 | > 10 [@v 1e 003c {()} "~a" {()} "~/w" "x"] | rejected 81
raw 345 will QoS 3 and retain | > 10 [@v 3e 003c {()} "~a" {()} "~/w" "x"] | rejected 81
[MQTT-3.1.2-16] [v3 MQTT-3.1.2-22]
raw 34 a password without a user name | > 10 [@v 42 003c "~a" "pw"] | refused 82
raw 5 a password without a user name | > 10 [@v 42 003c () "~a" "pw"] | < @ok

[MQTT-3.1.2-20] [v3 MQTT-3.1.2-23]
raw 345 keep alive 0, which is none | > 10 [@v 02 0000 {()} "~a"] | < @ok
raw 345 keep alive 65,535 | > 10 [@v 02 ffff {()} "~a"] | < @ok
`

/** Every combination of flags that makes sense; the fields follow the flags. */
const flags = [0, 2].flatMap((clean) =>
  [0, 0x04, 0x0c, 0x14, 0x24, 0x2c, 0x34].flatMap((will) =>
    [0, 0x80, 0xc0].map((user) => {
      const byte = (clean | will | user).toString(16).padStart(2, '0')
      const fields = `${will === 0 ? '' : '{()} "~/w" "x"'} ${user >= 0x80 ? '"u"' : ''}` +
        `${user === 0xc0 ? ' "pw"' : ''}`
      return `raw 345 the connect flags ${byte}
        | > 10 [@v ${byte} 003c {()} "~a" ${fields}] | < @ok`
    })
  )
)

const combinations = `
[MQTT-3.1.2-9] [MQTT-3.1.2-17] [MQTT-3.1.2-19] [v3 MQTT-3.1.2-9] [v3 MQTT-3.1.2-21]
${flags.join('\n')}
`

const fields = `
[MQTT-3.1.3-6] [MQTT-3.1.3-7] [MQTT-3.2.2-16] [v3 MQTT-3.1.3-6]
raw 5 an empty client identifier gets one made up | > 10 [@v 02 003c () 0000] | < ${invented}
raw 5 an empty client identifier without clean start | > 10 [@v 00 003c () 0000] | < ${invented}
raw 4 an empty client identifier with a clean session | > 10 [@v 02 003c 0000] | < @ok
raw 4 an empty client identifier without a clean session [v3 MQTT-3.1.3-7] [v3 MQTT-3.1.3-8]
  | > 10 [@v 00 003c 0000] | rejected 85 02
raw 3 an empty client identifier [v3 MQTT-3.1.3-9] | > 10 [@v 02 003c 0000] | rejected 85 02
raw 3 an empty client identifier without a clean session [v3 MQTT-3.1.3-8]
  | > 10 [@v 00 003c 0000] | rejected 85 02
raw 5 two empty client identifiers are two clients | > 10 [@v 02 003c () 0000] | < ${invented}
  | b dials | b> 10 [@v 02 003c () 0000] | b< ${invented}

[MQTT-3.1.2-17] [MQTT-3.1.2-19] [v3 MQTT-3.1.2-19] [v3 MQTT-3.1.2-21]
raw 345 an empty user name and an empty password | > 10 [@v c2 003c {()} "~a" "" ""] | < @ok
raw 345 a password that is no text | > 10 [@v c2 003c {()} "~a" "u" <00ff80>] | < @ok
raw 345 an empty will payload | > 10 [@v 06 003c {()} "~a" {()} "~/w" ""] | < @ok
raw 345 a will payload that is no text | > 10 [@v 06 003c {()} "~a" {()} "~/w" <00ff80>] | < @ok
raw 3 a user name that is missing, which 3.1 allows | > 10 [@v 82 003c "~a"] | < @ok
raw 3 user name and password that are missing | > 10 [@v c2 003c "~a"] | < @ok
raw 3 a password that is missing | > 10 [@v c2 003c "~a" "u"] | < @ok
raw 45 a user name that is missing [MQTT-4.13.1-1] [v3 MQTT-4.8.0-1]
  | > 10 [@v 82 003c {()} "~a"] | rejected 81
raw 45 a password that is missing [MQTT-4.13.1-1] [v3 MQTT-4.8.0-1]
  | > 10 [@v c2 003c {()} "~a" "u"] | rejected 81

[MQTT-4.12.0-1] [MQTT-4.13.1-1]
raw 5 an authentication method that nobody knows | > 10 [@v 02 003c (15 "NOPE") "~a"] | rejected 8c
raw 5 an authentication method with data | > 10 [@v 02 003c (15 "NOPE" 16 <01>) "~a"] | rejected 8c
raw 5 an empty authentication method | > 10 [@v 02 003c (15 "") "~a"] | rejected 8c
raw 5 authentication data before its method | > 10 [@v 02 003c (16 <01> 15 "NOPE") "~a"]
  | rejected 8c
raw 5 authentication data twice | > 10 [@v 02 003c (15 "m" 16 <01> 16 <02>) "~a"] | rejected 82
raw 5 authentication data without a method | > 10 [@v 02 003c (16 <01>) "~a"] | rejected 82
raw 5 an authentication method twice | > 10 [@v 02 003c (15 "a" 15 "a") "~a"] | rejected 82
raw 5 many properties at once
  | > 10 [@v 02 003c (11 0000003c 21 0014 27 00001000 22 0000 19 01 17 00 26 "k" "v") "~a"] | < @ok

[MQTT-3.1.2-24]
raw 5 a Maximum Packet Size that CONNACK just fits | > 10 [@v 02 003c (27 00000010) "~a"] | < @ok
raw 5 a Maximum Packet Size that CONNACK does not fit | > 10 [@v 02 003c (27 0000000f) "~a"]
  | dropped 95

[MQTT-3.1.4-2] [MQTT-3.2.2-6] [v3 MQTT-3.2.2-5] [v3 MQTT-3.2.2-4]
raw 345 a will to $SYS | > 10 [@v 06 003c {()} "~a" {()} "$SYS/~" "x"] | rejected 87 05
raw 345 a will to $SYS itself | > 10 [@v 06 003c {()} "~a" {()} "$SYS" "x"] | rejected 87 05
raw 345 a will to $CONTROL | > 10 [@v 06 003c {()} "~a" {()} "$CONTROL/~" "x"] | rejected 87 05
raw 345 a will to $CONTROL itself | > 10 [@v 06 003c {()} "~a" {()} "$CONTROL" "x"] | rejected 87 05
raw 345 a will to a topic that looks like $SYS | > 10 [@v 06 003c {()} "~a" {()} "$SYS~" "x"]
  | < @ok
raw 345 a will to a topic that looks like $CONTROL
  | > 10 [@v 06 003c {()} "~a" {()} "$CONTROL~" "x"] | < @ok
raw 345 a will to the state of a bridge, from one that does not say that it is a bridge
  | > 10 [@v 06 003c {()} "~a" {()} "$SYS/broker/connection/~/state" "0"] | < @ok
raw 345 a will beside the state of a bridge
  | > 10 [@v 06 003c {()} "~a" {()} "$SYS/broker/connection/~/name" "0"] | rejected 87 05
raw 345 a bridge's will to its state
  | > 10 [{"MQTT" 85;"MQTT" 84;"MQIsdp" 83} 06 003c {()} "~a" {()}
    "$SYS/broker/connection/~/state" "0"] | < @ok
raw 345 a bridge's will to elsewhere in $SYS
  | > 10 [{"MQTT" 85;"MQTT" 84;"MQIsdp" 83} 06 003c {()} "~a" {()} "$SYS/broker/~" "0"]
  | rejected 87 05
`

const judged = `
[MQTT-3.1.4-2] [MQTT-3.2.2-7] [v3 MQTT-3.2.2-5] [v3 MQTT-3.2.2-4]
judge raw 345 a good user comes in | > 10 [@v 82 003c {()} "~a" "good"] | < @ok
judge raw 345 a bad password | > 10 [@v c2 003c {()} "~a" "bad" "pw"] | rejected 86 04
judge raw 345 nobody's name | > 10 [@v 02 003c {()} "~a"] | rejected 86 04
judge raw 345 a user who is banned | > 10 [@v 82 003c {()} "~a" "banned"] | rejected 8a 05
judge raw 345 a user who is refused without a reason | > 10 [@v 82 003c {()} "~a" "odd"]
  | rejected 80 05
judge raw 345 a will of somebody who is not let in is not published
  | h dials | h> 10 [@v 82 003c {()} "~h" "good"] | h< @ok | h subscribes ~/w 0
  | > 10 [@v 86 003c {()} "~a" {()} "~/w" "x" "bad"] | rejected 86 04 | h open
[MQTT-3.1.4-6] [v3 MQTT-3.1.4-5]
judge raw 345 what follows a CONNECT waits for the verdict | > 10 [@v 82 003c {()} "~a" "good"] c000
  | < @ok d000
judge raw 345 what follows a CONNECT that is refused is not looked at
  | h dials | h> 10 [@v 82 003c {()} "~h" "good"] | h< @ok | h subscribes ~/t 0
  | > 10 [@v 82 003c {()} "~a" "bad"] 30 ["~/t" {()} 'x'] 0000 | rejected 86 04 | h open
judge raw 345 a second CONNECT behind the first [MQTT-3.1.0-2] [v3 MQTT-3.1.0-2]
  | > 10 [@v 82 003c {()} "~a" "good"] 10 [@v 82 003c {()} "~a" "good"] | < @ok | refused 82
judge raw 345 a CONNECT that is malformed is not judged [MQTT-3.1.2-3] [MQTT-4.13.1-1]
  [v3 MQTT-4.8.0-1] | > 10 [@v 82 003c {()} "~a" "good" 00] | rejected 81
`

const takeOver = `
[MQTT-3.1.4-3] [v3 MQTT-3.1.4-2]
345 take-over by the same level | b dials | b> 10 [@v 02 003c {()} "~a"] | b< @ok | refused 8e
5 take-over by 3.1.1 | b dials 4 | b> 10 [@v 02 003c "~a"] | b< @ok | refused 8e
5 take-over by 3.1 | b dials 3 | b> 10 [@v 02 003c "~a"] | b< @ok | refused 8e
34 take-over by 5 | b dials 5 | b> 10 [@v 02 003c () "~a"] | b< @ok | refused 8e
345 identifiers that differ in case are two clients | b dials | b> 10 [@v 02 003c {()} "~A"]
  | b< @ok
345 take-over of the taker | b dials | b> @connect | b< @ok | > e000 | closed
  | c dials | c> 10 [@v 02 003c {()} "~b"] | c< @ok | b refused 8e
345 take-over without a clean start of a session that ends | b dials
  | b> 10 [@v 00 003c {()} "~a"] | b< @ok | refused 8e
`

export const connectRows: ReadonlyArray<Exchange> = [
  protocol,
  combinations,
  fields,
  judged,
  takeOver,
].flatMap(rows)
