// The fixed header: packet types, their flags, who may send them, and the remaining length.

import type { Exchange } from './exchange.ts'
import { rows } from './exchange.ts'

/** A body that fits each packet type, and what comes of it with the right flags. */
const types: ReadonlyArray<
  readonly [
    type: number,
    name: string,
    flags: number,
    body: string,
    answer: string,
    clauses: string,
  ]
> = [
  [2, 'CONNACK', 0, '[0000 {()}]', 'refused 82', ''],
  [4, 'PUBACK', 0, '[0009]', 'open', ''],
  [5, 'PUBREC', 0, '[0009]', '< 62 [0009 {92}]', ''],
  [6, 'PUBREL', 2, '[0009]', '< 70 [0009 {92}]', '[MQTT-3.6.1-1] [v3 MQTT-3.6.1-1]'],
  [7, 'PUBCOMP', 0, '[0009]', 'open', ''],
  [
    8,
    'SUBSCRIBE',
    2,
    '[0009 {()} "~/f" 00]',
    '< 90 [0009 {()} 00]',
    '[MQTT-3.8.1-1] [v3 MQTT-3.8.1-1]',
  ],
  [9, 'SUBACK', 0, '[0009 {()} 00]', 'refused 82', ''],
  [
    10,
    'UNSUBSCRIBE',
    2,
    '[0009 {()} "~/f"]',
    '< b0 [0009 {() 11}]',
    '[MQTT-3.10.1-1] [v3 MQTT-3.10.1-1]',
  ],
  [11, 'UNSUBACK', 0, '[0009 {() 00}]', 'refused 82', ''],
  [12, 'PINGREQ', 0, '[]', '< d000', '[MQTT-3.12.4-1] [v3 MQTT-3.12.4-1]'],
  [13, 'PINGRESP', 0, '[]', 'refused 82', ''],
  [14, 'DISCONNECT', 0, '[]', 'closed', '[MQTT-3.14.1-1] [v3 MQTT-3.14.1-1]'],
]

const hex = (type: number, flags: number): string => (type * 16 + flags).toString(16)

const flagRows = types.flatMap(([type, name, flags, body, answer, clauses]) => {
  const lines = [`345 ${name} with the flags that the standard lists [MQTT-2.1.3-1]
    [v3 MQTT-2.2.2-1] [MQTT-4.13.1-1] [v3 MQTT-4.8.0-1] | > ${
    hex(type, flags)
  } ${body} | ${answer}`]
  for (const bit of [0, 1, 2, 3]) {
    const wrong = flags ^ (1 << bit)
    // 3.1 lets a client repeat these three with DUP.
    const levels = flags === 2 && bit === 3 ? '45' : '345'
    lines.push(`${levels} ${name} with flag bit ${bit} the wrong way round [MQTT-2.1.3-1]
      [v3 MQTT-2.2.2-2] ${clauses} | > ${hex(type, wrong)} ${body} | refused 81`)
    if (levels === '45') {
      lines.push(`3 ${name} repeated with DUP, which 3.1 allows [v3 MQTT-2.2.2-1]
        | > ${hex(type, wrong)} ${body} | ${answer}`)
    }
  }
  return rows(lines.join('\n'))
})

