// SUBSCRIBE and UNSUBSCRIBE: options, identifiers, several filters at once, replacing, overlapping,
// shared subscriptions, and how many there may be.

import type { Exchange } from './exchange.ts'
import { rows } from './exchange.ts'

const requests = `
[MQTT-2.2.1-3] [v3 MQTT-2.3.1-1]
345 SUBSCRIBE with packet identifier 0 | > 82 [0000 {()} "~/f" 00] | refused 81
345 UNSUBSCRIBE with packet identifier 0 | > a2 [0000 {()} "~/f"] | refused 81
[MQTT-3.8.4-2] [v3 MQTT-3.8.4-2]
345 SUBSCRIBE with packet identifier 65,535 | > 82 [ffff {()} "~/f" 00] | < 90 [ffff {()} 00]
345 SUBSCRIBE with packet identifier 1 | > 82 [0001 {()} "~/f" 00] | < 90 [0001 {()} 00]
[MQTT-3.10.4-5] [v3 MQTT-3.10.4-4]
345 UNSUBSCRIBE with packet identifier 65,535 | > a2 [ffff {()} "~/f"] | < b0 [ffff {() 11}]
345 UNSUBSCRIBE with packet identifier 1 | > a2 [0001 {()} "~/f"] | < b0 [0001 {() 11}]
[MQTT-3.8.3-2] [v3 MQTT-3.8.3-3]
345 SUBSCRIBE without a filter | > 82 [0009 {()}] | refused 82
5 SUBSCRIBE without a filter and with properties | > 82 [0009 (0b 01)] | refused 82
[MQTT-3.10.3-2] [v3 MQTT-3.10.3-2]
345 UNSUBSCRIBE without a filter | > a2 [0009 {()}] | refused 82

[MQTT-3.8.4-7] [MQTT-3.9.3-2] [v3 MQTT-3.8.4-5] [v3 MQTT-3.9.3-2]
345 a subscription of QoS 0 | > 82 [0009 {()} "~/f" 00] | < 90 [0009 {()} 00]
345 a subscription of QoS 1 | > 82 [0009 {()} "~/f" 01] | < 90 [0009 {()} 01]
345 a subscription of QoS 2 | > 82 [0009 {()} "~/f" 02] | < 90 [0009 {()} 02]
5 a subscription of QoS 3 [MQTT-4.13.1-1] | > 82 [0009 () "~/f" 03] | refused 82
34 a subscription of QoS 3 [v3 MQTT-3.8.3-4] | > 82 [0009 "~/f" 03] | refused 81
5 a subscription of QoS 3 behind a good one [MQTT-4.13.1-1] | > 82 [0009 () "~/e" 01 "~/f" 03]
  | refused 82
34 a subscription of QoS 3 behind a good one [v3 MQTT-3.8.3-4] | > 82 [0009 "~/e" 01 "~/f" 03]
  | refused 81
[MQTT-3.8.3-5] [v3 MQTT-3.8.3-4]
345 reserved bit 7 of the options | > 82 [0009 {()} "~/f" 80] | refused 81
345 reserved bit 6 of the options | > 82 [0009 {()} "~/f" 40] | refused 81
345 reserved bits of the second options | > 82 [0009 {()} "~/e" 00 "~/f" c0] | refused 81
34 bit 5 of the options | > 82 [0009 "~/f" 20] | refused 81
34 bit 4 of the options | > 82 [0009 "~/f" 10] | refused 81
34 bit 3 of the options | > 82 [0009 "~/f" 08] | refused 81
34 bit 2 of the options | > 82 [0009 "~/f" 04] | refused 81
5 retain handling 1 | > 82 [0009 () "~/f" 10] | < 90 [0009 () 00]
5 retain handling 2 | > 82 [0009 () "~/f" 20] | < 90 [0009 () 00]
5 retain handling 3 [MQTT-4.13.1-1] | > 82 [0009 () "~/f" 30] | refused 82
5 retain handling 3 and QoS 2 [MQTT-4.13.1-1] | > 82 [0009 () "~/f" 32] | refused 82
5 all options that there are | > 82 [0009 () "~/f" 2e] | < 90 [0009 () 02]
[MQTT-3.8.3-4]
5 no local | > 82 [0009 () "~/f" 04] | < 90 [0009 () 00]
5 no local on a shared subscription | > 82 [0009 () "$share/g/~/f" 04] | refused 82
5 no local on a shared subscription behind a good one
  | > 82 [0009 () "~/e" 04 "$share/g/~/f" 05] | refused 82
5 a shared subscription without no local | > 82 [0009 () "$share/g/~/f" 01] | < 90 [0009 () 01]
5 no local on what only looks shared | > 82 [0009 () "$shared/~/f" 04] | < 90 [0009 () 00]
[MQTT-3.8.4-1]
5 subscription identifier 0 [MQTT-4.13.1-1] | > 82 [0009 (0b 00) "~/f" 00] | refused 82
5 subscription identifier 1 | > 82 [0009 (0b 01) "~/f" 00] | < 90 [0009 () 00]
5 subscription identifier 268,435,455 | > 82 [0009 (0b ffffff7f) "~/f" 00] | < 90 [0009 () 00]
5 a subscription identifier of five bytes [MQTT-1.5.5-1] | > 82 [0009 (0b ffffffff01) "~/f" 00]
  | refused 81
5 two subscription identifiers [MQTT-4.13.1-1] | > 82 [0009 (0b 01 0b 02) "~/f" 00] | refused 82

[MQTT-3.8.4-5] [MQTT-3.8.4-6] [MQTT-3.9.3-1] [v3 MQTT-3.8.4-4] [v3 MQTT-3.9.3-1]
345 three filters with three codes in their order
  | > 82 [0009 {()} "~/f" 02 "~/g" 00 "~/h" 01] | < 90 [0009 {()} 02 00 01]
345 the same filter twice in one SUBSCRIBE | > 82 [0009 {()} "~/f" 00 "~/f" 01]
  | < 90 [0009 {()} 00 01] | > 32 ["~/f" 0008 {()} 'x'] | < 32 ["~/f" 0001 {()} 'x'] 40 [0008]
  | > 40 [0001]
345 one bad filter spoils a SUBSCRIBE [MQTT-4.7.1-1] [v3 MQTT-4.7.1-2]
  | > 82 [0009 {()} "~/f" 00 "~/#/g" 00] | refused 8f
345 five hundred filters | > 82 [0009 {()} ${
  Array.from({ length: 500 }, (_, i) => `"~/${i}" 00`).join(' ')
}] | < 90 [0009 {()} 00*500] | > 30 ["~/499" {()} 'x'] | < 30 ["~/499" {()} 'x']
small 345 the filter that was too many is not subscribed to
  | > 82 [0009 {()} "~/1" 00 "~/1" 00 "~/1" 00 "~/1" 01 "~/2" 02]
  | < 90 [0009 {()} 00 00 00 01 {97;80}]
  | > 30 ["~/2" {()} 'x'] 30 ["~/1" {()} 'y'] | < 30 ["~/1" {()} 'y']
small 345 as many filters in a packet as may be, and one more
  | > 82 [0009 {()} "~/1" 00 "~/1" 00 "~/1" 00 "~/1" 01] | < 90 [0009 {()} 00 00 00 01]
  | > 82 [0009 {()} "~/1" 00 "~/1" 00 "~/1" 00 "~/1" 01 "~/1" 02]
  | < 90 [0009 {()} 00 00 00 01 {97;80}]
small 345 as many subscriptions as may be, and one more
  | > 82 [0009 {()} "~/1" 00 "~/2" 01 "~/3" 02] | < 90 [0009 {()} 00 01 02]
  | > 82 [0009 {()} "~/4" 01] | < 90 [0009 {()} {97;80}]
small 345 a subscription can be replaced where no more may be
  | > 82 [0009 {()} "~/1" 00 "~/2" 01 "~/3" 02] | < 90 [0009 {()} 00 01 02]
  | > 82 [0009 {()} "~/2" 02] | < 90 [0009 {()} 02]
small 345 UNSUBSCRIBE makes room where no more subscriptions may be
  | > 82 [0009 {()} "~/1" 00 "~/2" 01 "~/3" 02] | < 90 [0009 {()} 00 01 02]
  | > a2 [0009 {()} "~/2"] 82 [0009 {()} "~/4" 02] | < b0 [0009 {() 00}] 90 [0009 {()} 02]
[MQTT-4.13.1-1] [v3 MQTT-4.8.0-1]
alone 345 ten thousand filters | > 82 [0009 {()} 00016100*10000]
  | < 90 [0009 {()} 00*10000]
alone 345 ten thousand and one filters | > 82 [0009 {()} 00016100*10001] | refused 97
alone 345 UNSUBSCRIBE from ten thousand filters | > a2 [0009 {()} 000161*10000]
  | < b0 [0009 {() 11*10000}]
alone 345 UNSUBSCRIBE from ten thousand and one filters | > a2 [0009 {()} 000161*10001]
  | refused 97
raw 5 a SUBACK that just fits the client [MQTT-3.1.2-24] | > 10 [@v 02 003c (27 00000010) "~a"]
  | < @ok | > 82 [0009 () ${'"~/f" 00 '.repeat(11)}] | < 90 [0009 () 00*11]
raw 5 a SUBACK that is too large for the client [MQTT-3.1.2-24]
  | > 10 [@v 02 003c (27 00000010) "~a"] | < @ok | > 82 [0009 () ${'"~/f" 00 '.repeat(12)}]
  | refused 95
raw 5 an UNSUBACK that just fits the client [MQTT-3.1.2-24]
  | > 10 [@v 02 003c (27 00000010) "~a"] | < @ok | > a2 [0009 () ${'"~/f" '.repeat(11)}]
  | < b0 [0009 () 11*11]
raw 5 an UNSUBACK that is too large for the client [MQTT-3.1.2-24]
  | > 10 [@v 02 003c (27 00000010) "~a"] | < @ok | > a2 [0009 () ${'"~/f" '.repeat(12)}]
  | refused 95
small 345 UNSUBSCRIBE from more filters than there can be [MQTT-3.10.4-6] [v3 MQTT-3.10.4-6]
  | > 82 [0009 {()} "~/5" 00] a2 [0009 {()} "~/1" "~/2" "~/3" "~/4" "~/5"]
  | < 90 [0009 {()} 00] b0 [0009 {() 11 11 11 11 11}]
`

