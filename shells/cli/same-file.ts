// Whether what a command would write is what it reads.

import { statSync } from 'node:fs'

/** Names that lead to the same place, by links or not; one that leads nowhere is like no other. */
const isSame = (one: string, other: string): boolean => {
  try {
    const [a, b] = [statSync(one, { bigint: true }), statSync(other, { bigint: true })]
    return a.dev === b.dev && a.ino === b.ino
  } catch {
    return false
  }
}

/** Why the file that an option names cannot be written from the one that is read; else null. */
export const whyOverwritten = (option: string, out: string, from: string): string | null =>
  isSame(out, from)
    ? `${option} ${out} would overwrite the file that is read: give it another name.`
    : null
