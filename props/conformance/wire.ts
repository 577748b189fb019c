// MQTT on the wire as these tests understand it: a small language for bytes, makers of the packets
// a client sends, and a strict reader of the packets a server sends. It shares nothing with the
// codec under test on purpose; a mistake would have to be made twice to go unseen.

import { Buffer } from 'node:buffer'

/** Anything that can be put on the wire: bytes, or text in the language of `bytes`. */
export type Wire = Uint8Array | string

/** A number that is not negative as a variable byte integer (1 to 4 bytes). */
export const varint = (value: number): Buffer => {
  const out: number[] = []
  let rest = value
  do {
    const digit = rest % 128
    rest = Math.floor(rest / 128)
    out.push(rest > 0 ? digit + 128 : digit)
  } while (rest > 0)
  return Buffer.from(out)
}

const u16 = (value: number): Buffer => Buffer.from([value >> 8, value & 255])

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0')

/** 16 and 32 bit numbers in the language of `bytes`. */
export const hex16 = (value: number): string => hex(value, 4)
export const hex32 = (value: number): string => hex(value, 8)

const stopAt = (text: string, at: number, end: string): number => {
  const found = text.indexOf(end, at)
  if (found < 0) throw new Error(`bytes: no ${end} after column ${at} in ${text}`)
  return found
}

/**
 * Reads the little language in which the tables write bytes:
 *
 *   `0aff`      bytes in hexadecimal            `'abc'`     the text's UTF-8 bytes
 *   `"abc"`     the same after its length as two bytes
 *   `[ ... ]`   what stands inside, after its length as a variable byte integer; `( ... )` means
 *               the same and is used for property blocks; `< ... >` has its length in two bytes
 *   `x*5`       the item before the star (`0aff` is one), five times
 */
export const bytes = (text: string): Buffer => {
  const closers = new Map([['[', ']'], ['(', ')'], ['<', '>']])
  const stack: { opener: string; parts: Buffer[] }[] = [{ opener: '', parts: [] }]
  const top = (): Buffer[] => stack[stack.length - 1]?.parts ?? []
  let at = 0
  while (at < text.length) {
    const char = text.charAt(at)
    if (char === ' ' || char === '\n') {
      at++
    } else if (char === "'" || char === '"') {
      const end = stopAt(text, at + 1, char)
      const content = Buffer.from(text.slice(at + 1, end))
      top().push(char === "'" ? content : Buffer.concat([u16(content.length), content]))
      at = end + 1
    } else if (closers.has(char)) {
      stack.push({ opener: char, parts: [] })
      at++
    } else if (char === ']' || char === ')' || char === '>') {
      const group = stack.pop()
      if (group === undefined || closers.get(group.opener) !== char) {
        throw new Error(`bytes: ${char} without its opener in ${text}`)
      }
      const content = Buffer.concat(group.parts)
      const length = char === '>' ? u16(content.length) : varint(content.length)
      top().push(Buffer.concat([length, content]))
      at++
    } else if (char === '*') {
      const digits = /^\d+/.exec(text.slice(at + 1))?.[0] ?? ''
      const item = top().pop()
      if (item === undefined || digits === '') throw new Error(`bytes: a lonely * in ${text}`)
      top().push(Buffer.alloc(item.length * Number(digits), item))
      at += 1 + digits.length
    } else {
      const run = /^(?:[0-9a-f]{2})+/.exec(text.slice(at))?.[0] ?? ''
      if (run === '') throw new Error(`bytes: ${char} in column ${at} is not hex in ${text}`)
      top().push(Buffer.from(run, 'hex'))
      at += run.length
    }
  }
  if (stack.length !== 1) throw new Error(`bytes: a group stays open in ${text}`)
  return Buffer.concat(top())
}

/** Text in the language of `bytes`, or bytes as they are. */
export const toBytes = (wire: Wire): Uint8Array => typeof wire === 'string' ? bytes(wire) : wire

