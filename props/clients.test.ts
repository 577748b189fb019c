// runs: node
//
// The clients that people use, against both shells: Debian's mosquitto_sub and mosquitto_pub, Paho
// for Python and MQTT.js, each at MQTT 3.1, 3.1.1 and 5. What the broker must do beyond that stands
// in conformance.test.ts.

import * as fs from 'node:fs'
import * as path from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { clientRows, playNames } from './conformance/client-rows.ts'
import { familiesHere } from './conformance/families.ts'
import { clientName, familyNames, featureTable, readmeTable } from './conformance/features.ts'
import { runTable } from './conformance/row.ts'
import { toolRows } from './conformance/tool-rows.ts'
import { root } from './runtimes.ts'

const families = familiesHere()
const rows = clientRows(families)

const table = suite('the table of clients')

table('every feature that a client can speak has a row', () => {
  const played = new Set(rows.map(({ name }) => name))
  const here = new Set(families.map(({ name }) => name))
  let count = 0
  for (const [feature, { levels, cannot }] of featureTable) {
    for (const family of familyNames.filter((name) => here.has(name))) {
      for (const level of cannot?.[family] === undefined ? levels : []) {
        const row = `${feature} (${clientName(family, level)})`
        assert.ok(played.has(row), `no row: ${row}`)
        count++
      }
    }
  }
  assert.is(rows.length, count, 'rows that are not in the table, or are there twice')
})

table('every play belongs to a feature', () => {
  const features = featureTable.map(([feature]) => feature)
  assert.equal([...playNames].sort(), [...features].sort())
})

table('the README shows it', () => {
  const readme = fs.readFileSync(path.join(root, 'props/conformance/README.md'), 'utf8')
  // A formatter may widen the columns.
  const plain = (text: string): string => text.replaceAll(/ +/g, ' ').replaceAll(/-{3,}/g, '---')
  assert.ok(
    plain(readme).replaceAll('| --- ', '|---').replaceAll('--- |', '---|')
      .includes(plain(readmeTable())),
    `props/conformance/README.md lacks this table:\n${readmeTable()}`,
  )
})

table.run()

// runTable() calls the .run() of each suite it makes.
runTable('clients', 'clients.test.ts', [...toolRows(families), ...rows])
  .finally(() => families.forEach((family) => family.close()))
