// Reads what strace -f -xx -y wrote: writes to the store's log, flushes of it, and what was given
// to sockets, each at the line where it began or returned.

export interface Message {
  readonly payload: string
  readonly packetId: number
  readonly qos: 1 | 2
}

interface Write {
  /** Number of the line. */
  readonly at: number
  readonly pid: string
  readonly hex: string
}

interface Flush {
  readonly pid: string
  readonly began: number
  readonly returned: number
}

export interface Calls {
  readonly logWrites: ReadonlyArray<Write>
  readonly socketWrites: ReadonlyArray<Write>
  /** Of the log, that succeeded. */
  readonly flushes: ReadonlyArray<Flush>
  /** Of whatever file, that failed. */
  readonly failedFlushes: number
}

const hexOf = (text: string): string =>
  [...text].map((letter) => letter.charCodeAt(0).toString(16).padStart(2, '0')).join('')

const bytesIn = (rest: string): string =>
  [...rest.matchAll(/"((?:\\x[0-9a-f]{2})*)"/g)].map(([, one]) => one!.replaceAll('\\x', '')).join(
    '',
  )

const started = /^(\d+) +(\w+)\(\d+<([^>]*)>(.*)$/
const resumed = /^(\d+) +<\.\.\. (\w+) resumed>.*= (-?\d+)/
const log = hexOf('sabethes.sqlite3-wal')

export const traceOf = (text: string): Calls => {
  const logWrites: Write[] = []
  const socketWrites: Write[] = []
  const flushes: Flush[] = []
  let failedFlushes = 0
  const open = new Map<string, number>()
  text.split('\n').forEach((line, at) => {
    const done = resumed.exec(line)
    if (done !== null) {
      const [, pid, , result] = done
      const began = open.get(pid!)
      open.delete(pid!)
      if (began === undefined) return
      if (result === '0') flushes.push({ pid: pid!, began, returned: at })
      else failedFlushes += 1
      return
    }
    const found = started.exec(line)
    if (found === null) return
    const [, pid = '', call = '', path = '', rest = ''] = found
    // Paths are in hexadecimal too, with one \x before each byte.
    const name = path.includes('\\x') ? path.replaceAll('\\x', '') : hexOf(path)
    if (call === 'fsync' || call === 'fdatasync') {
      if (!name.endsWith(log)) return
      if (rest.includes('<unfinished')) open.set(pid, at)
      else if (/= 0$/.test(rest)) flushes.push({ pid, began: at, returned: at })
      else failedFlushes += 1
      return
    }
    if (name.endsWith(log)) logWrites.push({ at, pid, hex: bytesIn(rest) })
    else if (name.startsWith(hexOf('socket:')) || name.startsWith(hexOf('TCP'))) {
      socketWrites.push({ at, pid, hex: bytesIn(rest) })
    }
  })
  return { logWrites, socketWrites, flushes, failedFlushes }
}

/** The packets of our short answers, as hexadecimal words: `40020001`. */
const answersIn = (hex: string): ReadonlyArray<string> => {
  const found: string[] = []
  for (let at = 0; at + 4 <= hex.length;) {
    const size = 4 + 2 * parseInt(hex.slice(at + 2, at + 4), 16)
    found.push(hex.slice(at, at + size))
    at += size
  }
  return found
}

export interface Order {
  readonly message: Message
  /** Lines; -1 for never. */
  readonly written: number
  readonly flushed: number
  readonly answered: number
}

/** When each message was written to the log, when the flush after that returned, and its answer. */
export const flushesOf = (
  { logWrites, socketWrites, flushes }: Calls,
  messages: ReadonlyArray<Message>,
): ReadonlyArray<Order> =>
  messages.map((message) => {
    const payload = hexOf(message.payload)
    const write = logWrites.find(({ hex }) => hex.includes(payload))
    const flush = write === undefined
      ? undefined
      : flushes.find(({ pid, began }) => pid === write.pid && began > write.at)
    const answer = `${message.qos === 1 ? '40' : '50'}02` +
      message.packetId.toString(16).padStart(4, '0')
    const answered = socketWrites.find(({ hex }) => answersIn(hex).includes(answer))
    return {
      message,
      written: write?.at ?? -1,
      flushed: flush?.returned ?? -1,
      answered: answered?.at ?? -1,
    }
  })
