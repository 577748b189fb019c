// Retained messages: kept, replaced, removed, sent to new subscriptions, expired, and too many.

import type { Exchange } from './exchange.ts'
import { rows } from './exchange.ts'

export const retainRows: ReadonlyArray<Exchange> = rows(`
[MQTT-3.3.1-5] [MQTT-3.3.1-9] [v3 MQTT-3.3.1-5] [v3 MQTT-3.3.1-8]
345 what is retained at QoS 0 | > 31 ["~/t" {()} 'x'] 82 [0009 {()} "~/t" 00]
  | < 90 [0009 {()} 00] 31 ["~/t" {()} 'x']
345 what is retained at QoS 1 | > 33 ["~/t" 0008 {()} 'x'] 82 [0009 {()} "~/t" 01]
  | < 40 [0008 {10}] 90 [0009 {()} 01] 33 ["~/t" 0001 {()} 'x'] | > 40 [0001]
345 what is retained at QoS 2 | > 35 ["~/t" 0008 {()} 'x'] 62 [0008] 82 [0009 {()} "~/t" 02]
  | < 50 [0008] 70 [0008] 90 [0009 {()} 02] 35 ["~/t" 0001 {()} 'x'] | > 50 [0001] | < 62 [0001]
  | > 70 [0001]
345 what is retained is sent at the lesser QoS | > 35 ["~/t" 0008 {()} 'x'] 62 [0008]
  82 [0009 {()} "~/t" 00] | < 50 [0008] 70 [0008] 90 [0009 {()} 00] 31 ["~/t" {()} 'x']
345 a QoS 2 message is retained when it is released | > 35 ["~/t" 0008 {()} 'x']
  82 [0009 {()} "~/t" 00] | < 50 [0008] 90 [0009 {()} 00] | > 62 [0008]
  | < 30 ["~/t" {()} 'x'] 70 [0008]
345 what is retained is replaced | > 31 ["~/t" {()} 'x'] 31 ["~/t" {()} 'y'] 82 [0009 {()} "~/t" 00]
  | < 90 [0009 {()} 00] 31 ["~/t" {()} 'y']
345 QoS 0 replaces what was retained at QoS 1 [MQTT-3.3.1-5] [v3 MQTT-3.3.1-7]
  | > 33 ["~/t" 0008 {()} 'x'] 31 ["~/t" {()} 'y'] 82 [0009 {()} "~/t" 01]
  | < 40 [0008 {10}] 90 [0009 {()} 01] 31 ["~/t" {()} 'y']
345 what is not retained replaces nothing [MQTT-3.3.1-8] [v3 MQTT-3.3.1-12]
  | > 31 ["~/t" {()} 'x'] 30 ["~/t" {()} 'y'] 82 [0009 {()} "~/t" 00]
  | < 90 [0009 {()} 00] 31 ["~/t" {()} 'x']
345 an empty payload removes what is retained [MQTT-3.3.1-6] [v3 MQTT-3.3.1-10]
  | > 31 ["~/t" {()} 'x'] 31 ["~/t" {()}] 82 [0009 {()} "~/t" 00] | < 90 [0009 {()} 00]
345 an empty payload at QoS 1 removes what is retained [MQTT-3.3.1-6] [v3 MQTT-3.3.1-10]
  | > 31 ["~/t" {()} 'x'] 33 ["~/t" 0008 {()}] 82 [0009 {()} "~/t" 00]
  | < 40 [0008 {10}] 90 [0009 {()} 00]
345 an empty payload at QoS 2 removes what is retained [MQTT-3.3.1-6] [v3 MQTT-3.3.1-10]
  | > 31 ["~/t" {()} 'x'] 35 ["~/t" 0008 {()}] 62 [0008] 82 [0009 {()} "~/t" 00]
  | < 50 [0008] 70 [0008] 90 [0009 {()} 00]
345 an empty payload is not retained itself [MQTT-3.3.1-7] [v3 MQTT-3.3.1-11]
  | > 31 ["~/t" {()}] 82 [0009 {()} "~/t" 00] | < 90 [0009 {()} 00]
345 an empty payload with retain is passed on [MQTT-3.3.1-6] [v3 MQTT-3.3.1-10]
  | b connects | b subscribes ~/t 0 | > 31 ["~/t" {()}] | open | b< 30 ["~/t" {()}]
345 whoever has subscribed already gets no retain flag [MQTT-3.3.1-12] [v3 MQTT-3.3.1-9]
  | b connects | b subscribes ~/t 0 | > 31 ["~/t" {()} 'x'] | open | b< 30 ["~/t" {()} 'x']
345 what is retained outlives its publisher [MQTT-3.3.1-5] [v3 MQTT-3.1.2-7]
  | > 31 ["~/t" {()} 'x'] e000 | closed | b connects | b> 82 [0009 {()} "~/t" 00]
  | b< 90 [0009 {()} 00] 31 ["~/t" {()} 'x']
5 what is retained keeps its properties [MQTT-3.3.2-17] [MQTT-3.3.2-20]
  | > 31 ["~/t" (01 01 03 "text" 08 "~/r" 09 <0102> 26 "k" "v" 26 "k" "w") 'x']
  82 [0009 () "~/t" 00]
  | < 90 [0009 () 00] 31 ["~/t" (01 01 03 "text" 08 "~/r" 09 <0102> 26 "k" "v" 26 "k" "w") 'x']
5 what is retained is sent with the identifier of the subscription [MQTT-3.3.4-3]
  | > 31 ["~/t" () 'x'] 82 [0009 (0b 07) "~/t" 00] | < 90 [0009 () 00] 31 ["~/t" (0b 07) 'x']
5 what is retained and expired is not sent [MQTT-3.3.2-5] | > 31 ["~/t" (02 00000001) 'x']
  | wait 1100
  | > 82 [0009 () "~/t" 00] | < 90 [0009 () 00]
5 what expires just now is not sent [MQTT-3.3.2-5] | > 31 ["~/t" (02 00000001) 'x'] | wait 1000
  | > 82 [0009 () "~/t" 00] | < 90 [0009 () 00]
5 QoS 2 that expires before it is released [MQTT-4.3.3-13] [MQTT-3.3.2-5] | b connects
  | b subscribes ~/t 0 | > 34 ["~/t" 0009 (02 00000001) 'x'] | < 50 [0009] | wait 1000 | > 62 [0009]
  | < 70 [0009] | b open
5 QoS 2 that is released before it expires [MQTT-4.3.3-13] [MQTT-3.3.2-6] | b connects
  | b subscribes ~/t 0 | > 34 ["~/t" 0009 (02 0000003c) 'x'] | < 50 [0009] | > 62 [0009]
  | < 70 [0009] | b< 30 ["~/t" (02 0000003c) 'x']
5 what is retained is sent with what is left of its expiry [MQTT-3.3.2-6]
  | > 31 ["~/t" (02 0000003c) 'x'] | wait 1100 | > 82 [0009 () "~/t" 00]
  | < 90 [0009 () 00] 31 ["~/t" (02 0000003b) 'x']
5 what is retained with an expiry of 0 is not sent [MQTT-3.3.2-5] | > 31 ["~/t" (02 00000000) 'x']
  82 [0009 () "~/t" 00] | < 90 [0009 () 00]

[MQTT-3.4.2-1] [MQTT-3.5.2-1] [v3 MQTT-3.3.1-5]
full 345 the store of retained messages takes one | > 33 ["~/t" 0008 {()} 'x'] | < 40 [0008 {10}]
  | > 31 ["~/t" {()}] | open
full 345 a second topic does not fit at QoS 1 | > 31 ["~/t" {()} 'x'] 33 ["~/u" 0008 {()} 'x']
  | < 40 [0008 {97}] | > 82 [0009 {()} "~/u" 00] | < 90 [0009 {()} 00] | > 31 ["~/t" {()}] | open
full 345 a second topic does not fit at QoS 2 | > 31 ["~/t" {()} 'x'] 35 ["~/u" 0008 {()} 'x']
  | < 50 [0008 {97}] | > 62 [0008] | < 70 [0008 {92}] | > 82 [0009 {()} "~/u" 00]
  | < 90 [0009 {()} 00] | > 31 ["~/t" {()}] | open
full 34 a second topic is routed at QoS 2 and is not retained [v3 MQTT-3.3.1-7]
  | > 31 ["~/t" 'x'] 35 ["~/u" 0008 'x'] 62 [0008] 82 [0009 "~/u" 00]
  | < 50 [0008] 70 [0008] 90 [0009 00] | > 31 ["~/t"] | open
full 34 what is too large at QoS 2 leaves nothing retained [v3 MQTT-3.3.1-7]
  | > 31 ["~/t" 'x'] 35 ["~/t" 0008 78*60] 62 [0008] 82 [0009 "~/t" 00]
  | < 50 [0008] 70 [0008] 90 [0009 00]
full 345 a second topic is routed at QoS 0 though it is not retained | > 31 ["~/t" {()} 'x']
  | b connects | b subscribes ~/u 0 | > 31 ["~/u" {()} 'y'] | open | b< 30 ["~/u" {()} 'y']
  | > 31 ["~/t" {()}] | open
full 345 in a full store a topic can be replaced | > 31 ["~/t" {()} 'x'] 33 ["~/t" 0008 {()} 'y']
  82 [0009 {()} "~/t" 00] | < 40 [0008 {10}] 90 [0009 {()} 00] 31 ["~/t" {()} 'y']
  | > 31 ["~/t" {()}] | < 30 ["~/t" {()}]
full 345 beside a full store what is not retained is taken | > 31 ["~/t" {()} 'x']
  34 ["~/u" 0008 {()} 'x'] 62 [0008] 32 ["~/u" 0009 {()} 'x']
  | < 50 [0008] 70 [0008] 40 [0009 {10}] | > 31 ["~/t" {()}] | open
full 345 beside a full store an empty payload is taken | > 31 ["~/t" {()} 'x']
  35 ["~/u" 0008 {()}] 62 [0008] 33 ["~/u" 0009 {()}]
  | < 50 [0008] 70 [0008] 40 [0009 {10}] | > 31 ["~/t" {()}] | open
full 345 a message larger than the store at QoS 1 | > 33 ["~/t" 0008 {()} 78*60] | < 40 [0008 {97}]
full 345 a message just as large as the store | > 33 ["~/t" 0008 {()} 78*47] | < 40 [0008 {10}]
  | > 31 ["~/t" {()}] | open
full 345 a message one byte larger than the store | > 33 ["~/t" 0008 {()} 78*48]
  | < 40 [0008 {97}]
`)