export type Level = 3 | 4 | 5
export type Qos = 0 | 1 | 2

export const levels: ReadonlyArray<Level> = [3, 4, 5]

const string = (text: string): Buffer => {
  const content = Buffer.from(text)
  return Buffer.concat([u16(content.length), content])
}

const block = (properties: Wire): Buffer => {
  const content = toBytes(properties)
  return Buffer.concat([varint(content.length), content])
}

const frame = (first: number, ...parts: Uint8Array[]): Buffer => {
  const content = Buffer.concat(parts)
  return Buffer.concat([Buffer.from([first]), varint(content.length), content])
}

const nothing = Buffer.alloc(0)

export interface WillOrder {
  readonly topic: string
  readonly payload: string
  readonly qos?: Qos
  readonly retain?: boolean
  /** The will properties of level 5, in the language of `bytes`. */
  readonly properties?: Wire
}

export interface ConnectOrder {
  readonly level?: Level
  readonly id: string
  /** Clean start; clean session below level 5. True when missing. */
  readonly clean?: boolean
  readonly keepAliveS?: number
  readonly will?: WillOrder
  readonly userName?: string
  readonly password?: string
  readonly properties?: Wire
}

export const connectBytes = (order: ConnectOrder): Buffer => {
  const level = order.level ?? 4
  const will = order.will
  let flags = order.clean === false ? 0 : 2
  const payload = [string(order.id)]
  if (will !== undefined) {
    flags |= 4 | (will.qos ?? 0) << 3 | (will.retain === true ? 32 : 0)
    if (level === 5) payload.push(block(will.properties ?? ''))
    payload.push(string(will.topic), string(will.payload))
  }
  if (order.userName !== undefined) {
    flags |= 128
    payload.push(string(order.userName))
  }
  if (order.password !== undefined) {
    flags |= 64
    payload.push(string(order.password))
  }
  return frame(
    0x10,
    string(level === 3 ? 'MQIsdp' : 'MQTT'),
    Buffer.from([level, flags]),
    u16(order.keepAliveS ?? 60),
    level === 5 ? block(order.properties ?? '') : nothing,
    ...payload,
  )
}

export interface PublishOrder {
  readonly level: Level
  readonly topic: string
  readonly payload: string | Uint8Array
  readonly qos?: Qos
  readonly packetId?: number
  readonly retain?: boolean
  readonly dup?: boolean
  readonly properties?: Wire
}

export const publishBytes = (order: PublishOrder): Buffer => {
  const qos = order.qos ?? 0
  return frame(
    0x30 | qos << 1 | (order.retain === true ? 1 : 0) | (order.dup === true ? 8 : 0),
    string(order.topic),
    qos === 0 ? nothing : u16(order.packetId ?? 0),
    order.level === 5 ? block(order.properties ?? '') : nothing,
    Buffer.from(order.payload),
  )
}

export interface Request {
  readonly filter: string
  readonly qos?: Qos
  readonly noLocal?: boolean
  readonly retainAsPublished?: boolean
  readonly retainHandling?: 0 | 1 | 2
}

export const subscribeBytes = (
  level: Level,
  packetId: number,
  requests: ReadonlyArray<Request>,
  properties: Wire = '',
): Buffer =>
  frame(
    0x82,
    u16(packetId),
    level === 5 ? block(properties) : nothing,
    ...requests.map((request) =>
      Buffer.concat([
        string(request.filter),
        Buffer.from([
          (request.qos ?? 0) | (request.noLocal === true ? 4 : 0) |
          (request.retainAsPublished === true ? 8 : 0) | (request.retainHandling ?? 0) << 4,
        ]),
      ])
    ),
  )

export const unsubscribeBytes = (
  level: Level,
  packetId: number,
  filters: ReadonlyArray<string>,
): Buffer => frame(0xa2, u16(packetId), level === 5 ? block('') : nothing, ...filters.map(string))

