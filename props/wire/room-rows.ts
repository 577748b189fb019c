// What a broker with other settings refuses: what it has announced not to be available, payloads
// that are not what they are said to be, clients that should go elsewhere, and reasons in words.

import type { Exchange } from './exchange.ts'
import { rows } from './exchange.ts'

const available = `
[MQTT-3.2.2-9] [MQTT-3.2.2-11] [v3 MQTT-4.8.0-1]
modest raw 5 what is not available is announced | > @connect
  | < 20 [00 00 (22 000a 25 00 27 001e8480 21 0014 24 01 28 00 29 00 2a 00)]
modest 345 PUBLISH of the highest QoS | > 32 ["~/t" 0009 {()} 'x'] | < 40 [0009 {10}]
modest 345 PUBLISH above the highest QoS | > 34 ["~/t" 0009 {()} 'x'] | refused 9b
modest 345 PUBLISH to be retained [MQTT-3.2.2-14] [v3 MQTT-4.8.0-1] | > 31 ["~/t" {()} 'x']
  | refused 9a
modest 345 PUBLISH that removes what is retained [MQTT-3.2.2-14] [v3 MQTT-4.8.0-1]
  | > 31 ["~/t" {()}] | refused 9a
modest 345 PUBLISH that is not to be retained [MQTT-3.2.2-14] [v3 MQTT-4.8.0-1]
  | > 30 ["~/t" {()} 'x']
modest raw 345 a will of the highest QoS [MQTT-3.2.2-12] [v3 MQTT-3.2.2-6]
  | > 10 [@v 0e 003c {()} "~a" {()} "~/w" "x"] | < @ok
modest raw 345 a will above the highest QoS [MQTT-3.2.2-12] [v3 MQTT-3.2.2-6]
  | > 10 [@v 16 003c {()} "~a" {()} "~/w" "x"] | rejected 9b
modest raw 345 a will to be retained [MQTT-3.2.2-13] [v3 MQTT-3.2.2-6]
  | > 10 [@v 26 003c {()} "~a" {()} "~/w" "x"] | rejected 9a
modest 345 a subscription above the highest QoS [MQTT-3.2.2-10] [v3 MQTT-3.8.4-5]
  | > 82 [0009 {()} "~/t" 02] | < 90 [0009 {()} 01] | b connects
  | b> 32 ["~/t" 0008 {()} 'x'] | b< 40 [0008] | < 32 ["~/t" 0001 {()} 'x'] | > 40 [0001]

[MQTT-4.13.1-1] [v3 MQTT-3.8.3-2] [v3 MQTT-3.9.3-1]
modest 345 a filter without wildcards | > 82 [0009 {()} "~/t" 00] | < 90 [0009 {()} 00]
modest 5 a filter with a plus | > 82 [0009 () "~/+" 00] | refused a2
modest 5 a filter with a number sign | > 82 [0009 () "~/#" 00] | refused a2
modest 5 a filter with a wildcard behind a good one | > 82 [0009 () "~/t" 00 "~/+" 00]
  | refused a2
modest 34 filters with wildcards among others | > 82 [0009 "~/t" 00 "~/+" 00 "~/#" 01 "~/u" 01]
  | < 90 [0009 00 80 80 01] | > 30 ["~/v" 'x'] 30 ["~/u" 'y'] | < 30 ["~/u" 'y']
modest 5 a shared subscription where there are none | > 82 [0009 () "$share/g/~/t" 00] | refused 9e
modest 34 a shared subscription where there are none | > 82 [0009 "$share/g/~/t" 00]
  | < 90 [0009 80]
modest 345 a filter that only looks shared | > 82 [0009 {()} "$shared/~/t" 00]
  | < 90 [0009 {()} 00]
modest 5 a subscription identifier where there are none | > 82 [0009 (0b 01) "~/t" 00] | refused a1
modest 345 UNSUBSCRIBE from what is not available | > a2 [0009 {()} "~/#" "$share/g/~/t"]
  | < b0 [0009 {() 11 11}]
`

