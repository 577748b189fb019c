// The settings of a log that nobody has written a file about.

import { defaultLog, logTypes } from '../config/settings.ts'
import type { LogSettings } from '../config/settings.ts'

/** quiet: nothing but errors; verbose: mosquitto's -v, each packet a line. */
export type Verbosity = 'quiet' | 'normal' | 'verbose'

/** The settings that a verbosity stands for. */
export const logOf = (verbosity: Verbosity): LogSettings =>
  verbosity === 'normal'
    ? defaultLog
    : { ...defaultLog, types: verbosity === 'quiet' ? ['error'] : logTypes }
