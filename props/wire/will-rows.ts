// Wills: when they are published and when not, and as what.

import type { Exchange } from './exchange.ts'
import { rows } from './exchange.ts'

/** `h` waits for the will of `w`, which has the flags of a will that ends with it. */
const heir = '| h connects | h subscribes ~/w 2'

const of = (flags: string, willProperties = '', properties = '', id = '"~w"'): string =>
  `${heir} | w dials | w> 10 [@v ${flags} 003c {(${properties})} ${id} {(${willProperties})} "~/w"
    "gone"] | w< @ok`

const heard = 'h< 30 ["~/w" {()} \'gone\']'

export const willRows: ReadonlyArray<Exchange> = rows(`
[MQTT-3.1.2-8] [MQTT-3.1.2-7] [v3 MQTT-3.1.2-8]
345 a connection that is lost ${of('06')} | w lost | ${heard}
345 a packet that is malformed [MQTT-3.1.2-8] [v3 MQTT-3.1.2-8] ${of('06')} | w> 36 ["~/t" 0001 'x']
  | w refused 81 | ${heard}
345 a protocol error ${of('06')} | w> d000 | w refused 82 | ${heard}
5 a Receive Maximum that was exceeded ${
  of('06')
} | w> 30 ["~/t" (23 0000)] | w refused 94 | ${heard}
345 take-over publishes the will ${of('06')} | b dials | b> 10 [@v 02 003c {()} "~w"] | b< @ok
  | w refused 8e | ${heard}
345 take-over without a clean start publishes the will ${of('06')} | b dials
  | b> 10 [@v 00 003c {()} "~w"] | b< @ok | w refused 8e | ${heard}
345 DISCONNECT discards the will [MQTT-3.14.4-3] [MQTT-3.1.2-10] [v3 MQTT-3.14.4-3]
  [v3 MQTT-3.1.2-10] ${of('06')} | w> e000 | w closed | h open
5 DISCONNECT 00 with properties discards the will [MQTT-3.14.4-3] ${of('06')}
  | w> e0 [00 (26 "k" "v")] | w closed | h open
5 DISCONNECT 04 publishes the will ${of('06')} | w> e0 [04] | w closed | ${heard}
5 DISCONNECT 80 publishes the will ${of('06')} | w> e0 [80] | w closed | ${heard}
5 DISCONNECT 96 publishes the will ${of('06')} | w> e0 [96] | w closed | ${heard}
5 a DISCONNECT that is refused publishes the will [MQTT-3.14.2-1] ${of('06')} | w> e0 [8b]
  | w refused 82 | ${heard}
5 a second CONNECT that is malformed publishes the will ${
  of('06')
} | w> 10 ["MQTX" 04 02 003c "~w"]
  | w refused 82 84 | ${heard}
34 a second CONNECT that is malformed publishes the will ${
  of('06')
} | w> 10 ["MQTX" 04 02 003c "~w"]
  | w refused 84 | ${heard}
345 a will is published once ${of('06')} | w lost | ${heard} | w connects | w lost | h open
345 a client without a will [MQTT-3.1.2-8] [v3 MQTT-3.1.2-12] ${heir} | w connects | w lost | h open
[MQTT-3.1.2-12] [v3 MQTT-3.1.2-14]
345 a will of QoS 1 ${of('0e')} | w lost | h< 32 ["~/w" 0001 {()} 'gone'] | h> 40 [0001]
345 a will of QoS 2 ${of('16')} | w lost | h< 34 ["~/w" 0001 {()} 'gone'] | h> 50 [0001]
  | h< 62 [0001] | h> 70 [0001]
[MQTT-3.1.2-15] [v3 MQTT-3.1.2-17]
345 a retained will ${of('26')} | w lost | ${heard} | h> 82 [0009 {()} "~/w" 00]
  | h< 90 [0009 {()} 00] 31 ["~/w" {()} 'gone']
345 a retained will of QoS 1 ${of('2e')} | w lost | h< 32 ["~/w" 0001 {()} 'gone'] | h> 40 [0001]
  | h> 82 [0009 {()} "~/w" 00] | h< 90 [0009 {()} 00] 31 ["~/w" {()} 'gone']
[MQTT-3.1.2-14] [v3 MQTT-3.1.2-16]
345 a will that is not retained ${of('06')} | w lost | ${heard} | h> 82 [0009 {()} "~/w" 00]
  | h< 90 [0009 {()} 00]
345 a retained will that is empty retains nothing [MQTT-3.3.1-7] [v3 MQTT-3.3.1-11] ${heir}
  | w dials
  | w> 10 [@v 26 003c {()} "~w" {()} "~/w" ""] | w< @ok | w lost | h< 30 ["~/w" {()}]
  | h> 82 [0009 {()} "~/w" 00] | h< 90 [0009 {()} 00]
[MQTT-3.1.3-10] [MQTT-3.3.2-18]
5 a will with properties, in their order
  ${of('06', '03 "text" 08 "~/r" 09 <0102> 26 "b" "1" 26 "a" "2" 01 01')} | w lost
  | h< 30 ["~/w" (03 "text" 08 "~/r" 09 <0102> 26 "b" "1" 26 "a" "2" 01 01) 'gone']
5 a will that expires ${of('06', '02 0000003c')} | w lost | h< 30 ["~/w" (02 0000003c) 'gone']
5 the delay of a will is not passed on ${of('06', '18 00000000 03 "text"')} | w lost
  | h< 30 ["~/w" (03 "text") 'gone']
5 a will of version 5 for a subscriber of 3.1.1 | h connects 4 | h subscribes ~/w 0 | w dials
  | w> 10 [@v 06 003c () "~w" (03 "text") "~/w" "gone"] | w< @ok | w lost | h< 30 ["~/w" 'gone']
[MQTT-3.1.3-9] [MQTT-3.1.2-8]
5 a delayed will comes after its delay ${of('04', '18 00000001', '11 0000003c')} | w lost | wait 100
  | h open | wait 1200 | ${heard}
5 a return within the delay cancels the will ${of('04', '18 00000001', '11 0000003c')} | w lost
  | wait 100 | w dials | w> 10 [@v 00 003c (11 0000003c) "~w"] | w< @present | wait 1300 | h open
5 a session that ends takes the delayed will along ${of('06', '18 0000003c', '11 00000001')}
  | w lost | wait 1300 | ${heard}
5 a delay longer than a session that ends at once ${of('06', '18 0000003c')} | w lost | ${heard}
5 a clean start ends the session, so the delayed will is due
  ${of('04', '18 0000003c', '11 0000003c')} | w> e0 [04] | w closed | h open | w connects | ${heard}
5 DISCONNECT 04 with expiry 0 makes the will due ${of('04', '18 0000003c', '11 0000003c')}
  | w> e0 [04 (11 00000000)] | w closed | ${heard}
5 DISCONNECT 00 discards a delayed will ${of('04', '18 00000001', '11 0000003c')} | w> e000
  | w closed | wait 1200 | h open
5 take-over within the delay ${of('04', '18 0000003c', '11 0000003c')} | b dials
  | b> 10 [@v 00 003c (11 0000003c) "~w"] | b< @present | w refused 8e | h open
345 the new will stands in place of the old one [MQTT-3.1.2-7] [v3 MQTT-3.1.2-8] ${
  of('06')
} | w> e000 | w closed | w dials
  | w> 10 [@v 06 003c {()} "~w" {()} "~/w" "new"] | w< @ok | w lost | h< 30 ["~/w" {()} 'new']
`)
