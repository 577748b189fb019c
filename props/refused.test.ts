// What the standard forbids is refused with the reason that it names, whether the bytes are decoded
// by themselves or out of a stream: a row for each rule.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createReader, defaultLimits } from '../core/codec/mod.ts'
import type { Level } from '../core/codec/mod.ts'
import { faultOf, frame, mqtt4, mqtt5 } from './gen/frames.ts'
import { unhex } from './gen/packets.ts'

const refused = suite('refused packets')

interface Refusal {
  readonly name: string
  readonly level: Level | 0
  readonly bytes: Uint8Array
  readonly reason: number
  readonly clause?: string
  /** The level of the answer, where it is not that of the connection. */
  readonly answer?: Level | 0
}

/** What the standard forbids, one row per rule. */
const refusals: ReadonlyArray<Refusal> = [
  {
    name: 'a remaining length of five bytes',
    level: 0,
    bytes: unhex('10 80 80 80 80 01'),
    reason: 0x81,
    clause: 'MQTT-1.5.5-1',
  },
  {
    name: 'a remaining length longer than needed',
    level: 5,
    bytes: unhex('c0 80 00'),
    reason: 0x81,
    clause: 'MQTT-1.5.5-1',
  },
  {
    name: 'PUBLISH before CONNECT',
    level: 0,
    bytes: frame(0x30, '00 01 61'),
    reason: 0x82,
    clause: 'MQTT-3.1.0-1',
  },
  { name: 'packet type 0', level: 5, bytes: unhex('00 00'), reason: 0x81 },
  { name: 'AUTH at level 4', level: 4, bytes: unhex('f0 00'), reason: 0x81 },
  {
    name: 'PINGREQ with flags',
    level: 5,
    bytes: unhex('c3 00'),
    reason: 0x81,
    clause: 'MQTT-2.1.3-1',
  },
  {
    name: 'DISCONNECT with flags',
    level: 4,
    bytes: unhex('e1 00'),
    reason: 0x81,
    clause: 'v3 MQTT-3.14.1-1',
  },
  { name: 'PUBREL without its flag', level: 5, bytes: frame(0x60, '00 01'), reason: 0x81 },
  {
    name: 'SUBSCRIBE without its flag',
    level: 5,
    bytes: frame(0x80, '00 01 00 00 01 61 00'),
    reason: 0x81,
  },
  {
    name: 'UNSUBSCRIBE without its flag',
    level: 5,
    bytes: frame(0xa0, '00 01 00 00 01 61'),
    reason: 0x81,
  },
  { name: 'PINGREQ with a body', level: 5, bytes: frame(0xc0, '00'), reason: 0x81 },

  {
    name: 'an unknown protocol name',
    level: 0,
    bytes: frame(0x10, '00 04 4d 51 54 58 04 02 00 3c 00 00'),
    reason: 0x84,
    clause: 'MQTT-3.1.2-1',
    answer: 0,
  },
  {
    name: 'MQTT at level 6',
    level: 0,
    bytes: frame(0x10, '00 04 4d 51 54 54 06 02 00 3c 00 00'),
    reason: 0x84,
    clause: 'MQTT-3.1.2-2',
    answer: 5,
  },
  {
    name: 'MQTT at level 0',
    level: 0,
    bytes: frame(0x10, '00 04 4d 51 54 54 00 02 00 3c 00 00'),
    reason: 0x84,
    answer: 5,
  },
  {
    name: 'MQTT at level 3',
    level: 0,
    bytes: frame(0x10, '00 04 4d 51 54 54 03 02 00 3c 00 00'),
    reason: 0x84,
    answer: 4,
  },
  {
    name: 'MQIsdp at level 4',
    level: 0,
    bytes: frame(0x10, '00 06 4d 51 49 73 64 70 04 02 00 3c 00 01 61'),
    reason: 0x84,
    answer: 4,
  },
  {
    name: 'an unknown level in a second CONNECT',
    level: 5,
    bytes: frame(0x10, '00 04 4d 51 54 54 03 02 00 3c 00 00'),
    reason: 0x84,
    answer: 5,
  },
  {
    name: 'a protocol name cut short',
    level: 0,
    bytes: frame(0x10, '00 04 4d 51'),
    reason: 0x84,
    answer: 0,
  },
  {
    name: 'the reserved connect flag at level 4',
    level: 0,
    bytes: frame(0x10, `${mqtt4} 03 00 3c 00 01 61`),
    reason: 0x81,
    clause: 'v3 MQTT-3.1.2-3',
    answer: 0,
  },
  {
    name: 'the reserved connect flag at level 5',
    level: 0,
    bytes: frame(0x10, `${mqtt5} 03 00 3c 00 00 01 61`),
    reason: 0x81,
    clause: 'MQTT-3.1.2-3',
    answer: 5,
  },
  {
    name: 'a password without a user name at level 4',
    level: 0,
    bytes: frame(0x10, `${mqtt4} 42 00 3c 00 01 61 00 01 70`),
    reason: 0x82,
    clause: 'v3 MQTT-3.1.2-22',
    answer: 0,
  },
  {
    name: 'will retain without a will',
    level: 0,
    bytes: frame(0x10, `${mqtt5} 22 00 3c 00 00 01 61`),
    reason: 0x81,
    clause: 'MQTT-3.1.2-13',
    answer: 5,
  },
  {
    name: 'a will QoS without a will',
    level: 0,
    bytes: frame(0x10, `${mqtt4} 0a 00 3c 00 01 61`),
    reason: 0x81,
    clause: 'v3 MQTT-3.1.2-13',
    answer: 0,
  },
  {
    name: 'a will of QoS 3',
    level: 0,
    bytes: frame(0x10, `${mqtt5} 1e 00 3c 00 00 01 61 00 00 01 77 00 00`),
    reason: 0x81,
    clause: 'MQTT-3.1.2-12',
    answer: 5,
  },
  {
    name: 'a will on a wildcard',
    level: 0,
    bytes: frame(0x10, `${mqtt5} 06 00 3c 00 00 01 61 00 00 01 23 00 00`),
    reason: 0x90,
    answer: 5,
  },
  {
    name: 'a NUL in the client identifier',
    level: 0,
    bytes: frame(0x10, `${mqtt5} 02 00 3c 00 00 03 61 00 62`),
    reason: 0x81,
    clause: 'MQTT-1.5.4-2',
    answer: 5,
  },
  {
    name: 'a line end in the client identifier',
    level: 0,
    bytes: frame(0x10, `${mqtt5} 02 00 3c 00 00 03 61 0a 62`),
    reason: 0x85,
    answer: 5,
  },
  {
    name: 'an escape in the user name',
    level: 0,
    bytes: frame(0x10, `${mqtt5} 82 00 3c 00 00 01 61 00 01 1b`),
    reason: 0x81,
    answer: 5,
  },
  {
    name: 'a user name that is not there at level 4',
    level: 0,
    bytes: frame(0x10, `${mqtt4} 82 00 3c 00 01 61`),
    reason: 0x81,
    answer: 0,
  },
  {
    name: 'bytes after the end of CONNECT',
    level: 0,
    bytes: frame(0x10, `${mqtt5} 02 00 3c 00 00 01 61 00`),
    reason: 0x81,
    answer: 5,
  },
  {
    name: 'receive maximum 0',
    level: 0,
    bytes: frame(0x10, `${mqtt5} 02 00 3c 03 21 00 00 00 01 61`),
    reason: 0x82,
    answer: 5,
  },
  {
    name: 'maximum packet size 0',
    level: 0,
    bytes: frame(0x10, `${mqtt5} 02 00 3c 05 27 00 00 00 00 00 01 61`),
    reason: 0x82,
    answer: 5,
  },
  {
    name: 'request problem information 2',
    level: 0,
    bytes: frame(0x10, `${mqtt5} 02 00 3c 02 17 02 00 01 61`),
    reason: 0x82,
    answer: 5,
  },
  {
    name: 'a topic alias in CONNECT',
    level: 0,
    bytes: frame(0x10, `${mqtt5} 02 00 3c 03 23 00 01 00 01 61`),
    reason: 0x81,
    answer: 5,
  },
  {
    name: 'a topic alias in a will',
    level: 0,
    bytes: frame(0x10, `${mqtt5} 06 00 3c 00 00 01 61 03 23 00 01 00 01 77 00 00`),
    reason: 0x81,
    answer: 5,
  },
  {
    name: 'authentication data without a method',
    level: 0,
    bytes: frame(0x10, `${mqtt5} 02 00 3c 04 16 00 01 61 00 01 61`),
    reason: 0x82,
    answer: 5,
  },
  {
    name: 'a property length past the packet',
    level: 0,
    bytes: frame(0x10, `${mqtt5} 02 00 3c ff ff 7f 00 01 61`),
    reason: 0x81,
    answer: 5,
  },
  {
    name: 'a property length that cuts a property',
    level: 0,
    bytes: frame(0x10, `${mqtt5} 02 00 3c 03 11 00 00 00 01 61`),
    reason: 0x81,
    answer: 5,
  },
  {
    name: 'a property length longer than needed',
    level: 0,
    bytes: frame(0x10, `${mqtt5} 02 00 3c 80 00 00 01 61`),
    reason: 0x81,
    clause: 'MQTT-1.5.5-1',
    answer: 5,
  },
  {
    name: 'a string that leaves its property block',
    level: 5,
    bytes: frame(0x30, '00 01 61 03 03 00 02 78 79'),
    reason: 0x81,
  },
  {
    name: 'binary data that leaves its property block',
    level: 5,
    bytes: frame(0x30, '00 01 61 03 09 00 02 78 79'),
    reason: 0x81,
  },
  {
    name: 'a pair that leaves its property block',
    level: 5,
    bytes: frame(0x30, '00 01 61 04 26 00 01 78 00 01 79'),
    reason: 0x81,
  },
  {
    name: 'an integer that leaves its property block',
    level: 5,
    bytes: frame(0x30, '00 01 61 03 02 00 00 00 3c'),
    reason: 0x81,
  },
  {
    name: 'an unknown property',
    level: 5,
    bytes: frame(0x30, '00 01 61 02 7f 00'),
    reason: 0x81,
  },

  {
    name: 'reserved CONNACK flags',
    level: 5,
    bytes: frame(0x20, '02 00 00'),
    reason: 0x81,
    clause: 'MQTT-3.2.2-1',
  },
  {
    name: 'reserved CONNACK flags at level 4',
    level: 4,
    bytes: frame(0x20, '02 00'),
    reason: 0x81,
    clause: 'v3 MQTT-4.8.0-1',
  },
  {
    name: 'a CONNACK with a code that there is not',
    level: 5,
    bytes: frame(0x20, '00 8e 00'),
    reason: 0x82,
    clause: 'MQTT-3.2.2-8',
  },
  {
    name: 'a CONNACK with a code that there is not at level 4',
    level: 4,
    bytes: frame(0x20, '00 06'),
    reason: 0x82,
    clause: 'v3 MQTT-4.8.0-1',
  },
  { name: 'CONNACK return code 6', level: 4, bytes: frame(0x20, '00 06'), reason: 0x82 },
  { name: 'CONNACK reason 0x8E', level: 5, bytes: frame(0x20, '00 8e 00'), reason: 0x82 },

  {
    name: 'QoS 3',
    level: 5,
    bytes: frame(0x36, '00 01 61 00 01 00'),
    reason: 0x81,
    clause: 'MQTT-3.3.1-4',
  },
  {
    name: 'DUP at QoS 0',
    level: 4,
    bytes: frame(0x38, '00 01 61'),
    reason: 0x81,
    clause: 'v3 MQTT-3.3.1-2',
  },
  {
    name: 'a PUBLISH with packet identifier 0',
    level: 5,
    bytes: frame(0x32, '00 01 61 00 00 00'),
    reason: 0x81,
    clause: 'MQTT-2.2.1-3',
  },
  { name: 'a topic past the packet', level: 4, bytes: frame(0x30, 'ff ff 61 62'), reason: 0x81 },
  { name: 'no topic at all', level: 4, bytes: frame(0x30, '00'), reason: 0x81 },
  { name: 'QoS 1 without an identifier', level: 4, bytes: frame(0x32, '00 01 61'), reason: 0x81 },
  { name: 'no property length', level: 5, bytes: frame(0x30, '00 01 61'), reason: 0x81 },
  {
    name: 'a wildcard in a topic name',
    level: 5,
    bytes: frame(0x30, '00 03 61 2f 2b 00'),
    reason: 0x90,
    clause: 'MQTT-3.3.2-2',
  },
  {
    name: 'a NUL in a topic name',
    level: 4,
    bytes: frame(0x30, '00 03 61 00 62'),
    reason: 0x81,
    clause: 'v3 MQTT-1.5.3-2',
  },
  {
    name: 'a surrogate in a topic',
    level: 5,
    bytes: frame(0x30, '00 03 ed a0 80 00'),
    reason: 0x81,
  },
  { name: 'a control in a topic', level: 5, bytes: frame(0x30, '00 03 61 0a 62 00'), reason: 0x90 },
  {
    name: 'an empty topic without an alias',
    level: 5,
    bytes: frame(0x30, '00 00 00'),
    reason: 0x82,
  },
  { name: 'an empty topic at level 4', level: 4, bytes: frame(0x30, '00 00'), reason: 0x90 },
  {
    name: 'topic alias 0',
    level: 5,
    bytes: frame(0x30, '00 01 61 03 23 00 00'),
    reason: 0x94,
    clause: 'MQTT-3.3.2-8',
  },
  {
    name: 'subscription identifier 0',
    level: 5,
    bytes: frame(0x82, '00 01 02 0b 00 00 01 61 00'),
    reason: 0x82,
  },
  {
    name: 'two subscription identifiers in SUBSCRIBE',
    level: 5,
    bytes: frame(0x82, '00 01 04 0b 01 0b 02 00 01 61 00'),
    reason: 0x82,
  },
  {
    name: 'a response topic with a wildcard',
    level: 5,
    bytes: frame(0x30, '00 01 61 06 08 00 03 72 2f 23'),
    reason: 0x82,
    clause: 'MQTT-3.3.2-14',
  },
  {
    name: 'payload format 2',
    level: 5,
    bytes: frame(0x30, '00 01 61 02 01 02'),
    reason: 0x82,
  },

  { name: 'PUBACK without an identifier', level: 5, bytes: frame(0x40, ''), reason: 0x81 },
  { name: 'PUBACK with identifier 0', level: 4, bytes: frame(0x40, '00 00'), reason: 0x81 },
  {
    name: 'PUBACK with a reason at level 4',
    level: 4,
    bytes: frame(0x40, '00 01 00'),
    reason: 0x81,
  },
  {
    name: 'PUBACK with a reason of PUBREL',
    level: 5,
    bytes: frame(0x40, '00 01 92'),
    reason: 0x82,
    clause: 'MQTT-3.4.2-1',
  },
  {
    name: 'PUBREL with a reason of PUBACK',
    level: 5,
    bytes: frame(0x62, '00 01 10'),
    reason: 0x82,
    clause: 'MQTT-3.6.2-1',
  },

  {
    name: 'SUBSCRIBE identifier 0',
    level: 4,
    bytes: frame(0x82, '00 00 00 01 61 00'),
    reason: 0x81,
  },
  {
    name: 'SUBSCRIBE without filters',
    level: 5,
    bytes: frame(0x82, '00 01 00'),
    reason: 0x82,
    clause: 'MQTT-3.8.3-2',
  },
  {
    name: 'SUBSCRIBE without filters at level 4',
    level: 4,
    bytes: frame(0x82, '00 01'),
    reason: 0x82,
    clause: 'v3 MQTT-3.8.3-3',
  },
  {
    name: 'a filter without options',
    level: 4,
    bytes: frame(0x82, '00 01 00 01 61'),
    reason: 0x81,
  },
  {
    name: 'subscription QoS 3',
    level: 4,
    bytes: frame(0x82, '00 01 00 01 61 03'),
    reason: 0x81,
    clause: 'v3 MQTT-3.8.3-4',
  },
  {
    name: 'subscription QoS 3 at level 5',
    level: 5,
    bytes: frame(0x82, '00 01 00 00 01 61 03'),
    reason: 0x82,
    clause: 'MQTT-4.13.1-1',
  },
  { name: 'no local at level 4', level: 4, bytes: frame(0x82, '00 01 00 01 61 04'), reason: 0x81 },
  {
    name: 'reserved subscription options',
    level: 5,
    bytes: frame(0x82, '00 01 00 00 01 61 40'),
    reason: 0x81,
    clause: 'MQTT-3.8.3-5',
  },
  {
    name: 'retain handling 3',
    level: 5,
    bytes: frame(0x82, '00 01 00 00 01 61 30'),
    reason: 0x82,
  },
  {
    name: 'no local on a shared subscription',
    level: 5,
    bytes: frame(0x82, '00 01 00 00 0a 24 73 68 61 72 65 2f 67 2f 61 04'),
    reason: 0x82,
    clause: 'MQTT-3.8.3-4',
  },
  {
    name: 'a filter with # before the end',
    level: 5,
    bytes: frame(0x82, '00 01 00 00 05 61 2f 23 2f 62 00'),
    reason: 0x8f,
    clause: 'MQTT-4.7.1-1',
  },
  {
    name: 'a filter with # before the end at level 4',
    level: 4,
    bytes: frame(0x82, '00 01 00 05 61 2f 23 2f 62 00'),
    reason: 0x8f,
    clause: 'v3 MQTT-4.7.1-2',
  },
  {
    name: 'a filter with + in a level',
    level: 5,
    bytes: frame(0x82, '00 01 00 00 02 61 2b 00'),
    reason: 0x8f,
    clause: 'MQTT-4.7.1-2',
  },
  {
    name: 'a filter with + in a level at level 4',
    level: 4,
    bytes: frame(0x82, '00 01 00 02 61 2b 00'),
    reason: 0x8f,
    clause: 'v3 MQTT-4.7.1-3',
  },
  {
    name: 'an empty filter',
    level: 5,
    bytes: frame(0x82, '00 01 00 00 00 00'),
    reason: 0x8f,
    clause: 'MQTT-4.7.3-1',
  },
  {
    name: 'a share without a name',
    level: 5,
    bytes: frame(0x82, '00 01 00 00 09 24 73 68 61 72 65 2f 2f 61 00'),
    reason: 0x8f,
    clause: 'MQTT-4.8.2-1',
  },
  {
    name: 'a share without a filter',
    level: 5,
    bytes: frame(0x82, '00 01 00 00 08 24 73 68 61 72 65 2f 67 00'),
    reason: 0x8f,
    clause: 'MQTT-4.8.2-2',
  },
  {
    name: 'a filter that is not UTF-8',
    level: 5,
    bytes: frame(0x82, '00 01 00 00 02 ff fe 00'),
    reason: 0x81,
  },
  {
    name: 'UNSUBSCRIBE without filters',
    level: 4,
    bytes: frame(0xa2, '00 01'),
    reason: 0x82,
    clause: 'v3 MQTT-3.10.3-2',
  },
  { name: 'SUBACK without codes', level: 5, bytes: frame(0x90, '00 01 00'), reason: 0x82 },
  { name: 'SUBACK with code 3', level: 5, bytes: frame(0x90, '00 01 00 03'), reason: 0x82 },
  { name: 'SUBACK 0x87 at level 4', level: 4, bytes: frame(0x90, '00 01 87'), reason: 0x82 },
  { name: 'UNSUBACK without codes', level: 5, bytes: frame(0xb0, '00 01 00'), reason: 0x82 },
  {
    name: 'UNSUBACK with a code at level 4',
    level: 4,
    bytes: frame(0xb0, '00 01 00'),
    reason: 0x81,
  },
  { name: 'DISCONNECT with a body at level 4', level: 4, bytes: frame(0xe0, '00'), reason: 0x81 },
  {
    name: 'DISCONNECT with reason 0x85',
    level: 5,
    bytes: frame(0xe0, '85'),
    reason: 0x82,
    clause: 'MQTT-3.14.2-1',
  },
  {
    name: 'AUTH with reason 0x87',
    level: 5,
    bytes: frame(0xf0, '87 00'),
    reason: 0x82,
    clause: 'MQTT-3.15.2-1',
  },
  { name: 'AUTH without a property length', level: 5, bytes: frame(0xf0, '18'), reason: 0x81 },
]

for (const { name, level, bytes, reason, clause, answer } of refusals) {
  refused(`${name} is refused`, () => {
    const fault = faultOf(level, bytes)
    assert.ok(fault !== null, 'it was accepted')
    assert.is(fault.reason.toString(16), reason.toString(16), fault.detail)
    assert.is(fault.level, answer ?? level, fault.detail)
    if (clause !== undefined) assert.is(fault.clause, clause)
    // Whoever reads a stream learns the same.
    const reader = createReader(defaultLimits, level)
    reader.push(bytes, 0, bytes.length)
    assert.equal(reader.next(), { _tag: 'Left', left: fault })
    assert.is(reader.next(), null)
  })
}

refused.run()
