// Many conversations with one mosquitto and one Sabethes, several at a time, until one of them
// shows something that is not in the list.

import { type Broker, isThere, start } from '../conformance/subject.ts'
import type { Outcome } from './compare.ts'
import { compare } from './compare.ts'
import { configurationWith } from './differences.ts'
import type { Talk } from './talk.ts'
import { talkOf } from './talk.ts'

/** Conversations at a time: while one waits for its answers the others go on. */
const width = 8

export type Shell = 'node' | 'deno'

export interface Report {
  readonly talks: number
  /** Those that were compared to their end. */
  readonly whole: number
  readonly steps: number
  readonly lines: number
  /** In how many conversations each of the known differences was met. */
  readonly met: ReadonlyMap<string, number>
  /** What was found, with the command that repeats it, or null. */
  readonly found: string | null
}

export const isMosquittoThere = (): boolean => isThere('mosquitto')

const told = (
  talk: Talk,
  { unlike }: Outcome,
  shell: Shell,
  lines: ReadonlyArray<string>,
): string => {
  if (unlike === null) return ''
  const { index, who, theirs, ours } = unlike
  const steps = talk.steps.slice(0, index + 1).map((step, at) => `  ${at} ${JSON.stringify(step)}`)
  const asked = lines.length === 0 ? '' : ` -- ${lines.map((line) => `'${line}'`).join(' ')}`
  return [
    ...steps,
    `${who} received from mosquitto`,
    ...theirs.map((line) => `  ${line}`),
    'and from Sabethes',
    ...ours.map((line) => `  ${line}`),
    '',
    'Repeat with:',
    `  SEED=${talk.seed} COUNT=1 SUBJECT=${shell} npm run differential${asked}`,
    '',
  ].join('\n')
}

/** Holds `count` conversations from the seed on, with brokers that are configured so. */
export const converse = async (
  seed: number,
  count: number,
  shell: Shell,
  lines: ReadonlyArray<string> = [],
  progress: (talks: number) => void = () => {},
): Promise<Report> => {
  const brokers: Broker[] = []
  try {
    const mosquitto = await start('mosquitto', { lines: configurationWith(lines) })
    brokers.push(mosquitto)
    const sabethes = await start(shell, { lines })
    brokers.push(sabethes)
    const met = new Map<string, number>()
    const total = { talks: 0, whole: 0, steps: 0, lines: 0 }
    let found: string | null = null
    let next = 0
    const worker = async (): Promise<void> => {
      while (next < count && found === null) {
        const talk = talkOf((seed + next++) % 0x7fffffff)
        const outcome = await compare(talk, mosquitto.port, sabethes.port, lines)
        total.talks++
        total.steps += outcome.steps
        total.lines += outcome.lines
        if (outcome.steps === talk.steps.length) total.whole++
        for (const name of outcome.met) met.set(name, (met.get(name) ?? 0) + 1)
        if (outcome.unlike !== null) found ??= told(talk, outcome, shell, lines)
        progress(total.talks)
      }
    }
    await Promise.all(Array.from({ length: width }, worker))
    return { ...total, met, found }
  } finally {
    await Promise.all(brokers.map((one) => one.stop()))
  }
}