/** PUBACK, PUBREC, PUBREL or PUBCOMP in its short form. */
export const ackBytes = (
  first: 0x40 | 0x50 | 0x62 | 0x70,
  packetId: number,
  reason = 0,
): Buffer =>
  frame(first, reason === 0 ? u16(packetId) : Buffer.concat([u16(packetId), Buffer.of(reason)]))

export const pingreqBytes = (): Buffer => Buffer.from([0xc0, 0])

/** DISCONNECT; a reason is written only at level 5 and only when it is not 0. */
export const disconnectBytes = (level: Level, reason = 0, properties: Wire = ''): Buffer => {
  const given = toBytes(properties).length > 0
  if (level < 5 || (reason === 0 && !given)) return frame(0xe0)
  return given
    ? frame(0xe0, Buffer.from([reason]), block(properties))
    : frame(0xe0, Buffer.from([reason]))
}

/** AUTH of level 5 with its method, and with data unless that is null. */
export const authBytes = (reason: number, method: string, data: string | null): Buffer =>
  frame(
    0xf0,
    Buffer.from([reason]),
    block(Buffer.concat([
      Buffer.from([0x15]),
      string(method),
      data === null ? nothing : Buffer.concat([Buffer.from([0x16]), string(data)]),
    ])),
  )

export interface Property {
  readonly name: string
  readonly value: number | string
}

/** One packet from the server, every field in its place; what a kind lacks is 0, '' or empty. */
export interface Seen {
  readonly kind: string
  readonly raw: Uint8Array
  readonly packetId: number
  readonly reason: number
  readonly reasons: ReadonlyArray<number>
  readonly sessionPresent: boolean
  readonly topic: string
  readonly payload: Uint8Array
  readonly qos: number
  readonly retain: boolean
  readonly dup: boolean
  readonly properties: ReadonlyArray<Property>
}

type Shape = 'u8' | 'u16' | 'u32' | 'varint' | 'string' | 'binary' | 'pair'

const propertyShapes = new Map<number, readonly [name: string, shape: Shape]>([
  [0x01, ['payloadFormatIndicator', 'u8']],
  [0x02, ['messageExpiryInterval', 'u32']],
  [0x03, ['contentType', 'string']],
  [0x08, ['responseTopic', 'string']],
  [0x09, ['correlationData', 'binary']],
  [0x0b, ['subscriptionIdentifier', 'varint']],
  [0x11, ['sessionExpiryInterval', 'u32']],
  [0x12, ['assignedClientIdentifier', 'string']],
  [0x13, ['serverKeepAlive', 'u16']],
  [0x15, ['authenticationMethod', 'string']],
  [0x16, ['authenticationData', 'binary']],
  [0x1a, ['responseInformation', 'string']],
  [0x1c, ['serverReference', 'string']],
  [0x1f, ['reasonString', 'string']],
  [0x21, ['receiveMaximum', 'u16']],
  [0x22, ['topicAliasMaximum', 'u16']],
  [0x23, ['topicAlias', 'u16']],
  [0x24, ['maximumQos', 'u8']],
  [0x25, ['retainAvailable', 'u8']],
  [0x26, ['userProperty', 'pair']],
  [0x27, ['maximumPacketSize', 'u32']],
  [0x28, ['wildcardSubscriptionAvailable', 'u8']],
  [0x29, ['subscriptionIdentifierAvailable', 'u8']],
  [0x2a, ['sharedSubscriptionAvailable', 'u8']],
])

const kinds = [
  'reserved',
  'CONNECT',
  'CONNACK',
  'PUBLISH',
  'PUBACK',
  'PUBREC',
  'PUBREL',
  'PUBCOMP',
  'SUBSCRIBE',
  'SUBACK',
  'UNSUBSCRIBE',
  'UNSUBACK',
  'PINGREQ',
  'PINGRESP',
  'DISCONNECT',
  'AUTH',
]

class Cursor {
  readonly body: Buffer
  at = 0

  constructor(body: Buffer) {
    this.body = body
  }

