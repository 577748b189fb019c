// The life of the broker as a program: from its settings to a listening broker, what each signal
// does to it, and a reload that happens as a whole or not at all.

import process from 'node:process'
import { controlPath } from '../../core/config/control.ts'
import { diff, keepNames, printDiff } from '../../core/config/mod.ts'
import type { ConfigError, LogType, Settings } from '../../core/config/mod.ts'
import { treeText } from '../../core/log/tree-text.ts'
import { E } from '../../core/prelude.ts'
import type { Either } from '../../core/prelude.ts'
import { StoreError } from '../common/driver.ts'
import type { Wanted } from '../common/listen.ts'
import { Log } from '../common/log.ts'
import { messageOf } from '../common/message.ts'
import type { OpenOutlet } from '../common/outlet.ts'
import type { Program } from '../common/program.ts'
import type { Recording } from '../common/recorder.ts'
import type { Running, Start } from '../common/start.ts'
import type { OpenStore, StoreOptions } from '../common/store.ts'
import { openSqlite } from '../store/sqlite.ts'
import { isInBackground, letGo } from './background.ts'
import { Control } from './control.ts'
import { removePidFile, writePidFile } from './pid-file.ts'
import { tellReady, tellReloading, tellStopping } from './ready.ts'
import { as, become, giveFile, giveSocket, isRoot, makeFolderFor } from './rights.ts'
import { userToBecome } from './rights.ts'
import type { User } from './rights.ts'
import { Doorkeeper, goneOrGuarded, Secrets } from './secrets.ts'
import type { Refusal } from './secrets.ts'
import { obeyTrace, recordingTo } from './recording.ts'
import { holds, isFile } from '../trace/tapes.ts'
import { wantedOf } from './wanted.ts'

/** What the command line makes of the broker. */
export interface Order {
  /** Null where there is no configuration file. */
  readonly file: string | null
  /** Reads the file again, if there is one, and puts the command line over it. */
  readonly read: () => Either<ConfigError, Settings>
  /** Whether SIGHUP came since `read` was called first. */
  readonly isStale: () => boolean
}

const statusFailed = 1

/** EX_SOFTWARE of sysexits.h: an internal error has been found. */
const statusFault = 70

/** Signals within this time are one wish. */
const sameWishMs = 500

const refusal = (sentence: string, status = statusFailed): Refusal => ({
  lines: [`Error: ${sentence}`],
  status,
})

const storeOptions = ({ persistence }: Settings): StoreOptions | null =>
  persistence === null ? null : {
    folder: persistence.folder === '' ? '.' : persistence.folder,
    salvage: persistence.salvage,
    ...(persistence.storeBytesMax === null ? {} : { storeBytesMax: persistence.storeBytesMax }),
  }

const recordingOptions = (settings: Settings): Recording | null =>
  settings.traceFile === null || !settings.traceOnStart
    ? null
    : recordingTo(settings.traceFile, settings)

const isRecordedAlike = (one: Settings, other: Settings): boolean =>
  one.traceFile === other.traceFile && one.traceOnStart === other.traceOnStart &&
  one.traceBytesMax === other.traceBytesMax &&
  one.tracePayload === other.tracePayload

/** Whether a recording is there, or begins there. */
const isOurs = (path: string): boolean => isFile(path) && E.isRight(holds(path))

/** The store belongs to whom the broker becomes, with the copy that loading it may leave beside. */
const openStoreAs = (user: User): OpenStore => async (options) => {
  makeFolderFor(options.folder, user)
  const opened = await as(user, () => openSqlite(options))
  if (E.isLeft(opened)) {
    return E.left(`${opened.left} (The broker is to run as the user '${user.name}'.)`)
  }
  const store = opened.right
  return E.right({ ...store, load: (take) => as(user, () => store.load(take)) })
}

const warnOfRoot = 'Warning: Sabethes should not be run as root/administrator.'

export class Operator {
  private readonly program: Program
  private readonly start: Start
  private readonly openOutlet: OpenOutlet
  private readonly order: Order
  private settings: Settings | null = null
  private secrets: Secrets | null = null
  private doorkeeper: Doorkeeper | null = null
  /** Whom it has become, null where it stayed who it was. */
  private user: string | null = null
  private running: Running | null = null
  private control: Control | null = null
  private signalledMs: number | null = null
  private reloading: Promise<void> = Promise.resolve()

  constructor(program: Program, start: Start, openOutlet: OpenOutlet, order: Order) {
    this.program = program
    this.start = start
    this.openOutlet = openOutlet
    this.order = order
  }

  /** Resolves when the broker listens, or ends the process. */
  async begin(settings: Settings): Promise<void> {
    this.hearSignals()
    const refused = await this.open(settings)
    if (refused !== null) {
      for (const line of refused.lines) this.program.complain(`${line}\n`)
      await this.writeDown(refused.lines, settings)
      return this.program.exit(refused.status)
    }
    await this.openControl(settings)
    tellReady()
    if (isInBackground()) letGo(this.program)
    // A signal that came while the listeners were being opened.
    if (this.signalledMs !== null) this.end()
    else if (this.order.isStale()) this.hearReload()
  }