const lengths = `
[MQTT-1.5.5-1] [v3 MQTT-4.8.0-1]
5 a remaining length of 0 in two bytes | > c0 8000 | refused 81
5 a remaining length of 0 in three bytes | > c0 808000 | refused 81
5 a remaining length of 0 in four bytes | > c0 80808000 | refused 81
5 a remaining length of 2 in two bytes | > 40 8200 0009 | refused 81
5 a remaining length of 2 in four bytes | > 40 82808000 0009 | refused 81
5 a remaining length of 127 in two bytes | > 30 ff00 00 007d 78*125 | refused 81
5 a remaining length of 128 in three bytes | > 30 808100 | refused 81
raw 5 a CONNECT with a remaining length of two bytes where one would do
  | > 10 9000 @v 02 003c () "nm5" | rejected 81
# Older versions do not ask for the shortest form, and mosquitto takes any.
34 a remaining length of 0 in two bytes | > c0 8000 | < d000
34 a remaining length of 0 in four bytes | > c0 80808000 | < d000
34 a remaining length of 2 in four bytes | > 62 82808000 0009 | < 70 [0009]
34 a QoS 1 publish with a remaining length of four bytes | > 32 87808000 "nm" 0009 78
  | < 40 [0009]
34 a SUBSCRIBE with a remaining length of three bytes | > 82 878000 0009 "ns" 00 | < 90 [0009 00]
raw 3 a CONNECT with a remaining length of four bytes | > 10 91808000 @v 02 003c "nm3" | < @ok
raw 4 a CONNECT with a remaining length of four bytes | > 10 8f808000 @v 02 003c "nm4" | < @ok
345 a remaining length that does not end in four bytes | > 30 80808080 | refused 81
345 a remaining length of five bytes | > 30 8080808001 | refused 81
345 a remaining length of five bytes of 0xff | > 30 ffffffffff | refused 81
raw 345 a remaining length of five bytes before CONNECT | > 10 8080808001 | dropped 81
345 a remaining length of 127, the most in one byte
  | subscribes ~/t 0 | > 30 ["~/t" {()} {78*118;78*119}] | < 30 7f "~/t" {()} {78*118;78*119}
345 a remaining length of 128, the least in two bytes
  | subscribes ~/t 0 | > 30 ["~/t" {()} {78*119;78*120}] | < 30 8001 "~/t" {()} {78*119;78*120}
345 a remaining length of 16,383, the most in two bytes | subscribes ~/t 0
  | > 30 ["~/t" {()} {78*16374;78*16375}] | < 30 ff7f "~/t" {()} {78*16374;78*16375}
345 a remaining length of 16,384, the least in three bytes | subscribes ~/t 0
  | > 30 ["~/t" {()} {78*16375;78*16376}] | < 30 808001 "~/t" {()} {78*16375;78*16376}
345 bytes that end within a packet are waited for | > 32 0c "~/t" | > 0009 {00;78} | > 78
  | < 40 [0009 {10}]

[MQTT-3.2.2-15] [MQTT-4.13.1-1] [v3 MQTT-4.8.0-1]
345 a packet of 2,000,000 bytes | > 30 ["~/t" {()} {78*1999987;78*1999988}] | open
345 a packet of 2,000,001 bytes is refused by its header | > 30 fd887a | refused 95
345 a packet of 256 MB is refused by its header | > 30 ffffff7f | refused 95
345 two packets in one piece are both answered | > c000 c000 | < d000 d000
small 5 a packet of 300 bytes where no more are allowed | > 30 ["~/t" () 78*288] | open
small 5 a packet of 301 bytes where 300 are allowed | > 30 aa02 | refused 95
small 34 a packet of 300 bytes where no more are allowed | > 30 ["~/t" 78*289] | open
small 34 a packet of 301 bytes where 300 are allowed | > 30 aa02 | refused 95
small 34 a whole packet of 301 bytes where 300 are allowed | > 30 ["~/t" 78*290] | refused 95
raw 4 a CONNECT of 131,072 bytes | > 10 [@v c2 003c "~a" <75*65512> <78*65535>] | < @ok
raw 4 a CONNECT of 131,073 bytes | > 10 [@v c2 003c "~a" <75*65513> <78*65535>] | dropped 95
raw 345 a CONNECT that claims 131,073 bytes | > 10 fdff07 | dropped 95
raw 345 a CONNECT that claims 256 MB | > 10 ffffff7f | dropped 95
small raw 45 a CONNECT of 200 bytes where no more are allowed
  | > 10 [@v c2 003c {()} "~a" "u" <{78*174;78*175}>]
  | < {20 [00 00 (22 0002 27 0000012c 21 0005)];20 [0000]}
small raw 45 a CONNECT of 201 bytes where 200 are allowed
  | > 10 [@v c2 003c {()} "~a" "u" <{78*175;78*176}>] | dropped 95
`

