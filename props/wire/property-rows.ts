// Families of rows made from the table of properties: each property in each packet that a client
// can send, where it belongs and where it does not; twice, out of range, cut off, in bad UTF-8; and
// property blocks whose length is wrong.

import type { Exchange } from './exchange.ts'
import { rows } from './exchange.ts'
import { places, properties } from './standard.ts'
import type { Place, Property } from './standard.ts'

interface Frame {
  readonly raw: boolean
  /** The packet around a property block, which stands in place of `P` with its length. */
  readonly packet: string
  /** What comes back where the properties are fine. */
  readonly answer: string
  readonly clauses: string
}

const serverOnly = '[MQTT-4.13.1-1]'

const frames: Readonly<Record<Place, Frame>> = {
  CONNECT: {
    raw: true,
    packet: '10 ["MQTT" 05 02 003c P "~a"]',
    answer: '< @ok',
    clauses: '',
  },
  will: {
    raw: true,
    packet: '10 ["MQTT" 05 06 003c () "~a" P "~/w" "x"]',
    answer: '< @ok',
    clauses: '[MQTT-3.1.2-9]',
  },
  CONNACK: { raw: false, packet: '20 [0000 P]', answer: 'refused 82', clauses: serverOnly },
  PUBLISH: {
    raw: false,
    packet: '30 ["~/t" P \'x\']',
    answer: '< 30 ["~/t" P \'x\']',
    clauses: '',
  },
  PUBACK: { raw: false, packet: '40 [0009 00 P]', answer: 'open', clauses: '' },
  PUBREC: { raw: false, packet: '50 [0009 00 P]', answer: '< 62 [0009 92]', clauses: '' },
  PUBREL: { raw: false, packet: '62 [0009 00 P]', answer: '< 70 [0009 92]', clauses: '' },
  PUBCOMP: { raw: false, packet: '70 [0009 00 P]', answer: 'open', clauses: '' },
  SUBSCRIBE: {
    raw: false,
    packet: '82 [0009 P "~/s" 00]',
    answer: '< 90 [0009 () 00]',
    clauses: '[MQTT-3.8.4-1]',
  },
  SUBACK: { raw: false, packet: '90 [0009 P 00]', answer: 'refused 82', clauses: serverOnly },
  UNSUBSCRIBE: {
    raw: false,
    packet: 'a2 [0009 P "~/s"]',
    answer: '< b0 [0009 () 11]',
    clauses: '[MQTT-3.10.4-4]',
  },
  UNSUBACK: { raw: false, packet: 'b0 [0009 P 00]', answer: 'refused 82', clauses: serverOnly },
  DISCONNECT: { raw: false, packet: 'e0 [00 P]', answer: 'closed', clauses: '[MQTT-3.14.4-3]' },
  AUTH: { raw: false, packet: 'f0 [18 P]', answer: 'refused 82', clauses: '[MQTT-4.12.0-7]' },
}

/** What a good value comes to where it comes to something of its own: `place id value`. */
const peculiar = (place: Place, { id }: Property, value: string): string | null => {
  switch (`${place} ${id}`) {
    case 'CONNECT 15': // a method that the server does not know [MQTT-4.12.0-1]
      return 'rejected 8c'
    case 'CONNECT 16': // data without a method
    case 'PUBLISH 0b': // only a server sends them [MQTT-3.3.4-6]
    case 'DISCONNECT 1c': // only a server refers to another one
      return 'refused 82'
    case 'DISCONNECT 11': // the session was to end with the connection
      return value === '00000000' ? null : 'refused 82'
    case 'PUBLISH 23': // an alias is between two sides and goes no further
      return '< 30 ["~/t" () \'x\']'
  }
  return null
}

const clausesOf: Readonly<Record<string, string>> = {
  '08': '[MQTT-3.3.2-13] [MQTT-3.3.2-14]',
  '0b': '[MQTT-3.3.4-6]',
  '15': '[MQTT-4.12.0-1]',
  '1c': '[MQTT-4.13.1-1]',
  '23': '[MQTT-3.3.2-8] [MQTT-3.3.2-9]',
}

