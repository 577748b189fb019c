// What the clients are told to do that only MQTT 5 has, once they are connected.

import { holds, same, sleep } from './expect.ts'
import type { Listener, Properties } from './family.ts'
import { payloads } from './tools.ts'
import type { Plays } from './tools.ts'

/** Properties in one order, whatever the client's own. */
const shown = (properties: Properties | undefined): ReadonlyArray<unknown> => [
  properties?.payloadFormat,
  properties?.contentType,
  properties?.responseTopic,
  properties?.correlationData,
  properties?.user,
]

const carried: Properties = {
  payloadFormat: 1,
  contentType: 'text/plain',
  responseTopic: 'answer/here',
  correlationData: 'number-7',
  // The names are not in the order of the alphabet, and one has two values.
  user: [['who', 'me'], ['who', 'you'], ['at', 'home']],
}

/** How many PUBLISH packets had been received at once and not been answered to the end. */
const inFlightPeak = (trace: ReadonlyArray<string>): number => {
  let [open, peak] = [0, 0]
  for (const packet of trace) {
    if (packet === 'received PUBLISH') peak = Math.max(peak, ++open)
    if (packet === 'sent PUBCOMP') open--
  }
  return peak
}

const propertyPlays = {
  'properties of a message, user properties in order': async (stage, tools) => {
    const listener = await tools.listen('listener', [stage.own('t')], 1)
    await tools.say(stage.own('t'), 'x', 1, { properties: carried })
    await tools.say(stage.own('t'), 'kept', 1, { properties: carried, retain: true })
    await listener.heard(2)
    const late = await tools.listen('late', [stage.own('t')], 1)
    await late.heard(1)
    const all = [...listener.messages, ...late.messages]
    same(all.map(({ properties }) => shown(properties)), all.map(() => shown(carried)), 'heard')
    await tools.say(stage.own('t'), '', 1, { retain: true })
  },
  'a question and its answer': async (stage, tools) => {
    const asker = await tools.listen('asker', [stage.own('answer')], 1)
    const responder = await tools.listen('responder', [stage.own('question')], 1)
    await tools.say(stage.own('question'), 'why', 1, {
      properties: { responseTopic: stage.own('answer'), correlationData: 'seven' },
    })
    const [question] = await responder.heard(1)
    const { responseTopic = '', correlationData } = question?.properties ?? {}
    await tools.say(responseTopic, 'because', 1, { properties: { correlationData } })
    const [answer] = await asker.heard(1)
    same([answer?.payload, answer?.properties.correlationData], ['because', 'seven'], 'answer')
  },
  'message expiry is counted down': async (stage, tools) => {
    const kept = { clean: false }
    const [long, short] = [stage.own('long'), stage.own('short')]
    const first = await tools.listen('away', [long, short], 1, kept)
    await first.disconnect()
    await tools.say(short, 'late', 1, { properties: { expiryS: 1 } })
    await tools.say(long, 'in time', 1, { properties: { expiryS: 100 } })
    // Time enough, however busy the machine is, since it can only become longer.
    await sleep(2_500)
    const second = await tools.listen('away', [long, short], 1, kept)
    await second.heard(1)
    await tools.say(short, 'end', 1)
    await second.heard(2)
    same(payloads(second), ['in time', 'end'], 'heard')
    const left = second.messages[0]?.properties.expiryS ?? 0
    holds(left > 80 && left < 100, 'seconds left', '81 to 99', left)
  },
  'a subscription identifier': async (stage, tools) => {
    const order = { subscriptionId: 7 }
    const listener = await tools.listen('listener', [stage.own('a'), stage.own('b')], 1, {}, order)
    await tools.say(stage.own('a'), 'a', 1)
    await tools.say(stage.own('b'), 'b', 1)
    await listener.heard(2)
    same(listener.messages.map(({ properties }) => properties.subscriptionIds), [[7], [7]], 'heard')
  },
  'subscription identifiers of overlapping subscriptions': async (stage, tools) => {
    const kept = { clean: false }
    const first = await tools.listen('both', [stage.own('#')], 1, kept, { subscriptionId: 7 })
    await first.disconnect()
    const order = { subscriptionId: 200_000 }
    const second = await tools.listen('both', [stage.own('t')], 1, kept, order)
    await tools.say(stage.own('t'), 'x', 1)
    await second.heard(1)
    const ids = second.messages.flatMap(({ properties }) => properties.subscriptionIds ?? [])
    same(ids.toSorted((a, b) => a - b), [7, 200_000], 'identifiers in one message')
  },
  'topic aliases from the client': async (stage, tools) => {
    const listener = await tools.listen('listener', [stage.own('t')], 1)
    await tools.say(stage.own('t'), ['1', '2', '3'], 1, { properties: { topicAlias: 3 } })
    await listener.heard(3)
    same(
      listener.messages.map(({ topic, payload }) => [topic, payload]),
      ['1', '2', '3'].map((payload) => [stage.own('t'), payload]),
      'heard',
    )
  },
  'topic aliases towards the client': async (stage, tools) => {
    const listener = await tools.listen('listener', [stage.own('#')], 1, { topicAliasMaximum: 2 })
    for (const name of ['a', 'b', 'a', 'b']) await tools.say(stage.own(name), name, 1)
    await listener.heard(4)
    const seen = listener.messages
    same(
      seen.map(({ topic }) => topic),
      ['a', 'b', 'a', 'b'].map((name) => stage.own(name)),
      'topics',
    )
    same(seen.map(({ properties }) => properties.topicAlias), [1, 2, 1, 2], 'aliases')
  },
} satisfies Plays

