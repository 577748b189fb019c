// What a broker listens on: listeners as an operator wants them, the addresses that they come to,
// and the change from one set of listeners to another, which happens as a whole or not at all.

import { socketPathBytesMax } from '../../core/config/settings.ts'
import type { Driver } from './driver.ts'
import type { Log } from './log.ts'

/** Where connections come to: a port of a host (0 for any that is free), or a socket of Unix. */
export type Address =
  | { readonly _tag: 'Tcp'; readonly host: string; readonly port: number }
  | { readonly _tag: 'Unix'; readonly path: string }

/** One address to accept connections on, and how. */
export interface Door {
  /** What connections are opened with; null for the text of the port. */
  readonly name: string | null
  readonly address: Address
  /** Whether small packets leave at once (TCP_NODELAY). */
  readonly noDelay: boolean
}

/** A listener as it is wanted. */
export interface Wanted {
  /** What connections are opened with; null for the text of the port. */
  readonly name: string | null
  /**
   * On all of these; an address of IPv6 that this machine has not is left out, unless it is the
   * only one. Where the first has port 0, all get the one that is free there.
   */
  readonly addresses: ReadonlyArray<Address>
  readonly noDelay: boolean
}

/** Why an address cannot be listened on. */
export type ListenReason =
  | 'in use'
  | 'not available'
  | 'not allowed'
  | 'not granted'
  | 'no folder'
  | 'failed'

/** An address cannot be listened on; `reason` says why in a word, the message in a sentence. */
export class ListenError extends Error {
  readonly reason: ListenReason
  constructor(reason: ListenReason, message: string) {
    super(message)
    this.name = 'ListenError'
    this.reason = reason
  }
}

/** The start failed for a reason that the operator can remove; the message says how. */
export class StartError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'StartError'
  }
}

/** A door that is open. */
export interface Listener {
  /** 0 for a path. */
  readonly port: number
  /** For who is accepted from now on; a door that is open need not be closed for it. */
  setNoDelay(noDelay: boolean): void
  /** Settles when the address is free again. */
  close(): Promise<void>
}

/**
 * Opens a door; rejects with a ListenError. `beside` are all doors of the same listener, the others
 * to be opened next or open already.
 */
export type Listen = (
  driver: Driver,
  log: Log,
  door: Door,
  beside: ReadonlyArray<Door>,
) => Promise<Listener>

interface Opened {
  readonly key: string
  readonly door: Door
  readonly listener: Listener
}

interface Sorted {
  readonly kept: ReadonlyArray<Opened>
  readonly unwanted: ReadonlyArray<Opened>
  readonly missing: ReadonlyArray<Door>
}

// How often a free port is looked for that is free on all addresses.
const freePortTries = 16

/** What is wrong with the number of a port, in a sentence; null where nothing is. */
export const faultOfPort = (port: number): string | null =>
  Number.isInteger(port) && port >= 0 && port <= 65_535
    ? null
    : `${String(port)} is no port: ports are 0 to 65535.`

// Node cuts off what is too long, and listens at another path.
const faultOfPath = (path: string): string | null =>
  new TextEncoder().encode(path).length <= socketPathBytesMax
    ? null
    : `${path} is too long for the path of a socket, which may have ${socketPathBytesMax} bytes.`

/** Doors with the same key are one, which may be open already. */
const keyOf = ({ name, address }: Door): string => JSON.stringify([name, address])

const doorsOf = ({ name, addresses, noDelay }: Wanted): ReadonlyArray<Door> =>
  addresses.map((address) => ({ name, address, noDelay }))

/** The listeners of a broker. */
export class Listeners {
  private readonly listen: Listen
  private readonly driver: Driver
  private readonly log: Log
  private opened: ReadonlyArray<Opened> = []
  /** Settles when the changes that were asked for have been made. */
  private changed: Promise<unknown> = Promise.resolve()
  private closed: Promise<void> | null = null

  constructor(listen: Listen, driver: Driver, log: Log) {
    this.listen = listen
    this.driver = driver
    this.log = log
  }

