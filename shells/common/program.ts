// What the command line needs of a runtime.

export interface Program {
  /** The words after the program's name. */
  words(): ReadonlyArray<string>
  /** Writes to standard output. */
  say(text: string): void
  /** Writes to standard error. */
  complain(text: string): void
  /** Ends the process. */
  exit(status: number): never
}
