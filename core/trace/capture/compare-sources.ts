// Which connections have published a message, and to which topics anybody has.

// As many topics and messages are known.
const keysMax = 100_000

// Where more connections published the same, it is not asked any more which of them are whole.
const slotsMax = 100

/** What a message hangs on. */
export interface Source {
  readonly topic: string
  /** The message, as its publisher and its receiver see it. */
  readonly words: string
}

export class Sources {
  private readonly topics = new Set<string>()
  private readonly messages = new Map<string, Set<number>>()

  published(slot: number, { topic, words }: Source): void {
    if (this.topics.size < keysMax) this.topics.add(topic)
    const some = this.messages.get(words)
    if (some === undefined) {
      if (this.messages.size < keysMax) this.messages.set(words, new Set([slot]))
    } else if (some.size < slotsMax) some.add(slot)
  }

  /** Whether anybody has published to the topic. */
  hasTopic({ topic }: Source): boolean {
    return this.topics.has(topic) || this.topics.size >= keysMax
  }

  /** Whether anybody has published the message. */
  hasMessage({ words }: Source): boolean {
    return this.messages.has(words) || this.messages.size >= keysMax
  }

  /** Whether somebody has published the message who is whole. */
  hasWhole({ words }: Source, isWhole: (slot: number) => boolean): boolean {
    const some = this.messages.get(words)
    if (some === undefined) return this.messages.size >= keysMax
    return some.size >= slotsMax || [...some].some(isWhole)
  }
}
