// What a program prints, a line at a time. A chunk may end anywhere, within a character too.

import type { Buffer } from 'node:buffer'
import { StringDecoder } from 'node:string_decoder'

export class Lines {
  private readonly decoder = new StringDecoder('utf8')
  private rest = ''

  /** The lines that this chunk completes. */
  take(chunk: Buffer): ReadonlyArray<string> {
    const lines = (this.rest + this.decoder.write(chunk)).split('\n')
    this.rest = lines.pop() ?? ''
    return lines
  }
}
