// A bridge of mosquitto's to the broker, as its users configure one: it comes in however it says
// what it is, messages go to and fro, and none of them twice.

import { skipped } from './expect.ts'
import { Peer } from './peer.ts'
import type { Row } from './row.ts'
import { isThere, start } from './subject.ts'

interface Way {
  readonly name: string
  /** Lines of its configuration. */
  readonly lines: ReadonlyArray<string>
  /** Whether messages go both ways; one that cannot say what it is would get its own back. */
  readonly isMutual: boolean
}

const ways: ReadonlyArray<Way> = [
  { name: 'as it is by default', lines: [], isMutual: true },
  { name: 'of MQTT 3.1', lines: ['bridge_protocol_version mqttv31'], isMutual: true },
  { name: 'of MQTT 5', lines: ['bridge_protocol_version mqttv50'], isMutual: true },
  {
    name: 'with a session that lasts',
    lines: ['cleansession false', 'remote_clientid lasting'],
    isMutual: true,
  },
  { name: 'that does not say that it is one', lines: ['try_private false'], isMutual: false },
]

const rowFor = ({ name, lines, isMutual }: Way): Row => ({
  name: `a bridge of mosquitto, ${name}`,
  // Its state is everybody's to see.
  alone: {},
  play: async (stage) => {
    if (!isThere('mosquitto')) return skipped('bridges of mosquitto', 'mosquitto')
    const prefix = stage.own('bridged')
    const near = await start('mosquitto', {
      lines: [
        'connection one',
        `address 127.0.0.1:${stage.broker.port}`,
        `topic ${prefix}/# ${isMutual ? 'both' : 'out'} 1`,
        'restart_timeout 1',
        ...lines,
      ],
    })
    stage.afterwards(() => near.stop())
    const there = await stage.client('there')
    await there.subscribe('$SYS/broker/connection/+/state', 1)
    await there.deliveries(1)
    await there.hasOnly(['1'], 'the state of the bridge')
    await there.subscribe(`${prefix}/#`, 1)
    const here = await Peer.dial(near.port)
    stage.afterwards(() => here.destroy())
    await here.connect({ id: 'here' })
    await here.subscribe(`${prefix}/#`, 1)
    await here.publish(`${prefix}/a`, 'from here', { qos: 1 })
    await there.deliveries(2)
    if (!isMutual) return there.hasOnly(['1', 'from here'], 'what came over the bridge')
    // What went round in circles would come before this, since nothing overtakes.
    await there.publish(`${prefix}/b`, 'from there', { qos: 1 })
    await here.deliveries(2)
    await here.hasOnly(['from here', 'from there'], 'what is seen on this side')
    await there.hasOnly(['1', 'from here', 'from there'], 'what is seen on the other')
  },
})

export const bridgeRows: ReadonlyArray<Row> = ways.map(rowFor)