  /**
   * Opens what is wanted and not open, and closes what is open and not wanted; what is both goes on
   * undisturbed. Answers the port of each listener, 0 for a path. Rejects with a StartError if one
   * cannot be opened: then it is as before. One change at a time, in the order in which they were
   * asked for.
   */
  change(wanted: ReadonlyArray<Wanted>): Promise<ReadonlyArray<number>> {
    const change = this.changed.then(() => this.changeNow(wanted))
    this.changed = change.catch(() => {})
    return change
  }

  /**
   * For ever; settles when all addresses are free again, however often it is called. What a change
   * that is under way opens is closed with the rest.
   */
  close(): Promise<void> {
    this.closed ??= this.closeAll()
    return this.closed
  }

  private async closeAll(): Promise<void> {
    await this.changed
    const { opened } = this
    this.opened = []
    await Promise.all(opened.map(({ listener }) => listener.close()))
  }

  private async changeNow(wanted: ReadonlyArray<Wanted>): Promise<ReadonlyArray<number>> {
    this.stayOpen()
    const { kept, unwanted, missing } = this.sorted(wanted)
    // First, since a listener may be wanted on more addresses of the port that it has; but nothing
    // else, since a broker that has given up rights may not be able to open it again.
    const closed = unwanted.filter((one) => isInTheWay(one, missing))
    for (const { listener } of closed) await listener.close()
    const fresh: Array<Opened> = []
    const ports: Array<number> = []
    const used = new Map<Opened, Door>()
    try {
      for (const one of wanted) ports.push(await this.openAll(one, kept, used, fresh))
    } catch (error) {
      for (const { listener } of fresh) await listener.close()
      const untouched = unwanted.filter((one) => !closed.includes(one))
      this.opened = [...kept, ...untouched, ...await this.reopen(closed)]
      throw error
    }
    for (const one of unwanted) if (!closed.includes(one)) await one.listener.close()
    const settled = [...used].map(([one, door]) => ({ ...one, door }))
    for (const { listener, door } of settled) listener.setNoDelay(door.noDelay)
    this.opened = [...settled, ...fresh]
    this.stayOpen()
    return ports
  }

  /** What is open and wanted, open and not, and wanted only; of equal doors as many as wanted. */
  private sorted(wanted: ReadonlyArray<Wanted>): Sorted {
    const missing = wanted.flatMap(doorsOf)
    const kept: Array<Opened> = []
    const unwanted: Array<Opened> = []
    for (const one of this.opened) {
      const at = missing.findIndex((door) => keyOf(door) === one.key)
      if (at === -1) unwanted.push(one)
      else {
        missing.splice(at, 1)
        kept.push(one)
      }
    }
    return { kept, unwanted, missing }
  }

  private stayOpen(): void {
    if (this.closed === null) return
    throw new StartError('The broker has stopped, and listens on nothing any more.')
  }

  /**
   * Opens all addresses of one listener that are not open yet; its port, or a StartError. What is
   * kept is used by one listener only.
   */
  private async openAll(
    wanted: Wanted,
    kept: ReadonlyArray<Opened>,
    used: Map<Opened, Door>,
    fresh: Array<Opened>,
  ): Promise<number> {
    const doors = doorsOf(wanted)
    for (let tries = 1;; tries++) {
      const opened: Array<Opened> = []
      let isTaken = false
      for (const door of doors) {
        const already = kept.find((one) => one.key === keyOf(door) && !used.has(one))
        if (already !== undefined) {
          used.set(already, door)
          opened.push(already)
          continue
        }
        const free = opened[0]?.listener.port ?? 0
        try {
          opened.push(await this.open(door, free, doors))
        } catch (error) {
          if (error instanceof ListenError && isLeftOut(door, error, doors)) {
            this.log.warn(`${textOf(door.address)} is not available here: ${error.message}`)
            continue
          }
          for (const one of opened) if (!kept.includes(one)) await one.listener.close()
          if (!(error instanceof ListenError)) throw error
          isTaken = error.reason === 'in use' && wantsAnyPort(door) && tries < freePortTries
          if (isTaken) break
          const ours = [...kept, ...fresh, ...opened].find((one) => isBeside(one.door, door))
          throw new StartError(explain(error, door.address, ours?.door.address ?? null))
        }
      }
      if (isTaken) {
        for (const one of opened) used.delete(one)
        continue
      }
      if (opened.length === 0) throw new StartError('There is no address to listen on.')
      for (const one of opened) if (!kept.includes(one)) fresh.push(one)
      return opened[0]!.listener.port
    }
  }