  /** Why there is no broker stands in its log too: at boot nobody reads standard error. */
  private async writeDown(lines: ReadonlyArray<string>, { log }: Settings): Promise<void> {
    const destinations = log.destinations.filter(({ to }) => to === 'file' || to === 'syslog')
    const lasting = new Log(
      this.openOutlet,
      () => Date.now(),
      (text) => this.program.complain(text),
    )
    // A destination that cannot be opened may be the very reason, which has been told.
    if (E.isLeft(lasting.reconfigure({ ...log, destinations }))) return
    for (const line of lines) lasting.line(line, 'error')
    await lasting.close()
  }

  private async open(settings: Settings): Promise<Refusal | null> {
    const isConfigured = this.order.file !== null || settings.user !== null
    const becoming = isConfigured ? userToBecome(settings.user) : E.right(null)
    if (E.isLeft(becoming)) return refusal(becoming.left)
    const user = becoming.right
    const secrets = await Secrets.read(settings, user?.name ?? null)
    if (E.isLeft(secrets)) return secrets.left
    const wanted = await wantedOf(settings)
    if (E.isLeft(wanted)) return refusal(wanted.left)
    const doorkeeper = new Doorkeeper(secrets.right, settings)
    const store = storeOptions(settings)
    const recording = recordingOptions(settings)
    try {
      const running = await this.start({
        listeners: wanted.right,
        isLocalOnly: settings.isLocalOnly,
        log: this.logOf(settings),
        introduction: this.introduction(settings, secrets.right, user),
        config: secrets.right.config(settings),
        judge: (question, isWanted) => doorkeeper.judge(question, isWanted),
        ...(settings.memoryLimitBytes === null
          ? {}
          : { memoryLimitBytes: settings.memoryLimitBytes }),
        ...(store === null ? {} : { persistence: store }),
        ...(recording === null ? {} : { recording }),
        ...(user === null ? {} : { openStore: openStoreAs(user) }),
        listening: () => this.beFound(settings),
        // The last thing that is done with all rights.
        begun: () => this.settle(settings, wanted.right, user),
        fatal: (error) => this.fail(error),
      })
      this.settings = settings
      this.secrets = secrets.right
      this.doorkeeper = doorkeeper
      this.user = user?.name ?? null
      this.running = running
    } catch (error) {
      return refusal(messageOf(error))
    }
    return null
  }

  /** Where the operator can switch recording; a broker without it is as good. */
  private async openControl(settings: Settings): Promise<void> {
    const path = controlPath(settings)
    if (path === this.control?.path) return
    this.control?.close()
    this.control = null
    if (path === null) return
    const opened = await Control.open(path, async (order) => {
      const { running, settings } = this
      return running === null || settings === null || this.signalledMs !== null
        ? { status: 1, says: 'The broker is ending.' }
        : obeyTrace(running, settings, order)
    })
    if (E.isLeft(opened)) {
      this.say([`Recording cannot be switched with sabethes trace: ${opened.left}.`], 'notice')
    } else if (this.signalledMs === null) this.control = opened.right
    // The end may have come meanwhile.
    else opened.right.close()
  }

  /** Nobody reads what a broker in the background says to a terminal. */
  private logOf({ log }: Settings): Settings['log'] {
    if (!isInBackground()) return log
    const destinations = log.destinations.filter(({ to }) => to !== 'stderr' && to !== 'stdout')
    return { ...log, destinations }
  }

  private introduction(
    settings: Settings,
    secrets: Secrets,
    user: User | null,
  ): ReadonlyArray<readonly [LogType, string]> {
    const { file } = this.order
    return [
      ...(user === null && file !== null && isRoot() ? [['warning', warnOfRoot] as const] : []),
      ...(user === null
        ? []
        : [['information', `Info: running sabethes as user: ${user.name}.`] as const]),
      ['information', file === null ? 'Using default config.' : `Config loaded from ${file}.`],
      ...settings.notices.map((text) => ['information', text] as const),
      ...[...settings.warnings, ...secrets.warnings].map(
        (text) => ['warning', `Warning: ${text}`] as const,
      ),
    ]
  }

  /** The listeners are open: others may know. */
  private beFound({ pidFile }: Settings): void {
    const failed = pidFile === null ? null : writePidFile(pidFile)
    if (failed !== null) throw new Error(failed)
  }

  /** What remains to be done as root, and the end of being root. */
  private settle(
    { pidFile, log, traceFile }: Settings,
    wanted: ReadonlyArray<Wanted>,
    user: User | null,
  ): void {
    if (user === null) return
    for (const destination of log.destinations) {
      if (destination.to === 'file') giveFile(destination.path, user)
    }
    for (const address of wanted.flatMap(({ addresses }) => addresses)) {
      if (address._tag === 'Unix') giveSocket(address.path, user)
    }
    if (pidFile !== null) giveFile(pidFile, user)
    if (traceFile !== null && isOurs(traceFile)) giveFile(traceFile, user)
    become(user)
  }