const effects = `
[MQTT-3.8.4-3] [MQTT-3.8.4-4] [v3 MQTT-3.8.4-3]
345 an identical filter replaces the subscription
  | > 82 [0009 {()} "~/t" 00] 82 [0009 {()} "~/t" 01]
  32 ["~/t" 0008 {()} 'x']
  | < 90 [0009 {()} 00] 90 [0009 {()} 01] 32 ["~/t" 0001 {()} 'x'] 40 [0008]
345 subscribing again sends again what is retained | > 31 ["~/t" {()} 'x'] 82 [0009 {()} "~/t" 00]
  82 [0009 {()} "~/t" 00] | < 90 [0009 {()} 00] 31 ["~/t" {()} 'x'] 90 [0009 {()} 00]
  31 ["~/t" {()} 'x']
5 the identifier of a subscription is replaced too | > 82 [0009 (0b 01) "~/t" 00]
  82 [0009 () "~/t" 00] 30 ["~/t" () 'x'] | < 90 [0009 () 00] 90 [0009 () 00] 30 ["~/t" () 'x']
[MQTT-3.3.1-9]
5 retain handling 0 sends what is retained | > 31 ["~/t" () 'x'] 82 [0009 () "~/t" 00]
  82 [0009 () "~/t" 00] | < 90 [0009 () 00] 31 ["~/t" () 'x'] 90 [0009 () 00] 31 ["~/t" () 'x']
5 retain handling 1 sends it to a new subscription only [MQTT-3.3.1-10] | > 31 ["~/t" () 'x']
  82 [0009 () "~/t" 10] 82 [0009 () "~/t" 10] | < 90 [0009 () 00] 31 ["~/t" () 'x'] 90 [0009 () 00]
5 retain handling 1 sends it again after UNSUBSCRIBE [MQTT-3.3.1-10] | > 31 ["~/t" () 'x']
  82 [0009 () "~/t" 10] a2 [0009 () "~/t"] 82 [0009 () "~/t" 10]
  | < 90 [0009 () 00] 31 ["~/t" () 'x'] b0 [0009 () 00] 90 [0009 () 00] 31 ["~/t" () 'x']
5 retain handling 2 does not send it [MQTT-3.3.1-11] | > 31 ["~/t" () 'x'] 82 [0009 () "~/t" 20]
  | < 90 [0009 () 00]
5 retain handling is each filter's own [MQTT-3.3.1-11] | > 31 ["~/t" () 'x'] 31 ["~/u" () 'y']
  82 [0009 () "~/t" 20 "~/u" 00] | < 90 [0009 () 00 00] 31 ["~/u" () 'y']
5 without retain as published the flag is not passed on [MQTT-3.3.1-12] | b connects
  | b> 82 [0009 () "~/t" 00] | b< 90 [0009 () 00] | > 31 ["~/t" () 'x'] | open
  | b< 30 ["~/t" () 'x']
5 with retain as published the flag is passed on [MQTT-3.3.1-13] | b connects
  | b> 82 [0009 () "~/t" 08] | b< 90 [0009 () 00] | > 31 ["~/t" () 'x'] 30 ["~/t" () 'y'] | open
  | b< 31 ["~/t" () 'x'] 30 ["~/t" () 'y']
5 with retain as published the flag is passed on at QoS 1 [MQTT-3.3.1-13] | b connects
  | b> 82 [0009 () "~/t" 09] | b< 90 [0009 () 01] | > 33 ["~/t" 0009 () 'x'] | < 40 [0009]
  | b< 33 ["~/t" 0001 () 'x']
raw 34 a bridge sees the retain flag of what is published [v3 MQTT-3.3.1-9]
  | > 10 [{;"MQTT" 84;"MQIsdp" 83} 02 003c "~a"] | < @ok | subscribes ~/t 0 | b connects
  | b> 31 ["~/t" 'x'] | b open | < 31 ["~/t" 'x']
raw 34 a bridge does not hear itself, or what it passes on would go round in circles
  [v3 MQTT-3.3.5-1]
  | > 10 [{;"MQTT" 84;"MQIsdp" 83} 02 003c "~a"] | < @ok | subscribes ~/t 1 | b connects
  | > 30 ["~/t" 'x'] | b> 30 ["~/t" 'y'] | b open | < 30 ["~/t" 'y']
raw 5 a bridge of MQTT 5 says itself whether it does
  | > 10 ["MQTT" 85 02 003c () "~a"] | < @ok | > 82 [0009 () "~/t" 00] | < 90 [0009 () 00]
  | > 30 ["~/t" () 'x'] | < 30 ["~/t" () 'x']
[MQTT-3.8.3-3]
5 with no local a client does not hear itself | > 82 [0009 () "~/t" 04] | < 90 [0009 () 00]
  | > 30 ["~/t" () 'x']
5 with no local a client hears others | > 82 [0009 () "~/t" 04] | < 90 [0009 () 00] | b connects
  | b> 30 ["~/t" () 'x'] | b open | < 30 ["~/t" () 'x']
5 with no local at QoS 1 nobody is left to hear | > 82 [0009 () "~/t" 05] | < 90 [0009 () 01]
  | > 32 ["~/t" 0009 () 'x'] | < 40 [0009 10]
5 without no local a client hears itself | > 82 [0009 () "~/t" 00] | < 90 [0009 () 00]
  | > 30 ["~/t" () 'x'] | < 30 ["~/t" () 'x']
5 no local does not hold back what is retained | > 31 ["~/t" () 'x'] 82 [0009 () "~/t" 04]
  | < 90 [0009 () 00] 31 ["~/t" () 'x']
[MQTT-3.3.4-3]
5 a message carries the identifier of its subscription | > 82 [0009 (0b 07) "~/t" 00]
  | < 90 [0009 () 00] | > 30 ["~/t" () 'x'] | < 30 ["~/t" (0b 07) 'x']
5 a message of QoS 1 carries the identifier of its subscription | > 82 [0009 (0b ff7f) "~/t" 01]
  | < 90 [0009 () 01] | > 32 ["~/t" 0008 () 'x'] | < 32 ["~/t" 0001 (0b ff7f) 'x'] 40 [0008]
5 one identifier for all filters of a SUBSCRIBE | > 82 [0009 (0b 07) "~/t" 00 "~/u" 00]
  | < 90 [0009 () 00 00] | > 30 ["~/t" () 'x'] 30 ["~/u" () 'y']
  | < 30 ["~/t" (0b 07) 'x'] 30 ["~/u" (0b 07) 'y']
5 other properties stand before the identifier | > 82 [0009 (0b 07) "~/t" 00] | < 90 [0009 () 00]
  | > 30 ["~/t" (03 "text") 'x'] | < 30 ["~/t" (03 "text" 0b 07) 'x']
[MQTT-3.3.4-2] [MQTT-3.3.4-5] [v3 MQTT-3.3.5-1]
345 two filters that match are two copies | > 82 [0009 {()} "~/t" 00 "~/+" 00]
  | < 90 [0009 {()} 00 00] | > 30 ["~/t" {()} 'x'] | < 30 ["~/t" {()} 'x'] 30 ["~/t" {()} 'x']
5 each of two copies carries its own identifier | > 82 [0009 (0b 01) "~/t" 00]
  82 [0009 (0b 02) "~/+" 00] | < 90 [0009 () 00] 90 [0009 () 00] | > 30 ["~/t" () 'x']
  | < 30 ["~/t" (0b 01) 'x'] 30 ["~/t" (0b 02) 'x']
[MQTT-3.10.4-1] [MQTT-3.10.4-2] [MQTT-3.11.3-2] [v3 MQTT-3.10.4-1] [v3 MQTT-3.10.4-2]
345 UNSUBSCRIBE ends a subscription | > 82 [0009 {()} "~/t" 00] a2 [000a {()} "~/t"]
  30 ["~/t" {()} 'x'] | < 90 [0009 {()} 00] b0 [000a {() 00}]
345 UNSUBSCRIBE from what was not subscribed to [MQTT-3.10.4-5] [v3 MQTT-3.10.4-5]
  | > a2 [000a {()} "~/t"] | < b0 [000a {() 11}]
345 UNSUBSCRIBE compares, it does not match | > 82 [0009 {()} "~/t" 00] a2 [000a {()} "~/+"]
  30 ["~/t" {()} 'x'] | < 90 [0009 {()} 00] b0 [000a {() 11}] 30 ["~/t" {()} 'x']
345 UNSUBSCRIBE twice | > 82 [0009 {()} "~/t" 00] a2 [000a {()} "~/t"] a2 [000b {()} "~/t"]
  | < 90 [0009 {()} 00] b0 [000a {() 00}] b0 [000b {() 11}]
345 UNSUBSCRIBE from several filters in their order [MQTT-3.11.3-1] [MQTT-3.10.4-6]
  [v3 MQTT-3.10.4-6] | > 82 [0009 {()} "~/t" 00] a2 [000a {()} "~/u" "~/t" "~/t"]
  | < 90 [0009 {()} 00] b0 [000a {() 11 00 11}]
345 what was begun before UNSUBSCRIBE is finished [MQTT-3.10.4-3] [v3 MQTT-3.10.4-3]
  | > 82 [0009 {()} "~/t" 02] | < 90 [0009 {()} 02] | > 34 ["~/t" 0008 {()} 'x'] 62 [0008]
  | < 50 [0008] 34 ["~/t" 0001 {()} 'x'] 70 [0008] | > a2 [000a {()} "~/t"] 50 [0001]
  | < b0 [000a {() 00}] 62 [0001] | > 70 [0001]
[MQTT-4.7.2-1] [v3 MQTT-4.7.2-1]
alone 345 # does not match topics of servers | subscribes # 0 | > 30 ["$~/t" {()} 'x']
  30 ["~/t" {()} 'y'] | < 30 ["~/t" {()} 'y']
alone 345 + does not match topics of servers | subscribes +/t 0 | > 30 ["$~/t" {()} 'x']
  30 ["~/t" {()} 'y'] | < 30 ["~/t" {()} 'y']
345 a filter that begins with $ matches topics of servers | subscribes $~/# 0
  | > 30 ["$~/t" {()} 'x'] | < 30 ["$~/t" {()} 'x']
[MQTT-3.3.2-3] [v3 MQTT-3.3.2-3]
345 # matches the level above it | subscribes ~/t/# 0 | > 30 ["~/t" {()} 'x']
  | < 30 ["~/t" {()} 'x']
345 # matches all below it | subscribes ~/t/# 0 | > 30 ["~/t/u/v" {()} 'x']
  | < 30 ["~/t/u/v" {()} 'x']
345 # does not match what only begins alike | subscribes ~/t/# 0 | > 30 ["~/tt" {()} 'x']
345 + matches one level | subscribes ~/+ 0 | > 30 ["~/t" {()} 'x'] 30 ["~/t/u" {()} 'y']
  | < 30 ["~/t" {()} 'x']
345 + matches an empty level | subscribes ~/+/t 0 | > 30 ["~//t" {()} 'x'] | < 30 ["~//t" {()} 'x']
345 + does not match a level that is not there | subscribes ~/t/+ 0 | > 30 ["~/t" {()} 'x']
345 names are not made alike [MQTT-4.7.3-4] [v3 MQTT-4.7.3-4] | subscribes ~/t 0
  | > 30 ["~/T" {()} 'x'] 30 ["~/t/" {()} 'x'] 30 ["~//t" {()} 'x']
345 an accent of its own is another character [MQTT-4.7.3-4] [v3 MQTT-4.7.3-4]
  | > 82 [0009 {()} <'~/' c3a9> 00] | < 90 [0009 {()} 00] | > 30 [<'~/e' cc81> {()} 'x']
345 U+FEFF is not stripped [MQTT-1.5.4-3] [v3 MQTT-1.5.3-3] | subscribes ~/t 0
  | > 30 [<'~/' efbbbf 't'> {()} 'x']
`

