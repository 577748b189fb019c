// Links that the broker has nothing more to do with, and how long each may take to go: who is still
// owed something has to read it, and who has been told all has to close its side.

import { isEmpty } from './outbox.ts'
import { type Link, never } from './link.ts'

// After we have said all: how long the peer may take to close its side, so that what it was sending
// does not make the kernel throw away what it has not read yet; and how long it may take to read
// what it is still owed.
const lingerMs = 1000
const owedMs = 5000
const lingerStepMs = 50

export class Farewells {
  private links: Array<Link> = []
  /** When somebody's time is over, at the earliest; `never` where nobody is going. */
  dueAt = never

  /** The broker has said its last word: what is owed has to be read by then. */
  begin(link: Link, at: number): void {
    this.wait(link, at + owedMs)
  }

  /** The link has all that it was owed, and our side is ended: now the peer has to end its own. */
  told(link: Link, at: number): void {
    this.wait(link, at + lingerMs)
  }

  /** Whether a link is to be ended now: it is going, and is owed nothing more. */
  static isDone(link: Link): boolean {
    return link.lingerUntil !== never && !link.destroyed && isEmpty(link) && !link.dirty
  }

  /** Destroys those whose time is over. */
  end(at: number, destroy: (link: Link) => void): void {
    const { links } = this
    let kept = 0
    let earliest = never
    for (let i = 0; i < links.length; i++) {
      const link = links[i]!
      if (link.destroyed) continue
      if (link.lingerUntil <= at) {
        destroy(link)
        continue
      }
      if (link.lingerUntil < earliest) earliest = link.lingerUntil
      links[kept] = link
      kept += 1
    }
    links.length = kept
    // Steps, so that a thousand links that end one by one are not a thousand walks.
    this.dueAt = earliest === never ? never : Math.max(earliest, at + lingerStepMs)
  }

  /** All at once; nobody is going any more. */
  takeAll(): ReadonlyArray<Link> {
    const { links } = this
    this.links = []
    return links
  }

  private wait(link: Link, until: number): void {
    if (link.lingerUntil === never) this.links.push(link)
    link.lingerUntil = until
    if (until < this.dueAt) this.dueAt = until
  }
}
