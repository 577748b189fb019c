// A connection into a simulated world as a stream of Node, for client libraries that take one:
// `new MqttClient(() => connectStream(world, 'phone'), { timerVariant: world.timers })`.

import { Duplex } from 'node:stream'
import type { World } from './world.ts'
import { checkName, checkWorld } from './shapes.ts'

/**
 * Opens a connection; what is written arrives at the broker at once, or as late as `delay` says.
 * The world's faults find it by its name. What the broker sends waits in the stream until it is
 * read.
 */
export const connectStream = (world: World, name: string): Duplex => {
  checkName('connectStream', name)
  checkWorld(world)
  const stream = new Duplex({
    // As of a socket: when the broker has ended the connection nothing is left of it, and whoever
    // has it hears 'close'.
    allowHalfOpen: false,
    read: () => {},
    write: (chunk: Uint8Array, _encoding, done) => {
      connection.send(chunk)
      world.settle()
      done()
    },
    final: (done) => {
      connection.end()
      world.settle()
      done()
    },
    destroy: (error, done) => {
      // Nobody hears of it twice: a connection that is over stays so.
      connection.fail()
      world.settle()
      done(error)
    },
  })
  const connection = world.open(name, {
    bytes: (bytes) => stream.push(bytes),
    gone: (why) => {
      if (why === 'closed') stream.push(null)
      else stream.destroy()
    },
  })
  return stream
}
