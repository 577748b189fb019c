// Tells whoever started the broker that it listens: systemd, and the command that sent it to the
// background.

import { spawn } from 'node:child_process'
import process from 'node:process'

const tell = (state: string): void => {
  if (!process.env['NOTIFY_SOCKET']) return
  // The socket takes datagrams, which no runtime can send to a path; systemd brings a program.
  const child = spawn('systemd-notify', [`--pid=${process.pid}`, state], { stdio: 'ignore' })
  child.on('error', ({ message }) => {
    process.stderr.write(
      `Warning: systemd-notify does not start (${message}), so systemd is not told that the ` +
        'broker runs. Install it, or write Type=exec in the unit.\n',
    )
  })
  // Deno throws where there is no process to let go.
  if (child.pid !== undefined) child.unref()
}

export const tellReady = (): void => tell('--ready')

export const tellReloading = (): void => tell('--reloading')

export const tellStopping = (): void => tell('--stopping')
