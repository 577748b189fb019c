// Which connections have published a message, and which to its topic.

// As many topics and messages are known.
const keysMax = 100_000

// Where more connections published the same, it is not asked any more which of them they are.
const slotsMax = 100

/** What a message hangs on. */
export interface Source {
  readonly topic: string
  /** The message, as its publisher and its receiver see it. */
  readonly words: string
}

export class Sources {
  private readonly topics = new Map<string, Set<number>>()
  private readonly messages = new Map<string, Set<number>>()

  published(slot: number, { topic, words }: Source): void {
    note(this.topics, topic, slot)
    note(this.messages, words, slot)
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

  /** Whether somebody has published to the topic who is not whole, or so many that it may be. */
  hasBroken({ topic }: Source, isWhole: (slot: number) => boolean): boolean {
    const some = this.topics.get(topic)
    if (some === undefined) return this.topics.size >= keysMax
    return some.size >= slotsMax || ![...some].every(isWhole)
  }
}

const note = (slots: Map<string, Set<number>>, key: string, slot: number): void => {
  const some = slots.get(key)
  if (some === undefined) {
    if (slots.size < keysMax) slots.set(key, new Set([slot]))
  } else if (some.size < slotsMax) some.add(slot)
}
