// One connection of Node's by its handle, as the driver knows it. All read into one buffer, since
// by default Node allocates 64 KiB for every read, and V8 marks its whole heap whenever 64 MiB of
// them have come together: at a gigabyte a second that is all that the other cores do.

import type { Peer } from '../../core/broker/input.ts'
import { Desk } from '../common/desk.ts'
import type { Ear } from '../common/driver.ts'
import type { Link } from '../common/link.ts'
import type { Wire } from '../common/outbox.ts'
import { hasWritten, readCount, shutdown, UV_EOF, writeRequest } from './node-handles.ts'
import type { Handle, WriteRequest } from './node-handles.ts'

/** What all connections read into; good until the next read of any of them. */
const readBuffer = Buffer.allocUnsafeSlow(64 * 1024)

const desk = new Desk((bytes) => Buffer.allocUnsafeSlow(bytes))

// The kernel takes nearly every write at once, and then the request for it is as it was.
let spare: WriteRequest | null = null

class HandleWire implements Wire {
  private readonly handle: Handle
  private readonly driver: Ear
  link!: Link
  /** Something of the desk is lent to the driver for this connection. */
  private isBorrowing = false

  constructor(handle: Handle, driver: Ear) {
    this.handle = handle
    this.driver = driver
  }

  write(bytes: Uint8Array): boolean {
    const request = spare ?? writeRequest()
    const status = this.handle.writeBuffer(request, bytes)
    if (status === 0 && hasWritten()) {
      spare = request
      return true
    }
    spare = null
    if (status !== 0) {
      // Not within its own call, like whatever else a socket has to say.
      setImmediate(() => this.driver.closed(this.link, 'failed'))
      return false
    }
    // Which keeps the bytes from the collector, too.
    request.oncomplete = (later) => {
      if (later === 0) this.driver.taken(this.link, bytes.length)
      else this.driver.closed(this.link, 'failed')
    }
    return false
  }

  pause(): void {
    this.handle.readStop()
  }

  resume(): void {
    this.handle.readStart()
  }

  released(): void {
    if (!this.isBorrowing) return
    this.isBorrowing = false
    desk.takeBack()
  }

  end(): void {
    shutdown(this.handle)
  }

  destroy(): void {
    this.handle.close()
  }

  /** So many bytes are in the buffer of all; none more will come where it is below 0. */
  read(count: number): void {
    const { driver, link } = this
    if (count < 0) return driver.closed(link, count === UV_EOF ? 'closed' : 'failed')
    if (count === 0 || driver.absorbed(link, readBuffer, 0, count)) return
    const start = desk.copy(readBuffer, count)
    const lent = driver.received(link, desk.sheet, start, start + count)
    if (!lent) return
    if (!this.isBorrowing) {
      this.isBorrowing = true
      desk.lend()
    }
    driver.relieve()
  }
}

function onRead(this: Handle): void {
  this.reader!.read(readCount())
}

/** Tells the driver of a connection that has been accepted, and begins to read. */
export const couple = (driver: Ear, handle: Handle, listener: string, peer: Peer): void => {
  const wire = new HandleWire(handle, driver)
  wire.link = driver.opened(wire, listener, peer)
  handle.reader = wire
  handle.useUserBuffer(readBuffer)
  handle.onread = onRead
  handle.readStart()
}
