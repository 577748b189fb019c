// The destinations of one log. A destination that cannot be written to never ends the broker: it is
// said once on standard error, what is lost is counted, and told when writing goes again.

import type { LogDestination } from '../../core/config/settings.ts'
import { E } from '../../core/prelude.ts'
import type { Either } from '../../core/prelude.ts'
import type { OpenOutlet, Outlet } from './outlet.ts'

interface Sink {
  readonly destination: LogDestination
  /** Null for the topic. */
  readonly outlet: Outlet | null
  /** Lines lost since it could last be written. */
  lost: number
}

export class Sinks {
  private readonly open: OpenOutlet
  private readonly complain: (text: string) => void
  private sinks: ReadonlyArray<Sink> = []
  hasPlain = false
  hasSyslog = false
  hasTopic = false
  /** Lines lost since the beginning. */
  lostCount = 0

  constructor(open: OpenOutlet, complain: (text: string) => void) {
    this.open = open
    this.complain = complain
  }

  /** Opens what is new and closes what is not wanted any more; all or nothing. */
  change(destinations: ReadonlyArray<LogDestination>): Either<string, null> {
    const kept = new Set<Sink>()
    const next: Array<Sink> = []
    for (const destination of destinations) {
      const old = this.sinks.find((sink) => nameOf(sink.destination) === nameOf(destination))
      if (old !== undefined) {
        kept.add(old)
        next.push(old)
        continue
      }
      const opened = destination.to === 'topic' ? E.right(null) : this.open(destination)
      if (E.isLeft(opened)) {
        for (const sink of next) if (!kept.has(sink)) sink.outlet?.close()
        return opened
      }
      next.push({ destination, outlet: opened.right, lost: 0 })
    }
    for (const sink of this.sinks) if (!kept.has(sink)) sink.outlet?.close()
    this.sinks = next
    this.hasSyslog = next.some(({ destination }) => destination.to === 'syslog')
    this.hasTopic = next.some(({ destination }) => destination.to === 'topic')
    this.hasPlain = next.length > (this.hasSyslog ? 1 : 0) + (this.hasTopic ? 1 : 0)
    return E.right(null)
  }

  write(plain: string, prioritised: string): void {
    for (const sink of this.sinks) {
      const lines = sink.destination.to === 'syslog' ? prioritised : plain
      if (sink.outlet !== null && lines !== '') this.writeTo(sink, sink.outlet, lines)
    }
  }

  reopen(): void {
    for (const { destination, outlet } of this.sinks) {
      const why = outlet?.reopen() ?? null
      if (why !== null) this.complain(`Warning: ${nameOf(destination)}: ${why}\n`)
    }
  }

  close(): void {
    for (const { outlet } of this.sinks) outlet?.close()
    this.sinks = []
    this.hasPlain = false
    this.hasSyslog = false
    this.hasTopic = false
  }

  private writeTo(sink: Sink, outlet: Outlet, lines: string): void {
    const why = outlet.write(lines)
    const name = nameOf(sink.destination)
    if (why !== null) {
      if (sink.lost === 0) {
        this.complain(
          `Warning: The log is not written to ${name}: ${why}. What is said from ` +
            'now on is lost there until it can be.\n',
        )
      }
      const count = lines.split('\n').length - 1
      sink.lost += count
      this.lostCount += count
    } else if (sink.lost > 0) {
      this.complain(`The log is written to ${name} again; ${sink.lost} lines are lost.\n`)
      sink.lost = 0
    }
  }
}

/** What the destination is called; equal for equal ones. */
const nameOf = (destination: LogDestination): string =>
  destination.to === 'file' ? destination.path : destination.to
