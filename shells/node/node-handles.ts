// The handles of Node's connections, of which `net.Socket` is made. A socket brings along two
// streams that a broker has no use for: it reads into a buffer of its own, and knows itself what
// waits to be written. By its handle a connection is opened for half the processor time and takes
// half the memory, and to write is one call.
//
// Node documents none of this. It is the same in Node 20, 22, 24 and 26, as what `net`, `http` and
// `tls` rest on; where anything is missing, or not as it was, nobody is given a handle
// and sockets are used. All that is known of it stands in this file.

import type { Server } from 'node:net'
import type { Peer } from '../../core/broker/input.ts'

/** A connection. What answers a number answers 0, or an error of libuv's, which is below 0. */
export interface Handle {
  /** Called with this handle as `this` after a read, and at its end; `readCount` says how many. */
  onread: (this: Handle) => void
  /** From now on reads go there. */
  useUserBuffer(buffer: Uint8Array): void
  readStart(): number
  readStop(): number
  /**
   * Writes at once what the kernel takes. If that is all (`hasWritten`), the request is as it was.
   * Otherwise it is called back when the rest has left, and what it keeps must live until then.
   */
  writeBuffer(request: WriteRequest, bytes: Uint8Array): number
  /** Ends our direction after what is being written. */
  shutdown(request: object): number
  close(): void
  /** Not on a Unix socket. */
  setNoDelay?(isOn: boolean): number
  getpeername?(name: { address?: string; port?: number }): number
  /** Ours: what `onread` finds its way by. */
  reader?: { read(count: number): void }
}

/** What has been begun and not ended. */
export interface WriteRequest {
  oncomplete?: (status: number) => void
}

interface Streams {
  readonly WriteWrap: new () => WriteRequest
  readonly ShutdownWrap: new () => { oncomplete?: () => void }
  /** What the call that was made last has to say beside its answer. */
  readonly streamBaseState: Int32Array
  readonly kReadBytesOrError: number
  readonly kLastWriteWasAsync: number
}

const isObject = (some: unknown): some is object => typeof some === 'object' && some !== null

const has = <K extends string>(
  some: unknown,
  type: 'function' | 'number',
  ...names: ReadonlyArray<K>
): some is object & { readonly [key in K]: unknown } =>
  isObject(some) && names.every((name) => typeof Reflect.get(some, name) === type)

const isStreams = (some: unknown): some is Streams =>
  has(some, 'function', 'WriteWrap', 'ShutdownWrap') &&
  has(some, 'number', 'kReadBytesOrError', 'kLastWriteWasAsync') &&
  'streamBaseState' in some && some.streamBaseState instanceof Int32Array

const isHandle = (some: unknown): some is Handle =>
  has(some, 'function', 'useUserBuffer', 'readStart', 'readStop') &&
  has(some, 'function', 'writeBuffer', 'shutdown', 'close')

const findStreams = (): Streams | null => {
  if (!('binding' in process) || typeof process.binding !== 'function') return null
  try {
    const streams: unknown = process.binding('stream_wrap')
    return isStreams(streams) ? streams : null
  } catch {
    // Forbidden, as by `--permission`.
    return null
  }
}

const streams = findStreams()

/** After `onread`: how many bytes were read, UV_EOF at the end, or what is wrong, below 0. */
export const readCount = (): number => streams!.streamBaseState[streams!.kReadBytesOrError]!

/** What a read of the other side's end counts as. */
export const UV_EOF = -4095

/** After `writeBuffer`: whether the kernel has taken everything. */
export const hasWritten = (): boolean => streams!.streamBaseState[streams!.kLastWriteWasAsync] === 0

export const writeRequest = (): WriteRequest => new streams!.WriteWrap()

const nothing = (): void => {}

/** Ends our direction of the connection; how that went nobody needs to know. */
export const shutdown = (handle: Handle): void => {
  const request = new streams!.ShutdownWrap()
  request.oncomplete = nothing
  handle.shutdown(request)
}

/** The other side, as far as the kernel knows it. */
export const peerOf = (handle: Handle): Peer => {
  const name: { address?: string; port?: number } = {}
  handle.getpeername?.(name)
  return { address: name.address ?? 'unknown', port: name.port ?? 0 }
}

/**
 * Has a server that listens give its connections to `take` by their handles, in place of its event
 * 'connection', until it listens anew. False: this Node has no such thing, and nothing was done.
 */
export const takeHandles = (server: Server, take: (handle: Handle) => void): boolean => {
  if (streams === null || !('_handle' in server)) return false
  const { _handle: listening } = server
  if (!has(listening, 'function', 'onconnection')) return false
  const { onconnection } = listening
  if (typeof onconnection !== 'function') return false
  return Reflect.set(listening, 'onconnection', (status: number, handle: unknown): void => {
    if (status === 0 && isHandle(handle)) take(handle)
    else Reflect.apply(onconnection, listening, [status, handle])
  })
}
