// The one door to fp-ts and io-ts: everything in core that wants them imports them from here, in
// the only module form that Node, Deno, tsc and a bundler all resolve.
export * as E from 'fp-ts/lib/Either.js'
export * as O from 'fp-ts/lib/Option.js'
export { absurd, pipe } from 'fp-ts/lib/function.js'
export type { Either } from 'fp-ts/lib/Either.js'
export type { Option } from 'fp-ts/lib/Option.js'
export * as t from 'io-ts'
