// The traffic of PubSubClient 2.x, the library of Arduino boards, to the byte and to its faults: it
// checks no SUBACK, drops in silence what is longer than its buffer, and takes fifteen seconds for
// alive. A board has one thread; here its waiting is a promise.

import { Buffer } from 'node:buffer'
import { connect as dial } from 'node:net'
import type { Socket } from 'node:net'
import { comes } from './screen.ts'

export const keepAliveS = 15
const socketTimeoutS = 15
const bufferBytes = 256

/** What `client.state()` says; above 0 it is the return code of CONNACK. */
export const states = {
  connectionTimeout: -4,
  connectionLost: -3,
  connectFailed: -2,
  disconnected: -1,
  connected: 0,
} as const

const string = (text: string): Buffer => {
  const bytes = Buffer.from(text, 'utf8')
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes])
}

const packet = (header: number, ...parts: ReadonlyArray<Buffer>): Buffer => {
  const body = Buffer.concat(parts)
  const lengths: Array<number> = []
  let left = body.length
  do {
    lengths.push((left & 127) | (left > 127 ? 128 : 0))
    left >>= 7
  } while (left > 0)
  return Buffer.concat([Buffer.from([header, ...lengths]), body])
}

type Callback = (topic: string, payload: Buffer) => void

export class PubSubClient {
  /** Every packet, as hex, in the order of the wire. */
  readonly sent: Array<string> = []
  readonly received: Array<string> = []
  callback: Callback = () => {}
  readonly #host: string
  readonly #port: number
  readonly #localAddress: string
  #socket: Socket | null = null
  #isOpen = false
  #input = Buffer.alloc(0)
  #state: number = states.disconnected
  #nextId = 1
  #lastInMs = 0
  #lastOutMs = 0
  #isPingOutstanding = false

  constructor(host: string, port: number, localAddress: string) {
    this.#host = host
    this.#port = port
    this.#localAddress = localAddress
  }

  state(): number {
    return this.#state
  }

  connected(): boolean {
    if (this.#socket !== null && !this.#isOpen && this.#state === states.connected) {
      this.#state = states.connectionLost
      this.stop()
    }
    return this.#isOpen && this.#state === states.connected
  }

  stop(): void {
    this.#socket?.destroy()
    this.#isOpen = false
  }

  #write(bytes: Buffer): void {
    this.sent.push(bytes.toString('hex'))
    this.#socket?.write(bytes)
    this.#lastOutMs = performance.now()
  }

  /** Waits for so many bytes, as the library does for every single one. */
  #has(count: number): Promise<boolean> {
    return comes(
      () => this.#input.length >= count || !this.#isOpen,
      socketTimeoutS * 1_000,
    ).then(() => this.#input.length >= count)
  }

  /** The next packet; empty where there is none in time, or where it is longer than the buffer. */
  async #read(): Promise<Buffer> {
    let [at, length, shift] = [1, 0, 0]
    for (;; at++) {
      if (!await this.#has(at + 1)) return Buffer.alloc(0)
      const byte = this.#input[at] ?? 0
      length |= (byte & 127) << shift
      shift += 7
      if (byte < 128) break
    }
    const end = at + 1 + length
    if (!await this.#has(end)) return Buffer.alloc(0)
    const bytes = this.#input.subarray(0, end)
    this.#input = this.#input.subarray(end)
    this.received.push(bytes.toString('hex'))
    return end > bufferBytes ? Buffer.alloc(0) : bytes
  }

  #open(): Promise<boolean> {
    const socket = dial({ host: this.#host, port: this.#port, localAddress: this.#localAddress })
    this.#socket = socket
    this.#input = Buffer.alloc(0)
    socket.setNoDelay(true)
    socket.on('data', (chunk) => {
      this.#input = Buffer.concat([this.#input, chunk])
    })
    // What came before the end is still there to be read.
    socket.on('close', () => {
      if (this.#socket === socket) this.#isOpen = false
    })
    return new Promise((resolve) => {
      socket.on('connect', () => {
        this.#isOpen = true
        resolve(true)
      })
      socket.on('error', () => resolve(false))
    })
  }

  async connect(id: string, user: string, password: string): Promise<boolean> {
    this.#socket?.destroy()
    if (!await this.#open()) {
      this.#state = states.connectFailed
      return false
    }
    this.#nextId = 1
    const flags = 0x02 | 0x80 | 0x40
    const head = Buffer.from([0, 4, 0x4d, 0x51, 0x54, 0x54, 4, flags, 0, keepAliveS])
    this.#write(packet(0x10, head, string(id), string(user), string(password)))
    this.#lastInMs = this.#lastOutMs = performance.now()
    this.#isPingOutstanding = false
    if (!await this.#has(1)) {
      this.#state = states.connectionTimeout
      this.stop()
      return false
    }
    const answer = await this.#read()
    if (answer.length !== 4) {
      this.stop()
      return false
    }
    this.#lastInMs = performance.now()
    this.#state = answer[3] ?? states.connectionTimeout
    if (this.#state === states.connected) return true
    this.stop()
    return false
  }

  publish(topic: string, payload: string, isRetained = false): boolean {
    if (!this.connected()) return false
    const body = Buffer.from(payload, 'utf8')
    if (5 + 2 + Buffer.byteLength(topic) + body.length > bufferBytes) return false
    this.#write(packet(isRetained ? 0x31 : 0x30, string(topic), body))
    return true
  }

  subscribe(topic: string, qos = 0): boolean {
    if (qos > 1 || !this.connected()) return false
    this.#nextId += 1
    const id = Buffer.from([this.#nextId >> 8, this.#nextId & 255])
    this.#write(packet(0x82, id, string(topic), Buffer.from([qos])))
    return true
  }

  /** One round of the sketch; false when the connection is gone. */
  async loop(): Promise<boolean> {
    if (!this.connected()) return false
    const nowMs = performance.now()
    const idleMs = keepAliveS * 1_000
    if (nowMs - this.#lastInMs > idleMs || nowMs - this.#lastOutMs > idleMs) {
      if (this.#isPingOutstanding) {
        this.#state = states.connectionTimeout
        this.stop()
        return false
      }
      this.#write(Buffer.from([0xc0, 0]))
      this.#lastInMs = nowMs
      this.#isPingOutstanding = true
    }
    if (this.#input.length > 0) this.#take(await this.#read())
    return true
  }

  #take(bytes: Buffer): void {
    if (bytes.length === 0) return
    this.#lastInMs = performance.now()
    const type = (bytes[0] ?? 0) & 0xf0
    if (type === 0xd0) this.#isPingOutstanding = false
    if (type !== 0x30) return
    // Whatever fits the buffer has a length of one byte, or of two above 127.
    const start = (bytes[1] ?? 0) > 127 ? 3 : 2
    const topicEnd = start + 2 + bytes.readUInt16BE(start)
    const topic = bytes.subarray(start + 2, topicEnd).toString('utf8')
    if (((bytes[0] ?? 0) & 0x06) !== 0x02) return this.callback(topic, bytes.subarray(topicEnd))
    this.callback(topic, bytes.subarray(topicEnd + 2))
    this.#write(packet(0x40, bytes.subarray(topicEnd, topicEnd + 2)))
  }
}
