// TCP on Node: accepts connections and couples each socket with a link of the driver.

import { closeSync, openSync } from 'node:fs'
import { createServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import { openFilesMax } from './host.ts'
import type { Driver, Link } from '../common/driver.ts'
import type { Log } from '../common/log.ts'
import type { Wire } from '../common/outbox.ts'
import { ListenError } from '../common/start.ts'
import type { Listener, ListenReason } from '../common/start.ts'

const backlog = 4096

/** A socket that knows its wire, so that event handlers need no closure per connection. */
type Wired = Socket & { wire: SocketWire }

class SocketWire implements Wire {
  private readonly socket: Socket
  readonly driver: Driver
  link!: Link
  private flyingBytes = 0
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

  /** Every chunk that Node reads has memory of its own. */
  released(): void {}

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
  private afterWrite(): void {
    const count = this.flyingBytes
    if (count === 0 || this.socket.writableLength > 0) return
    this.flyingBytes = 0
    this.driver.taken(this.link, count)
  }
}

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

// When accepting fails for good, it is tried again after this time.
const acceptPauseMs = 100

// From so many descriptors below the limit on, it is worth looking whether any is left.
const descriptorsNear = 128

/**
 * Tells once when no file descriptor is left. Node itself cannot: libuv then accepts and closes
 * what is waiting, without a word to anybody and without spinning.
 */
class Descriptors {
  private readonly log: Log
  private readonly max: number
  private none = false

  constructor(log: Log) {
    this.log = log
    this.max = openFilesMax()
  }

  /** After a connection has been accepted, with the number of those that are open. */
  check(connections: number): void {
    if (connections < this.max - descriptorsNear && !this.none) return
    const none = !isOneLeft()
    if (none && !this.none) {
      this.log.warn(
        `No file descriptor is left with ${connections} connections open: new ones are turned ` +
          'away. Raise the limit (ulimit -n).',
      )
    }
    this.none = none
  }
}

const isOneLeft = (): boolean => {
  try {
    closeSync(openSync('/dev/null', 'r'))
    return true
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'EMFILE')
  }
}

const accept = (driver: Driver, socket: Socket, listener: string): void => {
  const wire = new SocketWire(socket, driver)
  const wired = Object.assign(socket, { wire })
  const peer = { address: socket.remoteAddress ?? 'unknown', port: socket.remotePort ?? 0 }
  wire.link = driver.opened(wire, listener, peer)
  // 'close' is heard too, since a socket may be destroyed without an 'end' and without an 'error'.
  wired.on('error', onFailure)
  wired.on('close', onFailure)
  wired.on('end', onEnd)
  wired.on('data', onData)
}

/** Listens on one address; rejects with a ListenError. Port 0 takes any free one. */
export const listen = (
  driver: Driver,
  log: Log,
  host: string,
  port: number,
): Promise<Listener> =>
  new Promise((resolve, reject) => {
    let name = String(port)
    let closed = false
    let pause: NodeJS.Timeout | null = null
    const descriptors = new Descriptors(log)
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      accept(driver, socket, name)
      descriptors.check(driver.connections)
    })
    const address = { host, port, backlog, ipv6Only: host.includes(':') }
    const close = (): void => {
      closed = true
      if (pause !== null) clearTimeout(pause)
      server.close()
    }
    const onError = (error: Error): void => {
      if (pause !== null || closed) return
      log.warn(`Accepting on port ${name} pauses: ${error.message}`)
      // Node cannot leave connections waiting, so the only pause is not to listen.
      server.close()
      pause = setTimeout(() => {
        pause = null
        server.listen({ ...address, port: Number(name) })
      }, acceptPauseMs)
    }
    const onFailure = (error: Error): void => reject(listenErrorOf(error))
    server.once('error', onFailure)
    server.once('listening', () => {
      const chosen = portOf(server)
      name = String(chosen)
      server.off('error', onFailure)
      server.on('error', onError)
      resolve({ port: chosen, close })
    })
    server.listen(address)
  })

const portOf = (server: Server): number => {
  const address = server.address()
  return address === null || typeof address === 'string' ? 0 : address.port
}

const reasons: { readonly [code: string]: ListenReason } = {
  EADDRINUSE: 'in use',
  EADDRNOTAVAIL: 'not available',
  EAFNOSUPPORT: 'not available',
  EACCES: 'not allowed',
  EPERM: 'not allowed',
}

const listenErrorOf = (error: NodeJS.ErrnoException): ListenError =>
  new ListenError(reasons[error.code ?? ''] ?? 'failed', error.message)
