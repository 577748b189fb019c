// Rows about who is let in and what those are told who are not: SCRAM-SHA-256 with the shells' own
// keys, and what an operator may ask for that mosquitto does not have.

import { Buffer } from 'node:buffer'
import { holds, same } from './expect.ts'
import { farewell } from './peer.ts'
import type { Peer } from './peer.ts'
import type { Row, Stage } from './row.ts'
import { method, ScramClient } from './scram.ts'
import { authBytes, connectBytes, property, show } from './wire.ts'
import type { Seen } from './wire.ts'

const users = { user: 'pencil', eve: 'apple', 'Köln, =': 'ﬁne ⅸ' }

const alone = { settings: { users } }

const differs = 'it has no SCRAM'

/** Authentication data as text. */
const dataOf = (seen: Seen): string =>
  Buffer.from(String(property(seen, 'authenticationData') ?? ''), 'hex').toString()

const hex = (text: string): string => Buffer.from(text).toString('hex')

/** The properties of a CONNECT that begins an exchange. */
const opening = (client: ScramClient | null, name = method): string =>
  `15 "${name}"` + (client === null ? '' : ` 16 <${hex(client.first())}>`)

let exchanges = 0

const scram = (userName: string, password: string): ScramClient => {
  exchanges++
  return new ScramClient(userName, password, `nonce${exchanges}`)
}

/** Goes through the whole exchange and gives its last packet. */
const enter = async (peer: Peer, id: string, client: ScramClient): Promise<Seen> => {
  peer.level = 5
  peer.send(connectBytes({ level: 5, id, properties: opening(client) }))
  const challenge = await peer.answer('AUTH')
  same(challenge.reason, 0x18, 'AUTH')
  same(property(challenge, 'authenticationMethod'), method, 'its method')
  peer.send(authBytes(0x18, method, client.final(dataOf(challenge))))
  return await peer.answer('CONNACK')
}

const accepted = async (stage: Stage, name: string): Promise<Peer> => {
  const peer = await stage.dial()
  const client = scram('user', 'pencil')
  const connack = await enter(peer, stage.own(name), client)
  same(show(connack), 'CONNACK 00', 'whoever knows the password')
  same(property(connack, 'authenticationMethod'), method, 'its method')
  holds(client.believes(dataOf(connack)), 'the signature', 'that of the password', dataOf(connack))
  return peer
}

