// PUBLISH from a client: flags, identifiers, the exchanges of QoS 1 and 2, aliases, what may not be
// published, and how much may be under way.

import type { Exchange } from './exchange.ts'
import { rows } from './exchange.ts'

const flags = `
[MQTT-3.3.1-4] [v3 MQTT-3.3.1-4]
345 QoS bits 11 | > 36 ["~/t" 0009 {()} 'x'] | refused 81
345 QoS bits 11 and retain | > 37 ["~/t" 0009 {()} 'x'] | refused 81
345 QoS bits 11 and DUP | > 3e ["~/t" 0009 {()} 'x'] | refused 81
345 QoS bits 11 are refused before the packet has come | > 36 | > 7f | refused 81
[MQTT-3.3.1-2] [v3 MQTT-3.3.1-2]
45 DUP with QoS 0 | > 38 ["~/t" {()} 'x'] | refused 81
45 DUP with QoS 0 and retain | > 39 ["~/t" {()} 'x'] | refused 81
3 DUP with QoS 0, of which 3.1 says nothing | subscribes ~/t 0 | > 38 ["~/t" 'x'] | < 30 ["~/t" 'x']
[MQTT-3.3.1-3] [v3 MQTT-3.3.1-3]
345 DUP of a publisher is not passed on at QoS 1 | b connects | b subscribes ~/t 1
  | > 3a ["~/t" 0009 {()} 'x'] | < 40 [0009] | b< 32 ["~/t" 0001 {()} 'x'] | b> 40 [0001]
345 DUP of a publisher is not passed on at QoS 2 | b connects | b subscribes ~/t 2
  | > 3c ["~/t" 0009 {()} 'x'] | < 50 [0009] | > 62 [0009] | < 70 [0009]
  | b< 34 ["~/t" 0001 {()} 'x'] | b> 50 [0001] | b< 62 [0001] | b> 70 [0001]
[MQTT-2.2.1-3] [v3 MQTT-2.3.1-1]
345 packet identifier 0 at QoS 1 | > 32 ["~/t" 0000 {()} 'x'] | refused 81
345 packet identifier 0 at QoS 2 | > 34 ["~/t" 0000 {()} 'x'] | refused 81
345 packet identifier 1 at QoS 1 | > 32 ["~/t" 0001 {()} 'x'] | < 40 [0001 {10}]
345 packet identifier 65,535 at QoS 1 | > 32 ["~/t" ffff {()} 'x'] | < 40 [ffff {10}]
345 packet identifier 256 at QoS 2 | > 34 ["~/t" 0100 {()} 'x'] | < 50 [0100] | > 62 [0100]
  | < 70 [0100]
345 packet identifier 65,535 at QoS 2 | > 34 ["~/t" ffff {()} 'x'] | < 50 [ffff] | > 62 [ffff]
  | < 70 [ffff]
[MQTT-2.2.1-2] [v3 MQTT-2.3.1-5]
34 at QoS 0 two bytes behind the topic are payload | subscribes ~/t 0 | > 30 ["~/t" 0000 'x']
  | < 30 ["~/t" 0000 'x']
`

/** Every QoS published to every QoS subscribed: the lesser of the two arrives. */
const heard = ['30 ["~/t" {()} \'x\']', '32 ["~/t" 0001 {()} \'x\']', '34 ["~/t" 0001 {()} \'x\']']
const sent = ['30 ["~/t" {()} \'x\']', '32 ["~/t" 0009 {()} \'x\']', '34 ["~/t" 0009 {()} \'x\']']
const exchange = ['', '| < 40 [0009]', '| < 50 [0009] | > 62 [0009] | < 70 [0009]']
const answer = ['', '| b> 40 [0001]', '| b> 50 [0001] | b< 62 [0001] | b> 70 [0001]']
const pairs = [0, 1, 2].flatMap((published) =>
  [0, 1, 2].flatMap((granted) =>
    [3, 4, 5].map((level) => {
      const qos = Math.min(published, granted)
      return `345 QoS ${published} to a subscription of QoS ${granted} at level ${level}
        | b connects ${level} | b subscribes ~/t ${granted} | > ${sent[published]}
        ${exchange[published]} | b< ${heard[qos]} ${answer[qos]}`
    })
  )
)

