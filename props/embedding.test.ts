// What EMBEDDING.md shows is what happens: every program in it is run, on both runtimes, and prints
// what stands below it. UPDATE=1 writes what they print into the page.

import * as mqtt from 'mqtt'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as coreModule from '../core/mod.ts'
import * as simulatorModule from '../shells/simulator/mod.ts'
import * as streamModule from '../shells/simulator/stream.ts'
import { root } from './runtimes.ts'

const page = join(root, 'shells/simulator/EMBEDDING.md')

const modules: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'sabethes': { ...coreModule },
  'mqtt': { MqttClient: mqtt.MqttClient },
  'sabethes/simulator': { ...simulatorModule },
  'sabethes/simulator/stream': { ...streamModule },
}

const block = /(<!-- run: (\w+) -->\n\n```js\n([\s\S]*?)```\n\n```text\n)([\s\S]*?)(```)/g

type Program = (console: object, ...imported: ReadonlyArray<unknown>) => Promise<void>

/** Runs a program; answers what it prints. */
const run = async (program: string): Promise<string> => {
  const names: Array<string> = []
  const values: Array<unknown> = []
  const body = program.replaceAll(/^import \{ (.*) \} from '(.*)'\n/gm, (_, list, from) => {
    for (const name of String(list).split(', ')) {
      names.push(name)
      values.push(modules[String(from)]?.[name])
    }
    return ''
  })
  let printed = ''
  const log = (...words: ReadonlyArray<unknown>): void => {
    printed += `${words.map(String).join(' ').trimEnd()}\n`
  }
  // Programs wait for what they use.
  const make = Object.getPrototypeOf(async () => {}).constructor
  const made: Program = make('console', ...names, body)
  await made({ log }, ...values)
  return printed
}

const embedding = suite('embedding')

const text = readFileSync(page, 'utf8')
const programs = [...text.matchAll(block)]

embedding('the page has its programs', () => {
  assert.equal(
    programs.map(([, , name]) => name),
    ['first', 'fails', 'days', 'crash', 'seeds', 'access', 'mqttjs'],
  )
})

for (const [, , name = '', program = '', , ,] of programs) {
  embedding(`the program "${name}" prints what the page says`, async () => {
    const printed = await run(program)
    const now = readFileSync(page, 'utf8')
    const shown = [...now.matchAll(block)].find((each) => each[2] === name)?.[4]
    if (process.env['UPDATE'] === '1' && shown !== printed) {
      const written = now.replace(
        block,
        (all, head, each, _program, _old, end) =>
          each === name ? `${head}${printed}${end}` : String(all),
      )
      writeFileSync(page, written)
      return
    }
    assert.is(printed, shown)
  })
}

embedding.run()
