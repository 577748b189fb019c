// Reading on Node: all sockets into one buffer.

import { Socket } from 'node:net'

/**
 * What all sockets read into; good until the next read of any of them. By default Node allocates
 * 64 KiB for every read, and V8 marks its whole heap whenever 64 MiB of them have come together: at
 * a gigabyte a second that is all that the other cores do.
 */
export const readBuffer = Buffer.allocUnsafeSlow(64 * 1024)

/** What Node calls with the number of bytes that are now in `readBuffer`. */
type OnRead<S extends Socket> = (this: S, count: number) => boolean

// The option `onread` of a Socket says all this, but a server makes its sockets itself and passes
// nothing on. So what the constructor does with the option is done here, by the names that it uses;
// whatever is not as it was found in Node 20, 22 and 24 leaves the socket to its event 'data'.
const nameOf = (description: string): symbol | null => {
  const names = Object.getOwnPropertySymbols(new Socket())
  return names.find((name) => name.description === description) ?? null
}
const bufferName = nameOf('kBuffer')
const callbackName = nameOf('kBufferCb')

interface Handle {
  useUserBuffer(buffer: Uint8Array): void
}

const isHandle = (some: unknown): some is Handle =>
  typeof some === 'object' && some !== null && 'useUserBuffer' in some &&
  typeof some.useUserBuffer === 'function'

/**
 * Has a socket of a server read into `readBuffer` and call `onRead` in place of its event 'data'.
 * False: this Node has no such thing, and the socket is as it was.
 */
export const readInto = <S extends Socket>(socket: S, onRead: OnRead<S>): boolean => {
  if (bufferName === null || callbackName === null || !('_handle' in socket)) return false
  const { _handle } = socket
  if (!isHandle(_handle)) return false
  Object.assign(socket, { [bufferName]: readBuffer, [callbackName]: onRead })
  _handle.useUserBuffer(readBuffer)
  return true
}
