// runs: node
//
// The clients that people use, against both shells: Debian's mosquitto_sub and mosquitto_pub, Paho
// for Python and MQTT.js, each at MQTT 3.1, 3.1.1 and 5. What the broker must do beyond that stands
// in conformance.test.ts.

import { clientRows } from './conformance/client-rows.ts'
import { familiesHere } from './conformance/family.ts'
import { runTable } from './conformance/row.ts'
import { toolRows } from './conformance/tool-rows.ts'

const families = familiesHere()

// runTable() calls the .run() of each suite it makes.
runTable('clients', 'clients.test.ts', [...toolRows(families), ...clientRows(families)])
  .finally(() => families.forEach((family) => family.close()))
