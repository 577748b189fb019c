// Which topics are the broker's own.

/** The broker publishes here itself; nothing else begins with these words in the histories. */
export const isOwn = (topic: string): boolean =>
  topic.startsWith('$SYS/broker/') && !topic.startsWith('$SYS/broker/connection/')
