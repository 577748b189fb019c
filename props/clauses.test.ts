// Every normative statement of MQTT 5.0 and 3.1.1 is in the ledger (props/clauses) once: enforced
// by the server, with the line of core that enforces it and a test that says so; binding clients
// alone; or excluded with a reason. Nothing cites a statement that there is not.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  chapters,
  citationsIn,
  citationsOfCore,
  citationsOfProps,
  faultsOf,
  gaps,
  parseTable,
  readTable,
  refusalsIn,
  type Statement,
  tables,
} from './clauses/ledger.ts'

const clauses = suite('clauses')

clauses('the tables hold every statement of both standards', () => {
  for (const table of tables) {
    const ids = readTable(table).map(({ id }) => id.replace('v3 ', ''))
    const found = chapters[table].map((_, at) =>
      ids.filter((id) => id.startsWith(`MQTT-${at + 1}.`)).length
    )
    assert.equal(found, chapters[table], table)
    assert.is(ids.length, found.reduce((sum, count) => sum + count, 0), table)
  }
})

clauses('the numbers of a section go up by one, in the order of the standard', () => {
  for (const table of tables) {
    const last = { section: '', number: 0 }
    for (const { id } of readTable(table)) {
      const [, section = '', number = ''] = /(MQTT-.*)-(\d+)$/.exec(id) ?? []
      if (section !== last.section) {
        assert.ok(isBefore(last.section, section), `${id} comes before ${last.section}`)
        Object.assign(last, { section, number: 0 })
      }
      const isGap = table === 'mqtt5' && gaps.has(`${section}-${last.number + 1}`)
      assert.is(Number(number), last.number + (isGap ? 2 : 1), id)
      last.number = Number(number)
    }
  }
})

/** Whether a section comes before another one: `MQTT-3.9.3` before `MQTT-3.10.1`. */
const isBefore = (one: string, other: string): boolean => {
  const parts = (section: string): ReadonlyArray<number> =>
    (section.match(/\d+/g) ?? []).map(Number)
  const [left, right] = [parts(one), parts(other)]
  const at = right.findIndex((part, i) => part !== left[i])
  return (left[at] ?? -1) < (right[at] ?? -1)
}

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

clauses('a refusal cites the statements that it names', () => {
  const text = [
    "return fault(PROTOCOL_ERROR, 'MQTT-1.2-3', 'a sentence')",
    'const slow = fault(',
    '  NOT_AUTHORIZED,',
    "  'v3 MQTT-1.2-3',",
    "  'MQTT, and more of it',",
    ')',
    "fail(c, PROTOCOL_ERROR, 'MQTT-4.5.6-7', `what: ${it}`)",
    "failBy(c, MALFORMED_PACKET, 'MQTT-4.5.6-7', 'MQTT-8.9-1', 'a sentence')",
    "failPlainly(c, MALFORMED_PACKET, 'no statement')",
    "fail(at, 'a message that is not about MQTT-1.2-3')",
  ].join('\n')
  assert.equal(
    refusalsIn(text, 'c.ts').map(({ id, place }) => `${place} ${id}`),
    [
      'c.ts:1 MQTT-1.2-3',
      'c.ts:2 v3 MQTT-1.2-3',
      'c.ts:7 MQTT-4.5.6-7',
      'c.ts:8 MQTT-4.5.6-7',
      'c.ts:8 v3 MQTT-8.9-1',
    ],
  )
  // Those that are there are found: the general duty is named by many and cited by few.
  const plainly = citationsOfCore().filter(({ id }) => id === 'MQTT-4.13.1-1')
  assert.ok(plainly.length >= 10, `${plainly.length} refusals under the general duty`)
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
