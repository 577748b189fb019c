// One connection of Node's, as the driver knows it.

import type { Socket } from 'node:net'
import type { Peer } from '../../core/broker/input.ts'
import { Desk } from '../common/desk.ts'
import type { Driver, Link } from '../common/driver.ts'
import type { Wire } from '../common/outbox.ts'
import { readBuffer, readInto } from './node-reading.ts'

const desk = new Desk((bytes) => Buffer.allocUnsafeSlow(bytes))

/** A socket that knows its wire, so that event handlers need no closure per connection. */
type Wired = Socket & { wire: SocketWire }

class SocketWire implements Wire {
  private readonly socket: Socket
  readonly driver: Driver
  link!: Link
  private flyingBytes = 0
  /** Something of the desk is lent to the driver for this connection. */
  private isBorrowing = false
  /** Made at the first write, then the same for all. */
  private wrote: (() => void) | null = null

  constructor(socket: Socket, driver: Driver) {
    this.socket = socket
    this.driver = driver
  }

  write(bytes: Uint8Array): boolean {
    const { socket } = this
    this.wrote ??= () => this.afterWrite()
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
    if (!this.isBorrowing) return
    this.isBorrowing = false
    desk.takeBack()
  }

  end(): void {
    this.socket.end()
  }

  destroy(): void {
    this.socket.destroy()
  }

  /** So many bytes are in the buffer that all sockets share. */
  read(count: number): void {
    const { driver, link } = this
    if (driver.absorbed(link, readBuffer, 0, count)) return
    const start = desk.copy(readBuffer, count)
    const lent = driver.received(link, desk.sheet, start, start + count)
    if (!lent || this.isBorrowing) return
    this.isBorrowing = true
    desk.lend()
  }

  /**
   * Called for every write, and a little later also for one that was taken at once: by then another
   * may be under way, whose bytes must not be given back yet.
   */
  private afterWrite(): void {
    const count = this.flyingBytes
    if (count === 0 || this.socket.writableLength > 0) return
    this.flyingBytes = 0
    this.driver.taken(this.link, count)
  }
}

function onRead(this: Wired, count: number): boolean {
  this.wire.read(count)
  return true
}

/** Without the buffer of all: every chunk that Node reads has memory of its own. */
function onData(this: Wired, chunk: Buffer): void {
  const { wire } = this
  wire.driver.received(wire.link, chunk, 0, chunk.length)
}

function onEnd(this: Wired): void {
  this.wire.driver.closed(this.wire.link, 'closed')
}

function onFailure(this: Wired): void {
  this.wire.driver.closed(this.wire.link, 'failed')
}

/** Tells the driver of a connection that has been accepted, and begins to read. */
export const couple = (driver: Driver, socket: Socket, listener: string, peer: Peer): void => {
  const wire = new SocketWire(socket, driver)
  const wired = Object.assign(socket, { wire })
  wire.link = driver.opened(wire, listener, peer)
  // 'close' is heard too, since a socket may be destroyed without an 'end' and without an 'error'.
  wired.on('error', onFailure)
  wired.on('close', onFailure)
  wired.on('end', onEnd)
  if (readInto(wired, onRead)) wired.resume()
  else wired.on('data', onData)
}
