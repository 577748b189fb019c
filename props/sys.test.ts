// What the broker says of itself below `$SYS/broker/`: the topics of mosquitto, retained, at QoS 2,
// again where they changed, counted from what really came and went, and in nobody's way. That the
// values are right is the business of `model`, step for step.

import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Config } from '../core/broker/config.ts'
import { defaults } from '../core/broker/config.ts'
import type { Effect } from '../core/broker/effect.ts'
import * as I from '../core/broker/input.ts'
import { initial, type State } from '../core/broker/state.ts'
import { sysTopics } from '../core/broker/sys-topic.ts'
import * as B from '../core/data/bytes.ts'
import { decodeUtf8 } from '../core/codec/utf8.ts'
import { deadline, Packet, restore, run } from '../core/mod.ts'
import * as Tree from '../core/topic/tree.ts'
import { skipped } from './conformance/expect.ts'
import { freePort } from './free-port.ts'

const sys = suite('sys')

const wall = 1_800_000_003_000
const config: Config = { ...defaults, sysIntervalMs: 10_000 }

const textOf = ({ buffer, start, end }: B.Bytes): string => decodeUtf8(buffer, start, end) ?? '?'

/** A broker, and what it has published of itself, by topic without its beginning. */
class Desk {
  state: State
  now = 0
  readonly told = new Map<string, string[]>()
  writes = 0

  constructor(some: Partial<Config> = {}) {
    this.state = initial({ ...config, ...some }, { at: 0, wall, seed: 7 })
  }

  feed(...inputs: ReadonlyArray<I.Input>): ReadonlyArray<Effect> {
    const [state, effects] = run(this.state, inputs)
    this.state = state
    for (const effect of effects) {
      if (effect._tag === 'Persist') this.writes += effect.writes.length
      if (effect._tag !== 'Send' && effect._tag !== 'Multicast') continue
      const { packet } = effect
      if (packet._tag !== 'Publish' || !packet.topic.startsWith('$SYS/broker/')) continue
      const name = packet.topic.slice('$SYS/broker/'.length)
      this.told.set(name, [...this.told.get(name) ?? [], textOf(packet.payload)])
    }
    return effects
  }

  /** Time passes as a punctual shell lets it; answers how often it was asked to tick. */
  pass(ms: number): number {
    const until = this.now + ms
    let ticks = 0
    for (; deadline(this.state) <= until; ticks++) {
      this.now = Math.max(this.now, deadline(this.state))
      this.feed(I.ticked(this.now, wall + this.now))
      assert.ok(ticks < 10_000, 'it comes to an end')
    }
    this.now = until
    return ticks
  }

  client(slot: number, filter: string | null, qos: 0 | 1 | 2 = 0, aliasMax = 0): void {
    const conn = { slot, generation: 1 }
    const peer = { address: '127.0.0.1', port: 1 }
    this.feed(
      I.opened(conn, this.now, `N${slot}`, '1883', peer),
      I.arrived(
        conn,
        this.now,
        Packet.connect({
          clientId: `c${slot}`,
          keepAliveS: 0,
          properties: { topicAliasMaximum: aliasMax },
        }),
      ),
    )
    if (filter === null) return
    const subscribe = Packet.subscribe({ filter, qos })
    this.feed(I.arrived(conn, this.now, { ...subscribe, packetId: 1 }))
  }

  retained(name: string): string | null {
    const topic = sysTopics.find((one) => one === `$SYS/broker/${name}`)!
    const message = Tree.get(this.state.retained, topic)
    return message === undefined ? null : textOf(message.payload)
  }
}

sys('nothing is said by default, and nothing waits', () => {
  const desk = new Desk({ sysIntervalMs: 0 })
  assert.is(desk.pass(100_000), 0)
  assert.is(Tree.size(desk.state.retained), 0)
})

sys(
  'the first round is at once, the next ones are on the wall clock, and only what changed',
  () => {
    const desk = new Desk()
    desk.client(0, '$SYS/#')
    assert.is(deadline(desk.state), 0)
    desk.pass(6_999)
    assert.equal(desk.told.get('uptime'), ['0 seconds'])
    assert.equal(desk.told.get('clients/connected'), ['1'])
    desk.pass(1)
    assert.equal(desk.told.get('uptime'), ['0 seconds', '7 seconds'])
    desk.client(1, null)
    desk.pass(40_000)
    assert.equal(desk.told.get('uptime')!.slice(2), [17, 27, 37, 47].map((s) => `${s} seconds`))
    assert.equal(desk.told.get('clients/connected'), ['1', '2'])
    assert.equal(desk.told.get('version'), ['sabethes'])
  },
)

sys(
  'a rate that does not change is its own average in the end, and fades when nothing comes',
  () => {
    const desk = new Desk()
    const conn = { slot: 0, generation: 1 }
    desk.client(0, null)
    // Six a minute.
    for (let i = 0; i < 600; i++) {
      desk.feed(I.arrived(conn, desk.now, Packet.publish({ topic: 'a' })))
      desk.pass(10_000)
    }
    const six = (minutes: number): number =>
      Number(desk.retained(`load/publish/received/${minutes}min`))
    assert.is(six(1), 6)
    assert.is(six(5), 6)
    assert.ok(six(15) > 5.9 && six(15) <= 6, `${six(15)}`)
    desk.pass(60_000)
    // e to the power of -1 of it is left after a minute.
    assert.ok(Math.abs(six(1) - 6 * Math.exp(-1)) < 0.01, `${six(1)}`)
  },
)

