// What is measured: the rows of the bench, as data.

export type Shape = 'pairs' | 'fan-out' | 'fan-in'

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
}

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
  },
  {
    ...pairs(0),
    name: 'light',
    title: '10,000 messages a second over 50 pairs, QoS 0',
    ratePerS: 10_000,
  },
]
