// All rows, in the order of the tables, each with its own prefix for topics and identifiers.

import { connectRows } from './connect-rows.ts'
import { cutRows } from './cut-rows.ts'
import type { Exchange } from './exchange.ts'
import { prefixOf } from './exchange.ts'
import { framingRows } from './framing.ts'
import { nameRows } from './name-rows.ts'
import { orderRows } from './order-rows.ts'
import { propertyRows } from './property-rows.ts'
import { publishRows } from './publish-rows.ts'
import { reasonRows } from './reason-rows.ts'
import { retainRows } from './retain-rows.ts'
import { roomRows } from './room-rows.ts'
import { scramRows } from './scram-rows.ts'
import { sessionRows } from './session-rows.ts'
import { stringRows } from './string-rows.ts'
import { subscribeRows } from './subscribe-rows.ts'
import { willRows } from './will-rows.ts'

export const exchanges: ReadonlyArray<Exchange> = [
  ...framingRows,
  ...propertyRows,
  ...reasonRows,
  ...cutRows,
  ...stringRows,
  ...nameRows,
  ...connectRows,
  ...publishRows,
  ...retainRows,
  ...subscribeRows,
  ...sessionRows,
  ...willRows,
  ...roomRows,
  ...scramRows,
  ...orderRows,
]

export const prefixes: ReadonlyMap<Exchange, string> = new Map(
  exchanges.map((row, index) => [row, prefixOf(index)]),
)
