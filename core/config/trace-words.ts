// The words behind `sabethes trace`.

import { E } from '../prelude.ts'
import type { Either } from '../prelude.ts'
import { parseOptions } from './command-line.ts'
import type { Run } from './command-line.ts'
import type { TraceAction } from './control.ts'

export interface TraceWish {
  readonly action: TraceAction
  /** Where to, null for what the configuration says. */
  readonly file: string | null
  /** The broker that is meant, by the words that it was started with. */
  readonly run: Run
}

export const traceHelp = `Usage: sabethes trace start [FILE] [options of the broker]
       sabethes trace stop [options of the broker]
       sabethes trace status [options of the broker]

Begins or ends a recording of a broker that runs, or says whether there is one. Without FILE it goes
to trace_file. The broker is found by the options that it was started with, mostly -c CONF, through
a socket in the folder of its store, or else beside its trace_file or its pid_file. Only the user
that runs the broker, and root, may do so.

Status 0: done; 1: it could not be done, or no broker answers.
`

/** Null: the page of help was asked for. Left: what makes no sense. */
export const traceWish = (words: ReadonlyArray<string>): Either<string, TraceWish | null> => {
  if (words.includes('--help') || words.includes('-h')) return E.right(null)
  const [action, next, ...others] = words
  if (action !== 'start' && action !== 'stop' && action !== 'status') {
    return E.left(
      'trace wants to know what to do: sabethes trace start [FILE], stop or status, and the ' +
        'options that the broker was started with.',
    )
  }
  const hasFile = action === 'start' && next !== undefined && !next.startsWith('-')
  if (hasFile && next === '') return E.left('trace start wants the name of a file, not nothing.')
  const options = parseOptions(hasFile ? others : words.slice(1))
  if (E.isLeft(options)) return options
  if (options.right._tag !== 'Run') return E.left(`trace ${action} takes options of the broker.`)
  return E.right({ action, file: hasFile ? next : null, run: options.right })
}
