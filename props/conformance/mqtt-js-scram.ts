// MQTT.js going through SCRAM-SHA-256 with the broker.

import { Buffer } from 'node:buffer'
import { connect as connectMqtt } from 'mqtt'
import { within } from './expect.ts'
import { patienceMs } from './family.ts'
import type { Stage } from './row.ts'
import { method, ScramClient } from './scram.ts'

/** What MQTT.js ends with after an exchange with this password. */
export const outcomeOf = async (stage: Stage, password: string): Promise<string> => {
  const exchange = new ScramClient('user', password, `nonce${password}`)
  const client = connectMqtt({
    protocol: 'mqtt',
    host: '127.0.0.1',
    port: stage.broker.port,
    protocolVersion: 5,
    clientId: stage.own('js'),
    reconnectPeriod: 0,
    properties: {
      authenticationMethod: method,
      authenticationData: Buffer.from(exchange.first()),
    },
    manualConnect: true,
  })
  stage.afterwards(() => {
    client.end(true)
  })
  client.handleAuth = (packet, callback) => {
    const challenge = String(packet.properties?.authenticationData ?? '')
    callback(undefined, {
      cmd: 'auth',
      reasonCode: 0x18,
      properties: {
        authenticationMethod: method,
        authenticationData: Buffer.from(exchange.final(challenge)),
      },
    })
  }
  const outcome = new Promise<string>((resolve) => {
    client.once('connect', ({ properties }) => {
      const signature = String(properties?.authenticationData ?? '')
      resolve(exchange.believes(signature) ? 'connected' : `not the broker: ${signature}`)
    })
    client.once('error', (error) => {
      resolve(`refused ${'code' in error ? error.code : error.message}`)
    })
  })
  client.connect()
  return await within(patienceMs, 'MQTT.js', outcome)
}
