// What the command line needs of its surroundings.

/** What each runtime brings. */
export interface Runtime {
  /** The words after the program's name. */
  words(): ReadonlyArray<string>
  /** Writes to standard output, and goes on where nobody reads it: for a broker that runs. */
  mention(text: string): void
}

export interface Program extends Runtime {
  /**
   * Writes to standard output, all of it before it returns. Ends the process where that cannot be
   * done: nobody would have what follows.
   */
  say(text: string): void
  /** Writes to standard error, if anybody reads it. */
  complain(text: string): void
  /** Ends the process. */
  exit(status: number): never
}
