// Which feature of MQTT is tried with which client: every cell is either a row that is played or
// the reason why that client cannot do it. clients.test.ts holds the README and the rows to it.

import type { FamilyName } from './family.ts'
import type { Level } from './wire.ts'

export interface Feature {
  /** The levels of the protocol that have it. */
  readonly levels: ReadonlyArray<Level>
  /** Why a family cannot speak it. */
  readonly cannot?: { readonly [family in FamilyName]?: string }
}

const all: Feature = { levels: [3, 4, 5] }
const newer: Feature = { levels: [4, 5] }
const five: Feature = { levels: [5] }

const mosquitto = 'mosquitto_sub and mosquitto_pub'
const paho = 'Paho for Python'

const features = {
  'QoS 0, 1 and 2 in both directions': all,
  'wildcards, the parent of #, $ kept out': all,
  'a topic that begins with $': all,
  'retained: delivered with the flag, live without, cleared': all,
  'a clean session forgets what was kept': all,
  'retained and queued come twice': all,
  'store and forward while the subscriber is away': all,
  'a will after an abort, none after DISCONNECT': all,
  'a retained will': all,
  'wills of each QoS': all,
  'take-over of a client identifier': all,
  'two hundred messages in order at each QoS, and a large one': all,
  'unsubscribing': all,
  'unsubscribing, and on with the same connection': {
    ...all,
    cannot: { [mosquitto]: 'it unsubscribes only when it connects' },
  },
  'names and payloads beyond ASCII': all,
  'empty payloads': all,
  'keep alive': all,
  'user name and password': all,
  'a client identifier from the broker': newer,
  'shared subscriptions': newer,
  'reason codes in SUBACK': newer,
  'reason codes in UNSUBACK': { ...five, cannot: { [mosquitto]: 'it does not print them' } },
  'reason codes in PUBACK': { ...five, cannot: { [paho]: 'it does not pass them on' } },
  // mosquitto_sub can ask for 0 and 2 of the three.
  'retain handling': five,
  'retain as published': five,
  'no local': { ...five, cannot: { [mosquitto]: 'it has no option for it' } },
  'a subscription identifier': five,
  'subscription identifiers of overlapping subscriptions': {
    ...five,
    cannot: { [mosquitto]: 'it prints only the first' },
  },
  'properties of a message, user properties in order': five,
  'a question and its answer': five,
  'message expiry is counted down': five,
  'topic aliases from the client': five,
  'topic aliases towards the client': {
    ...five,
    cannot: { [mosquitto]: 'it takes an empty topic for an error' },
  },
  'session expiry': five,
  'session expiry changed by DISCONNECT': five,
  'the reason of DISCONNECT from the broker': {
    ...five,
    cannot: { [paho]: 'it overlooks a reason without a reason string' },
  },
  'a reason string in DISCONNECT': { ...five, cannot: { [mosquitto]: 'it does not print it' } },
  'what CONNACK announces': { ...five, cannot: { [mosquitto]: 'it does not print it' } },
  'being sent to another server': five,
  'a will with a delay': five,
  'a will with properties': five,
  'DISCONNECT with will': five,
  'receive maximum': five,
  'maximum packet size': five,
  'server keep alive': { ...five, cannot: { [paho]: 'it keeps to its own keep alive' } },
  'enhanced authentication': {
    ...five,
    cannot: { [mosquitto]: 'it answers no challenge', [paho]: 'it takes AUTH for an error' },
  },
} as const satisfies { readonly [name: string]: Feature }

export type FeatureName = keyof typeof features

export const featureTable: ReadonlyArray<readonly [FeatureName, Feature]> = Object.entries(features)
  .map(([name, feature]) => [name as FeatureName, feature])

export const familyNames: ReadonlyArray<FamilyName> = [mosquitto, paho, 'MQTT.js']

const levelNames = new Map<Level, string>([[3, '3.1'], [4, '3.1.1'], [5, '5']])

const levelName = (level: Level): string => levelNames.get(level) ?? ''

/** The end of a row's name. */
export const clientName = (family: FamilyName, level: Level): string =>
  `${family}, MQTT ${levelName(level)}`

const cell = ({ levels, cannot }: Feature, family: FamilyName): string =>
  cannot?.[family] ?? levels.map(levelName).join(', ')

/** The table as the README shows it. */
export const readmeTable = (): string =>
  [
    `| feature | ${familyNames.join(' | ')} |`,
    `|---${'|---'.repeat(familyNames.length)}|`,
    ...featureTable.map(([name, feature]) =>
      `| ${name} | ${familyNames.map((family) => cell(feature, family)).join(' | ')} |`
    ),
  ].join('\n')
