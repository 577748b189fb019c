// What every connection is owed but has not been given to its socket yet. Decides where outgoing
// bytes live: nowhere while a connection is idle, in one growing segment while it is owed something
// of its own, and in one segment shared by all receivers while many connections are owed the same.
// Knows nothing of sessions, turns or time; the driver says when to flush, and what is large does
// not wait for that.

import { encodedBound, encodeInto, UNREPORTED_BYTES_MAX } from '../../core/mod.ts'
import type { Conn } from '../../core/broker/input.ts'
import type { Level, Packet } from '../../core/codec/packet.ts'

/** What a shell must offer for one socket. */
export interface Wire {
  /** Whether `taken` tells of each step of what was refused; else only when all of it is gone. */
  readonly tellsSteps?: boolean
  /**
   * Begins to write all of `bytes`. True: the kernel has taken all of them, the memory may be used
   * again. False: the memory must stay as it is; the shell tells `taken` as the kernel takes more.
   * It is never called again before all that was refused has been told as taken.
   */
  write(bytes: Uint8Array): boolean
  /** Reads nothing more until `resume`. */
  pause(): void
  /** Reads again, into memory that is not lent at the moment: it may come before `released`. */
  resume(): void
  /** The turn is over: the buffers that were lent with `received` may be used again. */
  released(): void
  /** Ends our direction once all that was written has left. */
  end(): void
  /** Frees the socket at once. The driver calls it exactly once per wire. */
  destroy(): void
}

// The smallest segment holds a turn's answers for most connections; the largest that is kept for
// later use holds the largest packet. Up to 64 KiB each size class is twice the one before; above,
// where a byte too many costs a page, four classes make a doubling.
const sizeClassMin = 11
const sizeClassFine = 16
const sizeClassMax = sizeClassFine + 4 * 6
const pooledBytesMax = 16 * 1024 * 1024

// A write is cut into pieces so that a slow socket shows progress: the broker ends a connection
// that takes nothing for a minute, and Node tells about a write only when all of it is gone. 64 KiB
// a minute is about one kilobyte a second, slower than any modem. Who keeps up gets larger pieces;
// what nearly is one does not wait for the end of the turn: it is written as long as the processor
// has it at hand, and what follows needs no larger segment into which it is copied. Where the wire
// tells of each step nothing is cut.
const pieceBytesBehind = 64 * 1024
const pieceBytes = 256 * 1024
const earlyBytes = 192 * 1024
// More than anybody is ever owed.
const uncut = 2 ** 30

// Below this many receivers copying a frame costs less than keeping the books of a shared segment.
const sharersMin = 4
const openGroupsMax = 8

const never = (): boolean => false

// What an outbox takes at first, at most: more only once it is really needed.
const expectedClassMax = 16

/** A run of outgoing bytes, written from the front; `holders` outboxes and groups point at it. */
class Segment {
  readonly buffer: Uint8Array
  readonly sizeClass: number
  used = 0
  holders = 1
  /** The group that may still extend this segment. */
  group: Group | null = null
  /** Made for a group, whatever became of it. */
  shared = false
  /** A view on the first bytes, made once for all sharers; good while its length fits. */
  whole: Uint8Array | null = null

  constructor(buffer: Uint8Array, sizeClass: number) {
    this.buffer = buffer
    this.sizeClass = sizeClass
  }
}

/** The receivers of equal multicasts within one turn. */
class Group {
  /** The array that its last multicast named. */
  conns: ReadonlyArray<Conn>
  readonly level: Level
  segment: Segment
  /** Receivers that are owed something else too and therefore get copies. */
  readonly stragglers: Array<Outbox> = []

  constructor(conns: ReadonlyArray<Conn>, level: Level, segment: Segment) {
    this.conns = conns
    this.level = level
    this.segment = segment
  }
}

/** Output that may not leave before this batch, and with it all before it, is on disk. */
interface Held {
  readonly batch: number
  readonly segment: Segment
}

/** The outgoing side of one connection. */
export class Outbox {
  readonly wire: Wire
  /** Where new output goes; null while nothing new is owed. */
  filling: Segment | null = null
  /** What is being given to the wire; the kernel has taken `flown` and been offered `offered`. */
  flying: Segment | null = null
  flown = 0
  offered = 0
  /** Bytes the kernel has taken since the connection was opened. */
  takenBytes = 0
  /** The part of `takenBytes` that the broker has been told about. */
  reportedBytes = 0
  /** The kernel refused bytes while more were waiting, and something still waits. */
  behind = false
  /** What waits for the disk, in order, and all that came behind it; null for nothing. */
  held: Array<Held> | null = null
  heldBytes = 0
  /** The broker should hear how much has been taken. */
  due = false
  /** In the list of outboxes that a flush must visit. */
  dirty = false
  /** Takes no more output; what it holds may still leave. */
  sealed = false
  /** The size class that the next output will probably need. */
  sizeClass = sizeClassMin

