// The file of a capture that a recording is written to: `sabethes replay FILE --to-pcapng OUT`.

import { E } from '../../core/prelude.ts'
import { Exporter } from '../../core/trace/capture/export.ts'
import type { Found } from '../../core/trace/replay.ts'
import type { Program } from '../common/program.ts'
import { noTapeText } from '../common/tape.ts'
import type { Tape } from '../common/tape.ts'
import type { Given } from './given.ts'
import { whyOverwritten } from './same-file.ts'
import { tapes } from '../trace/tapes.ts'
import { plural } from '../../core/trace/words.ts'

const portionBytes = 256 * 1024

export class CaptureOut {
  private readonly from: Given
  private readonly path: string
  private readonly exporter = new Exporter((bytes) => this.put(bytes))
  private tape: Tape | null = null
  private wrong: string | null = null
  private payload: 'full' | 'hash' | 'length' = 'full'
  private parts: Array<Uint8Array> = []
  private waitingBytes = 0

  constructor(from: Given, path: string) {
    this.from = from
    this.path = path
  }

  /** Why this cannot be, before anything is read. */
  refusal(): string | null {
    if (this.from.kind === 'capture') return `${this.from.path} is a capture already.`
    return whyOverwritten('--to-pcapng', this.path, this.from.path)
  }

  /** Takes what a replay has found; the file is made when the head of a recording was. */
  take(found: Found): void {
    if (this.wrong !== null) return
    if (found._tag === 'Began') {
      const tape = tapes.create(this.path)
      if (E.isLeft(tape)) {
        this.wrong = noTapeText(tape.left)
        return
      }
      this.tape = tape.right
      this.payload = found.head.payload
    }
    if (this.tape !== null) this.exporter.take(found)
  }

  /** Says what was written, or answers why it could not be. */
  finish({ say }: Pick<Program, 'say'>): string | null {
    const { exporter, path } = this
    if (this.tape !== null) exporter.finish()
    this.flush()
    this.tape?.close()
    if (this.wrong !== null) return `${path} cannot be written: ${this.wrong}`
    if (this.tape === null) return null
    const { packetCount, laneCount, headlessCount, leftOutCount } = exporter
    const lines = [
      `${path} has ${plural(packetCount, 'packet')} of ${plural(laneCount, 'connection')}, ` +
      'all as if plain MQTT on port 1883.',
    ]
    if (headlessCount > 0) {
      const isOne = headlessCount === 1
      lines.push(
        `${plural(headlessCount, 'connection')} ${isOne ? 'was' : 'were'} open before: ` +
          `${isOne ? 'its' : 'their'} CONNECT is not there.`,
      )
    }
    if (this.payload !== 'full') {
      lines.push(
        `Payloads have their length only: the recording holds no others (trace_payload full).`,
      )
    }
    if (leftOutCount > 0) {
      lines.push(
        `${plural(leftOutCount, 'message')} that broke the protocol ` +
          `${leftOutCount === 1 ? 'was' : 'were'} left out.`,
      )
    }
    say(`${lines.join('\n')}\n`)
    return null
  }

  private put(bytes: Uint8Array): void {
    this.parts.push(bytes)
    this.waitingBytes += bytes.length
    if (this.waitingBytes >= portionBytes) this.flush()
  }

  private flush(): void {
    const { tape, parts } = this
    if (tape === null || parts.length === 0) return
    const all = new Uint8Array(this.waitingBytes)
    let at = 0
    for (const part of parts) {
      all.set(part, at)
      at += part.length
    }
    this.parts = []
    this.waitingBytes = 0
    this.wrong ??= tape.write(all)
  }
}