const handshakes = `
[MQTT-3.8.4-8] [v3 MQTT-3.8.4-6]
${pairs.join('\n')}

[MQTT-4.3.2-4] [MQTT-2.2.1-5] [v3 MQTT-4.3.2-2] [v3 MQTT-2.3.1-6]
345 QoS 1 is acknowledged | b connects | b subscribes ~/t 0 | > 32 ["~/t" 0009 {()} 'x']
  | < 40 [0009] | b< 30 ["~/t" {()} 'x']
345 the same identifier after PUBACK is a new message [MQTT-4.3.2-5] [v3 MQTT-4.3.2-2]
  | b connects | b subscribes ~/t 0 | > 32 ["~/t" 0009 {()} 'x'] 3a ["~/t" 0009 {()} 'x']
  | < 40 [0009] 40 [0009] | b< 30 ["~/t" {()} 'x'] 30 ["~/t" {()} 'x']
345 PUBACKs in the order of the PUBLISHes [MQTT-4.6.0-5] [v3 MQTT-4.6.0-2]
  | > 32 ["~/t" 0003 {()} 'x'] 32 ["~/t" 0001 {()} 'x'] 32 ["~/t" 0002 {()} 'x']
  | < 40 [0003 {10}] 40 [0001 {10}] 40 [0002 {10}]
5 a PUBACK says that nobody has subscribed [MQTT-3.4.2-1] | > 32 ["~/t" 0009 () 'x']
  | < 40 [0009 10]
5 a PUBREC does not say that nobody has subscribed [MQTT-3.5.2-1] | > 34 ["~/t" 0009 () 'x']
  | < 50 [0009]

[MQTT-4.3.3-8] [MQTT-4.3.3-10] [MQTT-4.3.3-11] [v3 MQTT-4.3.3-2]
345 QoS 2 is routed once, when it is released | b connects | b subscribes ~/t 0
  | > 34 ["~/t" 0009 {()} 'x'] | < 50 [0009] | b open | > 62 [0009] | < 70 [0009]
  | b< 30 ["~/t" {()} 'x']
345 QoS 2 sent again before PUBREL | b connects | b subscribes ~/t 0
  | > 34 ["~/t" 0009 {()} 'x'] 3c ["~/t" 0009 {()} 'x'] | < 50 [0009] 50 [0009]
  | > 62 [0009] | < 70 [0009] | b< 30 ["~/t" {()} 'x']
345 another message with the identifier of one that is not released takes its place | b connects
  | b subscribes ~/# 0 | > 34 ["~/t" 0009 {()} 'x'] 34 ["~/t" 0009 {()} 'y']
  | < 50 [0009] 50 [0009] | > 62 [0009] | < 70 [0009] | b< 30 ["~/t" {()} 'y']
  | > 34 ["~/t" 0009 {()} 'x'] 3c ["~/u" 0009 {()} 'x'] | < 50 [0009] 50 [0009]
  | > 62 [0009] | < 70 [0009] | b< 30 ["~/u" {()} 'x']
345 the same identifier after PUBCOMP is a new message [MQTT-4.3.3-12] [v3 MQTT-4.3.3-2]
  | b connects | b subscribes ~/t 0 | > 34 ["~/t" 0009 {()} 'x'] 62 [0009] | < 50 [0009] 70 [0009]
  | > 34 ["~/t" 0009 {()} 'y'] 62 [0009] | < 50 [0009] 70 [0009]
  | b< 30 ["~/t" {()} 'x'] 30 ["~/t" {()} 'y']
345 PUBREL twice is answered twice and routed once | b connects | b subscribes ~/t 0
  | > 34 ["~/t" 0009 {()} 'x'] 62 [0009] 62 [0009] | < 50 [0009] 70 [0009] 70 [0009 {92}]
  | b< 30 ["~/t" {()} 'x']
345 two exchanges of QoS 2 at once | b connects | b subscribes ~/t 0
  | > 34 ["~/t" 0001 {()} 'x'] 34 ["~/t" 0002 {()} 'y'] | < 50 [0001] 50 [0002]
  | > 62 [0002] 62 [0001] | < 70 [0002] 70 [0001]
  | b< 30 ["~/t" {()} 'y'] 30 ["~/t" {()} 'x']
345 QoS 1 with the identifier of a QoS 2 that is not released | b connects | b subscribes ~/t 0
  | > 34 ["~/t" 0009 {()} 'x'] 32 ["~/t" 0009 {()} 'y'] | < 50 [0009] 40 [0009]
  | > 62 [0009] | < 70 [0009 {92}] | b< 30 ["~/t" {()} 'y']
5 PUBREL with a reason releases [MQTT-3.6.2-1] | b connects | b subscribes ~/t 0
  | > 34 ["~/t" 0009 () 'x'] 62 [0009 92] | < 50 [0009] 70 [0009] | b< 30 ["~/t" () 'x']
345 PUBREL for nothing [MQTT-3.7.2-1] [v3 MQTT-4.3.3-2] | > 62 [0009] | < 70 [0009 {92}]
345 an empty payload at QoS 2 | b connects | b subscribes ~/t 0 | > 34 ["~/t" 0009 {()}] 62 [0009]
  | < 50 [0009] 70 [0009] | b< 30 ["~/t" {()}]
`

