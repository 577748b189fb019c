// The families of clients that can be used on this machine.

import { spawnSync } from 'node:child_process'
import { skipped } from './expect.ts'
import type { Family } from './family.ts'
import { mosquittoFamily } from './mosquitto-family.ts'
import { mqttJsFamily } from './mqtt-js-family.ts'
import { pahoFamily, python } from './paho-family.ts'

const runs = (program: string, args: ReadonlyArray<string>): boolean => {
  const end = spawnSync(program, [...args])
  return end.error === undefined && (end.status === 0 || program.startsWith('mosquitto'))
}

/** The families that can be used here; for each of the others one line says what is missing. */
export const familiesHere = (): ReadonlyArray<Family> => {
  const found: Family[] = []
  if (runs('mosquitto_sub', ['--help']) && runs('mosquitto_pub', ['--help'])) {
    found.push(mosquittoFamily)
  } else {
    skipped('rows with mosquitto_sub', 'mosquitto-clients')
  }
  if (runs(python, ['-c', 'import paho.mqtt.client'])) found.push(pahoFamily())
  else skipped('rows with Paho', 'python3-paho-mqtt')
  found.push(mqttJsFamily)
  return found
}
