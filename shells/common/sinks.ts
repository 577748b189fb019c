// The destinations of one log. A destination that cannot be written to never ends the broker: it is
// said once on standard error, what is lost is counted, and told when writing goes again.

import type { LogDestination } from '../../core/config/settings.ts'
import { E } from '../../core/prelude.ts'
import type { Either } from '../../core/prelude.ts'
import { notReopened } from './outlet.ts'
import type { OpenOutlet, Outlet } from './outlet.ts'

/** So long a log is waited for that has been closed. */
const closeMsMax = 1_000

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
  /**
   * What is not wanted any more, still open: a file that was opened with more rights than there are
   * now could not be opened a second time, should the old destinations be wanted after all.
   */
  private retired: ReadonlyArray<Sink> = []
  hasPlain = false
  hasSyslog = false
  hasTopic = false
  /** Lines lost since the beginning. */
  lostCount = 0

  constructor(open: OpenOutlet, complain: (text: string) => void) {
    this.open = open
    this.complain = complain
  }

  /** Opens what is new; all or nothing. What is not wanted any more is closed by `reopen`. */
  change(destinations: ReadonlyArray<LogDestination>): Either<string, null> {
    const kept = new Set<Sink>()
    const next: Array<Sink> = []
    const known = [...this.sinks, ...this.retired]
    for (const destination of destinations) {
      const old = known.find((sink) => nameOf(sink.destination) === nameOf(destination))
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
    this.retired = known.filter((sink) => !kept.has(sink))
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

  /**
   * The change is final: closes what it has left over, and begins all files anew. Answers what the
   * operator is to know.
   */
  reopen(): ReadonlyArray<string> {
    this.closeRetired()
    return this.sinks.flatMap(({ destination, outlet }) => {
      const why = outlet?.reopen() ?? null
      return why === null ? [] : [notReopened(nameOf(destination), why)]
    })
  }

  /** Resolves when all has been handed over; whoever takes nothing is not waited for long. */
  async close(): Promise<void> {
    this.closeRetired()
    const closing = this.sinks.map(({ outlet }) => outlet?.close())
    this.sinks = []
    this.hasPlain = false
    this.hasSyslog = false
    this.hasTopic = false
    if (closing.every((one) => one === undefined)) return
    let timer: ReturnType<typeof setTimeout> | undefined
    const enough = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, closeMsMax)
    })
    await Promise.race([Promise.all(closing), enough])
    clearTimeout(timer)
  }

  private closeRetired(): void {
    for (const { outlet } of this.retired) outlet?.close()
    this.retired = []
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