const shared = `
[MQTT-4.8.2-1] [MQTT-4.8.2-3] [v3 MQTT-3.8.4-1]
345 a shared subscription hears | > 82 [0009 {()} "$share/g/~/t" 00] | < 90 [0009 {()} 00]
  | > 30 ["~/t" {()} 'x'] | < 30 ["~/t" {()} 'x']
345 two members take turns | > 82 [0009 {()} "$share/g/~/t" 00] | < 90 [0009 {()} 00]
  | b connects | b subscribes $share/g/~/t 0 | c connects
  | c> 30 ["~/t" {()} '1'] 30 ["~/t" {()} '2'] 30 ["~/t" {()} '3'] 30 ["~/t" {()} '4'] | c open
  | < 30 ["~/t" {()} '1'] 30 ["~/t" {()} '3'] | b< 30 ["~/t" {()} '2'] 30 ["~/t" {()} '4']
345 two groups each get a message | > 82 [0009 {()} "$share/g/~/t" 00] | < 90 [0009 {()} 00]
  | b connects | b subscribes $share/h/~/t 0 | c connects | c> 30 ["~/t" {()} '1'] | c open
  | < 30 ["~/t" {()} '1'] | b< 30 ["~/t" {()} '1']
345 nothing retained is sent to a shared subscription | > 31 ["~/t" {()} 'x']
  82 [0009 {()} "$share/g/~/t" 00] | < 90 [0009 {()} 00]
345 each member at the QoS that it was granted | > 82 [0009 {()} "$share/g/~/t" 01]
  | < 90 [0009 {()} 01] | b connects | b subscribes $share/g/~/t 0 | c connects
  | c> 32 ["~/t" 0001 {()} '1'] 32 ["~/t" 0002 {()} '2'] | c< 40 [0001] 40 [0002]
  | < 32 ["~/t" 0001 {()} '1'] | > 40 [0001] | b< 30 ["~/t" {()} '2']
345 a member that leaves gets nothing more | > 82 [0009 {()} "$share/g/~/t" 00]
  | < 90 [0009 {()} 00]
  | b connects | b subscribes $share/g/~/t 0 | > a2 [000a {()} "$share/g/~/t"] | < b0 [000a {() 00}]
  | > 30 ["~/t" {()} '1'] 30 ["~/t" {()} '2'] | open | b< 30 ["~/t" {()} '1'] 30 ["~/t" {()} '2']
345 UNSUBSCRIBE from the plain filter leaves the shared one | > 82 [0009 {()} "$share/g/~/t" 00]
  a2 [000a {()} "~/t"] 30 ["~/t" {()} 'x'] | < 90 [0009 {()} 00] b0 [000a {() 11}]
  30 ["~/t" {()} 'x']
345 a shared and a plain subscription are two | > 82 [0009 {()} "~/t" 00 "$share/g/~/t" 00]
  | < 90 [0009 {()} 00 00] | > 30 ["~/t" {()} 'x'] | < 30 ["~/t" {()} 'x'] 30 ["~/t" {()} 'x']
5 a shared subscription has an identifier [MQTT-3.3.4-3] | > 82 [0009 (0b 07) "$share/g/~/t" 00]
  | < 90 [0009 () 00] | > 30 ["~/t" () 'x'] | < 30 ["~/t" (0b 07) 'x']
345 what only looks shared is a topic | subscribes $shared/~ 0 | > 30 ["$shared/~" {()} 'x']
  | < 30 ["$shared/~" {()} 'x']
`

export const subscribeRows: ReadonlyArray<Exchange> = [requests, effects, shared].flatMap(rows)
