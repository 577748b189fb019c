// Bytes that no honest client sends, and what the broker must answer. One line per case: its name,
// the connection it starts from, the bytes in the language of `bytes`, and the answer as `show`
// prints it, then how the connection is afterwards. `a|b` allows either where the standard allows
// both.
//
// Starts: `raw3` `raw4` `raw5` a fresh socket, answers read at that level; `v3` `v4` `v5` the same
// after a successful CONNECT.

import type { Level } from './wire.ts'

export interface Case {
  readonly name: string
  readonly level: Level
  readonly isConnected: boolean
  readonly send: string
  /** The packets that must come, in order. */
  readonly answers: ReadonlyArray<string>
  readonly end: 'closed' | 'open'
}

const single = (name: string, start: string, send: string, expected: string): Case => {
  const words = expected.split(', ')
  const end = words.pop()
  const level = start.endsWith('3') ? 3 : start.endsWith('4') ? 4 : 5
  if (end !== 'closed' && end !== 'open') throw new Error(`${name}: closed or open?`)
  return { name, level, isConnected: start.startsWith('v'), send, answers: words, end }
}

/** The same fault at 3.1.1, where the connection is just closed, and at 5, with the reason. */
const both = (name: string, send4: string, send5: string, code: string): Case[] => [
  single(`${name}, 3.1.1`, 'v4', send4, 'closed'),
  single(`${name}, 5`, 'v5', send5, `DISCONNECT ${code}, closed`),
]

/** A fault that looks the same at both levels. */
const alike = (name: string, send: string, code: string): Case[] => both(name, send, send, code)

/** A faulty CONNECT: no answer at 3.1.1, a CONNACK with the reason at 5. */
const greeting = (name: string, send4: string, send5: string, code: string): Case[] => [
  single(`${name}, 3.1.1`, 'raw4', send4, 'closed'),
  single(`${name}, 5`, 'raw5', send5, `CONNACK ${code}, closed`),
]

const framing: Case[] = [
  single('Remaining Length of five bytes before CONNECT', 'raw4', '10 80 80 80 80 01', 'closed'),
  ...alike('Remaining Length of five bytes', '30 80 80 80 80 01', '81'),
  single('Remaining Length longer than it need be', 'v5', 'c0 80 00', 'DISCONNECT 81, closed'),
  single(
    'a property length longer than it need be',
    'v5',
    '30 ["h/p" 8000]',
    'DISCONNECT 81, closed',
  ),
  single('256 MB claimed before CONNECT', 'raw4', '10 ff ff ff 7f', 'closed'),
  single('one byte over 128 KiB claimed before CONNECT', 'raw4', '10 fd ff 07', 'closed'),
  ...alike('256 MB claimed', '30 ff ff ff 7f', '95'),
  ...alike('one byte over the maximum packet size', '30 fd 88 7a', '95'),
  single('PUBLISH before CONNECT', 'raw4', '30 ["h/first" \'x\']', 'closed'),
  single('SUBSCRIBE before CONNECT', 'raw4', '82 [0001 "h/first" 00]', 'closed'),
  single('PINGREQ before CONNECT', 'raw4', 'c000', 'closed'),
  single('DISCONNECT before CONNECT', 'raw5', 'e000', 'closed'),
  single('AUTH before CONNECT', 'raw5', 'f000', 'closed'),
  single('a first packet of zeros', 'raw4', '00*64', 'closed'),
  single('text instead of MQTT', 'raw4', "'GET / HTTP/1.1' 0d0a0d0a", 'closed'),
  single('a second CONNECT, 3.1', 'v3', '10 ["MQIsdp" 03 02 003c "h2"]', 'closed'),
  ...both(
    'a second CONNECT',
    '10 ["MQTT" 04 02 003c "h2"]',
    '10 ["MQTT" 05 02 003c () "h2"]',
    '82',
  ),
  ...alike('packet type 0', '0000', '81'),
  single('AUTH at 3.1.1', 'v4', 'f000', 'closed'),
  ...both('CONNACK from a client', '20 [0000]', '20 [0000 ()]', '82'),
  ...both('SUBACK from a client', '90 [0001 00]', '90 [0001 () 00]', '82'),
  ...both('UNSUBACK from a client', 'b0 [0001]', 'b0 [0001 () 00]', '82'),
  ...alike('PINGRESP from a client', 'd000', '82'),
  ...both('SUBSCRIBE with wrong flags', '80 [0001 "h/f" 00]', '80 [0001 () "h/f" 00]', '81'),
  ...both('UNSUBSCRIBE with wrong flags', 'a0 [0001 "h/f"]', 'a0 [0001 () "h/f"]', '81'),
  ...alike('PUBREL with wrong flags', '60 [0001]', '81'),
  ...alike('PUBACK with wrong flags', '42 [0001]', '81'),
  ...alike('PUBREC with wrong flags', '51 [0001]', '81'),
  ...alike('PUBCOMP with wrong flags', '78 [0001]', '81'),
  ...alike('PINGREQ with wrong flags', 'c300', '81'),
  ...alike('DISCONNECT with wrong flags', 'e100', '81'),
  single('CONNECT with wrong flags', 'raw4', '11 ["MQTT" 04 02 003c "h1"]', 'closed'),
  ...alike('PINGREQ with a payload', 'c0 [00]', '81'),
  single('DISCONNECT with a payload, 3.1.1', 'v4', 'e0 [00]', 'closed'),
  ...alike('PUBACK of one byte', '40 [00]', '81'),
  single('PUBACK with a reason, 3.1.1', 'v4', '40 [0001 00]', 'closed'),
  single('PUBACK with a reason that is none', 'v5', '40 [0001 01]', 'DISCONNECT 81|82, closed'),
  single('DISCONNECT with a reason that is none', 'v5', 'e0 [03]', 'DISCONNECT 81|82, closed'),
  single('DISCONNECT with a reason of servers', 'v5', 'e0 [8e]', 'DISCONNECT 81|82, closed'),
  ...alike('a topic longer than the packet', '30 [ffff 6162]', '81'),
  ...alike('a packet identifier cut off', '32 ["h/c" 00]', '81'),
  ...alike('PUBLISH with nothing in it', '30 00', '81'),
  single('a property block cut off', 'v5', '30 ["h/c" 05 01]', 'DISCONNECT 81, closed'),
  ...both('SUBSCRIBE without options', '82 [0001 "h/c"]', '82 [0001 () "h/c"]', '81'),
]