  get left(): number {
    return this.body.length - this.at
  }

  number(size: number): number {
    if (this.left < size) throw new Error('the server sent a packet that ends too early')
    const value = this.body.readUIntBE(this.at, size)
    this.at += size
    return value
  }

  varint(): number {
    let value = 0
    let factor = 1
    for (let i = 0; i < 4; i++) {
      const digit = this.number(1)
      value += (digit & 127) * factor
      if (digit < 128) return value
      factor *= 128
    }
    throw new Error('the server sent a variable byte integer of more than four bytes')
  }

  take(size: number): Buffer {
    if (this.left < size) throw new Error('the server sent a packet that ends too early')
    this.at += size
    return this.body.subarray(this.at - size, this.at)
  }

  string(): string {
    return this.take(this.number(2)).toString()
  }

  properties(): Property[] {
    const length = this.varint()
    const end = this.at + length
    const found: Property[] = []
    while (this.at < end) {
      const id = this.varint()
      const [name, shape] = propertyShapes.get(id) ?? ['', 'u8']
      if (name === '') throw new Error(`the server sent the unknown property ${id}`)
      found.push({ name, value: this.value(shape) })
    }
    if (this.at !== end) throw new Error('the server sent a property block of the wrong length')
    return found
  }

  value(shape: Shape): number | string {
    switch (shape) {
      case 'u8':
        return this.number(1)
      case 'u16':
        return this.number(2)
      case 'u32':
        return this.number(4)
      case 'varint':
        return this.varint()
      case 'string':
        return this.string()
      case 'binary':
        return this.take(this.number(2)).toString('hex')
      case 'pair':
        return `${this.string()}=${this.string()}`
    }
  }
}

const parse = (level: Level, raw: Buffer, bodyAt: number): Seen => {
  const first = raw[0] ?? 0
  const kind = kinds[first >> 4] ?? ''
  const flags = first & 15
  const cursor = new Cursor(raw.subarray(bodyAt))
  let packetId = 0
  let reason = 0
  let reasons: number[] = []
  let sessionPresent = false
  let topic = ''
  let payload: Uint8Array = nothing
  let properties: Property[] = []
  switch (kind) {
    case 'CONNACK': {
      const acknowledge = cursor.number(1)
      if (acknowledge > 1) throw new Error('the server sent CONNACK with reserved flags')
      sessionPresent = acknowledge === 1
      reason = cursor.number(1)
      // A refusal in the older form (two bytes) is right for a client of unknown level.
      if (level === 5 && cursor.left > 0) properties = cursor.properties()
      break
    }
    case 'PUBLISH':
      topic = cursor.string()
      if ((flags & 6) > 0) packetId = cursor.number(2)
      if (level === 5) properties = cursor.properties()
      payload = cursor.take(cursor.left)
      break
    case 'PUBACK':
    case 'PUBREC':
    case 'PUBREL':
    case 'PUBCOMP':
      packetId = cursor.number(2)
      if (level === 5 && cursor.left > 0) reason = cursor.number(1)
      if (level === 5 && cursor.left > 0) properties = cursor.properties()
      break
    case 'SUBACK':
    case 'UNSUBACK':
      packetId = cursor.number(2)
      if (level === 5) properties = cursor.properties()
      reasons = [...cursor.take(cursor.left)]
      break
    case 'DISCONNECT':
      if (level < 5) throw new Error('the server sent DISCONNECT below level 5')
      if (cursor.left > 0) reason = cursor.number(1)
      if (level === 5 && cursor.left > 0) properties = cursor.properties()
      break
    case 'AUTH':
      if (level < 5) throw new Error('the server sent AUTH below level 5')
      if (cursor.left > 0) reason = cursor.number(1)
      if (cursor.left > 0) properties = cursor.properties()
      break
    case 'PINGRESP':
      break
    default:
      throw new Error(`the server sent ${kind}, which only clients send`)
  }
  if (cursor.left > 0) throw new Error(`the server sent ${kind} with ${cursor.left} bytes too many`)
  if (kind !== 'PUBLISH' && flags !== (kind === 'PUBREL' ? 2 : 0)) {
    throw new Error(`the server sent ${kind} with the flags ${flags}`)
  }
  const publish = kind === 'PUBLISH'
  return {
    kind,
    raw,
    packetId,
    reason,
    reasons,
    sessionPresent,
    topic,
    payload,
    qos: publish ? flags >> 1 & 3 : 0,
    retain: publish && (flags & 1) === 1,
    dup: publish && (flags & 8) === 8,
    properties,
  }
}

