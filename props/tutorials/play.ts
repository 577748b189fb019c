// A tutorial as it is played: its lines as it prints them, what must come of each, and what is
// skipped by name. A row that fails is told, and the play goes on.

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { comes, folderAfter, missingIn, readScreen, type } from './screen.ts'
import type { Screen } from './screen.ts'
import { isHere, privateOnly, programOf, skips } from './skips.ts'
import { isRoot } from './world.ts'
import type { World } from './world.ts'

export interface Expected {
  /** 0 unless it is said. */
  readonly status?: number
  /** Each within a line of the screen, in this order; `<...>` stands for anything. */
  readonly says?: ReadonlyArray<string>
  /** The whole screen. */
  readonly exactly?: ReadonlyArray<string>
  /** What no line may say. */
  readonly lacks?: string
  /** Answers to what the line asks. */
  readonly typed?: string
}

export interface Report {
  readonly played: number
  readonly skipped: ReadonlyArray<string>
  readonly failures: ReadonlyArray<string>
}

export interface Window {
  readonly screen: Screen
  readonly says: (...wanted: ReadonlyArray<string>) => Promise<void>
  /** Ctrl-C, and the status that must come of it. */
  readonly interrupt: (status?: number) => Promise<void>
}

export class Play {
  readonly world: World
  readonly #fill: Readonly<Record<string, string>>
  readonly #failures: Array<string> = []
  readonly #skipped: Array<string> = []
  readonly #screens: Array<Screen> = []
  // Also for a broker that is another user.
  readonly #scratch = mkdtempSync(join(tmpdir(), 'typed-'))
  #cwd = this.#scratch
  #played = 0

