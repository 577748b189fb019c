// What is measured: the rows of the bench, as data.

export type Shape = 'pairs' | 'fan-out' | 'fan-in' | 'mixed'

/** The same row once more with another window or protocol, on the same brokers. */
export interface Column {
  readonly name: string
  readonly window: number
  readonly level: 4 | 5
}

export interface Row {
  readonly name: string
  readonly title: string
  readonly shape: Shape
  readonly publishers: number
  readonly subscribers: number
  readonly qos: 0 | 1 | 2
  /** Messages of one publisher that may be under way at once. */
  readonly window: number
  readonly payloadBytes: number
  /** Messages a second of all publishers together; 0 is a closed loop, as fast as it goes. */
  readonly ratePerS: number
  /** How often the prober asks; its longest wait is the longest gap of the broker's loop. */
  readonly probeMs: number
  /** How long every broker works as fast as it can before the first figure is taken. */
  readonly warmS: number
  readonly columns: ReadonlyArray<Column>
  /** Whether memory is watched: is it back afterwards? */
  readonly watchesMemory: boolean
  /** Who takes part beside Sabethes and mosquitto; the others are left out to save time. */
  readonly others: ReadonlyArray<string>
}

const column = (window: number, level: 4 | 5): Column => ({
  name: `window ${window}${level === 5 ? ', MQTT 5' : ''}`,
  window,
  level,
})

const pairs = (qos: 0 | 1 | 2): Row => ({
  name: `pairs-qos${qos}`,
  title: `50 publishers, each to its own subscriber, QoS ${qos}`,
  shape: 'pairs',
  publishers: 50,
  subscribers: 50,
  qos,
  window: 200,
  payloadBytes: 64,
  ratePerS: 0,
  probeMs: 1,
  warmS: 1,
  // With MQTT 5, and above QoS 0, Receive Maximum makes a window of 20 of any wider one.
  columns: [column(1, 4), column(20, 4), ...(qos === 2 ? [] : [column(20, 5)])],
  watchesMemory: false,
  others: ['aedes'],
})

export const rows: ReadonlyArray<Row> = [
  pairs(0),
  pairs(1),
  pairs(2),
  {
    ...pairs(0),
    name: 'fan-out',
    title: '1 publisher to 500 subscribers, QoS 0',
    shape: 'fan-out',
    publishers: 1,
    subscribers: 500,
    columns: [],
  },
  {
    ...pairs(0),
    name: 'fan-in',
    title: '500 publishers to 1 subscriber of #, QoS 0',
    shape: 'fan-in',
    publishers: 500,
    subscribers: 1,
    // 10,000 messages under way, as with the pairs. Aedes ends with a stack overflow at 100,000.
    window: 20,
    columns: [],
  },
  {
    ...pairs(0),
    name: 'mixed',
    title: '200 clients, 100,000 topics, a fifth at QoS 1, 100 changes of subscriptions a second',
    shape: 'mixed',
    publishers: 100,
    subscribers: 100,
    window: 20,
    payloadBytes: 16_384,
    // A quarter as many messages as of 64 bytes: a compiler sees what matters so much later.
    warmS: 2,
    columns: [],
  },
  {
    ...pairs(0),
    name: 'light',
    title: '10,000 messages a second over 50 pairs, QoS 0',
    ratePerS: 10_000,
    // Seldom, since at a light load the prober would be a good part of it.
    probeMs: 10,
    columns: [],
    others: [],
  },
  {
    ...pairs(0),
    name: 'mebibyte',
    title: '10 publishers, each to its own subscriber, QoS 0',
    publishers: 10,
    subscribers: 10,
    window: 1,
    payloadBytes: 1_048_576,
    columns: [],
    watchesMemory: true,
    others: ['relay'],
  },
]