  /** Opens a door; on the port that is `free` where any would do. */
  private async open(door: Door, free: number, beside: ReadonlyArray<Door>): Promise<Opened> {
    const { address } = door
    const fault = address._tag === 'Tcp' ? faultOfPort(address.port) : faultOfPath(address.path)
    if (fault !== null) throw new StartError(fault)
    const isAny = address._tag === 'Tcp' && address.port === 0
    const fixed = isAny ? { ...door, address: { ...address, port: free } } : door
    // A port of the system's choice is known afterwards.
    if (!isAny || free !== 0) this.log.line(opening(fixed.address))
    const listener = await this.listen(this.driver, this.log, fixed, beside)
    if (isAny && free === 0) this.log.line(opening({ ...address, port: listener.port }))
    return { key: keyOf(door), door, listener }
  }

  private async reopen(closed: ReadonlyArray<Opened>): Promise<ReadonlyArray<Opened>> {
    const opened: Array<Opened> = []
    for (const { door } of closed) {
      try {
        opened.push(await this.open(door, 0, []))
      } catch (error) {
        if (!(error instanceof ListenError)) throw error
        this.log.error(`The listener that was closed cannot be opened again: ${error.message}`)
      }
    }
    return opened
  }
}

const wantsAnyPort = ({ address }: Door): boolean => address._tag === 'Tcp' && address.port === 0

const isVersion6 = (address: Address): boolean =>
  address._tag === 'Tcp' && address.host.includes(':')

const isLeftOut = (door: Door, error: ListenError, doors: ReadonlyArray<Door>): boolean =>
  error.reason === 'not available' && isVersion6(door.address) && doors.length > 1

const opening = (address: Address): string =>
  address._tag === 'Unix'
    ? `Opening unix listen socket on path ${address.path}.`
    : `Opening ${isVersion6(address) ? 'ipv6' : 'ipv4'} listen socket on port ${address.port}.`

const textOf = (address: Address): string =>
  address._tag === 'Unix' ? address.path : `${address.host} port ${address.port}`

/** Whether one of the doors may not be opened while that is open. */
const isInTheWay = ({ door, listener }: Opened, doors: ReadonlyArray<Door>): boolean =>
  doors.some(({ address }) =>
    address._tag === 'Tcp'
      ? address.port === listener.port
      : door.address._tag === 'Unix' && address.path === door.address.path
  )

/** Whether the one may be in the other's way: both are on the same port. */
const isBeside = ({ address: one }: Door, { address: other }: Door): boolean =>
  one._tag === 'Tcp' && other._tag === 'Tcp' && one.port === other.port

/** `ours` is what the broker itself has opened there. */
const explain = (error: ListenError, address: Address, ours: Address | null): string => {
  const where = textOf(address)
  const isUnix = address._tag === 'Unix'
  switch (error.reason) {
    case 'in use':
      if (ours !== null) {
        return `Address already in use: ${where}. Another listener of this broker may be in its ` +
          `way, on ${textOf(ours)}: leave one of them out, or choose another port.`
      }
      return `Address already in use: ${where}. ` +
        (isUnix
          ? 'Another program listens there, or a file that is no socket lies there: stop or ' +
            'remove it, or choose another path.'
          : 'Another program listens there, perhaps another broker: stop it, or choose another ' +
            'port.')
    case 'not allowed':
      return `Not allowed to listen on ${where}: ${error.message}. ` +
        (isUnix
          ? 'Its folder must be one that the broker may write to.'
          : 'Ports below 1024 are for the administrator: choose another port.')
    case 'not granted':
      // By the runtime, which names the option that does.
      return `Not allowed to listen on ${where}: ${error.message}.`
    case 'no folder':
      return `Cannot listen on ${where}: its folder does not exist. Make it, and let the broker ` +
        'write there.'
    case 'not available':
      return `Address not available: ${where}: ${error.message}. This machine does not have it, ` +
        'or not yet: correct the listener, or start the broker when the network is up.'
    case 'failed':
      return `Cannot listen on ${where}: ${error.message}.`
  }
}
