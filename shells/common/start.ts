// A listening broker from options, whatever the runtime: opens the listeners, says so in the log,
// and stops in order. What is a warning and what ends the start is decided here.

import { defaults } from '../../core/broker/config.ts'
import type { Config } from '../../core/broker/config.ts'
import type { Command } from '../../core/broker/input.ts'
import type { State } from '../../core/broker/state.ts'
import { E } from '../../core/prelude.ts'
import type { Either } from '../../core/prelude.ts'
import { defaultPort } from '../../core/config/settings.ts'
import type { LogSettings, LogType } from '../../core/config/settings.ts'
import { logOf } from '../../core/log/settings.ts'
import { bringBack } from './bring-back.ts'
import { createDriver } from './driver.ts'
import type { Counters, Driver } from './driver.ts'
import type { Host } from './host.ts'
import { faultOfPort, Listeners, StartError } from './listen.ts'
import type { Listen, Wanted } from './listen.ts'
import { Log } from './log.ts'
import { whyTooLittle } from './memory.ts'
import { messageOf } from './message.ts'
import { outletTo } from './outlet.ts'
import type { OpenOutlet } from './outlet.ts'
import {
  checkAsked,
  checkCommand,
  checkConfig,
  checkListeners,
  checkLog,
  checkRecording,
  checkStart,
} from './shapes.ts'
import { createScram } from './scram.ts'
import type { StartOptions } from './start-options.ts'
import type { Recorded, Recording } from './recorder.ts'
import type { Tapes } from './tape.ts'
import { Recordings } from './recordings.ts'
import type { OpenStore, Store } from './store.ts'
import { version } from './version.ts'
import type { Writers } from './writer.ts'

/** A broker that listens. */
export interface Running {
  /** The ports that are listened on, in the order of the options. */
  readonly ports: ReadonlyArray<number>
  /** What has happened since the start. */
  counters(): Counters
  /** Gives the broker a command; one that is none is a TypeError. */
  command(command: Command): void
  /** Goes on with another log; left: a sentence about what is wrong, and all is as it was. */
  changeLog(settings: LogSettings): Either<string, null>
  /** Begins the files of the log anew, after they were moved away. */
  reopenLog(): void
  /**
   * Records everything from now on, or nothing more; what was being recorded ends. Options that are
   * none are a TypeError, and nothing changes.
   */
  record(options: Recording | null): void
  /**
   * What has come of the newest recording, be it over or not, and why it had to end; null where
   * there never was one.
   */
  recorded(): (Recorded & { readonly fault: string | null }) | null
  /** A line of the log. */
  say(text: string, type?: LogType): void
  /**
   * Changes the configuration that the broker was started with; whoever is connected stays so. What
   * does not belong into one is a TypeError, and nothing changes.
   */
  reconfigure(config: Partial<Config>): void
  /**
   * Opens and closes listeners until there are those wanted, all or none of them. Answers their
   * ports; rejects with a StartError. Whoever is connected stays so.
   */
  listen(wanted: ReadonlyArray<Wanted>): Promise<ReadonlyArray<number>>
  /** The broker as it is; it stays valid. */
  state(): State
  /**
   * Closes the listeners and every connection, MQTT 5 clients after a DISCONNECT with 0x8B. Takes
   * as long as the clients need to read what they are owed, at most a few seconds.
   */
  stop(): Promise<void>
  /** Ends at once, without a word to anybody; `stop` tells when all that it held is free again. */
  kill(): void
}

/** Starts a broker on a runtime; rejects with a StartError. */
export type Start = (options: StartOptions) => Promise<Running>

/** What a check says against something, in a sentence; null where nothing. */
const faultBy = (check: () => void): string | null => {
  try {
    check()
    return null
  } catch (error) {
    return messageOf(error)
  }
}

/** What is wrong with options, in a sentence; null where nothing is. */
const faultOf = (options: StartOptions): string | null => {
  const fault = faultBy(() => checkStart(options))
  if (fault !== null) return fault
  const { config = {}, ports = [], persistence } = options
  if (config.persistence === true && persistence === undefined) {
    return 'config.persistence says that there is a store, and there is none: give start() the ' +
      'option `persistence: { folder }`, which sets it.'
  }
  const wrong = ports.find((port) => faultOfPort(port) !== null)
  return wrong === undefined ? null : faultOfPort(wrong)
}

/** What a runtime brings. */
export interface Runtime {
  createHost(fatal: (error: unknown) => void): Host
  readonly listen: Listen
  print(text: string): void
  readonly openOutlet: OpenOutlet
  /** How many files and sockets the process may have open; Infinity where that is not known. */
  openFilesMax(): number
  readonly openStore: OpenStore
  readonly tapes: Tapes
  readonly writers: Writers
}

const loopback: ReadonlyArray<string> = ['127.0.0.1', '::1']

// Longer than the driver waits for the slowest reader: only a fault of ours can use it up.
const stopMsMax = 10_000

// What a process needs besides its connections: streams, listeners, the runtime's own.
const descriptorsReserved = 64

/**
 * The connections that fit into so many open files; a tiny limit is left to the system to
 * enforce.
 */
export const connectionsWithin = (openFilesMax: number): number =>
  openFilesMax < 4 * descriptorsReserved
    ? defaults.connectionsMax
    : Math.min(defaults.connectionsMax, openFilesMax - descriptorsReserved)

/** What a broker holds besides its connections, and gives back when it ends, however that is. */
class Held {
  readonly log: Log
  driver: Driver | null = null
  listeners: Listeners | null = null
  store: Store | null = null
  private released: Promise<void> | null = null

  constructor(log: Log) {
    this.log = log
  }

  /** The log takes `last` before it is closed. */
  release(last: string | null): Promise<void> {
    this.released ??= this.giveBack(last)
    return this.released
  }