const subscriptionPlays = {
  'retain handling': async (stage, tools) => {
    const topic = stage.own('t')
    await tools.say(topic, 'kept', 1, { retain: true })
    const kept = { clean: false }
    const { retainHandlings } = tools.family
    for (const retainHandling of retainHandlings) {
      const seen: number[] = []
      for (const round of [1, 2]) {
        const listener = await tools.listen(`${retainHandling}`, [topic], 1, kept, {
          retainHandling,
        })
        await tools.say(topic, `end ${round}`, 1)
        const heard = (): string[] => payloads(listener)
        for (let count = 1; !heard().includes(`end ${round}`); count++) await listener.heard(count)
        // Not what it shows: mosquitto_sub keeps retained messages to itself when it wants none.
        seen.push(listener.trace.filter((packet) => packet === 'received PUBLISH').length)
        await listener.disconnect()
      }
      const expected = [[2, 2], [2, 1], [1, 1]][retainHandling]
      same(seen, expected, `messages with retain handling ${retainHandling}, twice`)
    }
    await tools.say(topic, '', 1, { retain: true })
  },
  'retain as published': async (stage, tools) => {
    const order = { retainAsPublished: true }
    const as = await tools.listen('as', [stage.own('t')], 1, {}, order)
    const not = await tools.listen('not', [stage.own('t')], 1)
    await tools.say(stage.own('t'), 'kept', 1, { retain: true })
    await tools.say(stage.own('t'), 'live', 1)
    const flags = async (listener: Listener) =>
      (await listener.heard(2)).map(({ retain }) => retain)
    same([await flags(as), await flags(not)], [[true, false], [false, false]], 'retain flags')
    await tools.say(stage.own('t'), '', 1, { retain: true })
  },
  'no local': async (stage, tools) => {
    const topic = stage.own('t')
    const order = { noLocal: true }
    const deaf = await tools.listen('deaf', [topic], 1, {}, order)
    const echo = await tools.listen('echo', [topic], 1)
    await deaf.publish?.(topic, 'by deaf')
    await echo.publish?.(topic, 'by echo')
    await echo.heard(2)
    await deaf.heard(1)
    await tools.say(topic, 'end', 1)
    await deaf.heard(2)
    same(payloads(deaf), ['by echo', 'end'], 'heard with no local')
    same(payloads(echo).slice(0, 2), ['by deaf', 'by echo'], 'heard without')
  },
  'reason codes in UNSUBACK': async (stage, tools) => {
    const listener = await tools.listen('listener', [stage.own('t')], 1)
    same(
      await listener.unsubscribe?.([stage.own('t'), stage.own('never')]),
      [0, 0x11],
      'UNSUBACK',
    )
  },
  'reason codes in PUBACK': async (stage, tools) => {
    // Whoever listens to # in another row is not sent this.
    const topic = `$${stage.own('t')}`
    same(await tools.say(topic, 'nobody', 1), [0x10], 'PUBACK without a subscriber')
    await tools.listen('listener', [topic], 1)
    same(await tools.say(topic, 'somebody', 1), [0], 'PUBACK with one')
  },
} satisfies Plays