const forwarded: Readonly<Record<string, string>> = {
  '01': '[MQTT-3.3.2-4]',
  '02': '[MQTT-3.3.2-6]',
  '03': '[MQTT-3.3.2-20]',
  '08': '[MQTT-3.3.2-15]',
  '09': '[MQTT-3.3.2-16]',
  '26': '[MQTT-3.3.2-17]',
}

const general = '[MQTT-4.13.1-1]'

const line = (
  place: Place,
  about: string,
  clauses: string,
  block: string,
  end: string,
  rule = general,
): string => {
  const { raw, packet, clauses: own } = frames[place]
  const setting = place === 'PUBLISH' ? '| subscribes ~/t 0' : ''
  const said = raw ? end.replace('refused', 'rejected') : end
  return `${raw ? 'raw ' : ''}5 ${about} ${rule} ${own} ${clauses} ${setting}` +
    ` | > ${packet.replace('P', block)} | ${said.replace('P', block)}`
}

/** A row in which the value is fine as such: what it comes to is a matter of its own clauses. */
const fine = (
  place: Place,
  about: string,
  clauses: string,
  property: Property,
  value: string,
  block = `(${property.id} ${value})`,
): string => {
  const end = peculiar(place, property, value)
  const owned = clausesOf[property.id] ?? ''
  return line(
    place,
    about,
    `${clauses} ${owned}`,
    block,
    end ?? frames[place].answer,
    end !== null && owned !== '' || place === 'AUTH' && property.id !== '16' ? '' : general,
  )
}

const inOrder = (place: Place): string => place === 'will' ? 'a will' : place

const wrongPlaces = properties.flatMap((property) =>
  places.map((place) => {
    const { id, name } = property
    const [value = ''] = property.good
    const about = `${name} in ${inOrder(place)}`
    const clauses = place === 'PUBLISH' ? forwarded[id] ?? '' : ''
    return property.places.includes(place)
      ? fine(place, about, clauses, property, value)
      : line(place, `${about}, where it does not belong`, '', `(${id} ${value})`, 'refused 81')
  })
)

/** Properties with the places from which a client can send them to some effect. */
const sendable = properties.flatMap((property) =>
  property.places
    .filter((place) => !['SUBACK', 'UNSUBACK', 'AUTH'].includes(place))
    .map((place) => ({ property, place }))
)

const values = sendable.flatMap(({ property, place }) => {
  const { id, name, good, bad } = property
  const of = (value: string, index: number) => `${name} of ${index > 8 ? 'ten' : value}`
  const more = place === 'CONNACK'
    ? []
    : good.slice(1).map((value, index) =>
      fine(place, `${of(value, index).slice(0, 60)} in ${inOrder(place)}`, '', property, value)
    )
  const wrong = bad.map(([value, code], index) =>
    line(
      place,
      `${of(value, index)}, which is not allowed, in ${inOrder(place)}`,
      clausesOf[id] ?? '',
      `(${id} ${value})`,
      place === 'CONNACK' ? 'refused 82' : `refused ${code}`,
    )
  )
  return [...more, ...wrong]
})

const twice = sendable.map(({ property, place }) => {
  const { id, name, good } = property
  const [one = '', other = one] = good
  const about = `${name} twice in ${inOrder(place)}`
  const block = `(${id} ${one} ${id} ${other})`
  return property.repeats.includes(place)
    ? fine(place, about, '[MQTT-3.3.2-18]', property, one, block)
    : line(place, about, '', block, 'refused 82')
})

/** One hexadecimal digit pair less than the value in the middle of a block of its own length. */
const lastByteCut: Readonly<Record<Property['type'], string>> = {
  byte: '',
  two: '00',
  four: '000000',
  varint: 'ff',
  string: '0003 6162',
  binary: '0003 6162',
  pair: '"k" 0003 6162',
}

const cut = sendable.filter(({ place }) => place !== 'CONNACK').flatMap(({ property, place }) => {
  const { id, name, type } = property
  const line1 = line(
    place,
    `${name} cut off behind its identifier in ${inOrder(place)}`,
    '',
    `(${id})`,
    'refused 81',
  )
  if (type === 'byte') return [line1]
  const line2 = line(
    place,
    `${name} cut off within its value in ${inOrder(place)}`,
    '',
    `(${id} ${lastByteCut[type]})`,
    'refused 81',
  )
  return [line1, line2]
})