const publishing: Case[] = [
  ...both('QoS 3', '36 ["h/q" 0001 \'x\']', '36 ["h/q" 0001 () \'x\']', '81'),
  ...both('DUP with QoS 0', '38 ["h/q" \'x\']', '38 ["h/q" () \'x\']', '81|82'),
  ...both(
    'PUBLISH with packet identifier 0',
    '32 ["h/q" 0000 \'x\']',
    '32 ["h/q" 0000 () \'x\']',
    '81|82',
  ),
  ...both(
    'SUBSCRIBE with packet identifier 0',
    '82 [0000 "h/q" 00]',
    '82 [0000 () "h/q" 00]',
    '81|82',
  ),
  ...both('UNSUBSCRIBE with packet identifier 0', 'a2 [0000 "h/q"]', 'a2 [0000 () "h/q"]', '81|82'),
  ...alike('PUBREL with packet identifier 0', '62 [0000]', '81|82'),
  ...alike('PUBACK with packet identifier 0', '40 [0000]', '81|82'),
  ...both('an empty topic', "30 [0000 'x']", "30 [0000 () 'x']", '82'),
  ...both('+ in a topic', '30 ["h/+" \'x\']', '30 ["h/+" () \'x\']', '90'),
  ...both('# in a topic', '30 ["h/#" \'x\']', '30 ["h/#" () \'x\']', '90'),
  ...both('U+0000 in a topic', "30 [0003 61 00 62 'x']", "30 [0003 61 00 62 () 'x']", '81|90'),
  ...both('a surrogate in a topic', "30 [0003 eda080 'x']", "30 [0003 eda080 () 'x']", '81'),
  ...both('U+110000 in a topic', "30 [0004 f4908080 'x']", "30 [0004 f4908080 () 'x']", '81'),
  ...both('an overlong slash in a topic', "30 [0002 c0af 'x']", "30 [0002 c0af () 'x']", '81'),
  ...both('half a character in a topic', "30 [0002 e282 'x']", "30 [0002 e282 () 'x']", '81'),
  ...both(
    '32,000 levels in a topic',
    "30 [7d00 '/'*32000 'x']",
    "30 [7d00 '/'*32000 () 'x']",
    '90',
  ),
  single('$SYS at QoS 0', 'v4', '30 ["$SYS/h" \'x\']', 'open'),
  single('$CONTROL, 5', 'v5', '32 ["$CONTROL/h" 0001 () \'x\']', 'PUBACK 1 87, open'),
  single('topic alias 0', 'v5', '30 ["h/a" (23 0000) \'x\']', 'DISCONNECT 94, closed'),
  single(
    'topic alias above the maximum',
    'v5',
    '30 ["h/a" (23 000b) \'x\']',
    'DISCONNECT 94, closed',
  ),
  single(
    'a topic alias that was never set',
    'v5',
    "30 [0000 (23 0003) 'x']",
    'DISCONNECT 82, closed',
  ),
  single(
    'a subscription identifier from a client',
    'v5',
    '30 ["h/i" (0b 05) \'x\']',
    'DISCONNECT 82, closed',
  ),
  single(
    'a wildcard in a response topic',
    'v5',
    '30 ["h/r" (08 "r/#") \'x\']',
    'DISCONNECT 82|90, closed',
  ),
  single('a payload format of 2', 'v5', '30 ["h/r" (01 02) \'x\']', 'DISCONNECT 81|82, closed'),
  single('content type twice', 'v5', '30 ["h/r" (03 "a" 03 "b") \'x\']', 'DISCONNECT 82, closed'),
  single('a property that is none', 'v5', '30 ["h/r" (7f 00) \'x\']', 'DISCONNECT 81|82, closed'),
  single(
    'a property of another packet',
    'v5',
    '30 ["h/r" (11 00000001) \'x\']',
    'DISCONNECT 81|82, closed',
  ),
  single(
    'property length past the packet',
    'v5',
    '30 ["h/r" ff ff 7f \'x\']',
    'DISCONNECT 81, closed',
  ),
  single(
    'property length cuts a property',
    'v5',
    '30 ["h/r" 03 02 00 00 00 01]',
    'DISCONNECT 81, closed',
  ),
  single(
    'bad UTF-8 in a property',
    'v5',
    '30 ["h/r" (03 0002 c080) \'x\']',
    'DISCONNECT 81, closed',
  ),
  single(
    'bad UTF-8 in a user property',
    'v5',
    '30 ["h/r" (26 0001 ff "b") \'x\']',
    'DISCONNECT 81, closed',
  ),
  single('PUBREL for nothing, 3.1.1', 'v4', '62 [004d]', 'PUBCOMP 77, open'),
  single('PUBREL for nothing, 5', 'v5', '62 [004d]', 'PUBCOMP 77 92, open'),
  single('PUBACK for nothing, 3.1.1', 'v4', '40 [0063]', 'open'),
  single('PUBCOMP for nothing, 3.1.1', 'v4', '70 [0063]', 'open'),
  single(
    'PUBACK for a delivery at QoS 2',
    'v5',
    '82 [0007 () "own/wrong ack" 02] 34 ["own/wrong ack" 0001 () \'x\'] 62 [0001] 40 [0001]',
    'SUBACK 7 02, PUBREC 1, PUBLISH q2 id1 own/wrong ack x, PUBCOMP 1, DISCONNECT 82, closed',
  ),
  single(
    'the same identifier with another message before PUBREL',
    'v4',
    '82 [0007 "own/same" 00] 34 ["own/same" 0007 \'a\'] 34 ["own/same" 0007 \'b\'] 62 [0007]',
    'SUBACK 7 00, PUBREC 7, PUBREC 7, PUBLISH q0 own/same b, PUBCOMP 7, open',
  ),
]

