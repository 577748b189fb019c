// What every client library and tool is told to do, as far as MQTT 3.1.1 has it. A message that
// must not arrive is proved absent by a later one that does: the broker keeps their order.

import { holds, same } from './expect.ts'
import { keepAliveS } from './family.ts'
import type { Listener } from './family.ts'
import { payloads, qoses } from './tools.ts'
import type { Plays } from './tools.ts'

export const commonPlays = {
  'QoS 0, 1 and 2 in both directions': async (stage, tools) => {
    const listeners: Listener[] = []
    for (const qos of qoses) {
      listeners.push(await tools.listen(`q${qos}`, [stage.own('t')], qos))
    }
    for (const qos of qoses) {
      await tools.say(stage.own('t'), `${qos}`, qos)
      // Nobody tells a publisher at QoS 0 that it has been heard, so that the next may overtake it.
      for (const listener of listeners) await listener.heard(qos + 1)
    }
    for (const [granted, listener] of listeners.entries()) {
      same(
        listener.messages.map(({ payload, qos }) => `${payload} at ${qos}`),
        qoses.map((qos) => `${qos} at ${Math.min(qos, granted)}`),
        `heard at QoS ${granted}`,
      )
    }
  },
  'wildcards, the parent of #, $ kept out': async (stage, tools) => {
    const plus = await tools.listen('plus', [stage.own('home/+/temp')], 0)
    const hash = await tools.listen('hash', [stage.own('test/#')], 1)
    const all = await tools.listen('all', ['#'], 0)
    await tools.say(`$${stage.own('hidden')}`, 'hidden', 1)
    await tools.say(stage.own('home/bedroom/temp'), '20', 1)
    await tools.say(stage.own('home/bedroom/humidity'), '55', 1)
    await tools.say(stage.own('test'), 'parent', 1)
    await tools.say(stage.own('test/a/b'), 'deep', 1)
    await tools.say(stage.own('home/kitchen/temp'), '21', 1)
    await plus.heard(2)
    await hash.heard(2)
    same(payloads(plus), ['20', '21'], 'home/+/temp')
    same(payloads(hash), ['parent', 'deep'], 'test/#')
    await all.heard(5)
    same(payloads(all), ['20', '55', 'parent', 'deep', '21'], '#')
  },
  'retained: delivered with the flag, live without, cleared': async (stage, tools) => {
    const live = await tools.listen('live', [stage.own('t')], 1)
    await tools.say(stage.own('t'), 'kept', 1, { retain: true })
    const late = await tools.listen('late', [stage.own('t')], 1)
    await late.heard(1)
    await tools.say(stage.own('t'), '', 1, { retain: true })
    const last = await tools.listen('last', [stage.own('t')], 1)
    await tools.say(stage.own('t'), 'end', 1)
    for (const listener of [live, late]) await listener.heard(3)
    await last.heard(1)
    const shown = (listener: Listener): string[] =>
      listener.messages.map(({ payload, retain }) => `${payload}${retain ? ' retain' : ''}`)
    same(shown(live), ['kept', '', 'end'], 'live')
    same(shown(late), ['kept retain', '', 'end'], 'late')
    same(shown(last), ['end'], 'after clearing')
  },
  'store and forward while the subscriber is away': async (stage, tools) => {
    const kept = { clean: false }
    const topic = stage.own('t')
    const first = await tools.listen('james bond', [topic], 1, kept)
    same(first.told?.sessionPresent ?? false, false, 'session present, first')
    await first.disconnect()
    const witness = await tools.listen('witness', [topic], 0)
    await tools.say(topic, '1', 1)
    await tools.say(topic, 'lost', 0)
    // Only then has the broker had it in time to lose it.
    await witness.heard(2)
    await tools.say(topic, ['2', '3'], 2)
    const second = await tools.listen('james bond', [topic], 1, kept)
    // MQTT 3.1 has no such flag.
    if (tools.level > 3) same(second.told?.sessionPresent ?? true, true, 'session present, second')
    await second.heard(3)
    await tools.say(topic, 'live', 0)
    await second.heard(4)
    same(payloads(second), ['1', '2', '3', 'live'], 'heard')
    await second.disconnect()
  },
  'a clean session forgets what was kept': async (stage, tools) => {
    const topic = stage.own('t')
    const first = await tools.listen('away', [topic], 1, { clean: false })
    await first.disconnect()
    await tools.say(topic, 'forgotten', 1)
    const clean = await tools.listen('away', [stage.own('other')], 1)
    same(clean.told?.sessionPresent ?? false, false, 'session present, clean')
    await tools.say(topic, 'not subscribed to any more', 1)
    await tools.say(stage.own('other'), 'other', 1)
    await clean.heard(1)
    same(payloads(clean), ['other'], 'heard by the clean one')
    await clean.disconnect()
    const last = await tools.listen('away', [topic], 1, { clean: false })
    same(last.told?.sessionPresent ?? false, false, 'session present, last')
    await tools.say(topic, 'end', 1)
    await last.heard(1)
    same(payloads(last), ['end'], 'heard by the last')
  },
  'retained and queued come twice': async (stage, tools) => {
    const kept = { clean: false }
    const topic = stage.own('t')
    const first = await tools.listen('away', [topic], 1, kept)
    await first.disconnect()
    await tools.say(topic, 'ret', 1, { retain: true })
    const second = await tools.listen('away', [topic], 1, kept)
    await second.heard(2)
    await tools.say(topic, '', 0, { retain: true })
    await second.heard(3)
    const shown = second.messages.map(({ payload, retain }) => `${payload}${retain ? ' r' : ''}`)
    same(shown, ['ret', 'ret r', ''], 'heard')
  },
  'a will after an abort, none after DISCONNECT': async (stage, tools) => {
    const heir = await tools.listen('heir', [stage.own('will')], 1)
    const will = (payload: string) => ({ will: { topic: stage.own('will'), payload } })
    const polite = await tools.listen('polite', [stage.own('x')], 0, will('polite'))
    await polite.disconnect()
    const killed = await tools.listen('killed', [stage.own('x')], 0, will('killed'))
    await killed.abort()
    for (let count = 1; !payloads(heir).includes('killed'); count++) await heir.heard(count)
    await tools.say(stage.own('will'), 'end', 1)
    for (let count = 2; !payloads(heir).includes('end'); count++) await heir.heard(count)
    const first = tools.family.disconnectsWithWill(tools.level) ? ['polite'] : []
    same(payloads(heir), [...first, 'killed', 'end'], 'heard')
  },
  'a retained will': async (stage, tools) => {
    const topic = stage.own('will')
    const heir = await tools.listen('heir', [topic], 1)
    const will = { topic, payload: 'offline', retain: true }
    const killed = await tools.listen('killed', [stage.own('x')], 0, { will })
    await killed.abort()
    await heir.heard(1)
    const late = await tools.listen('late', [topic], 1)
    await late.heard(1)
    const shown = late.messages.map(({ payload, retain }) => `${payload}${retain ? ' r' : ''}`)
    same(shown, ['offline r'], 'heard late')
    await tools.say(topic, '', 1, { retain: true })
  },
  'take-over of a client identifier': async (stage, tools) => {
    const first = await tools.listen('wanted', [stage.own('a')], 1)
    first.hold()
    const second = await tools.listen('wanted', [stage.own('b')], 1)
    await tools.say(stage.own('a'), 'a', 1)
    await tools.say(stage.own('b'), 'b', 1)
    await second.heard(1)
    same(payloads(second), ['b'], 'heard by the second')
    await first.gone()
    same(payloads(first), [], 'heard by the first')
  },
  'two hundred messages in order at each QoS, and a large one': async (stage, tools) => {
    const listener = await tools.listen('listener', [stage.own('#')], 2)
    const expected: string[] = []
    for (const qos of qoses) {
      const batch = Array.from({ length: 200 }, (_, index) => `${qos}-${index}`)
      expected.push(...batch)
      await tools.say(stage.own('t'), batch, qos)
      // What was published at QoS 0 may still be on its way when the next publisher begins.
      await listener.heard(expected.length)
    }
    same(payloads(listener), expected, 'heard')
    const large = 'sabethes '.repeat(11_000)
    await tools.say(stage.own('large'), large, 2)
    await listener.heard(expected.length + 1)
    same(payloads(listener)[expected.length] === large, true, 'the large one is unchanged')
  },
  'unsubscribing': async (stage, tools) => {
    const [a, b] = [stage.own('a'), stage.own('b')]
    const kept = { clean: false }
    const first = await tools.listen('listener', [a, b], 1, kept)
    await tools.say(a, '1', 1)
    await first.heard(1)
    await first.disconnect()
    const second = await tools.listen('listener', [b], 1, kept, { unsubscribe: [a] })
    await tools.say(a, '2', 1)
    await tools.say(b, '3', 1)
    await second.heard(1)
    same(payloads(second), ['3'], 'heard')
  },
  'unsubscribing, and on with the same connection': async (stage, tools) => {
    const [a, b] = [stage.own('a'), stage.own('b')]
    const listener = await tools.listen('listener', [a, b], 1)
    await tools.say(a, '1', 1)
    await listener.heard(1)
    await listener.unsubscribe?.([a])
    await tools.say(a, '2', 1)
    await tools.say(b, '3', 1)
    await listener.heard(2)
    same(payloads(listener), ['1', '3'], 'heard')
  },
  'a topic that begins with $': async (stage, tools) => {
    const topic = `$${stage.own('t')}`
    const listener = await tools.listen('listener', [`$${stage.own('+')}`], 1)
    await tools.say(topic, 'seen', 1)
    await listener.heard(1)
    same(listener.messages.map((message) => message.topic), [topic], 'heard')
  },
  'wills of each QoS': async (stage, tools) => {
    const topic = stage.own('will')
    const heir = await tools.listen('heir', [topic], 2)
    for (const [count, qos] of qoses.entries()) {
      const will = { topic, payload: `will ${qos}`, qos }
      const killed = await tools.listen(`killed${qos}`, [stage.own('x')], 0, { will })
      await killed.abort()
      await heir.heard(count + 1)
    }
    same(
      heir.messages.map(({ payload, qos }) => `${payload} at ${qos}`),
      qoses.map((qos) => `will ${qos} at ${qos}`),
      'heard',
    )
  },
  'empty payloads': async (stage, tools) => {
    const listener = await tools.listen('listener', [stage.own('t')], 2)
    for (const [count, qos] of qoses.entries()) {
      await tools.say(stage.own('t'), '', qos)
      await listener.heard(count + 1)
    }
    same(
      listener.messages.map(({ payload, qos }) => [payload, qos]),
      [['', 0], ['', 1], ['', 2]],
      'heard',
    )
  },
  'keep alive': async (stage, tools) => {
    const listener = await tools.listen('listener', [stage.own('t')], 1, { keepAliveS })
    await listener.traced('sent PINGREQ')
    await listener.traced('received PINGRESP')
    await tools.say(stage.own('t'), 'alive', 1)
    await listener.heard(1)
    same(payloads(listener), ['alive'], 'heard')
  },
  'user name and password': async (stage, tools) => {
    const userName = 'user'
    const order = { userName, password: 'pencil' }
    const listener = await tools.listen(`friend${tools.level}`, [stage.own('t')], 1, order)
    same(listener.messages, [], 'heard')
    const wrong = await tools.refusal(`foe${tools.level}`, { userName, password: 'paper' })
    same(wrong.reason, tools.level === 5 ? 0x86 : 4, 'the wrong password')
    const nobody = await tools.refusal(`nobody${tools.level}`)
    same(nobody.reason, tools.level === 5 ? 0x86 : 4, 'no user name')
  },
  'a client identifier from the broker': async (stage, tools) => {
    const listener = await tools.nameless([stage.own('t')], 1)
    await tools.say(stage.own('t'), 'heard', 1)
    await listener.heard(1)
    if (tools.level < 5) return
    const other = await tools.nameless([stage.own('t')], 1)
    holds((listener.id ?? '').length > 10, 'the identifier', 'something', listener.id)
    holds(listener.id !== other.id, 'identifiers', 'different ones', [listener.id, other.id])
  },
  'shared subscriptions': async (stage, tools) => {
    const members: Listener[] = []
    for (const name of ['a', 'b']) {
      members.push(await tools.listen(name, [`$share/g/${stage.own('t')}`], 1))
    }
    const whole = await tools.listen('whole', [stage.own('t')], 1)
    const batch = Array.from({ length: 10 }, (_, index) => `${index}`)
    await tools.say(stage.own('t'), batch, 1)
    await whole.heard(10)
    // Turn by turn, so each of the two waits for its half.
    for (const member of members) await member.heard(5)
    same(payloads(whole), batch, 'whoever does not share')
    same(members.flatMap(payloads).sort(), batch, 'the members together')
  },
  'reason codes in SUBACK': async (stage, tools) => {
    const [a, b] = [stage.own(`${tools.level}/a`), stage.own(`${tools.level}/b`)]
    const listener = await tools.ask(`listener${tools.level}`, [a, b], 2)
    same(listener.granted, [1, tools.level === 5 ? 0x97 : 0x80], 'SUBACK')
    await tools.say(b, 'refused', 1)
    await tools.say(a, 'granted', 1)
    await listener.heard(1)
    same(payloads(listener), ['granted'], 'heard')
  },
  'names and payloads beyond ASCII': async (stage, tools) => {
    const topic = stage.own('\u6e29\u5ea6/\u{1f99f}')
    const listener = await tools.listen('listener', [stage.own('\u6e29\u5ea6/+')], 1)
    await tools.say(topic, 'gr\u00fc\u00dfe \u{1f99f}', 1)
    await listener.heard(1)
    same(
      listener.messages.map((message) => [message.topic, message.payload]),
      [[topic, 'gr\u00fc\u00dfe \u{1f99f}']],
      'heard',
    )
  },
} satisfies Plays