export const admissionRows: ReadonlyArray<Row> = [
  {
    name: 'SCRAM-SHA-256 lets in who knows the password, and nobody else',
    alone,
    differs,
    play: async (stage) => {
      for (const [name, password] of Object.entries(users)) {
        const peer = await stage.dial()
        // Passwords are compared in their prepared form (RFC 4013).
        const client = scram(name, password.normalize('NFKC'))
        same(show(await enter(peer, stage.own(name), client)), 'CONNACK 00', name)
        await peer.ping()
        await peer.disconnect()
      }
      for (const [name, password] of [['user', 'apple'], ['nobody', 'pencil'], ['user', '']]) {
        const peer = await stage.dial()
        const client = scram(name ?? '', password ?? '')
        same(show(await enter(peer, stage.own('no'), client)), 'CONNACK 87', `${name} ${password}`)
        await peer.gone()
      }
    },
  },
  {
    name: 'an unknown user is challenged like a known one',
    alone,
    differs,
    play: async (stage) => {
      const challenges = new Map<string, string>()
      for (const name of ['user', 'nobody', 'nobody', 'user']) {
        const peer = await stage.dial()
        peer.level = 5
        const properties = opening(scram(name, ''))
        peer.send(connectBytes({ level: 5, id: stage.own('id'), properties }))
        const said = dataOf(await peer.answer('AUTH'))
        const found = /^r=nonce\d+[!-~]{36},s=([A-Za-z0-9+/]{22}==),i=4096$/.exec(said)
        holds(found !== null, `the challenge of ${name}`, 'nonce, 16 bytes of salt, 4096', said)
        const former = challenges.get(name)
        if (former !== undefined) same(found?.[1], former, `the salt of ${name}`)
        challenges.set(name, found?.[1] ?? '')
      }
    },
  },
  {
    name: 'AUTH in its place only',
    alone,
    differs,
    play: async (stage) => {
      const unknown = await stage.dial()
      const order = { level: 5, id: stage.own('id') } as const
      const refused = await unknown.greet({ ...order, properties: opening(null, 'PLAIN') })
      same(show(refused), 'CONNACK 8c', 'an unknown method')
      await unknown.gone()
      const empty = await stage.dial()
      const nothing = await empty.greet({ ...order, properties: opening(null) })
      same(show(nothing), 'CONNACK 87', 'no data')
      const wrongs: ReadonlyArray<readonly [string, Uint8Array]> = [
        ['another method', authBytes(0x18, 'PLAIN', 'x')],
        ['PINGREQ', Buffer.from([0xc0, 0])],
        ['AUTH that begins again', authBytes(0x19, method, 'n,,n=user,r=x')],
        ['an AUTH without anything', Buffer.from([0xf0, 0])],
      ]
      for (const [what, wrong] of wrongs) {
        const peer = await stage.dial()
        peer.level = 5
        peer.send(connectBytes({ ...order, properties: opening(scram('user', 'pencil')) }))
        await peer.answer('AUTH')
        peer.send(wrong)
        same(show(await peer.answer('CONNACK')), 'CONNACK 82', what)
        await peer.gone()
      }
      const plain = await stage.client('plain', { level: 5 })
      plain.send(authBytes(0x19, method, 'n,,n=user,r=x'))
      await farewell(plain, 0x82)
    },
  },
  {
    name: 'a client proves itself again while messages go on',
    alone,
    differs,
    play: async (stage) => {
      const peer = await accepted(stage, 'id')
      const other = await stage.client('other', { level: 5 })
      await peer.subscribe(stage.own('t'), 1)
      for (let round = 0; round < 3; round++) {
        const client = scram('user', 'pencil')
        peer.send(authBytes(0x19, method, client.first()))
        await other.publish(stage.own('t'), `${round} a`, { qos: 1 })
        const challenge = await peer.answer('AUTH')
        same(await peer.publish(stage.own('t'), `${round} b`, { qos: 1 }), 0, 'PUBACK')
        peer.send(authBytes(0x18, method, client.final(dataOf(challenge))))
        const answer = await peer.answer('AUTH')
        same(answer.reason, 0, 'AUTH')
        holds(client.believes(dataOf(answer)), 'the signature', 'that of the password', '')
      }
      await peer.hasOnly(['0 a', '0 b', '1 a', '1 b', '2 a', '2 b'], 'delivered')
      const liar = scram('user', 'paper')
      peer.send(authBytes(0x19, method, liar.first()))
      peer.send(authBytes(0x18, method, liar.final(dataOf(await peer.answer('AUTH')))))
      await farewell(peer, 0x87)
      const another = await accepted(stage, 'id')
      const eve = scram('eve', 'apple')
      another.send(authBytes(0x19, method, eve.first()))
      another.send(authBytes(0x18, method, eve.final(dataOf(await another.answer('AUTH')))))
      await farewell(another, 0x87)
    },
  },
  {
    name: 'a redirected broker accepts nobody, and lets go whom it has when told to',
    alone: { settings: { config: { serverReference: 'other.example:1883' } } },
    differs: 'it cannot redirect',
    play: async (stage) => {
      const five = await stage.client('five', { level: 5 })
      const four = await stage.client('four', { level: 4 })
      stage.broker.tell({ config: { redirect: 'server moved' } })
      await five.ping()
      for (;;) {
        // The wish takes its way; until then clients are accepted.
        const peer = await stage.dial()
        const connack = await peer.greet({ level: 5, id: stage.own('late') })
        if (connack.reason === 0) continue
        same(show(connack), 'CONNACK 9d {serverReference=other.example:1883}', 'CONNACK')
        await peer.gone()
        break
      }
      const older = await stage.dial()
      older.send(connectBytes({ level: 4, id: stage.own('older') }))
      await older.gone()
      same(older.history.length, 0, 'packets to a client of 3.1.1')
      stage.broker.tell({ command: { _tag: 'Redirect' } })
      await farewell(five, 0x9d)
      same(
        five.told(),
        'CONNACK 00, PINGRESP, DISCONNECT 9d {serverReference=other.example:1883}',
        '',
      )
      await four.gone()
      same(four.told(), 'CONNACK 00', 'a client of 3.1.1')
    },
  },
  {
    name: 'sentences, places for answers and checked payloads on request',
    alone: {
      settings: {
        config: {
          reasonStrings: true,
          responseInformation: 'answers/%c',
          payloadFormatCheck: true,
        },
      },
    },
    differs: 'it does none of these',
    play: async (stage) => {
      const peer = await stage.dial()
      const connack = await peer.connect({ level: 5, id: 'me', properties: '19 01' })
      same(property(connack, 'responseInformation'), 'answers/me', 'Response Information')
      const without = await stage.client('without', { level: 5 })
      same(property(without.history[0], 'responseInformation'), null, 'nobody asked')
      const topic = stage.own('t')
      same(
        await peer.publish(topic, Buffer.from([0xff]), { qos: 1, properties: '01 01' }),
        0x99,
        '',
      )
      same(
        await peer.publish(topic, Buffer.from([0xff]), { qos: 2, properties: '01 01' }),
        0x99,
        '',
      )
      same(await peer.publish(topic, 'ö', { qos: 1, properties: '01 01' }), 0x10, 'PUBACK')
      const puback = peer.history.find((seen) => seen.kind === 'PUBACK')
      same(property(puback, 'reasonString'), 'payload format invalid', 'why')
      peer.send(`30 [ "${topic}" (01 01) ff]`)
      await farewell(peer, 0x99)
      const last = peer.history[peer.history.length - 1]
      same(
        property(last, 'reasonString'),
        'a payload that is said to be UTF-8 and is not',
        'why it ended',
      )
    },
  },
]
