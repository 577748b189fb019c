// The door of this folder: inputs, effects, packets, notes and configurations as JSON values and
// back. `JSON.stringify` of what is written here and `JSON.parse` lose nothing but the secrets that
// were blanked on purpose. Reading is total: any value gives Right or one sentence that names the
// place ("packet.requests[2].qos must be one of 0, 1, 2, is 3"), never an exception. Writing throws
// where a value is not what its type says (a NaN for a time), for that is a fault of our own.

import type { Config } from '../broker/config.ts'
import type { Effect } from '../broker/effect.ts'
import type { Input } from '../broker/input.ts'
import type { Note } from '../broker/note.ts'
import type { Packet } from '../codec/packet.ts'
import type { Either } from '../prelude.ts'
import { effect } from './effect.ts'
import { config, input } from './input.ts'
import { note } from './note.ts'
import { packet } from './packet.ts'
import type { Json } from './shape.ts'
import { read } from './shape.ts'

export type { Json } from './shape.ts'

/** An input as a JSON value; a password in it becomes `"***"`. */
export const encodeInput = (value: Input): Json => input.encode(value)

/** An input from a JSON value, or one sentence about what is wrong with it. */
export const decodeInput = (json: unknown): Either<string, Input> => read(input, json)

/** An effect as a JSON value; a password in it becomes `"***"`. */
export const encodeEffect = (value: Effect): Json => effect.encode(value)

/** An effect from a JSON value, or one sentence about what is wrong with it. */
export const decodeEffect = (json: unknown): Either<string, Effect> => read(effect, json)

/** A packet as a JSON value; a password in it becomes `"***"`. */
export const encodePacket = (value: Packet): Json => packet.encode(value)

/** A packet from a JSON value, or one sentence about what is wrong with it. */
export const decodePacket = (json: unknown): Either<string, Packet> => read(packet, json)

/** A note as a JSON value. */
export const encodeNote = (value: Note): Json => note.encode(value)

/** A note from a JSON value, or one sentence about what is wrong with it. */
export const decodeNote = (json: unknown): Either<string, Note> => read(note, json)

/** A configuration as a JSON value. */
export const encodeConfig = (value: Config): Json => config.encode(value)

/** A configuration from a JSON value, every option present, or one sentence about what is wrong. */
export const decodeConfig = (json: unknown): Either<string, Config> => read(config, json)