const subscribing: Case[] = [
  ...both('SUBSCRIBE for nothing', '82 [0001]', '82 [0001 ()]', '82'),
  ...both('UNSUBSCRIBE for nothing', 'a2 [0001]', 'a2 [0001 ()]', '82'),
  ...both('SUBSCRIBE at QoS 3', '82 [0001 "h/s" 03]', '82 [0001 () "h/s" 03]', '81|82'),
  ...both('SUBSCRIBE with reserved bits', '82 [0001 "h/s" 40]', '82 [0001 () "h/s" c0]', '81'),
  single('SUBSCRIBE with options of MQTT 5, 3.1.1', 'v4', '82 [0001 "h/s" 04]', 'closed'),
  single(
    'SUBSCRIBE with retain handling 3',
    'v5',
    '82 [0001 () "h/s" 30]',
    'DISCONNECT 81|82, closed',
  ),
  ...both('bad UTF-8 in a filter', '82 [0001 0002 fffe 00]', '82 [0001 () 0002 fffe 00]', '81'),
  ...both('U+0000 in a filter', '82 [0001 0003 610062 00]', '82 [0001 () 0003 610062 00]', '81|8f'),
  ...both('# that is not last', '82 [0001 "h/#/b" 00]', '82 [0001 () "h/#/b" 00]', '81|8f'),
  ...both('# beside text', '82 [0001 "h/b#" 00]', '82 [0001 () "h/b#" 00]', '81|8f'),
  ...both('+ beside text', '82 [0001 "h/b+/c" 00]', '82 [0001 () "h/b+/c" 00]', '81|8f'),
  ...both('an empty filter', '82 [0001 0000 00]', '82 [0001 () 0000 00]', '81|8f'),
  ...both(
    'a filter of 202 levels',
    "82 [0001 00c9 '/'*201 00]",
    "82 [0001 () 00c9 '/'*201 00]",
    '81|8f',
  ),
  ...both(
    'UNSUBSCRIBE from a filter that is none',
    'a2 [0001 "h/#/b"]',
    'a2 [0001 () "h/#/b"]',
    '81|8f',
  ),
  ...both(
    'a share name with a wildcard',
    '82 [0001 "$share/g+/a" 00]',
    '82 [0001 () "$share/g+/a" 00]',
    '81|8f',
  ),
  ...both(
    'an empty share name',
    '82 [0001 "$share//a" 00]',
    '82 [0001 () "$share//a" 00]',
    '81|8f',
  ),
  ...both(
    'a share without a filter',
    '82 [0001 "$share/g" 00]',
    '82 [0001 () "$share/g" 00]',
    '81|8f',
  ),
  ...both(
    'a share with an empty filter',
    '82 [0001 "$share/g/" 00]',
    '82 [0001 () "$share/g/" 00]',
    '81|8f',
  ),
  single(
    'no local on a shared subscription',
    'v5',
    '82 [0001 () "$share/g/a" 04]',
    'DISCONNECT 82, closed',
  ),
  single('subscription identifier 0', 'v5', '82 [0001 (0b 00) "h/s" 00]', 'DISCONNECT 82, closed'),
  single(
    'two subscription identifiers',
    'v5',
    '82 [0001 (0b 01 0b 02) "h/s" 00]',
    'DISCONNECT 82, closed',
  ),
  single('AUTH without a method', 'v5', 'f0 [19 ()]', 'DISCONNECT 82, closed'),
  single(
    'AUTH with a method that was not agreed',
    'v5',
    'f0 [18 (15 "NOPE")]',
    'DISCONNECT 82, closed',
  ),
  single(
    'a session that was to end made to last',
    'v5',
    'e0 [00 (11 0000000a)]',
    'DISCONNECT 82, closed',
  ),
]

