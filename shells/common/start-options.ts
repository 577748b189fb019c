// What a broker can be told when it is started from a program.

import type { Config } from '../../core/broker/config.ts'
import type { LogSettings, LogType } from '../../core/config/settings.ts'
import type { Verbosity } from '../../core/log/settings.ts'
import type { Judge } from './asking.ts'
import type { Wanted } from './listen.ts'
import type { Recording } from './recorder.ts'
import type { ScramOptions } from './scram.ts'
import type { OpenStore, StoreOptions } from './store.ts'

/** How a broker is to be started; everything has a default. */
export interface StartOptions {
  /** TCP ports, 0 for any that is free. Default: 1883. */
  readonly ports?: ReadonlyArray<number>
  /** Addresses to listen on. Default: 127.0.0.1 and, where there is one, ::1. */
  readonly hosts?: ReadonlyArray<string>
  /** In place of `ports` and `hosts`, where they differ in more. */
  readonly listeners?: ReadonlyArray<Wanted>
  /** Whether the log says that only this machine can connect. Default: as the addresses say. */
  readonly isLocalOnly?: boolean
  /** Lines of the log after the first. */
  readonly introduction?: ReadonlyArray<readonly [type: LogType, text: string]>
  /**
   * Called when all listeners are open and nobody has been accepted; may throw. Where it answers a
   * promise the start waits for that, and fails with it. Recording has not begun: a start that
   * fails takes the place of no older one.
   */
  readonly listening?: () => void | Promise<void>
  /** Called after that, when the file of a recording is there; may throw. */
  readonly begun?: () => void
  /** Opens the store. Default: SQLite. */
  readonly openStore?: OpenStore
  /** What differs from the defaults of the broker. */
  readonly config?: Partial<Config>
  /**
   * Memory that the process may use. Once more than 60 % of it are in use, or of the heap's own
   * limit, the broker takes in nothing that would make it grow, until it is less than 50 %. The
   * default is what the machine or its control group has; with 0 memory is not looked at.
   */
  readonly memoryLimitBytes?: number
  /**
   * Where what outlives its connection outlives the process too: sessions with their subscriptions
   * and messages, retained messages, wills. Answers that promise something wait for the disk.
   * Default: nothing is kept.
   */
  readonly persistence?: StoreOptions
  /** Where all that the broker is told is recorded. Default: nowhere. */
  readonly recording?: Recording
  /** Default: quiet. */
  readonly verbosity?: Verbosity
  /** Where the log goes, which lines and how; in place of `verbosity`. */
  readonly log?: LogSettings
  /** Gets what would go to standard error, whole lines at a time. */
  readonly print?: (text: string) => void
  /**
   * Answers who may connect with an MQTT 5 reason code, 0 for yes; asked only where the
   * configuration says `authentication: 'judge'`, and refused where it says nothing of it, as that
   * is where there is no judge. The second argument answers whether the connection is still there.
   */
  readonly judge?: Judge
  /**
   * Offers SCRAM-SHA-256 to MQTT 5 clients. Those who name no authentication method are let in as
   * the configuration's `authentication` says.
   */
  readonly scram?: ScramOptions
  /**
   * Called when the broker itself is at fault; it has stopped by then. Default: the error is thrown
   * where nobody catches it, which ends the process.
   */
  readonly fatal?: (error: unknown) => void
}
