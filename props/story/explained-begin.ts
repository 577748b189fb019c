// How stories with a question are written down, and how many of them begin.

export type Explained = readonly [
  name: string,
  words: string,
  story: string,
  /** Dates are left out of it. */
  answer: ReadonlyArray<string>,
  /** Files of access lists: the one of the beginning, then one for each reload. */
  files?: ReadonlyArray<string>,
]

/** A subscriber with a session, and a publisher. */
export const both = `
    quiet
    a> connect session-expiry-interval 60
    a> subscribe id1 'd/#' qos1
    p> connect
    ----
`