  constructor(wire: Wire) {
    this.wire = wire
  }
}

/** True if everything owed has been taken by the kernel. */
export const isEmpty = (outbox: Outbox): boolean =>
  outbox.flying === null && outbox.filling === null && outbox.held === null

/** Bytes that are owed and that the kernel has not taken. */
export const unwrittenBytes = (outbox: Outbox): number =>
  (outbox.flying === null ? 0 : outbox.flying.used - outbox.flown) +
  (outbox.filling === null ? 0 : outbox.filling.used) + outbox.heldBytes

/** How many packets end behind `from`, in a buffer that holds whole packets up to `to`. */
const packetsBehind = (buffer: Uint8Array, from: number, to: number): number => {
  let count = 0
  for (let at = 0; at < to;) {
    let bodyBytes = 0
    let unit = 1
    for (at += 1; buffer[at]! >= 0x80; at++) {
      bodyBytes += (buffer[at]! & 0x7f) * unit
      unit *= 0x80
    }
    bodyBytes += buffer[at]! * unit
    at += 1 + bodyBytes
    if (at > from) count += 1
  }
  return count
}

/** Packets that are owed and that the kernel has not taken whole. Looks at each of them. */
export const unwrittenPackets = ({ flying, flown, filling, held }: Outbox): number => {
  let count = flying === null ? 0 : packetsBehind(flying.buffer, flown, flying.used)
  if (filling !== null) count += packetsBehind(filling.buffer, 0, filling.used)
  if (held === null) return count
  for (const { segment } of held) count += packetsBehind(segment.buffer, 0, segment.used)
  return count
}

/**
 * All outboxes of one driver share one office: its pool of segments, its open groups and its list
 * of outboxes with new output.
 */
export class Office<Box extends Outbox> {
  private readonly allocate: (bytes: number) => Uint8Array
  private readonly outboxOf: (conn: Conn) => Box | null
  private readonly pool: Array<Array<Segment>> = []
  private pooledBytes = 0
  private readonly groups: Array<Group> = []
  /** Outboxes with new output since the last `flush`, each once. */
  private dirty: Array<Box> = []
  /** Outboxes that the flushes before did not get to, the longest waiting first. */
  private late: Array<Box> = []
  /** Outboxes that hold something back; some may hold nothing any more. */
  private holding: Array<Box> = []
  /** Bytes that all outboxes together hold back. */
  heldBytes = 0

  /**
   * `allocate` makes a buffer of so many bytes (a shell may want its runtime's own kind);
   * `outboxOf` answers null for a connection that is gone.
   */
  constructor(allocate: (bytes: number) => Uint8Array, outboxOf: (conn: Conn) => Box | null) {
    this.allocate = allocate
    this.outboxOf = outboxOf
    for (let i = 0; i <= sizeClassMax; i++) this.pool.push([])
  }

  /**
   * Appends one packet to what `outbox` is owed: not to leave before `batch` is on disk, 0 for at
   * once. It never overtakes what was sent before.
   */
  send(outbox: Box, level: Level, packet: Packet, batch = 0): void {
    if (outbox.sealed) return
    const bound = encodedBound(level, packet)
    if (batch === 0 && outbox.held === null) {
      const segment = this.room(outbox, bound)
      segment.used = encodeInto(level, packet, segment.buffer, segment.used)
      if (segment.used >= earlyBytes && outbox.flying === null) this.offer(outbox)
      return
    }
    const segment = this.holdingRoom(outbox, batch, bound)
    const from = segment.used
    segment.used = encodeInto(level, packet, segment.buffer, from)
    this.hold(outbox, segment.used - from)
  }

  /** All batches up to this one are on disk: what waited for them may leave at the next flush. */
  free(batch: number): void {
    const { holding } = this
    let kept = 0
    for (let i = 0; i < holding.length; i++) {
      const outbox = holding[i]!
      const { held } = outbox
      if (held === null) continue
      let count = 0
      while (count < held.length && held[count]!.batch <= batch) {
        this.admit(outbox, held[count]!.segment)
        count += 1
      }
      if (count === held.length) {
        outbox.held = null
        continue
      }
      if (count > 0) held.splice(0, count)
      holding[kept++] = outbox
    }
    holding.length = kept
  }

