// Every row of the wire tables holds for the core in memory: bytes in, exactly these bytes out, the
// connection open or closed, and what is refused is refused for the reason that the row cites. The
// bytes come in one piece and then one by one. What the tables promise about themselves holds too:
// names, clauses, answers that are MQTT, and a property table that was written twice.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { farewells } from '../core/broker/phase.ts'
import { propertyTable, reasonTable } from '../core/codec/mod.ts'
import type { PropertyType } from '../core/codec/mod.ts'
import { bytes } from './conformance/wire.ts'
import type { Level } from './conformance/wire.ts'
import { faultOf } from './wire/account.ts'
import { clauseIds } from './wire/clause-ids.ts'
import { rows } from './wire/exchange.ts'
import { playInMemory } from './wire/memory.ts'
import * as standard from './wire/standard.ts'
import { exchanges, prefixes } from './wire/tables.ts'

const tables = suite('wire tables, by themselves')

tables('there are at least 1,500 rows, and no level is left behind', () => {
  assert.ok(exchanges.length >= 1_500, `${exchanges.length}`)
  for (const level of [3, 4, 5]) {
    const count = exchanges.filter((row) => row.level === level).length
    assert.ok(count >= 400, `${count} at level ${level}`)
  }
})

tables('every row has a name of its own', () => {
  const seen = new Set<string>()
  for (const { name } of exchanges) {
    assert.ok(!seen.has(name), `twice: ${name}`)
    seen.add(name)
  }
})

tables('every row cites statements that exist, one of its own standard at least', () => {
  for (const { name, cited, clauses } of exchanges) {
    for (const clause of cited) assert.ok(clauseIds.has(clause), `${name}: ${clause}`)
    assert.ok(clauses.length > 0, `${name} cites no statement of its standard`)
  }
})

const wireOf = (text: string): Uint8Array => bytes(text.replaceAll('~', 'w000'))

tables('every answer is MQTT as a server may say it', () => {
  for (const { name, steps } of exchanges) {
    const levels = new Map<string, Level>()
    for (const step of steps) {
      // A client may come back at another level.
      if (step._tag === 'Dial') levels.set(step.who, step.level)
      if (step._tag === 'Hear') {
        assert.is(faultOf(levels.get(step.who) ?? 5, wireOf(step.bytes)), null, name)
      }
    }
  }
})

tables('every packet type is sent at every level, and every answer is given', () => {
  const told = new Set<string>()
  const said = new Set<string>()
  for (const { level, steps } of exchanges) {
    for (const step of steps) {
      if (step._tag !== 'Send' && step._tag !== 'Hear') continue
      const type = (wireOf(step.bytes)[0] ?? 0) >> 4
      if (step._tag === 'Send') said.add(`${level} ${type}`)
      else told.add(`${level} ${type}`)
    }
  }
  const answers = [2, 3, 4, 5, 6, 7, 9, 11, 13]
  for (const level of [3, 4, 5]) {
    for (let type = 0; type < 16; type++) assert.ok(said.has(`${level} ${type}`), `type ${type}`)
    for (const type of answers) assert.ok(told.has(`${level} ${type}`), `${level}: answer ${type}`)
  }
  assert.ok(told.has('5 14'))
})

const placeNames = (names: ReadonlyArray<string>): string =>
  names.map((name) => name.toLowerCase()).sort().join(' ')

const types: Readonly<Record<PropertyType, standard.Type>> = {
  byte: 'byte',
  two: 'two',
  four: 'four',
  list: 'varint',
  string: 'string',
  binary: 'binary',
  pairs: 'pair',
}

tables('the property table of the codec is the one that was written here from the standard', () => {
  const here = standard.properties.map(({ id, type, places, repeats, bad }) =>
    `${id} ${type} in ${placeNames(places)} twice in ${placeNames(repeats)} ` +
    `${bad.length > 0 ? 'with' : 'without'} values that are wrong`
  )
  const there = propertyTable.map(({ id, type, places, repeats, rule }) =>
    `${id.toString(16).padStart(2, '0')} ${types[type]} in ${placeNames(places)} ` +
    `twice in ${placeNames(repeats)} ${rule === 'any' ? 'without' : 'with'} values that are wrong`
  )
  assert.is(there.sort().join('\n'), here.sort().join('\n'))
})

tables('the reason codes of the codec are those that were written here from the standard', () => {
  const here = standard.reasons.flatMap(({ code, places }) =>
    places.map((place) => `${code} in ${place.toLowerCase()}`)
  )
  const there = reasonTable.flatMap(({ code, packets }) =>
    packets.map((tag) => `${code.toString(16).padStart(2, '0')} in ${tag.toLowerCase()}`)
  )
  assert.is(there.sort().join('\n'), here.sort().join('\n'))
  const leaving = [...farewells].map((code) => code.toString(16).padStart(2, '0'))
  assert.equal(leaving.sort(), [...standard.farewells].sort())
})

tables('a row that is wrong is found out', () => {
  const wrong = `
    [MQTT-3.12.4-1]
    5 another answer | > c000 | < d00100
    5 an answer too many | > c000 c000 | < d000
    5 an answer too few | > c000 | < d000 d000
    5 no answer | > c000
    5 open, not closed | > e000 | open
    5 closed, not open | > c000 | < d000 | closed
    5 another clause | > 36 ["~/t" 0001 () 'x'] | refused 81
    4 another reason [v3 MQTT-3.3.1-4] | > 36 ["~/t" 0001 'x'] | refused 82
    5 a neighbour that hears | b connects | b subscribes ~/t 0 | > 30 ["~/t" () 'x']
      | b open
    5 a neighbour that hears nothing | b connects | > 30 ["~/t" () 'x'] | b< 30 ["~/t" () 'x']
    raw 5 somebody new, not let in | order memory short | > @connect | < @ok
    raw 5 the reason in words, not told | > 10 [@v 02 003c (15 "m") "~a"]
      | < 20 [00 8c (1f "no")] | closed
    scram raw 5 nobody's proof | > 10 [@v 02 003c (15 "SCRAM-SHA-256" 16 <'n,,n=u,r=x'>) "~a"]
      | < @ok
    tight 5 what a deaf client is sent | subscribes ~/t 0 | deaf | > 30 ["~/t" () 78*66000]
      | < 30 ["~/t" () 78*66000] | wait 1000 | open
    modest 5 what was announced, not kept | > 34 ["~/t" 0009 () 'x'] | < 50 [0009]
    far 5 a crowd, let in | b connects | c connects
    5 a client sent away, still there | order kick ~a | open
    5 somebody else | b connects | lost | a open
  `.split('\n').map((line) => line.slice(4)).join('\n')
  for (const row of rows(wrong)) {
    assert.ok(playInMemory(row, 'w000', false) !== null, row.name)
    assert.ok(playInMemory(row, 'w000', true) !== null, `${row.name}, byte by byte`)
  }
})

tables.run()

const core = suite('wire tables, the core in memory')

for (const row of exchanges) {
  core(row.name, () => {
    const prefix = prefixes.get(row)!
    const wrong = playInMemory(row, prefix, false) ?? playInMemory(row, prefix, true)
    if (row.differs === null) assert.is(wrong, null)
    else console.log(`${wrong === null ? 'no longer' : 'known to be'} different: ${row.name}`)
  })
}

core.run()