  private fail(error: unknown): void {
    this.vanish()
    this.program.exit(error instanceof StoreError ? statusFailed : statusFault)
  }

  /** What others find the broker by is removed. */
  private vanish(): void {
    this.control?.close()
    this.control = null
    const file = this.settings?.pidFile ?? null
    if (file !== null) removePidFile(file)
  }

  private hearSignals(): void {
    for (const [name, status] of [['SIGINT', 130], ['SIGTERM', 143]] as const) {
      const earlier = process.listeners(name)
      process.on(name, () => this.hearEnd(status))
      // Not before: a signal that nobody hears ends the process at once.
      for (const listener of earlier) process.removeListener(name, listener)
    }
    process.on('SIGHUP', () => this.hearReload())
    process.on('SIGUSR1', () => this.save())
    process.on('SIGUSR2', () => {
      if (this.running !== null) this.program.mention(treeText(this.running.state()))
    })
    // A log that nobody reads any more is no reason to end.
    process.stderr.on('error', () => {})
    process.stdout.on('error', () => {})
  }

  private hearReload(): void {
    this.reloading = this.reloading.then(() => this.reload()).catch((error: unknown) => {
      // One that fails for a reason of ours must not be the last.
      this.say([`Error: the reload failed: ${messageOf(error)}`], 'error')
    })
  }

  private hearEnd(status: number): void {
    const nowMs = performance.now()
    if (this.signalledMs !== null) {
      // Whoever asks twice does not want to wait for slow readers. What comes at once is the same
      // wish: a terminal tells all that it has started, and who has started us passes it on.
      if (nowMs - this.signalledMs > sameWishMs) {
        this.vanish()
        this.program.exit(status)
      }
      return
    }
    this.signalledMs = nowMs
    this.end()
  }

  private end(): void {
    const { running } = this
    if (running === null) return
    tellStopping()
    running.stop().then(() => {
      this.vanish()
      this.program.exit(0)
    })
  }

  private save(): void {
    if (this.running === null) return
    this.running.say(
      this.settings?.persistence === null
        ? 'There is nothing to save: persistence is off.'
        : 'There is nothing to save: all that was acknowledged is on disk already.',
    )
  }

  private say(lines: ReadonlyArray<string>, type: LogType): void {
    for (const line of lines) this.running?.say(line, type)
  }

  private async reload(): Promise<void> {
    const { running, doorkeeper, settings, secrets } = this
    if (running === null || doorkeeper === null || settings === null || secrets === null) return
    if (this.signalledMs !== null) return
    if (this.order.file === null) return running.reopenLog()
    tellReloading()
    running.say('Reloading config.')
    const refused = await this.change(running, doorkeeper, settings, secrets)
    if (refused !== null) {
      this.say(refused.lines, 'error')
      this.say(['The configuration stays as it was.'], 'error')
    }
    running.reopenLog()
    tellReady()
  }

  private async change(
    running: Running,
    doorkeeper: Doorkeeper,
    old: Settings,
    secrets: Secrets,
  ): Promise<Refusal | null> {
    const read = this.order.read()
    if (E.isLeft(read)) return read.left
    const settings = keepNames(old, read.right)
    const next = await Secrets.read(settings, this.user, secrets)
    if (E.isLeft(next)) return next.left
    const wanted = await wantedOf(settings)
    if (E.isLeft(wanted)) return refusal(wanted.left)
    const logged = running.changeLog(this.logOf(settings))
    if (E.isLeft(logged)) return refusal(logged.left)
    // Whoever comes in through a new listener is asked from its first moment on.
    doorkeeper.expect(next.right, settings)
    try {
      await running.listen(wanted.right)
    } catch (error) {
      const refused = refusal(messageOf(error))
      const restored = running.changeLog(this.logOf(old))
      if (E.isRight(restored)) return refused
      const stays = `Error: The log stays where the new configuration has it: ${restored.left}`
      return { ...refused, lines: [...refused.lines, stays] }
    }
    const { pidFile, persistence, user, memoryLimitBytes } = old
    this.settings = { ...settings, pidFile, persistence, user, memoryLimitBytes }
    this.secrets = next.right
    if (!isRecordedAlike(old, settings)) running.record(recordingOptions(settings))
    running.reconfigure(next.right.config(settings))
    for (const revocation of doorkeeper.change(next.right, settings)) {
      running.command({ _tag: 'Revoke', revocation })
    }
    for (const listener of goneOrGuarded(old, settings)) {
      running.command({ _tag: 'Shut', listener })
    }
    this.say(settings.notices, 'information')
    this.say(settings.warnings.map((text) => `Warning: ${text}`), 'warning')
    this.say(next.right.warnings.map((text) => `Warning: ${text}`), 'warning')
    this.say(printDiff(diff(old, settings)), 'information')
    await this.openControl(this.settings)
    return null
  }
}