  /**
   * Appends one packet to what every one of `conns` is owed. Multicasts to the same connections are
   * encoded once and written from shared memory; quickest when the array is the same object.
   */
  multicast(conns: ReadonlyArray<Conn>, level: Level, packet: Packet): void {
    if (conns.length < sharersMin) {
      for (let i = 0; i < conns.length; i++) {
        const outbox = this.outboxOf(conns[i]!)
        if (outbox !== null) this.send(outbox, level, packet)
      }
      return
    }
    const bound = encodedBound(level, packet)
    let group = this.groupOf(conns, level)
    let segment
    if (group === null) {
      segment = this.take(bound)
      group = new Group(conns, level, segment)
      segment.group = group
      segment.shared = true
      segment.used = encodeInto(level, packet, segment.buffer, 0)
      this.open(group)
      this.join(group)
      return
    }
    segment = group.segment
    if (segment.used + bound > segment.buffer.length) segment = this.growGroup(group, bound)
    const start = segment.used
    const end = encodeInto(level, packet, segment.buffer, start)
    segment.used = end
    const { stragglers } = group
    for (let i = 0; i < stragglers.length; i++) {
      this.append(stragglers[i] as Box, segment.buffer, start, end)
    }
  }

  /**
   * Offers everything new to the wires, one write per outbox (more only where one would be larger
   * than a piece), then calls `after` for each. Groups end here: what comes next is a new turn.
   * Asks now and then whether the flush is over; who is left stays dirty for the next.
   */
  flush(after: (outbox: Box) => void, isOver: () => boolean = never): void {
    for (let i = 0; i < this.groups.length; i++) {
      const { segment } = this.groups[i]!
      segment.group = null
      this.release(segment)
    }
    this.groups.length = 0
    const { dirty, late } = this
    if (dirty.length === 0 && late.length === 0) return
    this.dirty = []
    this.late = []
    let next = 0
    let nextLate = 0
    // By turns, so that a crowd that is still owed something makes nobody wait who comes after it.
    while (next < dirty.length || nextLate < late.length) {
      if (next < dirty.length) this.visit(dirty[next++]!, after)
      if (nextLate < late.length) this.visit(late[nextLate++]!, after)
      if (isOver()) break
    }
    if (next < dirty.length || nextLate < late.length) {
      this.late = [...late.slice(nextLate), ...dirty.slice(next)]
    }
  }

  /** Whether somebody is owed something that no wire has been offered. */
  get isBehind(): boolean {
    return this.late.length > 0 || this.dirty.length > 0
  }

  /** Forgets the memory that is kept for output to come. */
  trim(): void {
    for (let i = 0; i < this.pool.length; i++) this.pool[i] = []
    this.pooledBytes = 0
  }

  private visit(outbox: Box, after: (outbox: Box) => void): void {
    outbox.dirty = false
    this.offer(outbox)
    after(outbox)
  }

  /** The kernel has taken `count` more of the bytes that the wire did not take at once. */
  taken(outbox: Box, count: number): void {
    const { flying } = outbox
    if (flying === null) return
    progress(outbox, count)
    outbox.flown += count
    if (outbox.flown === flying.used) this.land(outbox, flying)
    this.offer(outbox)
  }

  /** Takes nothing more for this outbox; what it holds may still leave. */
  seal(outbox: Box): void {
    outbox.sealed = true
    const { filling } = outbox
    if (filling !== null && filling.group !== null) this.replace(outbox, filling, 0)
  }

  /** Seals the outbox and forgets what it holds, for a socket that will take nothing more. */
  drop(outbox: Box): void {
    outbox.sealed = true
    if (outbox.filling !== null) this.release(outbox.filling)
    outbox.filling = null
    if (outbox.held !== null) {
      for (const { segment } of outbox.held) this.release(segment)
      this.hold(outbox, -outbox.heldBytes)
      outbox.held = null
    }
    // The kernel may still be reading this one: it is left to the garbage collector, not the pool.
    outbox.flying = null
  }

  private offer(outbox: Box): void {
    for (;;) {
      let { flying } = outbox
      if (flying === null) {
        flying = outbox.filling
        if (flying === null) {
          outbox.behind = false
          return
        }
        // Between two multicasts of one turn: what flies cannot be extended any more.
        if (flying.group !== null) flying = this.leave(outbox, flying, flying.group, 0)
        outbox.filling = null
        outbox.flying = flying
        outbox.flown = 0
        outbox.offered = 0
        if (!flying.shared) expect(outbox, flying.used)
      } else if (outbox.offered > outbox.flown) {
        if (outbox.filling !== null) fallBehind(outbox)
        return
      }
      const start = outbox.offered
      const end = Math.min(flying.used, start + pieceFor(outbox))
      outbox.offered = end
      if (!outbox.wire.write(bytesOf(flying, start, end))) {
        if (end < flying.used || end - start > pieceBytes || outbox.filling !== null) {
          fallBehind(outbox)
        }
        return
      }
      // A wire that failed within its own write has been dropped meanwhile.
      if (outbox.flying !== flying) return
      progress(outbox, end - start)
      outbox.flown = end
      if (end === flying.used) this.land(outbox, flying)
    }
  }

