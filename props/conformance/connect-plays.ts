// What only MQTT 5 has about connections and their ends: what CONNACK tells, how long sessions
// last.

import { same, sleep } from './expect.ts'
import { outcomeOf } from './mqtt-js-scram.ts'
import { payloads } from './tools.ts'
import type { Plays } from './tools.ts'

/** What the broker of two features below is configured with, and what it announces of it. */
export const announced = {
  receiveMaximum: 7,
  maximumQos: 1,
  retainAvailable: false,
  packetBytesMax: 3_000,
  topicAliasMaximum: 5,
  wildcardAvailable: false,
  subscriptionIdentifiersAvailable: false,
  sharedAvailable: false,
} as const

export const connectPlays = {
  'session expiry': async (stage, tools) => {
    const topic = stage.own('t')
    const kept = { clean: false }
    const first = await tools.listen('away', [topic], 1, { ...kept, sessionExpiryS: 600 })
    await first.disconnect()
    await tools.say(topic, 'in time', 1)
    const second = await tools.listen('away', [topic], 1, { ...kept, sessionExpiryS: 1 })
    await second.heard(1)
    same(second.told?.sessionPresent ?? true, true, 'session present in time')
    await second.disconnect()
    await tools.say(topic, 'lost', 1)
    // Time enough for the second, however busy the machine is, since it can only become longer.
    await sleep(2_500)
    const third = await tools.listen('away', [topic], 1, kept)
    same(third.told?.sessionPresent ?? false, false, 'session present too late')
    await tools.say(topic, 'end', 1)
    await third.heard(1)
    same(payloads(third), ['end'], 'heard')
  },
  'session expiry changed by DISCONNECT': async (stage, tools) => {
    const topic = stage.own('t')
    const kept = { clean: false, sessionExpiryS: 600 }
    const first = await tools.listen('away', [topic], 1, { ...kept, sessionExpiryAtEndS: 0 })
    await first.disconnect()
    await tools.say(topic, 'lost', 1)
    const second = await tools.listen('away', [topic], 1, kept)
    same(second.told?.sessionPresent ?? false, false, 'session present')
    await tools.say(topic, 'end', 1)
    await second.heard(1)
    same(payloads(second), ['end'], 'heard')
  },
  'the reason of DISCONNECT from the broker': async (stage, tools) => {
    const first = await tools.listen('wanted', [stage.own('t')], 1)
    first.hold()
    await tools.listen('wanted', [stage.own('t')], 1)
    same((await first.gone()).reason, 0x8e, 'reason of being taken over')
  },
  'a reason string in DISCONNECT': async (stage, tools) => {
    const first = await tools.listen('wanted', [stage.own('t')], 1)
    first.hold()
    await tools.listen('wanted', [stage.own('t')], 1)
    const { reason, sentence } = await first.gone()
    same([reason, sentence], [0x8e, 'session taken over'], 'why it was taken over')
  },
  'what CONNACK announces': async (stage, tools) => {
    const listener = await tools.listen('listener', [stage.own('t')], 1, {
      responseInformationWanted: true,
    })
    const { told } = listener
    const seen = Object.keys(announced).map((key) => [key, told?.[key as keyof typeof announced]])
    same(Object.fromEntries(seen), announced, 'announced')
    same(told?.responseInformation, 'answers', 'response information')
  },
  'being sent to another server': async (_stage, tools) => {
    const { reason, told } = await tools.refusal('wanderer')
    same(reason, 0x9c, 'reason of CONNACK')
    if (told !== null) same(told.serverReference, 'other.example:1883', 'server reference')
  },
  'server keep alive': async (stage, tools) => {
    const listener = await tools.listen('listener', [stage.own('t')], 1, { keepAliveS: 600 })
    // The broker gives it half as much again.
    await listener.traced('received PINGRESP')
    await tools.say(stage.own('t'), 'alive', 1)
    await listener.heard(1)
    same(payloads(listener), ['alive'], 'heard')
  },
  'enhanced authentication': async (stage) => {
    same(await outcomeOf(stage, 'pencil'), 'connected', 'the right password')
    same(await outcomeOf(stage, 'paper'), 'refused 135', 'a wrong one')
  },
} satisfies Plays
