// TCP and Unix sockets on Deno: accepts connections and couples each with a link of the driver.

import type { Peer } from '../../core/broker/input.ts'
import type { Driver } from '../common/driver.ts'
import type { Log } from '../common/log.ts'
import { ListenError } from '../common/listen.ts'
import type { Door, Listener, ListenReason } from '../common/listen.ts'
import { codeOf, messageOf } from '../common/message.ts'
import { couple } from './wire.ts'

const backlog = 4096

// How long accepting pauses when the process has no file descriptor left.
const acceptPauseMs = 100

// Pauses that follow each other, as clients go and others take their places, are one.
const samePauseMs = 10_000

type Accepting = Deno.Listener<Deno.TcpConn> | Deno.Listener<Deno.UnixConn>

/** How Deno writes an address of IPv4 that came to a socket of IPv6. */
const mapped = '::ffff:'

const isMapped = (conn: Deno.TcpConn | Deno.UnixConn): boolean =>
  conn.remoteAddr.transport === 'tcp' && conn.remoteAddr.hostname.startsWith(mapped)

const peerOf = (conn: Deno.TcpConn | Deno.UnixConn, { address }: OpenDoor): Peer => {
  if (conn.remoteAddr.transport !== 'tcp') {
    return { address: address._tag === 'Unix' ? address.path : 'unknown', port: 0 }
  }
  const { hostname, port } = conn.remoteAddr
  return { address: isMapped(conn) ? hostname.slice(mapped.length) : hostname, port }
}

/** A door that is open, and how whoever comes in is served from now on. */
interface OpenDoor extends Omit<Door, 'noDelay'> {
  readonly name: string
  noDelay: boolean
}

/** A door without a name is called by its port. */
const named = (door: Door, port: number): OpenDoor => ({ ...door, name: door.name ?? String(port) })

const setNoDelayOf = (door: OpenDoor): Listener['setNoDelay'] => (noDelay) => {
  door.noDelay = noDelay
}

const accept = (driver: Driver, conn: Deno.TcpConn | Deno.UnixConn, door: OpenDoor): void => {
  try {
    if ('setNoDelay' in conn) conn.setNoDelay(door.noDelay)
  } catch {
    // The peer has gone already, which the first read will tell.
  }
  couple(driver, conn, door.name, peerOf(conn, door))
}

/** The door that a connection has come in by; null where nobody opened one for it. */
type Route = (conn: Deno.TcpConn | Deno.UnixConn) => OpenDoor | null

const acceptAll = async (
  driver: Driver,
  log: Log,
  listener: Accepting,
  name: string,
  route: Route,
  isClosed: () => boolean,
): Promise<void> => {
  let pausedMs = -Infinity
  for (;;) {
    try {
      const conn = await listener.accept()
      const door = route(conn)
      if (door === null) conn.close()
      else accept(driver, conn, door)
    } catch (error) {
      if (isClosed()) return
      // A peer that has gone before it was accepted is nothing to wait for.
      if (error instanceof Deno.errors.ConnectionReset) continue
      if (error instanceof Deno.errors.NotConnected) continue
      const nowMs = performance.now()
      if (nowMs - pausedMs > samePauseMs) {
        log.warn(`Accepting on ${name} pauses: ${whyPaused(error)}`)
      }
      pausedMs = nowMs
      await new Promise((resolve) => setTimeout(resolve, acceptPauseMs))
    }
  }
}

type Close = () => Promise<void>