  private land(outbox: Box, flying: Segment): void {
    outbox.flying = null
    this.release(flying)
  }

  /** The outbox's own segment with room for `bound` more bytes. */
  private room(outbox: Box, bound: number): Segment {
    const { filling } = outbox
    if (filling === null) {
      const least = 1 << outbox.sizeClass
      const segment = this.take(bound > least ? bound : least)
      outbox.filling = segment
      this.mark(outbox)
      return segment
    }
    if (filling.group !== null) return this.leave(outbox, filling, filling.group, bound)
    if (filling.holders > 1) return this.replace(outbox, filling, bound)
    if (filling.used + bound > filling.buffer.length) return this.replace(outbox, filling, bound)
    return filling
  }

  /** Moves what `filling` holds to a segment of the outbox's own with room for `bound` more. */
  private replace(outbox: Box, filling: Segment, bound: number): Segment {
    const segment = this.take(filling.used + bound)
    copy(filling.buffer, 0, filling.used, segment.buffer, 0)
    segment.used = filling.used
    outbox.filling = segment
    this.release(filling)
    return segment
  }

  private hold(outbox: Box, bytes: number): void {
    outbox.heldBytes += bytes
    this.heldBytes += bytes
  }

  /** Room for `bound` more bytes behind what the outbox holds back, be it nothing so far. */
  private holdingRoom(outbox: Box, batch: number, bound: number): Segment {
    let { held } = outbox
    if (held === null) {
      // What the others of its group get from now on must not reach it before this.
      const { filling } = outbox
      if (filling !== null && filling.group !== null) this.leave(outbox, filling, filling.group, 0)
      held = []
      outbox.held = held
      this.holding.push(outbox)
    }
    const last = held[held.length - 1]
    const wanted = last !== undefined && last.batch > batch ? last.batch : batch
    if (
      last !== undefined && last.batch === wanted &&
      last.segment.used + bound <= last.segment.buffer.length
    ) return last.segment
    const segment = this.take(bound)
    held.push({ batch: wanted, segment })
    return segment
  }

  /** What was held back joins what the outbox is owed. */
  private admit(outbox: Box, segment: Segment): void {
    this.hold(outbox, -segment.used)
    if (outbox.filling === null) {
      outbox.filling = segment
      this.mark(outbox)
      return
    }
    const room = this.room(outbox, segment.used)
    copy(segment.buffer, 0, segment.used, room.buffer, room.used)
    room.used += segment.used
    this.release(segment)
  }

  private append(outbox: Box, source: Uint8Array, start: number, end: number): void {
    if (outbox.sealed) return
    if (outbox.held !== null) {
      const segment = this.holdingRoom(outbox, 0, end - start)
      copy(source, start, end, segment.buffer, segment.used)
      segment.used += end - start
      this.hold(outbox, end - start)
      return
    }
    const segment = this.room(outbox, end - start)
    copy(source, start, end, segment.buffer, segment.used)
    segment.used += end - start
  }

  private mark(outbox: Box): void {
    if (outbox.dirty) return
    outbox.dirty = true
    this.dirty.push(outbox)
  }

  private groupOf(conns: ReadonlyArray<Conn>, level: Level): Group | null {
    const { groups } = this
    for (let i = 0; i < groups.length; i++) {
      const group = groups[i]!
      if (group.conns === conns && group.level === level) return group
    }
    // A turn can be several runs, and each run of the broker makes arrays of its own.
    for (let i = 0; i < groups.length; i++) {
      const group = groups[i]!
      if (group.level === level && areEqual(group.conns, conns)) {
        group.conns = conns
        return group
      }
    }
    return null
  }

  private open(group: Group): void {
    if (this.groups.length === openGroupsMax) {
      const { segment } = this.groups.shift()!
      segment.group = null
      this.release(segment)
    }
    this.groups.push(group)
  }

  /**
   * Gives every receiver the group's segment, or a copy where it is owed something else already.
   */
  private join(group: Group): void {
    const { conns, segment, stragglers } = group
    for (let i = 0; i < conns.length; i++) {
      const outbox = this.outboxOf(conns[i]!)
      if (outbox === null || outbox.sealed) continue
      if (outbox.filling === null && outbox.held === null) {
        outbox.filling = segment
        segment.holders += 1
        this.mark(outbox)
      } else {
        stragglers.push(outbox)
        this.append(outbox, segment.buffer, 0, segment.used)
      }
    }
  }