const aliases = `
[MQTT-3.3.2-12] [MQTT-3.3.2-9]
5 an alias that was set stands for its topic | subscribes ~/t 0
  | > 30 ["~/t" (23 0001) 'x'] 30 [0000 (23 0001) 'y']
  | < 30 ["~/t" () 'x'] 30 ["~/t" () 'y']
5 an alias that is set anew | subscribes ~/# 0 | > 30 ["~/t" (23 0001) 'x'] 30 ["~/u" (23 0001) 'y']
  30 [0000 (23 0001) 'z'] | < 30 ["~/t" () 'x'] 30 ["~/u" () 'y'] 30 ["~/u" () 'z']
5 ten aliases | subscribes ~/# 0
  | > 30 ["~/1" (23 0001) 'x'] 30 ["~/10" (23 000a) 'y'] 30 [0000 (23 0001)] 30 [0000 (23 000a)]
  | < 30 ["~/1" () 'x'] 30 ["~/10" () 'y'] 30 ["~/1" ()] 30 ["~/10" ()]
5 an alias at QoS 1 | subscribes ~/t 0 | > 30 ["~/t" (23 0001) 'x'] | < 30 ["~/t" () 'x']
  | > 32 [0000 0009 (23 0001) 'y'] | < 30 ["~/t" () 'y'] 40 [0009]
5 an alias at QoS 2 | subscribes ~/t 0 | > 34 ["~/t" 0008 (23 0001) 'x'] 62 [0008]
  | < 50 [0008] 30 ["~/t" () 'x'] 70 [0008]
  | > 34 [0000 0009 (23 0001) 'y'] 62 [0009] | < 50 [0009] 30 ["~/t" () 'y'] 70 [0009]
5 an alias beside other properties | subscribes ~/t 0
  | > 30 ["~/t" (03 "text" 23 0001 26 "k" "v") 'x'] 30 [0000 (23 0001) 'y']
  | < 30 ["~/t" (03 "text" 26 "k" "v") 'x'] 30 ["~/t" () 'y']
5 an alias that was never set [MQTT-4.13.1-1] | > 30 [0000 (23 0001) 'x'] | refused 82
5 an alias that another client has set [MQTT-4.13.1-1] | b connects | b> 30 ["~/t" (23 0001) 'x']
  | b open | > 30 [0000 (23 0001) 'y'] | refused 82
5 an alias ends with its connection [MQTT-3.3.2-7] [MQTT-4.13.1-1] | > 30 ["~/t" (23 0001) 'x'] e000
  | closed | a dials | > 10 [@v 00 003c () "~a"] | < @ok | > 30 [0000 (23 0001) 'y'] | refused 82
5 an alias above the maximum without a topic | > 30 [0000 (23 000b) 'x'] | refused 94
5 alias 0 without a topic [MQTT-3.3.2-8] | > 30 [0000 (23 0000) 'x'] | refused 94
5 a bad alias at QoS 1 is not acknowledged | > 32 ["~/t" 0009 (23 000b) 'x'] | refused 94
5 a bad topic with an alias [MQTT-3.3.2-2] | > 30 ["~/+" (23 0001) 'x'] | refused 90
small 5 an alias at a maximum of 2 | > 32 ["~/t" 0009 (23 0002) 'x'] | < 40 [0009 10]
small 5 an alias above a maximum of 2 | > 30 ["~/t" (23 0003) 'x'] | refused 94
[MQTT-3.3.4-6]
5 a subscription identifier in PUBLISH | > 30 ["~/t" (0b 01) 'x'] | refused 82
5 a subscription identifier in PUBLISH of QoS 2 | > 34 ["~/t" 0009 (0b 01) 'x'] | refused 82
5 nobody hears a PUBLISH that is refused | b connects | b subscribes ~/t 0
  | > 30 ["~/t" (0b 01) 'x'] | refused 82 | b open
`

