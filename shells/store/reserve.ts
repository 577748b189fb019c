// Room on the disk that belongs to the store and is not used: what is under way when the disk
// becomes full still fits into it, so that the broker can stop promising before it has to go back
// on anything. It is a file of zeros beside the store, which is given up for the room that it
// takes, and made again when there is as much to spare.

import * as fs from 'node:fs'
import { createEmpty, isOfRoom, remove, sizeOf } from './files.ts'

/** As much as some turns of the broker write, in pages of the log: what every store has. */
export const reserveBytes = 256 << 10

/** What a store has that writes much, where there is room for it. */
export const reserveBytesLarge = 4 << 20

/** Where it cannot be removed there will be no room, which is found out soon enough. */
export const giveUp = (path: string): void => {
  try {
    remove(path)
  } catch {
    // What keeps it from being made may keep it from being removed.
  }
}

/** Makes the file, unless it is there already; null, or what kept it from being made. */
export const makeReserve = (path: string, bytes = reserveBytes): unknown => {
  try {
    if (sizeOf(path) === bytes) return null
    createEmpty(path)
    const file = fs.openSync(path, 'r+')
    try {
      fs.writeFileSync(file, new Uint8Array(bytes))
      // Some file systems find the room only now.
      fs.fsyncSync(file)
    } finally {
      fs.closeSync(file)
    }
    return null
  } catch (error) {
    giveUp(path)
    return error ?? 'unknown'
  }
}

/** More than is left where a page did not fit. */
const probeBytes = 64 << 10

/** What keeps files from being written, asked with one that is gone again; null if nothing does. */
export const whyNoFile = (path: string): unknown => {
  try {
    createEmpty(path)
    fs.writeFileSync(path, new Uint8Array(probeBytes))
    return null
  } catch (error) {
    return error ?? 'unknown'
  } finally {
    giveUp(path)
  }
}

/** What says that there is no room; null if nothing does. */
export const whyNoRoom = (path: string): unknown => {
  const error = whyNoFile(path)
  return isOfRoom(error) ? error : null
}
