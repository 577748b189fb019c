// Every normative statement of MQTT 5.0 and 3.1.1 is in the ledger (props/clauses) once: enforced
// by the server, with the line of core that enforces it and a test that says so; binding clients
// alone; or excluded with a reason. Nothing cites a statement that there is not.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  citationsIn,
  citationsOfCore,
  citationsOfProps,
  counts,
  faultsOf,
  parseTable,
  readTable,
  type Statement,
  tables,
} from './clauses/ledger.ts'

const clauses = suite('clauses')

clauses('the tables hold every statement of both standards', () => {
  for (const table of tables) assert.is(readTable(table).length, counts[table])
})

clauses('what the ledger says is what core and the tests cite', () => {
  const statements = tables.flatMap(readTable)
  const faults = faultsOf(statements, citationsOfCore(), citationsOfProps())
  assert.is(faults.length, 0, `${faults.length} faults of the ledger:\n${faults.join('\n')}`)
})

const statement = (status: Statement['status'], remark = ''): Statement => ({
  id: 'MQTT-1.1.1-1',
  binds: 'both',
  paraphrase: 'something must be so',
  status,
  remark,
})

const cited = (text: string) => citationsIn(text, 'a.ts')

clauses('a clause that is unknown, unenforced, untested or denied is a fault', () => {
  const here = cited('// [MQTT-1.1.1-1]')
  const faults = (
    one: Statement,
    core = here,
    props = here,
  ): number => faultsOf([one], core, props).length
  assert.is(faults(statement('server')), 0)
  assert.is(faults(statement('server'), []), 1, 'no line of core')
  assert.is(faults(statement('server'), here, []), 1, 'no test')
  assert.is(faults(statement('server'), cited('// ![MQTT-1.1.1-1] since')), 1, 'denied')
  assert.is(faults(statement('client')), 1, 'enforced all the same')
  assert.is(faults(statement('client'), []), 0)
  assert.is(faults(statement('excluded', 'why not'), []), 0)
  assert.is(faults(statement('excluded'), []), 1, 'no reason')
  assert.is(faults(statement('server'), [...here, ...cited('[MQTT-9.9.9-9]')]), 1, 'unknown')
  assert.is(faults(statement('server'), [...here, ...cited('[v3 MQTT-1.1.1-1]')]), 1, 'another')
})

clauses('citations are found with their lines', () => {
  assert.equal(citationsIn('x\ny // [MQTT-1.2-3] ![v3 MQTT-4.5.6-7]', 'b.ts'), [
    { id: 'MQTT-1.2-3', place: 'b.ts:2', isDenial: false },
    { id: 'v3 MQTT-4.5.6-7', place: 'b.ts:2', isDenial: true },
  ])
})

clauses('a line of a table that is not in the form is named', () => {
  const good = 'MQTT-1.1.1-1\tboth\tsomething\tserver'
  const remark = (text: string): string => {
    try {
      parseTable('mqtt5', text)
      return ''
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  }
  assert.is(remark(good), '')
  assert.match(remark(`${good}\n${good}`), /mqtt5\.tsv:2: .*twice/)
  assert.match(remark('MQTT-1\tboth\tsomething\tserver'), /no id/)
  assert.match(remark('MQTT-1.1.1-1\tnobody\tsomething\tserver'), /binds/)
  assert.match(remark('MQTT-1.1.1-1\tboth\t\tserver'), /paraphrase/)
  assert.match(remark('MQTT-1.1.1-1\tboth\tsomething\tmaybe'), /status/)
})

clauses.run()