const reserved = `
[MQTT-3.3.4-1] [v3 MQTT-3.3.5-2]
345 $SYS at QoS 0 is not routed | b connects | b subscribes $SYS/~ 0 | > 30 ["$SYS/~" {()} 'x']
  | open | b open
345 $SYS at QoS 1 | b connects | b subscribes $SYS/~ 0 | > 32 ["$SYS/~" 0009 {()} 'x']
  | < 40 [0009 {87}] | b open
345 $SYS at QoS 2 | b connects | b subscribes $SYS/~ 0 | > 34 ["$SYS/~" 0009 {()} 'x']
  | < 50 [0009 {87}] | > 62 [0009] | < 70 [0009 {92}] | b open
345 $SYS alone at QoS 1 | > 32 ["$SYS" 0009 {()} 'x'] | < 40 [0009 {87}]
345 $CONTROL at QoS 1 | > 32 ["$CONTROL/~" 0009 {()} 'x'] | < 40 [0009 {87}]
345 $CONTROL alone at QoS 2 | > 34 ["$CONTROL" 0009 {()} 'x'] | < 50 [0009 {87}]
345 a retained $SYS | > 33 ["$SYS/~" 0009 {()} 'x'] | < 40 [0009 {87}]
  | > 82 [0008 {()} "$SYS/~" 00]
  | < 90 [0008 {()} 00]
345 $SYSTEM is nobody's | > 32 ["$SYSTEM/~" 0009 {()} 'x'] | < 40 [0009 {10}]
345 $CONTROLS is nobody's | > 32 ["$CONTROLS/~" 0009 {()} 'x'] | < 40 [0009 {10}]
345 $ alone is nobody's | > 32 ["$" 0009 {()} 'x'] | < 40 [0009 {10}]
345 the state of a bridge, from one that does not say that it is a bridge
  | b connects | b subscribes $SYS/broker/connection/~/state 0
  | > 32 ["$SYS/broker/connection/~/state" 0009 {()} '1'] | < 40 [0009]
  | b< 30 ["$SYS/broker/connection/~/state" {()} '1']
345 beside the state of a bridge there is nothing to be told by others
  | > 32 ["$SYS/broker/connection/~/name" 0009 {()} '1'] | < 40 [0009 {87}]
  | > 32 ["$SYS/broker/connection/~/x/state" 000a {()} '1'] | < 40 [000a {87}]
  | > 32 ["$SYS/broker/connection/state" 000b {()} '1'] | < 40 [000b {87}]
345 what nobody could subscribe to | > 33 ["$share/~/x" 0009 {()} '1'] | < 40 [0009 {87}]
  | > 32 ["$share" 000a {()} '1'] | < 40 [000a {87}] | > 32 ["$shared" 000b {()} '1']
  | < 40 [000b {10}]
raw 345 the state of a bridge, from a bridge
  | > 10 [{"MQTT" 85;"MQTT" 84;"MQIsdp" 83} 02 003c {()} "~a"] | < @ok
  | > 32 ["$SYS/broker/connection/~/state" 0009 {()} '1'] | < 40 [0009 {10}]
raw 345 the state of a bridge at QoS 2, from a bridge
  | > 10 [{"MQTT" 85;"MQTT" 84;"MQIsdp" 83} 02 003c {()} "~a"] | < @ok
  | > 34 ["$SYS/broker/connection/~/state" 0009 {()} '1'] | < 50 [0009] | > 62 [0009] | < 70 [0009]
raw 345 a bridge may not publish elsewhere in $SYS
  | > 10 [{"MQTT" 85;"MQTT" 84;"MQIsdp" 83} 02 003c {()} "~a"] | < @ok
  | > 32 ["$SYS/broker/~" 0009 {()} '1'] | < 40 [0009 {87}]
`

const publishes = (from: number, to: number, first = '34'): string =>
  Array.from(
    { length: to - from + 1 },
    (_, index) => `${first} ["~/t" ${(from + index).toString(16).padStart(4, '0')} {()} 'x']`,
  ).join(' ')

const acks = (from: number, to: number, first = '50'): string =>
  Array.from(
    { length: to - from + 1 },
    (_, index) => `${first} [${(from + index).toString(16).padStart(4, '0')}]`,
  ).join(' ')