  /** `fill`: what the reader puts in the place of `<username>` and the like. */
  constructor(world: World, fill: Readonly<Record<string, string>> = {}) {
    this.world = world
    this.#fill = fill
    chmodSync(this.#scratch, 0o755)
  }

  /** Ends what still runs, and leaves nothing. */
  close(): void {
    for (const { kill } of this.#screens) kill()
    rmSync(this.#scratch, { recursive: true, force: true })
    this.world.close()
  }

  report(): Report {
    return { played: this.#played, skipped: this.#skipped, failures: this.#failures }
  }

  #line(text: string): string {
    let line = text
    for (const [hole, word] of Object.entries(this.#fill)) line = line.replaceAll(hole, word)
    return this.world.here(line)
  }

  #judge(row: string, faults: ReadonlyArray<string>, screen = ''): void {
    this.#played += 1
    console.log(`${faults.length === 0 ? 'ok   ' : 'FAIL '} ${row}`)
    if (faults.length === 0) return
    const told = [row, ...faults, ...screen.split('\n').map((line) => `  | ${line}`)].join('\n    ')
    console.log(`    ${told}`)
    this.#failures.push(told)
  }

  /** What a reader learns beside the rows. */
  note(text: string): void {
    console.log(`note  ${text}`)
  }

  /** Where Debian's mosquitto 2.0.11 does otherwise than 2.1, which Sabethes follows. */
  unlike<A>(why: string, ours: A, older: A): A {
    if (this.world.broker !== 'mosquitto') return ours
    this.note(`mosquitto 2.0.11: ${why}`)
    return older
  }

  skip(line: string, why = skips): void {
    const program = programOf(line)
    const found = why[program]
    this.#skipped.push(program)
    console.log(`skip  ${line} (${program}: ${found?.why ?? 'on no list'})`)
    if (found === undefined) this.#judge(line, [`${program} is not on the list of what is skipped`])
    else if (found.kind === 'absent' && isHere(program)) {
      this.#judge(line, [`${program} is said to be absent, and is here`])
    }
  }

  /** Runs what changes the machine where the machine is the play's own; files always are. */
  async privately(line: string, expected: Expected = {}): Promise<void> {
    if (this.world.isOwnMachine || (isRoot && programOf(line) === 'chown')) {
      await this.run(line, expected)
    } else this.skip(line, privateOnly)
  }

  /** Types a line and waits for its end. */
  async run(line: string, expected: Expected = {}): Promise<string> {
    const typed = this.#line(line)
    const screen = type(this.world, typed, this.#cwd, expected.typed ?? '')
    this.#screens.push(screen)
    const status = await screen.ended()
    if (status === 0) this.#cwd = folderAfter(typed, this.#cwd)
    const text = screen.text()
    const { says = [], exactly, lacks } = expected
    const faults = missingIn(text, says.map((each) => this.world.here(each)))
      .map((each) => `does not say: ${each}`)
    if (status !== (expected.status ?? 0)) {
      faults.unshift(`status ${status} instead of ${expected.status ?? 0}`)
    }
    if (exactly !== undefined) {
      const whole = exactly.map((each) => this.world.here(each)).join('\n')
      if (text.trimEnd() !== whole) faults.push(`must say: ${whole}`)
    }
    if (lacks !== undefined && text.includes(lacks)) faults.push(`may not say: ${lacks}`)
    this.#judge(line, faults, text)
    return text
  }

  /** Puts a file where a skipped line would have put it. */
  put(path: string, text: string): void {
    const file = this.world.here(path)
    writeFileSync(isAbsolute(file) ? file : join(this.#cwd, file), text)
  }

  /** Types a line in a window of its own, where it goes on. */
  open(line: string): Window {
    // exec: Ctrl-C is for the program and not for a shell around it, and so is the status.
    const screen = type(this.world, `exec ${this.#line(line)}`, this.#cwd, '')
    this.#screens.push(screen)
    const says = async (...wanted: ReadonlyArray<string>): Promise<void> => {
      const lines = wanted.map((each) => this.world.here(each))
      await screen.shows(lines)
      const faults = missingIn(screen.text(), lines).map((each) => `does not say: ${each}`)
      this.#judge(`${line}  # in its window`, faults, screen.text())
    }
    const interrupt = async (status = 0): Promise<void> => {
      const at = await screen.interrupt()
      const faults = at === status ? [] : [`status ${at} instead of ${status}`]
      this.#judge(`${line}  # until Ctrl-C`, faults, screen.text())
    }
    return { screen, says, interrupt }
  }

  /** Opens an editor and types: the text of the file, or what is to stand below it. */
  async edit(line: string, lines: ReadonlyArray<string>, append = false): Promise<void> {
    const path = join(this.#scratch, 'typed')
    writeFileSync(path, this.world.here(`${append ? '\n' : ''}${lines.join('\n')}\n`))
    const env = { TYPED: path, ...(append ? { APPEND: 'yes' } : {}) }
    const screen = type(this.world, this.#line(line), this.#cwd, '', env)
    const status = await screen.ended()
    this.#judge(line, status === 0 ? [] : [`status ${status}`], screen.text())
  }

  /** Waits until so many subscribers have an answer: CONNACK and SUBACK are 9 bytes. */
  async clients(count: number): Promise<void> {
    const port = this.world.here('1883')
    const ask = ['-tniOH', 'state', 'established', `( dport = :${port} )`]
    const there = (): number => {
      const { stdout } = spawnSync('ss', ask, { encoding: 'utf8', env: this.world.env })
      return [...(stdout ?? '').matchAll(/bytes_received:(\d+)/g)]
        .filter(([, bytes]) => Number(bytes) >= 9).length
    }
    if (!await comes(() => there() >= count)) this.#judge(`# ${count} subscribers`, ['not there'])
  }

  /** Debian's own configuration, as its package brings it. */
  async stock(): Promise<void> {
    const path = '/etc/mosquitto/mosquitto.conf'
    const known = spawnSync('dpkg-query', ['-W', '-f=${Conffiles}', 'mosquitto'], {
      encoding: 'utf8',
    }).stdout ?? ''
    const sum = createHash('md5').update(readScreen(path)).digest('hex')
    await this.holds(`${path} is Debian's own`, () => known.includes(`${path} ${sum}`))
  }

  /** What is true now, or soon. */
  async holds(what: string, done: () => boolean | Promise<boolean>): Promise<void> {
    const came = await comes(done, 10_000)
    this.#judge(`# ${what}`, came ? [] : ['it is not so'])
  }

  /** What stands in a file now, or soon. */
  async fileSays(path: string, ...wanted: ReadonlyArray<string>): Promise<void> {
    const file = this.world.here(path)
    const lines = wanted.map((each) => this.world.here(each))
    await comes(() => missingIn(readScreen(file), lines).length === 0, 10_000)
    const faults = missingIn(readScreen(file), lines).map((each) => `does not say: ${each}`)
    this.#judge(`# ${path}: ${wanted.at(-1)}`, faults, readScreen(file))
  }
}
