// What is said over the socket on which a running broker takes orders of its operator: one line
// each way, JSON. Reading is total.

import { E } from '../prelude.ts'
import type { Either } from '../prelude.ts'
import type { Settings } from './settings.ts'

/** What of recording is asked for. */
export type TraceAction = 'start' | 'stop' | 'status'

export interface ControlOrder {
  readonly action: TraceAction
  /** Where to, an absolute path; null for what the configuration says. Only of `start`. */
  readonly file: string | null
}

export interface ControlAnswer {
  /** Of the process that asked: 0 for done, 1 for could not. */
  readonly status: 0 | 1
  /** A sentence, or more. */
  readonly says: string
}

/** The longest line that either side writes, its end included. */
export const controlBytesMax = 8192

/**
 * Where the socket lies: in the folder of the store; without a store beside trace_file or pid_file,
 * under their names. Null where there is none of them.
 */
export const controlPath = ({ persistence, traceFile, pidFile }: Settings): string | null => {
  if (persistence !== null) {
    const { folder } = persistence
    return folder === '' ? 'sabethes.sock' : `${folder.replace(/\/+$/, '')}/sabethes.sock`
  }
  const beside = traceFile ?? pidFile
  return beside === null ? null : `${beside}.sock`
}

/** What an operator is told by whose words the broker has no place for a socket. */
export const noControlPath =
  'A broker with these options has no socket to be reached by. Name those that it was started ' +
  'with, mostly -c CONF. If they are all, it needs a place: set trace_file (with trace_on_start ' +
  'false nothing is recorded yet), pid_file or persistence true, and start it anew.'

const parsed = (line: string): unknown => {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

export const orderText = ({ action, file }: ControlOrder): string =>
  `${JSON.stringify(['trace', action, file])}\n`

/** Left: what to answer. */
export const readOrder = (line: string): Either<string, ControlOrder> => {
  const json = parsed(line)
  if (!Array.isArray(json) || json.length !== 3) return E.left('That is no order.')
  const [topic, action, file]: ReadonlyArray<unknown> = json
  if (topic !== 'trace') return E.left('That is no order that this version knows.')
  if (action !== 'start' && action !== 'stop' && action !== 'status') {
    return E.left('That is no order that this version knows.')
  }
  if (file === null) return E.right({ action, file })
  if (action !== 'start' || typeof file !== 'string' || !file.startsWith('/')) {
    return E.left('Only start takes a file, and its whole path.')
  }
  return file.includes('\0') ? E.left('A path has no NUL in it.') : E.right({ action, file })
}

export const answerLine = ({ status, says }: ControlAnswer): string =>
  `${JSON.stringify([status, says])}\n`

/** Null for what is no answer. */
export const readAnswer = (line: string): ControlAnswer | null => {
  const json = parsed(line)
  if (!Array.isArray(json)) return null
  const [status, says]: ReadonlyArray<unknown> = json
  return (status === 0 || status === 1) && typeof says === 'string' ? { status, says } : null
}
