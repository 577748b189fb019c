// What every client library and tool is told to do, at every level of the protocol. A message that
// must not arrive is proved absent by a later one that does: the broker keeps their order.

import { same } from './expect.ts'
import type { Family, Listener, Wish } from './family.ts'
import type { Row, Stage } from './row.ts'
import type { Level, Qos } from './wire.ts'

const levels: ReadonlyArray<Level> = [3, 4, 5]
const qoses: ReadonlyArray<Qos> = [0, 1, 2]
const levelNames = new Map<Level, string>([[3, '3.1'], [4, '3.1.1'], [5, '5']])

type Play = (stage: Stage, tools: Tools) => Promise<void>

/**
 * Rows with a broker to themselves. Whoever listens to # beside the other rows has megabytes to
 * read, and at QoS 0 the broker rightly drops what a slow reader does not take.
 */
const solitary: ReadonlySet<string> = new Set(['wildcards, the parent of #, $ kept out'])

/** The family's verbs with the level and the broker filled in. */
class Tools {
  readonly family: Family
  readonly level: Level
  private readonly stage: Stage

  constructor(stage: Stage, family: Family, level: Level) {
    this.stage = stage
    this.family = family
    this.level = level
  }

  private wish(name: string, more: Partial<Wish>): Wish {
    return { level: this.level, port: this.stage.broker.port, id: this.stage.own(name), ...more }
  }

  async listen(
    name: string,
    filters: ReadonlyArray<string>,
    qos: Qos,
    more: Partial<Wish> = {},
  ): Promise<Listener> {
    const listener = await this.family.listen(this.wish(name, more), filters, qos)
    this.stage.afterwards(() => {
      // Whoever is gone already cannot be ended again, and nobody waits for the others.
      listener.abort().catch(() => {})
    })
    return listener
  }

  say(topic: string, payload: string | ReadonlyArray<string>, qos: Qos, retain = false) {
    const payloads = typeof payload === 'string' ? [payload] : payload
    return this.family.publish(this.wish('speaker', {}), topic, payloads, qos, retain)
  }
}

const payloads = (listener: Listener): string[] =>
  listener.messages.map(({ payload }) => payload)

const plays: ReadonlyArray<readonly [name: string, play: Play]> = [
  [
    'QoS 0, 1 and 2 in both directions',
    async (stage, tools) => {
      const listeners: Listener[] = []
      for (const qos of qoses) {
        listeners.push(await tools.listen(`q${qos}`, [stage.own('t')], qos))
      }
      for (const qos of qoses) await tools.say(stage.own('t'), `${qos}`, qos)
      for (const [granted, listener] of listeners.entries()) {
        await listener.heard(3)
        same(
          listener.messages.map(({ payload, qos }) => `${payload} at ${qos}`),
          qoses.map((qos) => `${qos} at ${Math.min(qos, granted)}`),
          `heard at QoS ${granted}`,
        )
      }
    },
  ],
  [
    'wildcards, the parent of #, $ kept out',
    async (stage, tools) => {
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
  ],
  [
    'retained: delivered with the flag, live without, cleared',
    async (stage, tools) => {
      const live = await tools.listen('live', [stage.own('t')], 1)
      await tools.say(stage.own('t'), 'kept', 1, true)
      const late = await tools.listen('late', [stage.own('t')], 1)
      await late.heard(1)
      await tools.say(stage.own('t'), '', 1, true)
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
  ],
  [
    'store and forward while the subscriber is away',
    async (stage, tools) => {
      const kept = { clean: false }
      const topic = stage.own('t')
      const first = await tools.listen('james bond', [topic], 1, kept)
      same(first.sessionPresent ?? false, false, 'session present, first')
      await first.disconnect()
      await tools.say(topic, '1', 1)
      await tools.say(topic, 'lost', 0)
      await tools.say(topic, ['2', '3'], 2)
      const second = await tools.listen('james bond', [topic], 1, kept)
      // MQTT 3.1 has no such flag.
      if (tools.level > 3) same(second.sessionPresent ?? true, true, 'session present, second')
      await second.heard(3)
      await tools.say(topic, 'live', 0)
      await second.heard(4)
      same(payloads(second), ['1', '2', '3', 'live'], 'heard')
      await second.disconnect()
    },
  ],
  [
    'retained and queued come twice',
    async (stage, tools) => {
      const kept = { clean: false }
      const topic = stage.own('t')
      const first = await tools.listen('away', [topic], 1, kept)
      await first.disconnect()
      await tools.say(topic, 'ret', 1, true)
      const second = await tools.listen('away', [topic], 1, kept)
      await second.heard(2)
      await tools.say(topic, '', 0, true)
      await second.heard(3)
      const shown = second.messages.map(({ payload, retain }) => `${payload}${retain ? ' r' : ''}`)
      same(shown, ['ret', 'ret r', ''], 'heard')
    },
  ],
  [
    'a will after an abort, none after DISCONNECT',
    async (stage, tools) => {
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
  ],
  [
    'a retained will',
    async (stage, tools) => {
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
      await tools.say(topic, '', 1, true)
    },
  ],
  [
    'take-over of a client identifier',
    async (stage, tools) => {
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
  ],
  [
    'two hundred messages in order at each QoS, and a large one',
    async (stage, tools) => {
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
  ],
  [
    'unsubscribing',
    async (stage, tools) => {
      const [a, b] = [stage.own('a'), stage.own('b')]
      const listener = await tools.listen('listener', [a, b], 1)
      if (listener.unsubscribe === null) return
      await tools.say(a, '1', 1)
      await listener.heard(1)
      await listener.unsubscribe([a])
      await tools.say(a, '2', 1)
      await tools.say(b, '3', 1)
      await listener.heard(2)
      same(payloads(listener), ['1', '3'], 'heard')
    },
  ],
  [
    'names and payloads beyond ASCII',
    async (stage, tools) => {
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
  ],
]

/** Every row for every family and level. */
export const clientRows = (families: ReadonlyArray<Family>): ReadonlyArray<Row> =>
  families.flatMap((family) =>
    levels.flatMap((level) =>
      plays
        // Only the tools of mosquitto have no way to unsubscribe from what they listen to.
        .filter(([name]) => name !== 'unsubscribing' || !family.name.startsWith('mosquitto'))
        .map(([name, play]): Row => ({
          name: `${name} (${family.name}, MQTT ${levelNames.get(level)})`,
          client: `${family.name}, MQTT ${levelNames.get(level)}`,
          ...(solitary.has(name) ? { alone: {} } : {}),
          play: (stage) => play(stage, new Tools(stage, family, level)),
        }))
    )
  )
