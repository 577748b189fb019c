// What is wrong with a file of an operator's, in two sentences: what and where, and what to do.

/** Where a file is wrong, how, and what to write instead. */
export interface FileFault {
  readonly file: string
  /** From 1; 0 where the file as a whole is at fault. */
  readonly line: number
  /** The word that is at fault; empty where it is one that is missing. */
  readonly word: string
  /** Without a full stop: "an access type that does not exist". */
  readonly what: string
  /** A whole sentence. */
  readonly remedy: string
}

/** One line for a log, without a "Error: " before it. The word is the operator's own text. */
export const faultText = ({ file, line, word, what, remedy }: FileFault): string =>
  `${file}${line === 0 ? '' : `:${line}`}: ${what}${word === '' ? '' : ` (${word})`}. ${remedy}`