const willAndLimitPlays = {
  'a will with a delay': async (stage, tools) => {
    const topic = stage.own('will')
    const heir = await tools.listen('heir', [topic], 1)
    const kept = { clean: false }
    const order = (payload: string, delayS: number) => ({
      ...kept,
      will: { topic, payload, delayS },
    })
    const back = await tools.listen('back', [stage.own('x')], 0, order('came back', 4))
    await back.abort()
    await tools.listen('back', [stage.own('x')], 0, kept)
    // Due after the other one, so that the other one, were it published, would come before.
    const killed = await tools.listen('killed', [stage.own('x')], 0, order('stayed away', 5))
    await killed.abort()
    await tools.say(topic, 'before', 1)
    await heir.heard(2)
    same(payloads(heir), ['before', 'stayed away'], 'heard')
  },
  'a will with properties': async (stage, tools) => {
    const topic = stage.own('will')
    const heir = await tools.listen('heir', [topic], 1)
    const properties = { ...carried, expiryS: 100 }
    const will = { topic, payload: 'gone', properties }
    const killed = await tools.listen('killed', [stage.own('x')], 0, { will })
    await killed.abort()
    const [heard] = await heir.heard(1)
    same(shown(heard?.properties), shown(carried), 'properties of the will')
    const left = heard?.properties.expiryS ?? 0
    holds(left > 80 && left <= 100, 'seconds left', '81 to 100', left)
  },
  'DISCONNECT with will': async (stage, tools) => {
    const topic = stage.own('will')
    const heir = await tools.listen('heir', [topic], 1)
    const will = { topic, payload: 'goodbye' }
    const leaving = await tools.listen('leaving', [stage.own('x')], 0, { will })
    await leaving.disconnectWithWill()
    await heir.heard(1)
    same(payloads(heir), ['goodbye'], 'heard')
  },
  'receive maximum': async (stage, tools) => {
    const kept = { clean: false, receiveMaximum: 1 }
    const topic = stage.own('t')
    const first = await tools.listen('listener', [topic], 2, kept)
    await first.disconnect()
    const batch = Array.from({ length: 10 }, (_, index) => `${index}`)
    await tools.say(topic, batch, 2)
    const second = await tools.listen('listener', [topic], 2, kept)
    await second.heard(10)
    same(payloads(second), batch, 'heard')
    same(inFlightPeak(second.trace), 1, 'in flight at once')
  },
  'maximum packet size': async (stage, tools) => {
    const more = { packetBytesMax: 200 }
    const listener = await tools.listen('listener', [stage.own('t')], 1, more)
    await tools.say(stage.own('t'), 'x'.repeat(200), 1)
    await tools.say(stage.own('t'), 'small', 1)
    await listener.heard(1)
    same(payloads(listener), ['small'], 'heard')
  },
} satisfies Plays

export const fivePlays = { ...propertyPlays, ...subscriptionPlays, ...willAndLimitPlays }