  private async giveBack(last: string | null): Promise<void> {
    await this.listeners?.close()
    await this.store?.close().catch(() => {})
    await this.log.close(last)
  }
}

/** Starts a broker; rejects with a StartError where it cannot listen. */
export const startOn = async (runtime: Runtime, options: StartOptions): Promise<Running> => {
  const fault = faultOf(options)
  if (fault !== null) throw new StartError(fault)
  const fatal = options.fatal ?? throwToNobody
  const host = runtime.createHost((error) => {
    void held.release(null)
    fatal(error)
  })
  const held = new Held(openLog(runtime, options, host))
  try {
    return await begin(runtime, options, host, held)
  } catch (error) {
    held.driver?.kill()
    await held.release(null)
    throw error
  }
}

const begin = async (
  runtime: Runtime,
  options: StartOptions,
  host: Host,
  held: Held,
): Promise<Running> => {
  const { log } = held
  const { judge, scram } = options
  const config: Config = {
    ...defaults,
    authenticationMethods: scram ? ['SCRAM-SHA-256'] : [],
    connectionsMax: connectionsWithin(runtime.openFilesMax()),
    version: `sabethes version ${version}`,
    ...options.config,
  }
  const { memoryLimitBytes } = options
  log.line(`sabethes version ${version} starting`)
  for (const [type, text] of options.introduction ?? []) log.line(text, type)
  const tooLittle = whyTooLittle(host, memoryLimitBytes ?? null)
  if (tooLittle !== null) log.warn(tooLittle)
  const { persistence } = options
  const restored = persistence === undefined
    ? null
    : await bringBack(options.openStore ?? runtime.openStore, host, log, config, persistence)
  held.store = restored?.store ?? null
  const recordings = new Recordings(runtime, host, log, options.recording ?? null)
  const driver: Driver = createDriver({
    config,
    host,
    log,
    ...(judge ? { judge } : {}),
    ...(scram ? { know: createScram(scram) } : {}),
    opening: () => recordings.begin(driver),
    ...(memoryLimitBytes === undefined ? {} : { memoryLimitBytes }),
    ...(restored === null ? {} : { restored }),
  })
  held.driver = driver
  const listeners = new Listeners(runtime.listen, driver, log)
  held.listeners = listeners
  if (options.isLocalOnly ?? (options.listeners === undefined && options.hosts === undefined)) {
    log.line(
      'Starting in local only mode. Connections will only be possible from clients running on ' +
        'this machine.',
    )
  }
  const ports = await listeners.change(options.listeners ?? wantedOf(options))
  await options.listening?.()
  recordings.begin(driver)
  options.begun?.()
  log.line(`sabethes version ${version} running`)
  log.flush(0)
  return runningOf({ ports, options, config, held, driver, listeners, recordings })
}

/** What there is of a broker that listens. */
interface Parts {
  readonly ports: ReadonlyArray<number>
  readonly options: StartOptions
  readonly config: Config
  readonly held: Held
  readonly driver: Driver
  readonly listeners: Listeners
  readonly recordings: Recordings
}

const runningOf = (parts: Parts): Running => {
  const { ports, options, config, held, driver, listeners, recordings } = parts
  const { log } = held
  let now = config
  let stopped: Promise<void> | null = null
  const stop = (): Promise<void> => {
    void listeners.close()
    stopped ??= new Promise<void>((resolve) => {
      const timer = setTimeout(() => driver.kill(), stopMsMax)
      driver.halt(() => {
        clearTimeout(timer)
        resolve()
      })
    }).then(() => held.release(`sabethes version ${version} terminating`))
    return stopped
  }
  const kill = (): void => {
    driver.kill()
    void held.release(null)
  }
  return {
    ports,
    counters: () => driver.counters(),
    command: (command) => {
      // One that nobody knows would be a fault of the broker's.
      checkCommand(command)
      driver.command(command)
    },
    changeLog: (settings) => {
      const fault = faultBy(() => checkLog('changeLog()', settings))
      return fault === null ? log.reconfigure(settings) : E.left(fault)
    },
    reopenLog: () => log.reopen(),
    record: (how) => {
      if (how !== null) checkRecording('record()', how)
      recordings.change(driver, how)
    },
    recorded: () => recordings.recorded(),
    say: (text, type) => {
      log.line(text, type)
      log.flush(driver.look().now)
    },
    reconfigure: (some) => {
      checkConfig('reconfigure()', some)
      checkAsked('reconfigure()', some, options)
      now = { ...now, ...some }
      driver.reconfigure(now)
    },
    listen: async (wanted) => {
      const fault = faultBy(() => checkListeners('listen()', wanted))
      if (fault !== null) throw new StartError(fault)
      return listeners.change(wanted)
    },
    state: () => driver.look(),
    stop,
    kill,
  }
}

const wantedOf = (options: StartOptions): ReadonlyArray<Wanted> => {
  const hosts = options.hosts ?? loopback
  return (options.ports ?? [defaultPort]).map((port) => ({
    name: null,
    addresses: hosts.map((host) => ({ _tag: 'Tcp', host, port })),
    noDelay: true,
  }))
}

const openLog = (runtime: Runtime, options: StartOptions, host: Host): Log => {
  const print = options.print ?? ((text: string) => runtime.print(text))
  const log = new Log(
    (to) => to.to === 'stderr' ? E.right(outletTo(print)) : runtime.openOutlet(to),
    () => host.wall(),
    print,
  )
  const opened = log.reconfigure(options.log ?? logOf(options.verbosity ?? 'quiet'))
  if (E.isLeft(opened)) throw new StartError(opened.left)
  return log
}

const throwToNobody = (error: unknown): void => {
  setTimeout(() => {
    throw error
  }, 0)
}