const order = `
[MQTT-3.1.0-1] [v3 MQTT-3.1.0-1]
raw 345 PUBLISH before CONNECT | > 30 ["~/t" {()} 'x'] | dropped 82
raw 345 PUBLISH at QoS 1 before CONNECT | > 32 ["~/t" 0001 {()} 'x'] | dropped 82
raw 345 PUBACK before CONNECT | > 40 [0001] | dropped 82
raw 345 PUBREC before CONNECT | > 50 [0001] | dropped 82
raw 345 PUBREL before CONNECT | > 62 [0001] | dropped 82
raw 345 PUBCOMP before CONNECT | > 70 [0001] | dropped 82
raw 345 SUBSCRIBE before CONNECT | > 82 [0001 {()} "~/t" 00] | dropped 82
raw 345 UNSUBSCRIBE before CONNECT | > a2 [0001 {()} "~/t"] | dropped 82
raw 345 PINGREQ before CONNECT | > c000 | dropped 82
raw 345 DISCONNECT before CONNECT | > e000 | dropped 82
raw 5 DISCONNECT with a reason before CONNECT | > e0 [04] | dropped 82
raw 5 AUTH before CONNECT | > f0 [18 ()] | dropped 82
raw 5 an empty AUTH before CONNECT | > f000 | dropped 82
raw 345 CONNACK before CONNECT | > 20 [0000 {()}] | dropped 82
raw 345 SUBACK before CONNECT | > 90 [0001 {()} 00] | dropped 82
raw 345 UNSUBACK before CONNECT | > b0 [0001 {() 00}] | dropped 82
raw 345 PINGRESP before CONNECT | > d000 | dropped 82
raw 345 packet type 0 before CONNECT | > 0000 | dropped 82
raw 345 packet type 15 without a length before CONNECT | > f0 | dropped 82
raw 4 HTTP instead of CONNECT | > 'GET / HTTP/1.1' 0d0a0d0a | dropped 82
raw 4 TLS instead of CONNECT [MQTT-2.1.3-1] [v3 MQTT-2.2.2-2] | > 16030100a5 | dropped 81
raw 345 CONNECT with flags [MQTT-2.1.3-1] [v3 MQTT-2.2.2-2]
  | > 11 [@v 02 003c {()} "~a"] | dropped 81
raw 345 CONNECT with flag bit 1 [MQTT-2.1.3-1] [v3 MQTT-2.2.2-2]
  | > 12 [@v 02 003c {()} "~a"] | dropped 81
raw 345 CONNECT with flag bit 2 [MQTT-2.1.3-1] [v3 MQTT-2.2.2-2]
  | > 14 [@v 02 003c {()} "~a"] | dropped 81
raw 345 CONNECT with flag bit 3 [MQTT-2.1.3-1] [v3 MQTT-2.2.2-2]
  | > 18 [@v 02 003c {()} "~a"] | dropped 81
raw 345 packets behind CONNECT need not wait for CONNACK [MQTT-3.1.4-5] [v3 MQTT-3.1.4-4]
  | > @connect c000 | < @ok d000

[MQTT-3.1.0-2] [v3 MQTT-3.1.0-2]
345 a second CONNECT | > @connect | refused 82
345 a second CONNECT with another identifier | > 10 [@v 02 003c {()} "~b"] | refused 82
5 a second CONNECT of an older level | > 10 ["MQTT" 04 02 003c "~b"] | refused 82
4 a second CONNECT of a newer level | > 10 ["MQTT" 05 02 003c () "~b"] | refused 82
345 a second CONNECT publishes the will [MQTT-3.1.0-2] [v3 MQTT-3.1.0-2] [MQTT-3.1.2-8]
  | h connects | h subscribes ~/w 0 | w dials | w> 10 [@v 06 003c {()} "~w" {()} "~/w" "gone"]
  | w< @ok | w> @connect | w refused 82 | h< 30 ["~/w" {()} 'gone']
5 a second CONNECT that is malformed [MQTT-3.1.2-3] | > 10 [@v 03 003c () "~a"] | refused 81
5 a second CONNECT with an unknown name [MQTT-3.1.2-1] [MQTT-3.14.2-1]
  | > 10 ["MQTX" 05 02 003c () "~a"] | refused 82 84
5 a second CONNECT with an unknown level [MQTT-3.1.2-2] [MQTT-3.14.2-1]
  | > 10 ["MQTT" 06 02 003c () "~a"] | refused 82 84
4 a second CONNECT with an unknown level [v3 MQTT-3.1.2-2] | > 10 ["MQTT" 06 02 003c "~a"]
  | refused 84

[MQTT-4.13.1-1] [v3 MQTT-4.8.0-1]
345 packet type 0 | > 0000 | refused 81
345 packet type 0 with flags | > 0f00 | refused 81
34 packet type 15, which is AUTH later | > f000 | refused 81
34 packet type 15 with a body | > f0 [18 00] | refused 81
3 packet type 15 with flags | > f2 [18 00] | refused 81
5 AUTH with flag bit 0 [MQTT-3.15.1-1] [MQTT-2.1.3-1] | > f1 [18 ()] | refused 81
5 AUTH with flag bit 1 [MQTT-3.15.1-1] [MQTT-2.1.3-1] | > f2 [18 ()] | refused 81
5 AUTH with flag bit 2 [MQTT-3.15.1-1] [MQTT-2.1.3-1] | > f4 [18 ()] | refused 81
5 AUTH with flag bit 3 [MQTT-3.15.1-1] [MQTT-2.1.3-1] | > f8 [18 ()] | refused 81
5 an empty AUTH without a method [MQTT-4.12.0-7] | > f000 | refused 82
5 AUTH 18 without a method [MQTT-4.12.0-7] | > f0 [18 ()] | refused 82
5 AUTH 19 without a method [MQTT-4.12.0-7] | > f0 [19 ()] | refused 82
5 AUTH with a method that was not agreed [MQTT-4.12.0-7] | > f0 [18 (15 "m")] | refused 82
5 AUTH with a reason and no property length | > f0 [18] | refused 81
5 AUTH 00 with a property length [MQTT-4.12.0-7] | > f0 [00 ()] | refused 82
5 AUTH with a reason that is none [MQTT-3.15.2-1] | > f0 [01 ()] | refused 82
5 AUTH with the reason of a CONNACK [MQTT-3.15.2-1] | > f0 [87 ()] | refused 82
5 AUTH with a byte too many | > f0 [18 () 00] | refused 81
`

export const framingRows: ReadonlyArray<Exchange> = [
  ...flagRows,
  ...rows(lengths),
  ...rows(order),
]
