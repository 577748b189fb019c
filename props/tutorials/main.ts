// Plays one tutorial: `main.ts NAME BROKER OWN`, where OWN is `own` in a machine of its own. The
// last line is the report, as JSON.

import process from 'node:process'
import { debian, fill as debianFill } from './debian.ts'
import { ev3dev } from './ev3dev.ts'
import { hackaday } from './hackaday.ts'
import { fill as openwrtFill, openwrt } from './openwrt.ts'
import { Play } from './play.ts'
import { raspberryPi } from './raspberry-pi.ts'
import { brokerNames, makeWorld } from './world.ts'

type Tutorial = (play: Play) => Promise<void>

const tutorials: Readonly<Record<string, readonly [Tutorial, Readonly<Record<string, string>>]>> = {
  'openwrt': [openwrt, openwrtFill],
  'raspberry-pi': [raspberryPi, {}],
  'debian': [debian, debianFill],
  'ev3dev': [ev3dev, {}],
  'hackaday': [hackaday, {}],
}

const [name = '', wanted = '', own = ''] = process.argv.slice(2)
const tutorial = tutorials[name]
const broker = brokerNames.find((each) => each === wanted)
if (tutorial === undefined || broker === undefined) {
  console.error(`usage: main.ts ${Object.keys(tutorials).join('|')} ${brokerNames.join('|')} [own]`)
  process.exit(3)
}
const world = await makeWorld(broker, own === 'own')
const [script, fill] = tutorial
const play = new Play(world, fill)
try {
  await script(play)
} finally {
  play.close()
}
console.log(JSON.stringify(play.report()))
process.exit(play.report().failures.length === 0 ? 0 : 1)
