// runs: node
//
// What a client may rely on, told over real sockets: one table, played against the Node shell and
// the Deno shell, each in a process of its own. The clients here are raw sockets, so that a row can
// do what no client library would; the libraries and tools have their turn in clients.test.ts.

import { choiceRows } from './conformance/choices.ts'
import { admissionRows } from './conformance/admission.ts'
import { bridgeRows } from './conformance/bridge.ts'
import { deliveryRows } from './conformance/delivery.ts'
import { greetingRows } from './conformance/greeting.ts'
import { houseRows } from './conformance/house.ts'
import { keptRows } from './conformance/kept.ts'
import { runTable } from './conformance/row.ts'
import { sessionRows } from './conformance/session.ts'
import { shareRows } from './conformance/shares.ts'

const rows = [
  ...greetingRows,
  ...admissionRows,
  ...deliveryRows,
  ...shareRows,
  ...choiceRows,
  ...sessionRows,
  ...keptRows,
  ...houseRows,
  ...bridgeRows,
]

// runTable() calls the .run() of each suite it makes.
runTable('conformance', 'conformance.test.ts', rows)