const connecting: Case[] = [
  single('a protocol name that is none', 'raw4', '10 ["MQTX" 04 02 003c "h1"]', 'closed'),
  single('an empty protocol name', 'raw4', '10 [0000 04 02 003c "h1"]', 'closed'),
  single('MQTT at level 0', 'raw5', '10 ["MQTT" 00 02 003c "h1"]', 'CONNACK 84, closed'),
  single('MQTT at level 6', 'raw5', '10 ["MQTT" 06 02 003c () "h1"]', 'CONNACK 84, closed'),
  single('MQTT at level 9', 'raw5', '10 ["MQTT" 09 02 003c () "h1"]', 'CONNACK 84, closed'),
  single('MQTT at level 3', 'raw4', '10 ["MQTT" 03 02 003c "h1"]', 'CONNACK 01, closed'),
  single('MQIsdp at level 4', 'raw4', '10 ["MQIsdp" 04 02 003c "h1"]', 'CONNACK 01, closed'),
  single('MQIsdp at level 5', 'raw4', '10 ["MQIsdp" 05 02 003c "h1"]', 'CONNACK 01, closed'),
  ...greeting(
    'the reserved flag',
    '10 ["MQTT" 04 03 003c "h1"]',
    '10 ["MQTT" 05 03 003c () "h1"]',
    '81',
  ),
  single(
    'a password without a user name, 3.1.1',
    'raw4',
    '10 ["MQTT" 04 42 003c "h1" "pw"]',
    'closed',
  ),
  ...greeting(
    'will retain without a will',
    '10 ["MQTT" 04 22 003c "h1"]',
    '10 ["MQTT" 05 22 003c () "h1"]',
    '81',
  ),
  ...greeting(
    'will QoS without a will',
    '10 ["MQTT" 04 0a 003c "h1"]',
    '10 ["MQTT" 05 0a 003c () "h1"]',
    '81',
  ),
  ...greeting(
    'will QoS 3',
    '10 ["MQTT" 04 1e 003c "h1" "h/w" "x"]',
    '10 ["MQTT" 05 1e 003c () "h1" () "h/w" "x"]',
    '81',
  ),
  ...greeting(
    'a user name that is missing',
    '10 ["MQTT" 04 82 003c "h1"]',
    '10 ["MQTT" 05 82 003c () "h1"]',
    '81',
  ),
  single(
    'a user name that is missing, 3.1',
    'raw3',
    '10 ["MQIsdp" 03 82 003c "h31"]',
    'CONNACK 00, open',
  ),
  ...greeting(
    'a client identifier that is missing',
    '10 ["MQTT" 04 02 003c]',
    '10 ["MQTT" 05 02 003c ()]',
    '81',
  ),
  ...greeting(
    'bytes after the last field',
    '10 ["MQTT" 04 02 003c "h1" 00]',
    '10 ["MQTT" 05 02 003c () "h1" 00]',
    '81',
  ),
  ...greeting(
    'U+0000 in a client identifier',
    '10 ["MQTT" 04 02 003c 0003 610062]',
    '10 ["MQTT" 05 02 003c () 0003 610062]',
    '81|85',
  ),
  ...greeting(
    'bad UTF-8 in a client identifier',
    '10 ["MQTT" 04 02 003c 0002 c3 28]',
    '10 ["MQTT" 05 02 003c () 0002 c3 28]',
    '81',
  ),
  ...greeting(
    'bad UTF-8 in a user name',
    '10 ["MQTT" 04 82 003c "h1" 0001 ff]',
    '10 ["MQTT" 05 82 003c () "h1" 0001 ff]',
    '81',
  ),
  single(
    'a client identifier of 65,535 bytes',
    'raw4',
    '10 ["MQTT" 04 02 003c ffff 78*65535]',
    'CONNACK 00, open',
  ),
  ...greeting(
    'a wildcard in a will topic',
    '10 ["MQTT" 04 06 003c "h1" "h/#" "x"]',
    '10 ["MQTT" 05 06 003c () "h1" () "h/#" "x"]',
    '81|90',
  ),
  ...greeting(
    'an empty will topic',
    '10 ["MQTT" 04 06 003c "h1" 0000 "x"]',
    '10 ["MQTT" 05 06 003c () "h1" () 0000 "x"]',
    '81|82|90',
  ),
  single(
    'a will to $SYS, 3.1.1',
    'raw4',
    '10 ["MQTT" 04 06 003c "h1" "$SYS/h" "x"]',
    'CONNACK 05, closed',
  ),
  single(
    'a will to $CONTROL, 5',
    'raw5',
    '10 ["MQTT" 05 06 003c () "h1" () "$CONTROL/h" "x"]',
    'CONNACK 87, closed',
  ),
  single(
    'an authentication method that is not known',
    'raw5',
    '10 ["MQTT" 05 02 003c (15 "NOPE") "h1"]',
    'CONNACK 8c, closed',
  ),
  single(
    'authentication data without a method',
    'raw5',
    '10 ["MQTT" 05 02 003c (16 <00>) "h1"]',
    'CONNACK 82, closed',
  ),
  single(
    'a property twice in CONNECT',
    'raw5',
    '10 ["MQTT" 05 02 003c (11 00000001 11 00000001) "h1"]',
    'CONNACK 82, closed',
  ),
  single(
    'a property of another packet in CONNECT',
    'raw5',
    '10 ["MQTT" 05 02 003c (23 0001) "h1"]',
    'CONNACK 81|82, closed',
  ),
  single(
    'Receive Maximum 0',
    'raw5',
    '10 ["MQTT" 05 02 003c (21 0000) "h1"]',
    'CONNACK 82, closed',
  ),
  single(
    'Maximum Packet Size 0',
    'raw5',
    '10 ["MQTT" 05 02 003c (27 00000000) "h1"]',
    'CONNACK 82, closed',
  ),
  single(
    'Request Problem Information 2',
    'raw5',
    '10 ["MQTT" 05 02 003c (17 02) "h1"]',
    'CONNACK 82, closed',
  ),
  single(
    'Request Response Information 2',
    'raw5',
    '10 ["MQTT" 05 02 003c (19 02) "h1"]',
    'CONNACK 82, closed',
  ),
  single(
    'property length past CONNECT',
    'raw5',
    '10 ["MQTT" 05 02 003c ff ff 7f "h1"]',
    'CONNACK 81, closed',
  ),
  single(
    'property length cuts a property in CONNECT',
    'raw5',
    '10 ["MQTT" 05 02 003c 03 11 00 00 "h1"]',
    'CONNACK 81, closed',
  ),
  single(
    'a property of another packet in a will',
    'raw5',
    '10 ["MQTT" 05 06 003c () "h1" (23 0001) "h/w" "x"]',
    'CONNACK 81|82, closed',
  ),
  single(
    '3,000 user properties',
    'raw5',
    '10 ["MQTT" 05 02 003c (26000161000162*3000) "h1"]',
    'CONNACK 95|97, closed',
  ),
]

export const hostileCases: ReadonlyArray<Case> = [
  ...framing,
  ...publishing,
  ...subscribing,
  ...connecting,
]
