// One connection of Node's, as the driver knows it.

import { Socket } from 'node:net'
import type { Peer } from '../../core/broker/input.ts'
import { Desk } from '../common/desk.ts'
import type { Driver, Link } from '../common/driver.ts'
import type { Wire } from '../common/outbox.ts'

/**
 * What all sockets read into; good until the next read of any of them. By default Node allocates
 * 64 KiB for every read, and V8 marks its whole heap whenever 64 MiB of them have come together: at
 * a gigabyte a second that is all that the other cores do.
 */
export const readBuffer = Buffer.allocUnsafeSlow(64 * 1024)

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
    // A driver that is killed ends no turn any more.
    this.released()
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

/** What Node calls with the number of bytes that are now in `readBuffer`. */
type OnRead<S extends Socket> = (this: S, count: number) => boolean

// The option `onread` of a Socket says all this, but a server makes its sockets itself and passes
// nothing on. So what the constructor does with the option is done here, by the names that it uses;
// whatever is not as it was found in Node 20, 22 and 24 leaves the socket to its event 'data'.
const nameOf = (description: string): symbol | null => {
  const names = Object.getOwnPropertySymbols(new Socket())
  return names.find((name) => name.description === description) ?? null
}
const bufferName = nameOf('kBuffer')
const callbackName = nameOf('kBufferCb')

interface Handle {
  useUserBuffer(buffer: Uint8Array): void
}

const isHandle = (some: unknown): some is Handle =>
  typeof some === 'object' && some !== null && 'useUserBuffer' in some &&
  typeof some.useUserBuffer === 'function'

/**
 * Has a socket of a server read into `readBuffer` and call `onRead` in place of its event 'data'.
 * False: this Node has no such thing, and the socket is as it was.
 */
export const readInto = <S extends Socket>(socket: S, onRead: OnRead<S>): boolean => {
  if (bufferName === null || callbackName === null || !('_handle' in socket)) return false
  const { _handle } = socket
  if (!isHandle(_handle)) return false
  Object.assign(socket, { [bufferName]: readBuffer, [callbackName]: onRead })
  _handle.useUserBuffer(readBuffer)
  return true
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