const utf8 = '[MQTT-1.5.4-1] [MQTT-1.5.4-2] [MQTT-1.5.7-1]'

// The last three are UTF-8, and what a receiver may refuse; clients of mosquitto's do.
const badTexts = [
  ['U+0000', '<61 00>', utf8],
  ['half a character', '<61 e282>', utf8],
  ['a surrogate', '<eda080>', utf8],
  ['a line feed', '<61 0a>', ''],
  ['U+009F', '<c29f 61>', ''],
  ['U+FFFF, which is no character,', '<61 efbfbf>', ''],
] as const

const texts = sendable
  .filter(({ property }) => property.type === 'string' || property.type === 'pair')
  .filter(({ place }) => !['CONNACK', 'PUBREL', 'PUBCOMP'].includes(place))
  .flatMap(({ property: { id, name, type }, place }) =>
    badTexts.flatMap(([what, text, clauses]) => {
      const at = inOrder(place)
      if (type === 'string') {
        return [
          line(place, `${what} in ${name} in ${at}`, clauses, `(${id} ${text})`, 'refused 81'),
        ]
      }
      if (what === 'half a character') return []
      return [
        line(
          place,
          `${what} in the name of a ${name} in ${at}`,
          clauses,
          `(26 ${text} "v")`,
          'refused 81',
        ),
        line(
          place,
          `${what} in the value of a ${name} in ${at}`,
          clauses,
          `(26 "k" ${text})`,
          'refused 81',
        ),
      ]
    })
  )

/** A user property as large as can be: 65,541 bytes. */
const large = `26 "k" <78*65535>`
const most = Array.from({ length: 6 }, () => large).join(' ')
/** One of so many bytes. */
const rest = (bytes: number): string => `26 "k" <78*${bytes - 6}>`

const blocks = places.flatMap((place) => {
  const at = inOrder(place)
  const { answer } = frames[place]
  const bad = (about: string, block: string, code = '81', clauses = '') =>
    line(place, `${about} in ${at}`, clauses, block, `refused ${code}`)
  return [
    line(place, `no properties in ${at}`, '[MQTT-2.2.2-1]', '()', answer),
    bad('a property length past the end', 'ff7f'),
    bad('a property length of two bytes for nothing', '8000', '81', '[MQTT-1.5.5-1]'),
    bad('a property length of five bytes', '8080808001', '81', '[MQTT-1.5.5-1]'),
    bad('a property identifier longer than it need be', '(a600 "k" "v")', '81', '[MQTT-1.5.5-1]'),
    // A CONNECT has no room for so many.
    ...(place === 'CONNECT' || place === 'will'
      ? [
        line(
          place,
          `100,000 bytes of properties in ${at}`,
          '',
          `(${large} ${rest(34_459)})`,
          answer,
        ),
      ]
      : [
        line(place, `400,000 bytes of properties in ${at}`, '', `(${most} ${rest(6_754)})`, answer),
        bad('a byte more than 400,000 of properties', `(${most} ${rest(6_755)})`, '95'),
      ]),
    bad('1,001 user properties', '(2600000000*1001)', '97'),
  ]
})

const good = places.map((place) =>
  line(
    place,
    `1,000 user properties in ${inOrder(place)}`,
    '',
    '(2600000000*1000)',
    frames[place].answer,
  )
)

const known = new Set(properties.map(({ id }) => id))

/** Every identifier up to 0x2c that the standard gives to nothing, and some beyond. */
const unknown = [...Array.from({ length: 0x2d }, (_, id) => id), 0x40, 0x7e, 0x7f]
  .map((id) => id.toString(16).padStart(2, '0'))
  .filter((id) => !known.has(id))
  .concat('8001', 'ff7f', 'ffffff7f')
  .flatMap((id) =>
    (['CONNECT', 'PUBLISH'] as const).map((place) =>
      line(
        place,
        `the property identifier ${id}, which is nobody's, in ${place}`,
        '',
        `(${id} 00 00)`,
        'refused 81',
      )
    )
  )

export const propertyRows: ReadonlyArray<Exchange> = rows(
  [...wrongPlaces, ...values, ...twice, ...cut, ...texts, ...blocks, ...good, ...unknown].join(
    '\n',
  ),
)
