// What the broker's room shows to the rest of the house.

export { type Config, defaults } from './config.ts'
export { deadline } from './clock.ts'
export * from './effect.ts'
export * from './input.ts'
export type { MethodName } from './method.ts'
export type { DropReason, Ending, Note } from './note.ts'
export type { Key, Kind, Record, Stamp, Write } from './record.ts'
export {
  addRecord,
  beginRestore,
  endRestore,
  restore,
  type Restoring,
  resumeAt,
} from './restore.ts'
export { UNREPORTED_BYTES_MAX } from './tell.ts'
export {
  type Counters,
  EXPIRY_NEVER_S,
  initial,
  type Link,
  type Message,
  NEVER,
  type Origin,
  type Session,
  type State,
} from './state.ts'
export { run, runSome, step } from './step.ts'
