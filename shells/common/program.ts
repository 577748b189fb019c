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
  /**
   * Calls `handler` for every SIGINT and SIGTERM with the status that a shell shows for a process
   * ended by it (130 and 143).
   */
  onSignals(handler: (status: number) => void): void
}
