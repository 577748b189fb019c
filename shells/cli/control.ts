// The Unix socket on which a running broker takes orders of its operator, on both runtimes. Nobody
// but the user that runs the broker, and root, can connect to it. Whatever comes in costs little:
// a line of a few kilobytes, a few connections at once, a few seconds each.

import { chmodSync, lstatSync, mkdtempSync, renameSync, rmdirSync, rmSync } from 'node:fs'
import type { Stats } from 'node:fs'
import { connect, createServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import { dirname, join } from 'node:path'
import { answerLine, controlBytesMax, readOrder } from '../../core/config/control.ts'
import type { ControlAnswer, ControlOrder } from '../../core/config/control.ts'
import { E } from '../../core/prelude.ts'
import type { Either } from '../../core/prelude.ts'
import { messageOf } from '../common/message.ts'

const connectionsMax = 8
const silenceMsMax = 2_000

// What the address of a Unix socket has room for where there is least.
const pathBytesMax = 103

const statOf = (path: string): Stats | undefined => lstatSync(path, { throwIfNoEntry: false })

/** Null, or the sentence why no socket can have this path. */
export const whyTooLong = (path: string): string | null =>
  Buffer.byteLength(path) <= pathBytesMax
    ? null
    : `${path} is longer than the ${pathBytesMax} bytes that a path of a socket may have`

/** Whether somebody listens there; what nobody listens on was left behind. */
const answers = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ path })
    const end = (isAlive: boolean) => (): void => {
      socket.destroy()
      resolve(isAlive)
    }
    socket.once('connect', end(true))
    socket.once('error', end(false))
    socket.setTimeout(silenceMsMax, end(true))
  })

/** Throws nothing. */
type Obey = (order: ControlOrder) => Promise<ControlAnswer>

/** Answers one line, and is rid of who sends none. */
const attend = (socket: Socket, obey: Obey): void => {
  let text = ''
  socket.setEncoding('latin1')
  socket.setTimeout(silenceMsMax, () => socket.destroy())
  // A byte now and then is no sign of life.
  const timer = setTimeout(() => socket.destroy(), silenceMsMax)
  timer.unref()
  socket.on('close', () => clearTimeout(timer))
  socket.on('error', () => socket.destroy())
  const reply = (answer: ControlAnswer): void => {
    socket.end(answerLine(answer), () => socket.destroy())
  }
  /** Nothing more is read, and nothing more has to come. */
  const enough = (): void => {
    socket.removeAllListeners('data')
    socket.pause()
    socket.setTimeout(0)
    clearTimeout(timer)
  }
  socket.on('data', (chunk: string) => {
    text += chunk
    const end = text.indexOf('\n')
    if (end < 0) {
      if (text.length <= controlBytesMax) return
      enough()
      return reply({ status: 1, says: 'That is no order.' })
    }
    enough()
    const order = readOrder(Buffer.from(text.slice(0, end), 'latin1').toString('utf8'))
    if (E.isLeft(order)) reply({ status: 1, says: order.left })
    else void obey(order.right).then(reply)
  })
}

export class Control {
  readonly path: string
  private readonly server: Server
  private readonly sockets: Set<Socket>
  private readonly inode: number

  private constructor(path: string, server: Server, sockets: Set<Socket>, inode: number) {
    this.path = path
    this.server = server
    this.sockets = sockets
    this.inode = inode
  }

  /** Left: why there is no socket. */
  static async open(
    path: string,
    obey: Obey,
  ): Promise<Either<string, Control>> {
    const tooLong = whyTooLong(join(path, '../.sabethes-XXXXXX/s')) ?? whyTooLong(path)
    if (tooLong !== null) return E.left(tooLong)
    try {
      const there = statOf(path)
      if (there !== undefined && !there.isSocket()) {
        return E.left(`there is something else at ${path}`)
      }
      if (there !== undefined && await answers(path)) {
        return E.left(`another broker answers at ${path}`)
      }
      const sockets = new Set<Socket>()
      const server = createServer((socket) => {
        if (sockets.size >= connectionsMax) return socket.destroy()
        sockets.add(socket)
        socket.on('close', () => sockets.delete(socket))
        attend(socket, obey)
      })
      await bind(server, path)
      server.unref()
      server.on('error', () => {})
      return E.right(new Control(path, server, sockets, statOf(path)?.ino ?? 0))
    } catch (error) {
      return E.left(messageOf(error))
    }
  }

  /** Removes the socket, unless it is another broker's by now. */
  close(): void {
    this.server.close()
    for (const socket of this.sockets) socket.destroy()
    try {
      if (statOf(this.path)?.ino === this.inode) rmSync(this.path, { force: true })
    } catch {
      // The next broker replaces it.
    }
  }
}

/**
 * Listens where nobody else can look, and moves the socket to its place once only its owner may
 * connect: so nobody comes in between, and one that was left behind is replaced.
 */
const bind = async (server: Server, path: string): Promise<void> => {
  const folder = mkdtempSync(join(dirname(path), '.sabethes-'))
  const hidden = join(folder, 's')
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ path: hidden }, () => {
        server.off('error', reject)
        resolve()
      })
    })
    chmodSync(hidden, 0o600)
    renameSync(hidden, path)
  } catch (error) {
    server.close()
    rmSync(hidden, { force: true })
    throw error
  } finally {
    rmdirSync(folder)
  }
}