const windows = `
[MQTT-3.3.4-7] [MQTT-4.9.0-1] [v3 MQTT-4.3.3-2]
5 as many QoS 2 publishes as Receive Maximum | > ${publishes(1, 20)} | < ${acks(1, 20)}
5 one QoS 2 publish more than Receive Maximum | > ${publishes(1, 21)} | < ${
  acks(1, 20)
} | refused 93
5 QoS 1 on top of a full window | > ${publishes(1, 20)} 32 ["~/t" 0015 () 'x'] | < ${acks(1, 20)}
  | refused 93
5 QoS 0 on top of a full window [MQTT-4.9.0-3] | subscribes ~/u 0 | > ${publishes(1, 20)}
  30 ["~/u" () 'x'] | < ${acks(1, 20)} 30 ["~/u" () 'x']
5 SUBSCRIBE on top of a full window [MQTT-4.9.0-3] | > ${publishes(1, 20)} 82 [0009 () "~/u" 00]
  | < ${acks(1, 20)} 90 [0009 () 00]
5 a repeated QoS 2 publish on top of a full window | > ${publishes(1, 20)} 3c ["~/t" 0001 () 'x']
  | < ${acks(1, 20)} 50 [0001]
5 a PUBREL makes room in a full window | > ${publishes(1, 20)} 62 [0001]
  34 ["~/t" 0015 () 'x'] | < ${acks(1, 20)} 70 [0001] 50 [0015]
5 after room was made one more is one too many | > ${publishes(1, 20)} 62 [0001]
  ${publishes(21, 22)} | < ${acks(1, 20)} 70 [0001] 50 [0015] | refused 93
5 twenty-five QoS 1 publishes are never a full window | subscribes ~/u 0 | > ${
  publishes(1, 25, '32')
}
  | < ${acks(1, 25, '40').replaceAll(']', ' 10]')}
34 below level 5 there is no Receive Maximum | > ${publishes(1, 30)} | < ${acks(1, 30)}
small 34 as many QoS 2 publishes as may be unreleased [MQTT-4.3.3-10] [v3 MQTT-4.3.3-2]
  | > ${publishes(1, 3)} | < ${acks(1, 3)}
small 34 a QoS 2 publish more than may be unreleased [v3 MQTT-4.8.0-1]
  | > ${publishes(1, 4)} | < ${acks(1, 3)} | refused 93
small 5 a QoS 2 publish more than may be unreleased [MQTT-4.13.1-1] | > ${publishes(1, 4)}
  | < ${acks(1, 3)} | refused 93
small 345 QoS 1 where no more QoS 2 may be unreleased | > ${
  publishes(1, 3)
} 32 ["~/t" 0009 {()} 'x']
  | < ${acks(1, 3)} 40 [0009 {10}]
small 34 what a full queue turns away is acknowledged [v3 MQTT-3.3.4-1] | b dials
  | b> 10 [@v 00 003c "~b"] | b< @ok | b subscribes ~/t 1 | b lost
  | > 32 ["~/t" 0001 'x'] 32 ["~/t" 0002 'x'] 32 ["~/t" 0003 'x']
  | < 40 [0001] 40 [0002] 40 [0003]
small 5 what a full queue turns away is refused [MQTT-3.4.2-1] | b dials
  | b> 10 [@v 00 003c (11 0000003c) "~b"] | b< @ok | b subscribes ~/t 1 | b lost
  | > 32 ["~/t" 0001 () 'x'] 32 ["~/t" 0002 () 'x'] 32 ["~/t" 0003 () 'x']
  | < 40 [0001] 40 [0002] 40 [0003 97]
small 345 as many unreleased bytes of payload as may be [MQTT-4.3.3-10] [v3 MQTT-4.3.3-2]
  | > 34 ["~/t" 0009 {()} 78*60] | < 50 [0009]
small 345 a byte more than may be unreleased [MQTT-4.13.1-1] [v3 MQTT-4.8.0-1]
  | > 34 ["~/t" 0009 {()} 78*61] | refused 93
small 5 as many publishes as a Receive Maximum of 5
  | > ${publishes(1, 3)} | < ${acks(1, 3)}
`

export const publishRows: ReadonlyArray<Exchange> = [
  flags,
  handshakes,
  aliases,
  reserved,
  windows,
].flatMap(rows)
