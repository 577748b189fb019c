// TCP and Unix sockets on Node: accepts connections and couples each with a link of the driver.

import { chmodSync, closeSync, openSync, statSync, unlinkSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import type { ListenOptions, Server, Socket } from 'node:net'
import process from 'node:process'
import { openFilesMax } from './host.ts'
import { peerOf, takeHandles } from './node-handles.ts'
import { coupleSocket } from './node-socket.ts'
import { couple } from './wire.ts'
import { E } from '../../core/prelude.ts'
import type { Peer } from '../../core/broker/input.ts'
import type { Driver } from '../common/driver.ts'
import type { Log } from '../common/log.ts'
import { ListenError } from '../common/listen.ts'
import type { Door, Listener, ListenReason } from '../common/listen.ts'
import { codeOf } from '../common/message.ts'
import { folderOf } from '../common/outlet.ts'

const backlog = 4096

// While accepting pauses it is tried again after this time.
const acceptPauseMs = 100

// From so many descriptors below the limit on, it is worth looking whether any is left.
const descriptorsNear = 128

// What must be free before accepting goes on: a descriptor for the listener, one for whoever comes.
const descriptorsToGoOn = 2

/** Whether the process can open so many files more. */
const areLeft = (count: number): boolean => {
  const opened: Array<number> = []
  try {
    while (opened.length < count) opened.push(openSync('/dev/null', 'r'))
    return true
  } catch (error) {
    return codeOf(error) !== 'EMFILE'
  } finally {
    for (const file of opened) closeSync(file)
  }
}

const peerOfSocket = ({ remoteAddress, remotePort }: Socket): Peer => ({
  address: remoteAddress ?? 'unknown',
  port: remotePort ?? 0,
})

/**
 * One address and port. Node can leave nobody waiting in the kernel's queue: without a descriptor
 * libuv accepts and closes whoever comes, without a word to anybody, and a connection that was
 * accepted is served. So the best pause is not to listen; who comes meanwhile is refused at once.
 */
class Gate implements Listener {
  port = 0
  private readonly log: Log
  private readonly door: Door
  private readonly options: ListenOptions
  private readonly filesMax = openFilesMax()
  private readonly driver: Driver
  private readonly server: Server
  private noDelay: boolean
  private timer: NodeJS.Timeout | null = null
  private closed = false
  /** Who comes to a Unix socket is known by its path. */
  private readonly path: Peer | null
  /** With whose rights it was opened; where there are no users it is nobody's. */
  private readonly opener = process.geteuid?.()
  /** Why accepting pauses has been said, and it has not gone on since. */
  private told = false

  constructor(driver: Driver, log: Log, door: Door) {
    const { address, noDelay } = door
    this.driver = driver
    this.log = log
    this.door = door
    this.noDelay = noDelay
    this.path = address._tag === 'Unix' ? { address: address.path, port: 0 } : null
    this.options = address._tag === 'Unix'
      ? { path: address.path, backlog }
      : { host: address.host, port: address.port, backlog, ipv6Only: address.host.includes(':') }
    this.server = createServer({ allowHalfOpen: true }, (socket) => {
      if (this.noDelay) socket.setNoDelay(true)
      coupleSocket(driver, socket, this.nameText(), this.path ?? peerOfSocket(socket))
      this.look()
    })
  }

  open(): Promise<Listener> {
    const { server } = this
    return new Promise((resolve, reject) => {
      const onFailure = (error: Error): void => reject(listenErrorOf(error, this.door))
      server.once('error', onFailure)
      server.once('listening', () => {
        this.port = portOf(server)
        server.off('error', onFailure)
        server.on('error', (error) => this.pause(error.message))
        server.on('listening', () => {
          this.told = false
          this.begin()
        })
        try {
          this.begin()
          resolve(this)
        } catch (error) {
          server.close()
          reject(listenErrorOf(E.toError(error), this.door))
        }
      })
      server.listen(this.options)
    })
  }

  setNoDelay(noDelay: boolean): void {
    this.noDelay = noDelay
  }

  /** The address is free when this returns; that it is so is told later. */
  close(): Promise<void> {
    this.closed = true
    if (this.timer !== null) clearTimeout(this.timer)
    this.server.close()
    return Promise.resolve()
  }

  private nameText(): string {
    return this.door.name ?? String(this.port)
  }

  /** Each time that it has begun to listen. */
  private begin(): void {
    const { address } = this.door
    // Whoever is in the group of a socket may connect, as with mosquitto.
    if (address._tag === 'Unix') chmodSync(address.path, 0o770)
    takeHandles(this.server, (handle) => {
      if (this.noDelay) handle.setNoDelay?.(true)
      couple(this.driver, handle, this.nameText(), this.path ?? peerOf(handle))
      this.look()
    })
  }

  /** After a connection has been accepted: was it the last one that there is a descriptor for? */
  private look(): void {
    if (this.driver.connections < this.filesMax - descriptorsNear || areLeft(1)) return
    this.pause(
      `no file descriptor is left with ${this.driver.connections} connections open. Raise the ` +
        'limit (ulimit -n).',
    )
  }

  private pause(why: string): void {
    if (this.timer !== null || this.closed) return
    if (!this.told) this.log.warn(`Accepting on ${this.nameText()} pauses: ${why}`)
    this.told = true
    if (this.canComeBack()) this.server.close()
    this.timer = setTimeout(() => this.goOn(), acceptPauseMs)
  }

  /**
   * Whoever has given up rights meanwhile may not have those for a port below 1024, or a folder of
   * root's. Then it goes on listening, and libuv turns away who comes.
   */
  private canComeBack(): boolean {
    return process.geteuid?.() === this.opener
  }

  private goOn(): void {
    this.timer = null
    const port = this.door.address._tag === 'Tcp' ? { port: this.port } : {}
    if (!areLeft(descriptorsToGoOn)) this.timer = setTimeout(() => this.goOn(), acceptPauseMs)
    else if (this.server.listening) this.told = false
    else this.server.listen({ ...this.options, ...port })
  }
}

/** A path at which nobody listens any more is made free. */
const clear = (path: string): Promise<void> =>
  new Promise((resolve) => {
    const socket = connect(path)
    socket.on('connect', () => {
      socket.destroy()
      resolve()
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      // A file that is no socket refuses too, and is somebody's.
      if (error.code === 'ECONNREFUSED' && statSync(path).isSocket()) unlinkSync(path)
      resolve()
    })
  })

/** Listens on one address; rejects with a ListenError. Port 0 takes any free one. */
export const listen = async (driver: Driver, log: Log, door: Door): Promise<Listener> => {
  const { address } = door
  if (address._tag === 'Unix') await clear(address.path)
  return new Gate(driver, log, door).open()
}

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

const isMissing = (path: string): boolean => {
  try {
    statSync(path)
    return false
  } catch (error) {
    return codeOf(error) === 'ENOENT'
  }
}

const listenErrorOf = (error: NodeJS.ErrnoException, { address }: Door): ListenError => {
  // Of a folder that is not there libuv says that it is not allowed.
  const isNowhere = address._tag === 'Unix' && isMissing(folderOf(address.path))
  const reason = isNowhere ? 'no folder' : reasons[error.code ?? ''] ?? 'failed'
  return new ListenError(reason, error.message)
}
