// What a command of the program says, without a process.

import type { Program } from '../shells/common/program.ts'

export type Command = (
  mouth: Pick<Program, 'say' | 'complain'>,
  words: ReadonlyArray<string>,
) => Promise<number>

export interface Answer {
  readonly status: number
  readonly said: string
  readonly complained: string
}

export const hear = async (
  command: Command,
  ...words: ReadonlyArray<string>
): Promise<Answer> => {
  let [said, complained] = ['', '']
  const status = await command({
    say: (text) => said += text,
    complain: (text) => complained += text,
  }, words)
  return { status, said, complained }
}
