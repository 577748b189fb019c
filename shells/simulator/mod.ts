// A broker in a unit test: `const world = simulate()`, then clients connect, time passes and things
// go wrong, all in memory and all at once. README.md says what there is, EMBEDDING.md shows it.

export { defaults } from '../../core/broker/config.ts'
export type { Config } from '../../core/broker/config.ts'
export { Packet } from '../../core/mod.ts'
export { Client } from './clients.ts'
export type { Delivery } from './clients.ts'
export { type Span, spanText } from './clock.ts'
export type { Arrivals, Connection } from './net.ts'
export type { ClientWish, DelayOptions, PublishOptions, SimulateOptions } from './options.ts'
export { simulate, Unexpected, World } from './world.ts'
export type { Timers, Who } from './world.ts'