  /** The outbox is owed something that the rest of its group is not. */
  private leave(outbox: Box, filling: Segment, group: Group, bound: number): Segment {
    group.stragglers.push(outbox)
    return this.replace(outbox, filling, bound)
  }

  /**
   * Moves the group to a larger segment. All its sharers must follow, so doubling keeps it rare.
   */
  private growGroup(group: Group, bound: number): Segment {
    const old = group.segment
    const segment = this.take(Math.max(old.used + bound, 2 * old.buffer.length))
    copy(old.buffer, 0, old.used, segment.buffer, 0)
    segment.used = old.used
    segment.group = group
    segment.shared = true
    group.segment = segment
    const { conns } = group
    for (let i = 0; i < conns.length; i++) {
      const outbox = this.outboxOf(conns[i]!)
      if (outbox === null || outbox.filling !== old) continue
      outbox.filling = segment
      segment.holders += 1
      this.release(old)
    }
    old.group = null
    this.release(old)
    return segment
  }

  private take(bytes: number): Segment {
    const sizeClass = classOf(bytes)
    if (sizeClass <= sizeClassMax) {
      const segment = this.pool[sizeClass]!.pop()
      if (segment !== undefined) {
        this.pooledBytes -= segment.buffer.length
        segment.used = 0
        segment.holders = 1
        segment.group = null
        segment.shared = false
        return segment
      }
    }
    return new Segment(this.allocate(sizeOf(sizeClass)), sizeClass)
  }

  private release(segment: Segment): void {
    segment.holders -= 1
    if (segment.holders > 0 || segment.sizeClass > sizeClassMax) return
    if (this.pooledBytes + segment.buffer.length > pooledBytesMax) return
    this.pooledBytes += segment.buffer.length
    this.pool[segment.sizeClass]!.push(segment)
  }
}

const progress = (outbox: Outbox, count: number): void => {
  outbox.takenBytes += count
  // The broker grants a connection so much without a report. It is told of more than that, and of
  // everything while a socket cannot keep up.
  const unreported = outbox.takenBytes - outbox.reportedBytes
  if (outbox.behind || unreported >= UNREPORTED_BYTES_MAX) outbox.due = true
}

const pieceFor = ({ wire, behind }: Outbox): number =>
  wire.tellsSteps === true ? uncut : behind ? pieceBytesBehind : pieceBytes

const fallBehind = (outbox: Outbox): void => {
  outbox.behind = true
  if (outbox.takenBytes > outbox.reportedBytes) outbox.due = true
}

/** Learns from one turn what the next will need; a peak is forgotten class by class. */
const expect = (outbox: Outbox, used: number): void => {
  const needed = classOf(used)
  if (needed > outbox.sizeClass) {
    outbox.sizeClass = needed < expectedClassMax ? needed : expectedClassMax
  } else if (needed < outbox.sizeClass) outbox.sizeClass -= 1
}

const areEqual = (a: ReadonlyArray<Conn>, b: ReadonlyArray<Conn>): boolean => {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i]) return false
  }
  return true
}

/** Bytes of a segment of this class. */
const sizeOf = (sizeClass: number): number => {
  if (sizeClass <= sizeClassFine) return 2 ** sizeClass
  const quarters = sizeClass - sizeClassFine
  return 2 ** (sizeClassFine + (quarters >> 2)) * (1 + (quarters & 3) / 4)
}

/** The class of the smallest segment that holds so many bytes. */
const classOf = (bytes: number): number => {
  if (bytes <= 1 << sizeClassMin) return sizeClassMin
  const whole = 31 - Math.clz32(bytes - 1)
  if (whole < sizeClassFine) return whole + 1
  const quarters = Math.ceil((bytes / 2 ** whole - 1) * 4)
  return sizeClassFine + 4 * (whole - sizeClassFine) + quarters
}

const bytesOf = (segment: Segment, start: number, end: number): Uint8Array => {
  if (start !== 0 || end !== segment.used) return segment.buffer.subarray(start, end)
  if (segment.whole === null || segment.whole.length !== end) {
    segment.whole = segment.buffer.subarray(0, end)
  }
  return segment.whole
}

const copy = (
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  at: number,
): void => {
  if (end - start < 128) {
    for (let i = start; i < end; i++) target[at++] = source[i]!
  } else {
    target.set(source.subarray(start, end), at)
  }
}
