// A listening broker inside a Deno program: `const broker = await start({ ports: [0] })`.

import { startOn } from '../common/start.ts'
import type { Running } from '../common/start.ts'
import type { StartOptions } from '../common/start-options.ts'
import { createHost, openFilesMax, print } from './host.ts'
import { openSqlite } from '../store/sqlite.ts'
import { tapes } from '../trace/tapes.ts'
import { writeInThread } from '../trace/thread.ts'
import { listen } from './listen.ts'
import { openOutlet } from './outlet.ts'

export { ListenError, StartError } from '../common/listen.ts'
export type { Address, Wanted } from '../common/listen.ts'
export type { Running } from '../common/start.ts'
export type { StartOptions } from '../common/start-options.ts'
export { saslPrep, scramCredentials } from '../common/scram.ts'
export type { ScramCredentials, ScramOptions } from '../common/scram.ts'
export type { Counters } from '../common/driver.ts'

/**
 * Starts a broker that listens on 127.0.0.1 and ::1, port 1883, unless told otherwise. Rejects with
 * a StartError, whose message says what to do, where it cannot listen.
 */
export const start = (options: StartOptions = {}): Promise<Running> =>
  startOn({
    createHost,
    listen,
    openFilesMax,
    openOutlet,
    openStore: openSqlite,
    print,
    tapes,
    writers: writeInThread,
  }, options)
