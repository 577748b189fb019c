// What is varied from search to search: who the two clients are, what is published, and how narrow
// everything is. Whatever is not said here is the same in all of them: one topic, two packet
// identifiers in each direction, and sessions that last.

import type { Level } from '../../core/codec/packet.ts'

type AckedQos = 1 | 2

export interface Setting {
  readonly name: string
  readonly publisherLevel: Level
  readonly subscriberLevel: Level
  /** The quality of each message, in the order of publishing. */
  readonly publishes: ReadonlyArray<AckedQos>
  readonly granted: AckedQos
  /** Messages in flight towards the subscriber, as the broker is configured. */
  readonly inflightCountMax: 1 | 2
  /** Receive Maximum of the broker, which the publisher keeps where it is told. */
  readonly receiveMaximum: 1 | 2
  /** Receive Maximum of the subscriber's connections in turn, where it can be said. */
  readonly subscriberReceiveMaximums: readonly [number, number, number]
  /** How often each client may lose its connection. */
  readonly losses: 0 | 1 | 2
}

/** Packet identifiers that the publisher uses, and that the broker is allowed to use. */
export const packetIdMax = 2

/** The messages, by their payloads. */
export const letters = 'abc'

const usual: Omit<Setting, 'name' | 'publishes'> = {
  publisherLevel: 5,
  subscriberLevel: 5,
  granted: 2,
  inflightCountMax: 2,
  receiveMaximum: 2,
  subscriberReceiveMaximums: [2, 2, 2],
  losses: 1,
}

const nameOf = (setting: Omit<Setting, 'name'>): string => {
  const { publisherLevel, subscriberLevel, publishes, granted } = setting
  const narrow = [
    setting.losses === 1 ? '' : `losses ${setting.losses}`,
    setting.inflightCountMax === 1 ? 'in flight 1' : '',
    setting.receiveMaximum === 1 ? 'broker receives 1' : '',
    setting.subscriberReceiveMaximums.join() === '2,2,2'
      ? ''
      : `subscriber receives ${setting.subscriberReceiveMaximums.join(' then ')}`,
  ].filter((one) => one !== '')
  return [
    `levels ${publisherLevel} and ${subscriberLevel}`,
    `QoS ${publishes.join()} to ${granted}`,
    ...narrow,
  ].join(', ')
}

export const setting = (
  publishes: ReadonlyArray<AckedQos>,
  rest: Partial<Omit<Setting, 'name' | 'publishes'>> = {},
): Setting => {
  const whole = { ...usual, ...rest, publishes }
  return { ...whole, name: nameOf(whole) }
}

const pairs: ReadonlyArray<ReadonlyArray<AckedQos>> = [[1, 1], [1, 2], [2, 1], [2, 2]]
const narrow = { inflightCountMax: 1, receiveMaximum: 1 } as const
const level4 = { publisherLevel: 4, subscriberLevel: 4 } as const

/** Two messages, at levels 4 and 5, in every quality, with room for both and with room for one. */
export const twos: ReadonlyArray<Setting> = [{}, level4].flatMap((levels) =>
  pairs.flatMap((publishes) => [
    setting(publishes, levels),
    setting(publishes, { ...levels, granted: 1 }),
    setting(publishes, { ...levels, ...narrow }),
  ])
)

/** More of something: levels mixed, a third message for the two identifiers, a second loss. */
export const further: ReadonlyArray<Setting> = [
  setting([2, 1], { publisherLevel: 3, subscriberLevel: 5 }),
  setting([1, 2], { publisherLevel: 5, subscriberLevel: 3 }),
  setting([2, 2], { publisherLevel: 4, subscriberLevel: 5, receiveMaximum: 1 }),
  setting([2, 2], { publisherLevel: 5, subscriberLevel: 4, inflightCountMax: 1 }),
  setting([2, 2, 2]),
  setting([1, 2, 1]),
  setting([2, 1, 2], level4),
  setting([1, 1, 1], narrow),
  setting([2, 2, 2], { subscriberReceiveMaximums: [2, 1, 2] }),
  setting([2, 2], { losses: 2 }),
  setting([1, 2], { losses: 2 }),
  setting([1, 1], { losses: 2, granted: 1 }),
  setting([2, 2], { losses: 2, subscriberReceiveMaximums: [2, 1, 2] }),
]

/** A few, for whoever has to be quick, in which every mutant shows itself. */
export const quick: ReadonlyArray<Setting> = [
  setting([2, 2]),
  setting([1, 2, 1]),
  setting([1, 1], level4),
  setting([2, 2, 2], { subscriberReceiveMaximums: [2, 1, 2] }),
]
