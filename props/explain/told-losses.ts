// Which drops the answers have told: each was noted for what is said of it, none is told more often
// than it was noted, and none on a topic that was asked for is left out.

import * as assert from 'uvu/assert'
import { since, stepsAt } from './day.ts'
import type { Day } from './day.ts'
import { isLossTrue, reasonIn } from './losses.ts'
import { isFor } from './matches.ts'
import type { Publication } from './publications.ts'
import type { Tally } from './tally.ts'

export class ToldLosses {
  private readonly day: Day
  private readonly tally: Tally
  /** Times, clients, topics and reasons of all that was told. */
  private readonly told = new Set<string>()
  /** The same of one question, with how often each was told. */
  private readonly claims = new Map<string, number>()

  constructor(day: Day, tally: Tally) {
    this.day = day
    this.tally = tally
  }

  /** Another question begins. */
  begin(): void {
    this.claims.clear()
  }

  /** What is wrong with the words for a drop; null where it was noted for the client then. */
  problemWith(one: Publication, clientId: string, time: string, text: string): string | null {
    const why = reasonIn(text)
    if (why === null) return `'${text}' is no reason`
    const steps = stepsAt(this.day, time).filter(({ notes }) =>
      notes.some((note) =>
        note._tag === 'Dropped' && note.clientId === clientId && note.topic === one.topic &&
        note.why === why
      )
    )
    if (steps.length === 0) return `nothing was dropped for it at ${time}: ${why}`
    const isSo = steps.some((step) => isLossTrue(text, why, clientId, one, step, this.day))
    if (!isSo) return `'${text}' is not so at ${time}`
    const key = `${time} ${clientId} ${one.topic} ${why}`
    this.told.add(key)
    this.claims.set(key, (this.claims.get(key) ?? 0) + 1)
    this.tally.add(why)
    return null
  }

  /** What is dropped once is told once in the answers to a question. */
  checkOnce(answers: ReadonlyArray<string>): void {
    for (const [key, count] of this.claims) {
      const noted = this.day.steps.flatMap(({ at, notes }) =>
        notes.filter((note) =>
          note._tag === 'Dropped' && note.clientId !== null &&
          `${since(this.day, at)} ${note.clientId} ${note.topic} ${note.why}` === key
        )
      )
      assert.ok(count <= noted.length, `${key}: told ${count} times:\n${answers.join('\n')}`)
    }
  }

  /** The first drop on the topics of the publications that was told of none of them, or null. */
  untold(asked: ReadonlyArray<Publication>): string | null {
    const topics = new Set(asked.map((one) => one.topic))
    for (const one of asked) if (one.bytes === 0) topics.delete(one.topic)
    for (const step of this.day.steps) {
      const { at, notes } = step
      for (const note of notes) {
        if (note._tag !== 'Dropped' || note.clientId === null || !topics.has(note.topic)) continue
        if (note.why === 'session ended') continue
        // It went to nobody, which is said instead; or it made room for another copy of itself.
        const isOther = asked.some((one) =>
          one.routed === step &&
          (one.refused !== null || (note.why === 'expired' && one.expiryS === 0))
        )
        // Of what is retained one copy is told where a client has subscribed twice at once.
        const begun = this.day.changes.filter((change) =>
          change.step === step.index && change.what === 'subscribed' &&
          isFor(change.filter, note.topic)
        )
        if (isOther || begun.length > 1) continue
        const key = `${since(this.day, at)} ${note.clientId} ${note.topic} ${note.why}`
        if (!this.told.has(key)) return key
      }
    }
    return null
  }
}