sys('values are no burden on the limits of what clients retain', () => {
  const desk = new Desk({ retainedCountMax: 1, retainedBytesMax: 40 })
  desk.pass(1)
  assert.is(desk.state.retainedBytes, 0)
  desk.client(0, null)
  const publish = Packet.publish({ topic: 'a', payload: 'x', retain: true })
  desk.feed(I.arrived({ slot: 0, generation: 1 }, desk.now, publish))
  assert.ok(desk.state.retainedBytes > 0, 'there is room for one')
  desk.pass(30_000)
  assert.is(desk.retained('uptime'), '27 seconds')
})

sys('nothing of it is stored, so nothing stale comes back', () => {
  const desk = new Desk({ persistence: true })
  desk.pass(100_000)
  assert.is(desk.writes, 0)
  const [state] = restore(config, [], { at: 0, wall, seed: 7 })
  assert.is(Tree.size(state.retained), 0)
  assert.is(deadline(state), 0)
})

sys('a round with many sessions and many listeners is made of portions', () => {
  const desk = new Desk()
  for (let slot = 0; slot < 2_500; slot++) desk.client(slot, slot < 500 ? '$SYS/#' : null, 0, 1)
  const ticks: Array<number> = []
  const started = desk.now
  while (deadline(desk.state) <= started) {
    const effects = desk.feed(I.ticked(started, wall))
    ticks.push(effects.filter(({ _tag }) => _tag === 'Send' || _tag === 'Multicast').length)
  }
  assert.ok(ticks.length > 10, `${ticks.length} ticks`)
  assert.ok(Math.max(...ticks) <= 1_500, `${Math.max(...ticks)} at once`)
  assert.is(desk.retained('subscriptions/count'), '500')
  assert.is(desk.retained('clients/total'), '2500')
})

sys('a shared subscription is one of these, and no other, as in mosquitto', () => {
  const desk = new Desk()
  desk.client(0, '$share/g/a')
  desk.client(1, '$share/g/a')
  desk.client(2, 'b/#')
  desk.pass(1)
  assert.is(desk.retained('shared_subscriptions/count'), '2')
  assert.is(desk.retained('subscriptions/count'), '1')
})

sys('an interval that is taken away takes the values with it', () => {
  const desk = new Desk()
  desk.pass(1)
  assert.is(desk.retained('uptime'), '0 seconds')
  desk.feed(I.reconfigured(desk.now, { ...config, sysIntervalMs: 0 }))
  assert.is(Tree.size(desk.state.retained), 0)
  assert.is(desk.pass(100_000), 0)
  desk.feed(I.reconfigured(desk.now, config))
  desk.pass(1)
  assert.is(desk.retained('uptime'), '100 seconds')
})

const mosquitto = '/usr/sbin/mosquitto'
const hasMosquitto = spawnSync(mosquitto, ['-h']).error === undefined &&
  spawnSync('mosquitto_sub', ['--help']).error === undefined
if (!hasMosquitto) skipped('the topics of $SYS beside those of mosquitto', 'mosquitto')

/** In mosquitto 2.0, and here for want of a round: it has had more than one client by then. */
const later = ['clients/maximum']

/** New in mosquitto 2.1. */
const newer = ['connections/socket/count', 'packet/out/count', 'packet/out/bytes']

/** Not known in a core without a shell. */
const ofShell = ['heap/current', 'heap/maximum']

sys('the topics are those of mosquitto 2.0, and three of 2.1', async () => {
  if (!hasMosquitto) return
  const folder = mkdtempSync(join(tmpdir(), 'sabethes-sys-'))
  const port = String(await freePort())
  writeFileSync(join(folder, 'm.conf'), `listener ${port} 127.0.0.1\nallow_anonymous true\n`)
  const broker = spawn(mosquitto, ['-c', join(folder, 'm.conf')], { stdio: 'ignore' })
  try {
    let heard = ''
    // Somebody who comes early hears the first of them alone.
    for (let i = 0; i < 20 && !heard.includes('load/connections/15min'); i++) {
      await new Promise((resolve) => setTimeout(resolve, 100))
      const asked = ['-p', port, '-t', '$SYS/#', '-F', '%t', '-W', '1']
      heard = spawnSync('mosquitto_sub', asked, { encoding: 'utf8' }).stdout
    }
    const theirs = heard.trim().split('\n').map((one) => one.replace('$SYS/broker/', ''))
    const desk = new Desk()
    desk.pass(1)
    const ours = sysTopics.filter((one) => Tree.get(desk.state.retained, one) !== undefined)
      .map((one) => one.replace('$SYS/broker/', ''))
    assert.equal(ours.filter((one) => !theirs.includes(one)), [...later, ...newer])
    assert.equal(theirs.filter((one) => !ours.includes(one)), ofShell)
  } finally {
    broker.kill()
    rmSync(folder, { recursive: true, force: true })
  }
})

sys.run()