/** Collects what a server sends and cuts it into packets. */
export class Splitter {
  private readonly chunks: Buffer[] = []
  private size = 0

  push(chunk: Buffer): void {
    this.chunks.push(chunk)
    this.size += chunk.length
  }

  /** The next whole packet, or null. Throws where a server breaks the standard. */
  next(level: Level): Seen | null {
    if (this.size < 2) return null
    let length = 0
    let factor = 1
    let at = 1
    for (;;) {
      if (at > 4) throw new Error('the server sent a Remaining Length of more than four bytes')
      if (at >= this.size) return null
      const digit = this.peek(at)
      at++
      length += (digit & 127) * factor
      factor *= 128
      if (digit < 128) break
    }
    const total = at + length
    if (this.size < total) return null
    return parse(level, this.pull(total), at)
  }

  private peek(index: number): number {
    let at = index
    for (const chunk of this.chunks) {
      if (at < chunk.length) return chunk[at] ?? 0
      at -= chunk.length
    }
    return 0
  }

  private pull(total: number): Buffer {
    const first = this.chunks[0] ?? nothing
    const all = first.length >= total ? first : Buffer.concat(this.chunks)
    if (first.length < total) this.chunks.splice(0, this.chunks.length, all)
    if (all.length > total) this.chunks[0] = all.subarray(total)
    else this.chunks.shift()
    this.size -= total
    return all.subarray(0, total)
  }
}

/** The value of a property, or null when there is no packet or it has none of that name. */
export const property = (seen: Seen | undefined, name: string): number | string | null =>
  seen?.properties.find((found) => found.name === name)?.value ?? null

/** All properties in the order of the wire: `a=1 b=2`. */
export const propertyText = (seen: Seen): string =>
  seen.properties.map(({ name, value }) => `${name}=${value}`).join(' ')

const code = (value: number): string => hex(value, 2)

/**
 * A packet in one line: `CONNACK 00`, `SUBACK 1 00 80`, `PUBACK 7 10`, `DISCONNECT 81`,
 * `PUBLISH q1 id3 a/b hi`. The properties of an accepting CONNACK are left out, all others follow
 * in braces.
 */
export const show = (seen: Seen): string => {
  const words = [seen.kind]
  switch (seen.kind) {
    case 'CONNACK':
      words.push(code(seen.reason))
      if (seen.sessionPresent) words.push('present')
      if (seen.reason === 0) return words.join(' ')
      break
    case 'PUBLISH':
      words.push(`q${seen.qos}`)
      if (seen.qos > 0) words.push(`id${seen.packetId}`)
      if (seen.retain) words.push('retain')
      if (seen.dup) words.push('dup')
      words.push(seen.topic.slice(0, 60), Buffer.from(seen.payload).toString().slice(0, 60))
      break
    case 'PUBACK':
    case 'PUBREC':
    case 'PUBREL':
    case 'PUBCOMP':
      words.push(String(seen.packetId))
      if (seen.reason > 0) words.push(code(seen.reason))
      break
    case 'SUBACK':
    case 'UNSUBACK':
      words.push(String(seen.packetId), ...seen.reasons.map(code))
      break
    case 'DISCONNECT':
    case 'AUTH':
      words.push(code(seen.reason))
      break
  }
  if (seen.properties.length > 0) words.push(`{${propertyText(seen)}}`)
  return words.join(' ')
}
