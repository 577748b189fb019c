// Room on the disk that belongs to the store and is not used: what is under way when the disk
// becomes full still fits into it, so that the broker can stop promising before it has to go back
// on anything. It is a file of zeros beside the store, which is given up for the room that it
// takes, and made again when there is as much to spare.

import * as fs from 'node:fs'
import { createEmpty, remove, sizeOf } from './files.ts'

/** As much as some turns of the broker write, in pages of the log: what every store has. */
export const reserveBytes = 256 << 10

/** What a store has that writes much, where there is room for it. */
export const reserveBytesLarge = 4 << 20

export const giveUp = (path: string): void => remove(path)

/** Makes the file, unless it is there already; false where there is no room for it. */
export const makeReserve = (path: string, bytes = reserveBytes): boolean => {
  if (sizeOf(path) === bytes) return true
  try {
    createEmpty(path)
    const file = fs.openSync(path, 'r+')
    try {
      fs.writeFileSync(file, new Uint8Array(bytes))
      // Some file systems find the room only now.
      fs.fsyncSync(file)
    } finally {
      fs.closeSync(file)
    }
    return true
  } catch {
    remove(path)
    return false
  }
}
