// One connection of Node's by its socket, with what Node documents and nothing else: for a Node
// that gives nobody a handle (see node-handles.ts). Every chunk that is read has memory of its own.

import type { Socket } from 'node:net'
import type { Peer } from '../../core/broker/input.ts'
import type { Ear } from '../common/driver.ts'
import type { Link } from '../common/link.ts'
import type { Wire } from '../common/outbox.ts'

class SocketWire implements Wire {
  private readonly socket: Socket
  private readonly driver: Ear
  link!: Link
  private flyingBytes = 0

  constructor(socket: Socket, driver: Ear) {
    this.socket = socket
    this.driver = driver
  }

  write(bytes: Uint8Array): boolean {
    const { socket } = this
    socket.write(bytes, this.wrote)
    // Node tries to write at once; if nothing is left, the kernel has taken all.
    if (socket.writableLength === 0) return true
    this.flyingBytes = bytes.length
    return false
  }

  pause(): void {
    this.socket.pause()
  }

  resume(): void {
    this.socket.resume()
  }

  released(): void {
    // What was lent is nobody else's.
  }

  end(): void {
    this.socket.end()
  }

  destroy(): void {
    this.socket.destroy()
  }

  /**
   * Called for every write, and a little later also for one that was taken at once: by then another
   * may be under way, whose bytes must not be given back yet.
   */
  private readonly wrote = (): void => {
    const count = this.flyingBytes
    // Of what a socket that is destroyed has not written Node says that it went well.
    if (count === 0 || this.socket.writableLength > 0 || this.socket.destroyed) return
    this.flyingBytes = 0
    this.driver.taken(this.link, count)
  }
}

/** Tells the driver of a connection that has been accepted, and begins to read. */
export const coupleSocket = (
  driver: Ear,
  socket: Socket,
  listener: string,
  peer: Peer,
): void => {
  const wire = new SocketWire(socket, driver)
  const link = driver.opened(wire, listener, peer)
  wire.link = link
  const onFailure = (): void => driver.closed(link, 'failed')
  // 'close' is heard too, since a socket may be destroyed without an 'end' and without an 'error'.
  socket.on('error', onFailure)
  socket.on('close', onFailure)
  socket.on('end', () => driver.closed(link, 'closed'))
  socket.on('data', (chunk) => {
    if (driver.received(link, chunk, 0, chunk.length)) driver.relieve()
  })
}
