// runs: node
//
// A faulty or hostile client is cut off with the reason that the standard names, and it is the only
// one that notices: every case is followed by a look at the others. The same over real sockets on
// both shells; the decoder alone meets far more nonsense in codec.test.ts.

import { hostileRows } from './conformance/hostile-rows.ts'
import { runTable } from './conformance/row.ts'

// runTable() calls the .run() of each suite it makes.
runTable('hostile', 'hostile.test.ts', hostileRows)
