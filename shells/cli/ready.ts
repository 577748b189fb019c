// Tells whoever started the broker that it listens: systemd, and the command that sent it to the
// background.

import { spawn } from 'node:child_process'
import process from 'node:process'

/** What systemd-notify takes in all its versions: `--reloading` and `--stopping` came with 253. */
type State = 'READY=1' | 'RELOADING=1' | 'STOPPING=1'

/** Settles when it has been told, or cannot be. */
const tell = (state: State): Promise<void> =>
  new Promise((resolve) => {
    if (!process.env['NOTIFY_SOCKET']) return resolve()
    // The socket takes datagrams, which no runtime can send to a path; systemd brings a program.
    const child = spawn('systemd-notify', [`--pid=${process.pid}`, state], { stdio: 'ignore' })
    child.on('error', ({ message }) => {
      process.stderr.write(
        `Warning: systemd-notify does not start (${message}), so systemd is not told that the ` +
          'broker runs. Install it (on Deno, allow it: --allow-run=systemd-notify), or write ' +
          'Type=exec in the unit.\n',
      )
      resolve()
    })
    child.on('exit', () => resolve())
    // Deno throws where there is no process to let go.
    if (child.pid !== undefined) child.unref()
  })

/** Who is told that it reloads after it is ready again takes it to be reloading for ever. */
let told: Promise<void> = Promise.resolve()

export const tellReady = (): void => {
  told = told.then(() => tell('READY=1'))
}

export const tellReloading = (): void => {
  told = told.then(() => tell('RELOADING=1'))
}

/** At once: the process may not be there for long. */
export const tellStopping = (): void => void tell('STOPPING=1')