const formats = `
[MQTT-4.13.1-1]
strict 5 a payload that is text | > 30 ["~/t" (01 01) 'x'] | open
strict 5 a payload that is said to be text and is not | > 30 ["~/t" (01 01) ff] | refused 99
strict 5 a payload that is not said to be text | > 30 ["~/t" (01 00) ff] | open
strict 5 a payload of which nothing is said | > 30 ["~/t" (03 "x") ff] 30 ["~/t" () ff] | open
strict 5 a payload of QoS 1 that is text [MQTT-3.4.2-1] | > 32 ["~/t" 0009 (01 01) 'x']
  | < 40 [0009 10]
strict 5 a payload of QoS 1 that is said to be text and is not [MQTT-3.4.2-1] | subscribes ~/t 0
  | > 32 ["~/t" 0009 (01 01) ff] | < 40 [0009 99]
strict 5 a payload of QoS 2 that is text [MQTT-3.5.2-1] | > 34 ["~/t" 0009 (01 01) 'x'] 62 [0009]
  | < 50 [0009] 70 [0009]
strict 5 a payload of QoS 2 that is said to be text and is not [MQTT-3.5.2-1] | subscribes ~/t 0
  | > 34 ["~/t" 0009 (01 01) ff] 62 [0009] | < 50 [0009 99] 70 [0009 92]
5 a payload that is said to be text and is not is nobody's concern | subscribes ~/t 0
  | > 30 ["~/t" (01 01) ff] | < 30 ["~/t" (01 01) ff]
[MQTT-3.1.4-2]
strict raw 5 a will that is text | > 10 [@v 06 003c () "~a" (01 01) "~/w" "x"] | < @ok
strict raw 5 a will that is said to be text and is not
  | > 10 [@v 06 003c () "~a" (01 01) "~/w" <ff>] | rejected 99
strict raw 5 a will that is not said to be text | > 10 [@v 06 003c () "~a" (01 00) "~/w" <ff>]
  | < @ok
raw 5 a will that is said to be text and is not is nobody's concern
  | > 10 [@v 06 003c () "~a" (01 01) "~/w" <ff>] | < @ok
`

const words = `
[MQTT-3.4.2-2] [MQTT-3.1.2-29]
wordy 5 why not, in PUBACK | > 32 ["$SYS/~" 0009 () 'x'] | < 40 [0009 87 (1f "not allowed")]
wordy 5 why not, in PUBREC [MQTT-3.5.2-2] | > 34 ["$SYS/~" 0009 () 'x']
  | < 50 [0009 87 (1f "not allowed")]
wordy 5 why a message is not retained | > 33 ["~/t" 0009 () 78*30]
  | < 40 [0009 97 (1f "retained store full")]
wordy 5 why a message of QoS 2 is not retained [MQTT-3.5.2-2] | > 35 ["~/t" 0009 () 78*30]
  | < 50 [0009 97 (1f "retained store full")]
wordy 5 why a message is not queued | b dials | b> 10 [@v 00 003c (11 0000003c) "~b"] | b< @ok
  | b subscribes ~/t 1 | b> e000 | b closed | > 32 ["~/t" 0008 () 'x'] 32 ["~/t" 0009 () 'y']
  | < 40 [0008] 40 [0009 97 (1f "queue full")] | b dials
  | b> 10 [@v 00 003c (11 00000000) "~b"] | b< @present 32 ["~/t" 0001 () 'x']
wordy 5 why not, in SUBACK [MQTT-3.9.2-1] | > 82 [0009 () "~/t" 00 "~/u" 00]
  | < 90 [0009 (1f "more subscriptions than allowed") 00 97]
wordy 5 why not, in DISCONNECT [MQTT-3.14.2-3] [MQTT-3.3.1-4] | > 36 ["~/t" 0009 () 'x']
  | < e0 [81 (1f "a PUBLISH has QoS 3")] | closed
wordy raw 5 why not, in CONNACK [MQTT-3.2.2-19] [MQTT-4.12.0-1] | > 10 [@v 02 003c (15 "m") "~a"]
  | < 20 [00 8c (1f "an authentication method that is not offered")] | closed
wordy 5 where all is well there is nothing to say | > 32 ["~/t" 0009 () 'x'] | < 40 [0009 10]
wordy raw 5 who does not want to know is told the code alone | > 10 [@v 02 003c (17 00) "~a"]
  | < @ok | > 32 ["$SYS/~" 0009 () 'x'] | < 40 [0009 87]
wordy raw 5 a sentence that just fits | > 10 [@v 02 003c (27 00000014) "~a"] | < @ok
  | > 32 ["$SYS/~" 0009 () 'x'] | < 40 [0009 87 (1f "not allowed")]
wordy raw 5 a sentence that is too large | > 10 [@v 02 003c (27 00000013) "~a"] | < @ok
  | > 32 ["$SYS/~" 0009 () 'x'] | < 40 [0009 87]
wordy 34 older clients are told no reasons [v3 MQTT-3.9.3-2] | > 82 [0009 "~/t" 00 "~/u" 00]
  | < 90 [0009 00 80]
`

const elsewhere = `
[MQTT-3.2.2-8] [v3 MQTT-3.2.2-6]
elsewhere raw 345 go elsewhere | > @connect | < {20 [00 9c (1c "there:1883")]} | dropped 9c
elsewhere raw 5 go elsewhere, as far as there is room for it [MQTT-3.1.2-24]
  | > 10 [@v 02 003c (27 00000010) "~a"] | rejected 9c
moved raw 345 the server has moved, and nobody knows where | > @connect | rejected 9d
`

export const roomRows: ReadonlyArray<Exchange> = [available, formats, words, elsewhere]
  .flatMap(rows)
