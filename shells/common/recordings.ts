// The recordings that a running broker makes of itself, one at a time.

import { defaultSettings } from '../../core/config/settings.ts'
import type { Driver } from './driver.ts'
import type { Host } from './host.ts'
import type { Log } from './log.ts'
import { Recorder } from './recorder.ts'
import type { Recorded, Recording } from './recorder.ts'
import type { Tapes } from './tape.ts'
import { writeHere } from './writer.ts'
import type { Writers } from './writer.ts'

/** What a runtime brings for them. */
export interface Means {
  readonly tapes: Tapes
  readonly writers: Writers
}

export class Recordings {
  private readonly means: Means
  private readonly host: Host
  private readonly log: Log
  /** What is to be recorded from the first moment in which the broker listens. */
  private first: Recording | null
  private newest: Recorder | null = null
  private fault: string | null = null

  constructor(means: Means, host: Host, log: Log, first: Recording | null) {
    this.means = means
    this.host = host
    this.log = log
    this.first = first
  }

  /** Who cannot listen has nothing to record, and takes the place of no older recording. */
  begin(driver: Driver): void {
    if (this.first !== null) this.change(driver, this.first)
    this.first = null
  }

  /** Records everything from now on, or nothing more; what was being recorded ends. */
  change(driver: Driver, how: Recording | null): void {
    if (how === null) return driver.record(null)
    this.fault = null
    const { tapes, writers } = this.means
    const whole = {
      path: how.path,
      bytesMax: how.bytesMax ?? null,
      payload: how.payload ?? defaultSettings.tracePayload,
      tapes: how.tapes ?? tapes,
      // The thread knows the files of the runtime alone.
      writers: how.writers ?? (how.tapes === undefined ? writers : writeHere),
    }
    this.newest = new Recorder(whole, this.host, (text) => {
      this.fault = text
      this.log.warn(text)
    })
    driver.record(this.newest)
  }

  /** What has come of the newest one, and why it had to end; null where there never was one. */
  recorded(): (Recorded & { readonly fault: string | null }) | null {
    return this.newest === null ? null : { ...this.newest.recorded(), fault: this.fault }
  }
}
