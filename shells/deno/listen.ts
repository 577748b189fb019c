// TCP and Unix sockets on Deno: accepts connections and couples each with a link of the driver.

import type { Peer } from '../../core/broker/input.ts'
import type { Driver, Link } from '../common/driver.ts'
import type { Log } from '../common/log.ts'
import type { Wire } from '../common/outbox.ts'
import { ListenError } from '../common/listen.ts'
import type { Door, Listener, ListenReason } from '../common/listen.ts'

const backlog = 4096

// A read buffer begins small, since most connections are idle and every one has a read under way;
// it grows while reads fill it and shrinks when they have been small for a while.
const readBytesMin = 512
const readBytesMax = 64 * 1024
const smallReadsMax = 64

// How long accepting pauses when the process has no file descriptor left.
const acceptPauseMs = 100

class ConnWire implements Wire {
  link!: Link
  private readonly conn: Deno.Conn
  private readonly driver: Driver
  private buffer = new Uint8Array(readBytesMin)
  /** Reads in a row that filled less than a quarter of the buffer. */
  private smallReads = 0
  /** A read is under way, or what it has read is lent to the driver. */
  private busy = false
  private paused = false
  /** Nothing more will be read. */
  private over = false

  constructor(conn: Deno.Conn, driver: Driver) {
    this.conn = conn
    this.driver = driver
  }

  write(bytes: Uint8Array): boolean {
    this.conn.write(bytes).then(
      (count) => {
        // Each step is told, so that a slow reader shows progress.
        if (count < bytes.length) this.write(bytes.subarray(count))
        this.driver.taken(this.link, count)
      },
      () => this.fail(),
    )
    return false
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    this.paused = false
    this.read()
  }

  released(): void {
    this.busy = false
    this.read()
  }

  end(): void {
    this.conn.closeWrite().catch(() => this.fail())
  }

  destroy(): void {
    this.over = true
    this.conn.close()
  }

  /** Begins a read if the buffer is free. */
  read(): void {
    if (this.busy || this.paused || this.over) return
    this.busy = true
    this.conn.read(this.buffer).then(
      (count) => this.afterRead(count),
      () => this.fail(),
    )
  }

  private afterRead(count: number | null): void {
    if (this.over) return
    if (count === null) {
      this.over = true
      return this.driver.closed(this.link, 'closed')
    }
    // While the buffer is lent there is nothing to read into, and the other connections get their
    // turn; so there is one buffer per connection, and one read per turn.
    const lent = this.driver.received(this.link, this.buffer, 0, count)
    this.fit(count)
    // What nobody wants may come faster than it is thrown away; the others must have their turns.
    if (!lent) setImmediate(() => this.released())
  }

  private fit(count: number): void {
    const { length } = this.buffer
    if (count === length) {
      this.smallReads = 0
      if (length < readBytesMax) this.buffer = new Uint8Array(Math.min(length * 4, readBytesMax))
    } else if (count * 4 < length && length > readBytesMin) {
      this.smallReads += 1
      if (this.smallReads < smallReadsMax) return
      this.smallReads = 0
      this.buffer = new Uint8Array(Math.max(length / 4, readBytesMin))
    } else this.smallReads = 0
  }

  private fail(): void {
    if (this.over) return
    this.over = true
    this.driver.closed(this.link, 'failed')
  }
}

type Accepting = Deno.Listener<Deno.TcpConn> | Deno.Listener<Deno.UnixConn>

const peerOf = (conn: Deno.TcpConn | Deno.UnixConn, { address }: Door): Peer =>
  conn.remoteAddr.transport === 'tcp'
    ? { address: conn.remoteAddr.hostname, port: conn.remoteAddr.port }
    : { address: address._tag === 'Unix' ? address.path : 'unknown', port: 0 }

const accept = (
  driver: Driver,
  conn: Deno.TcpConn | Deno.UnixConn,
  door: Door,
  name: string,
): void => {
  try {
    if ('setNoDelay' in conn) conn.setNoDelay(door.noDelay)
  } catch {
    // The peer has gone already, which the first read will tell.
  }
  const wire = new ConnWire(conn, driver)
  wire.link = driver.opened(wire, name, peerOf(conn, door))
  wire.read()
}

const acceptAll = async (
  driver: Driver,
  log: Log,
  listener: Accepting,
  door: Door,
  name: string,
  isClosed: () => boolean,
): Promise<void> => {
  let short = false
  for (;;) {
    try {
      accept(driver, await listener.accept(), door, name)
      short = false
    } catch (error) {
      if (isClosed()) return
      // A peer that has gone before it was accepted is nothing to wait for.
      if (error instanceof Deno.errors.ConnectionReset) continue
      if (error instanceof Deno.errors.NotConnected) continue
      if (!short) log.warn(`Accepting on ${name} pauses: ${messageOf(error)}`)
      short = true
      await new Promise((resolve) => setTimeout(resolve, acceptPauseMs))
    }
  }
}

/** A path at which nobody listens any more is made free. */
const clear = async (path: string): Promise<void> => {
  try {
    const conn = await Deno.connect({ transport: 'unix', path })
    conn.close()
  } catch (error) {
    // A file that is no socket refuses too, and is somebody's.
    if (!(error instanceof Deno.errors.ConnectionRefused)) return
    if (Deno.statSync(path).isSocket) Deno.removeSync(path)
  }
}

const openTcp = (hostname: string, port: number): Deno.TcpListener =>
  Deno.listen({ transport: 'tcp', hostname, port, tcpBacklog: backlog })

/** Whoever is in the group of the socket may connect, as with mosquitto. */
const openUnix = async (path: string): Promise<Deno.UnixListener> => {
  await clear(path)
  const listener = Deno.listen({ transport: 'unix', path })
  Deno.chmodSync(path, 0o770)
  return listener
}

/** Listens on one address; rejects with a ListenError. Port 0 takes any free one. */
export const listen = async (driver: Driver, log: Log, door: Door): Promise<Listener> => {
  const { address } = door
  let listener: Deno.TcpListener | Deno.UnixListener
  try {
    listener = address._tag === 'Unix'
      ? await openUnix(address.path)
      : openTcp(address.host, address.port)
  } catch (error) {
    throw listenErrorOf(error)
  }
  const { addr } = listener
  const port = addr.transport === 'tcp' ? addr.port : 0
  let closed = false
  const name = door.name ?? String(port)
  const accepting = acceptAll(driver, log, listener, door, name, () => closed)
  const close = (): Promise<void> => {
    closed = true
    listener.close()
    if (address._tag === 'Unix') removeQuietly(address.path)
    // The address is taken as long as somebody waits for a connection there.
    return accepting
  }
  return { port, close }
}

const removeQuietly = (path: string): void => {
  try {
    Deno.removeSync(path)
  } catch {
    // Gone already.
  }
}

const messageOf = (error: unknown): string => error instanceof Error ? error.message : String(error)

const reasonOf = (error: unknown): ListenReason => {
  if (error instanceof Deno.errors.AddrInUse) return 'in use'
  if (error instanceof Deno.errors.AddrNotAvailable) return 'not available'
  if (error instanceof Deno.errors.PermissionDenied) return 'not allowed'
  if (error instanceof Deno.errors.NotCapable) return 'not allowed'
  // EAFNOSUPPORT has no class of its own.
  return messageOf(error).includes('Address family not supported') ? 'not available' : 'failed'
}

const listenErrorOf = (error: unknown): ListenError =>
  new ListenError(reasonOf(error), messageOf(error))