const serve = (
  driver: Driver,
  log: Log,
  listener: Accepting,
  door: OpenDoor,
  route: Route = () => door,
): Close => {
  let closed = false
  const accepting = acceptAll(driver, log, listener, door.name, route, () => closed)
  return () => {
    closed = true
    listener.close()
    // The address is taken as long as somebody waits for a connection there.
    return accepting
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

const listenUnix = async (
  driver: Driver,
  log: Log,
  door: Door,
  path: string,
): Promise<Listener> => {
  const mine = named(door, 0)
  const close = serve(driver, log, await openUnix(path), mine)
  return {
    port: 0,
    setNoDelay: setNoDelayOf(mine),
    close: () => {
      const closing = close()
      removeQuietly(path)
      return closing
    },
  }
}

const anyVersion4 = '0.0.0.0'
const anyVersion6 = '::'

/** In its shortest form where it stands for all addresses, which `0` and `0::0` do as well. */
const shortest = (host: string): string => {
  if (!/^[0.:]+$/.test(host)) return host
  const url = `http://${host.includes(':') ? `[${host}]` : host}`
  return URL.canParse(url) ? new URL(url).hostname.replace(/[[\]]/g, '') : host
}

const isAnyVersion6 = ({ address }: Door, port: number): boolean =>
  address._tag === 'Tcp' && shortest(address.host) === anyVersion6 && address.port === port

/**
 * Who listens on all addresses of a port. A socket that Deno opens on `::` takes IPv4 as well, and
 * none on 0.0.0.0 can be beside it: then that one serves both doors.
 */
interface Anywhere {
  version4: { readonly door: OpenDoor; close: Close | null } | null
  version6: boolean
  /** Opened on `::` ahead, and serving nobody yet. */
  ahead: Deno.TcpListener | null
}

/** By broker and port: of another broker's socket in this process there is nothing to share. */
const anywhere = new WeakMap<Driver, Map<number, Anywhere>>()

const portsOf = (driver: Driver): Map<number, Anywhere> => {
  let ports = anywhere.get(driver)
  if (ports === undefined) anywhere.set(driver, ports = new Map<number, Anywhere>())
  return ports
}

const anywhereOn = (driver: Driver, port: number): Anywhere => {
  const ports = portsOf(driver)
  let found = ports.get(port)
  if (found === undefined) ports.set(port, found = { version4: null, version6: false, ahead: null })
  return found
}

const forget = (driver: Driver, port: number): void => {
  const { version4, version6 } = anywhereOn(driver, port)
  if (version4 === null && !version6) portsOf(driver).delete(port)
}

/** The port of a socket on `::`, which the door of IPv6 gets; null where there cannot be one. */
const openAhead = (driver: Driver, wanted: number): number | null => {
  try {
    const listener = openTcp(anyVersion6, wanted)
    const { port } = listener.addr
    anywhereOn(driver, port).ahead = listener
    return port
  } catch {
    // Whoever opens that door is told why.
    return null
  }
}

const closeAhead = (driver: Driver, port: number): void => {
  const all = anywhereOn(driver, port)
  all.ahead?.close()
  all.ahead = null
  forget(driver, port)
}

/**
 * A socket of its own, or none where the one on `::` has the port already, or is to have it:
 * closing the one to open the other would cut off who has connected meanwhile.
 */
const openVersion4 = (
  driver: Driver,
  wanted: number,
  isWithVersion6: boolean,
): readonly [port: number, listener: Deno.TcpListener | null] => {
  if (wanted !== 0 && anywhereOn(driver, wanted).version6) return [wanted, null]
  const ahead = isWithVersion6 ? openAhead(driver, wanted) : null
  let listener: Deno.TcpListener
  try {
    listener = openTcp(anyVersion4, ahead ?? wanted)
  } catch (error) {
    // Where a socket on `::` takes IPv6 alone (net.ipv6.bindv6only) there is room for both.
    if (ahead !== null && error instanceof Deno.errors.AddrInUse) return [ahead, null]
    if (ahead !== null) closeAhead(driver, ahead)
    throw error
  }
  return [listener.addr.port, listener]
}

const listenVersion4 = (
  driver: Driver,
  log: Log,
  door: Door,
  wanted: number,
  isWithVersion6: boolean,
): Listener => {
  const [port, listener] = openVersion4(driver, wanted, isWithVersion6)
  const all = anywhereOn(driver, port)
  const own = named(door, port)
  const mine = { door: own, close: listener === null ? null : serve(driver, log, listener, own) }
  all.version4 = mine
  return {
    port,
    setNoDelay: setNoDelayOf(own),
    close: async () => {
      all.version4 = null
      closeAhead(driver, port)
      await mine.close?.()
    },
  }
}

/** Opens `::`, for which a socket on 0.0.0.0 has to go. */
const openVersion6 = async (all: Anywhere, port: number): Promise<Deno.TcpListener> => {
  const { ahead } = all
  all.ahead = null
  if (ahead !== null) return ahead
  try {
    return openTcp(anyVersion6, port)
  } catch (error) {
    const close = all.version4?.close
    if (!(error instanceof Deno.errors.AddrInUse) || close == null) throw error
    await close()
    all.version4!.close = null
    return openTcp(anyVersion6, port)
  }
}

const listenVersion6 = async (
  driver: Driver,
  log: Log,
  door: Door,
  wanted: number,
): Promise<Listener> => {
  const before = anywhereOn(driver, wanted)
  /** What came for 0.0.0.0 is served by a socket of its own again. */
  const giveBack = (all: Anywhere, at: number): void => {
    if (all.version4 === null || all.version4.close !== null) return
    const [, listener] = openVersion4(driver, at, false)
    if (listener !== null) {
      all.version4.close = serve(driver, log, listener, all.version4.door)
    }
  }
  let listener: Deno.TcpListener
  try {
    listener = await openVersion6(before, wanted)
  } catch (error) {
    giveBack(before, wanted)
    forget(driver, wanted)
    throw error
  }
  const { port } = listener.addr
  const all = anywhereOn(driver, port)
  all.version6 = true
  const mine = named(door, port)
  const route: Route = (conn) => isMapped(conn) ? all.version4?.door ?? null : mine
  const close = serve(driver, log, listener, mine, route)
  return {
    port,
    setNoDelay: setNoDelayOf(mine),
    close: async () => {
      all.version6 = false
      await close()
      // Any port may have been wanted: now it is this one.
      giveBack(all, port)
      forget(driver, port)
    },
  }
}

const listenTcp = (driver: Driver, log: Log, door: Door, host: string, port: number): Listener => {
  const listener = openTcp(host, port)
  const { port: got } = listener.addr
  const mine = named(door, got)
  const close = serve(driver, log, listener, mine)
  return { port: got, setNoDelay: setNoDelayOf(mine), close }
}

/** Listens on one address; rejects with a ListenError. Port 0 takes any free one. */
export const listen = async (
  driver: Driver,
  log: Log,
  door: Door,
  beside: ReadonlyArray<Door>,
): Promise<Listener> => {
  const { address } = door
  try {
    if (address._tag === 'Unix') return await listenUnix(driver, log, door, address.path)
    const { port } = address
    const host = shortest(address.host)
    return host === anyVersion4
      ? listenVersion4(driver, log, door, port, beside.some((one) => isAnyVersion6(one, port)))
      : host === anyVersion6
      ? await listenVersion6(driver, log, door, port)
      : listenTcp(driver, log, door, host, port)
  } catch (error) {
    throw listenErrorOf(error)
  }
}

const removeQuietly = (path: string): void => {
  try {
    Deno.removeSync(path)
  } catch {
    // Gone already.
  }
}

const whyPaused = (error: unknown): string =>
  codeOf(error) === 'EMFILE'
    ? 'no file descriptor is left. Raise the limit (ulimit -n).'
    : messageOf(error)

const reasonOf = (error: unknown): ListenReason => {
  if (error instanceof Deno.errors.AddrInUse) return 'in use'
  if (error instanceof Deno.errors.AddrNotAvailable) return 'not available'
  if (error instanceof Deno.errors.PermissionDenied) return 'not allowed'
  if (error instanceof Deno.errors.NotCapable) return 'not granted'
  // Only paths have one.
  if (error instanceof Deno.errors.NotFound) return 'no folder'
  // EAFNOSUPPORT has no class of its own.
  return messageOf(error).includes('Address family not supported') ? 'not available' : 'failed'
}

const listenErrorOf = (error: unknown): ListenError =>
  new ListenError(reasonOf(error), messageOf(error))
