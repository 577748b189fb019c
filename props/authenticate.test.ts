// Enhanced authentication of MQTT 5 (section 4.12) on the core itself, with SCRAM-SHA-256: who gets
// in, who does not, what each side may say when, and that a connected client may prove itself again
// while everything else goes on. The keys come from the shells' own answers; the clients have a
// second definition of them (conformance/scram.ts).

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Config } from '../core/broker/config.ts'
import { decode, encode } from '../core/codec/mod.ts'
import * as B from '../core/data/bytes.ts'
import {
  answered,
  arrived,
  commanded,
  type Conn,
  defaults,
  type Effect,
  initial,
  type Input,
  Packet,
  reconfigured,
  type State,
  step,
  ticked,
} from '../core/mod.ts'
import { opened } from '../core/mod.ts'
import { E, O } from '../core/prelude.ts'
import { createScram, saslPrep, scramCredentials } from '../shells/common/scram.ts'
import type { ScramCredentials } from '../shells/common/scram.ts'
import { keysOf, method, ScramClient } from './conformance/scram.ts'
import { runs } from './gen/settings.ts'

const authenticate = suite('authenticate')

const bytesOf = (text: string): B.Bytes => B.of(new TextEncoder().encode(text))
const textOf = (bytes: B.Bytes | undefined): string =>
  bytes === undefined ? '' : new TextDecoder().decode(B.view(bytes))

/** Rounds in these tests, where nobody attacks. */
const iterations = 2

const users = new Map<string, ScramCredentials>()
for (const [name, password] of [['user', 'pencil'], ['eve', 'apple'], ['a,b=c', 'x']] as const) {
  const made = await scramCredentials(password, new Uint8Array(16).fill(name.length), iterations)
  if (made !== null) users.set(name, made)
}

const scramOf = (all: ReadonlyMap<string, ScramCredentials>) =>
  createScram({ credentials: async (name) => all.get(name) ?? null, iterations })

const scram = scramOf(users)

/** A broker with somebody who answers its questions. */
class Desk {
  state: State
  now = 0
  /** What every connection was sent and did, by slot, in words. */
  readonly log: string[][] = []
  readonly sent: Packet[][] = []
  fresh = 0
  private asked: Effect[] = []

  constructor(config: Partial<Config> = {}) {
    const all: Config = { ...defaults, authenticationMethods: [method], ...config }
    this.state = initial(all, { at: 0, wall: 0, seed: 1 })
  }

  feed(input: Input): ReadonlyArray<Effect> {
    const [state, effects] = step(this.state, input)
    this.state = state
    for (const effect of effects) {
      if (effect._tag === 'Send') {
        const { slot } = effect.conn
        const { packet } = effect
        const reason = 'reason' in packet ? ` ${packet.reason.toString(16)}` : ''
        this.log[slot]?.push(`${packet._tag}${reason}`)
        this.sent[slot]?.push(packet)
      }
      if (effect._tag === 'Close') this.log[effect.conn.slot]?.push('close')
      if (effect._tag === 'Ask') this.asked.push(effect)
    }
    return effects
  }

  open(): Conn {
    const conn = { slot: this.log.length, generation: this.log.length + 1 }
    this.log.push([])
    this.sent.push([])
    this.feed(opened(conn, this.now, `NONCE-${conn.slot}`, 'test', { address: '::1', port: 1 }))
    return conn
  }

  say(conn: Conn, packet: Packet): void {
    this.feed(arrived(conn, this.now, packet))
  }

  auth(conn: Conn, reason: number, data: string | null, name: string | null = method): void {
    this.say(conn, {
      _tag: 'Auth',
      reason,
      properties: {
        ...(name === null ? {} : { authenticationMethod: name }),
        ...(data === null ? {} : { authenticationData: bytesOf(data) }),
      },
    })
  }

  /** Answers what was asked, and what is asked then. */
  async settle(know = scram, nonce: string | null = null): Promise<void> {
    for (let effect = this.asked.shift(); effect !== undefined; effect = this.asked.shift()) {
      if (effect._tag !== 'Ask') continue
      const answer = await know(effect.query)
      const fresh = nonce ?? `FRESH-${this.fresh++}`
      this.feed(answered(effect.conn, this.now, fresh, answer))
    }
  }

  wait(ms: number): void {
    this.now += ms
    this.feed(ticked(this.now, this.now))
  }

  /** What a connection has seen since it was last looked at. */
  seen(conn: Conn): string {
    return this.log[conn.slot]?.splice(0).join(', ') ?? ''
  }

  last(conn: Conn): Packet {
    const packet = this.sent[conn.slot]?.at(-1)
    if (packet === undefined) throw new Error('nothing was sent')
    return packet
  }

  /** The authentication data of the last packet. */
  data(conn: Conn): string {
    const packet = this.last(conn)
    return 'properties' in packet ? textOf(packet.properties.authenticationData) : ''
  }
}

interface Wish {
  readonly clientId?: string
  readonly data?: string | null
  readonly name?: string
  readonly will?: boolean
  readonly packetBytesMax?: number
}

const connect = (desk: Desk, wish: Wish = {}): Conn => {
  const conn = desk.open()
  const { data = 'n,,n=user,r=client', packetBytesMax } = wish
  desk.say(
    conn,
    Packet.connect({
      clientId: wish.clientId ?? `c${conn.slot}`,
      keepAliveS: 0,
      ...(wish.will ? { will: { topic: 'will', payload: 'gone' } } : {}),
      properties: {
        ...(packetBytesMax === undefined ? {} : { maximumPacketSize: packetBytesMax }),
        authenticationMethod: wish.name ?? method,
        ...(data === null ? {} : { authenticationData: bytesOf(data) }),
      },
    }),
  )
  return conn
}

/** A whole exchange as far as it goes; the client that went through it. */
const enter = async (
  desk: Desk,
  userName = 'user',
  password = 'pencil',
  wish: Wish = {},
): Promise<Conn> => {
  const client = new ScramClient(userName, password, 'client')
  const conn = connect(desk, { ...wish, data: client.first() })
  await desk.settle()
  desk.auth(conn, 0x18, client.final(desk.data(conn)))
  await desk.settle()
  return conn
}

authenticate('the exchange of RFC 7677 comes out byte for byte', async () => {
  const salt = Uint8Array.from(atob('W22ZaJ0SNY7soEsUEjb6gQ=='), (sign) => sign.charCodeAt(0))
  const made = await scramCredentials('pencil', salt, 4096)
  if (made === null) throw new Error('pencil is a password')
  const know = scramOf(new Map([['user', made]]))
  const desk = new Desk()
  const conn = connect(desk, { data: 'n,,n=user,r=rOprNGfwEbeRWgbNEkqO' })
  const half = '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0'
  await desk.settle(know, half)
  const both = `rOprNGfwEbeRWgbNEkqO${half}`
  assert.is(desk.data(conn), `r=${both},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`)
  const proof = 'dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ='
  const client = new ScramClient('user', 'pencil', 'rOprNGfwEbeRWgbNEkqO')
  assert.is(client.final(desk.data(conn)), `c=biws,r=${both},p=${proof}`)
  desk.auth(conn, 0x18, `c=biws,r=${both},p=${proof}`)
  await desk.settle(know)
  assert.is(desk.seen(conn), 'Auth 18, Connack 0')
  assert.is(desk.data(conn), 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=')
})

authenticate('scramCredentials() makes the keys that Node makes', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.string({ minLength: 1, maxLength: 20 }),
      fc.uint8Array({ minLength: 1, maxLength: 40 }),
      fc.integer({ min: 1, max: 20 }),
      async (password, salt, rounds) => {
        const made = await scramCredentials(password, salt, rounds)
        const keys = keysOf(password, salt, rounds)
        assert.equal([...made?.storedKey ?? []], [...keys.storedKey])
        assert.equal([...made?.serverKey ?? []], [...keys.serverKey])
      },
    ),
    { numRuns: runs(100) },
  )
})

authenticate('saslPrep() agrees with the examples of RFC 4013', () => {
  assert.is(saslPrep('I\u00adX'), 'IX')
  assert.is(saslPrep('user'), 'user')
  assert.is(saslPrep('USER'), 'USER')
  assert.is(saslPrep('\u00aa'), 'a')
  assert.is(saslPrep('\u2168'), 'IX')
  assert.is(saslPrep('\u0007'), null)
  assert.is(saslPrep('a\u00a0b'), 'a b')
  assert.is(saslPrep('\u{e000}'), null)
  assert.is(saslPrep('\ud800'), null)
})

authenticate('whoever knows the password is accepted, whatever the name', async () => {
  const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }).map((some) => `n${some}`)
  await fc.assert(
    fc.asyncProperty(name, fc.string({ minLength: 1, maxLength: 12 }), async (user, password) => {
      const made = await scramCredentials(password, new Uint8Array(16), iterations)
      const form = saslPrep(user)
      if (made === null || form === null) return
      const know = scramOf(new Map([[form, made]]))
      const client = new ScramClient(user, password, 'client')
      const desk = new Desk()
      const conn = connect(desk, { data: client.first() })
      await desk.settle(know)
      desk.auth(conn, 0x18, client.final(desk.data(conn)))
      await desk.settle(know)
      assert.is(desk.seen(conn), 'Auth 18, Connack 0')
      assert.ok(client.believes(desk.data(conn)), 'the server proves that it knows the password')
    }),
    { numRuns: runs(60) },
  )
})

authenticate('commas and equals signs in a name come through', async () => {
  const desk = new Desk()
  assert.is(desk.seen(await enter(desk, 'a,b=c', 'x')), 'Auth 18, Connack 0')
})

authenticate('method and data stand in AUTH and in a successful CONNACK only', async () => {
  const desk = new Desk() // [MQTT-4.12.0-2] [MQTT-4.12.0-5]
  const conn = await enter(desk)
  const packets = desk.sent[conn.slot] ?? []
  assert.equal(
    packets.map((packet) => 'properties' in packet && packet.properties.authenticationMethod),
    [method, method],
  )
  const plain = desk.open() // [MQTT-4.12.0-6]
  desk.say(plain, Packet.connect({ clientId: 'plain' }))
  const connack = desk.last(plain)
  assert.ok('properties' in connack && connack.properties.authenticationMethod === undefined)
  const wrong = await enter(desk, 'user', 'paper')
  assert.is(desk.data(wrong), '')
})

authenticate('a wrong password, an unknown user and a tampered proof end alike', async () => {
  const desk = new Desk()
  for (const [user, password] of [['user', 'paper'], ['nobody', 'pencil'], ['eve', 'pencil']]) {
    const conn = await enter(desk, user, password)
    assert.is(desk.seen(conn), 'Auth 18, Connack 87, close')
  }
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.integer({ min: 1, max: 255 }), async (place, bits) => {
      const client = new ScramClient('user', 'pencil', 'client')
      const conn = connect(desk, { data: client.first() })
      await desk.settle()
      const data = new TextEncoder().encode(client.final(desk.data(conn)))
      const at = place % data.length
      data[at] = data[at]! ^ bits
      desk.say(conn, {
        _tag: 'Auth',
        reason: 0x18,
        properties: { authenticationMethod: method, authenticationData: B.of(data) },
      })
      await desk.settle()
      assert.is(desk.seen(conn), 'Auth 18, Connack 87, close')
    }),
    { numRuns: runs(200) },
  )
})

authenticate('nobody can tell an unknown user from a known one before the proof', async () => {
  const challengeOf = async (desk: Desk, user: string): Promise<string> => {
    const conn = connect(desk, { data: `n,,n=${user},r=client` })
    await desk.settle()
    return desk.data(conn).replace(/^r=[^,]*/, '')
  }
  const desk = new Desk()
  const shapes = new Set<string>()
  for (const user of ['user', 'eve', 'nobody', 'nemo', 'user ']) {
    const first = await challengeOf(desk, user)
    assert.is(await challengeOf(desk, user), first, `${user} has one salt`)
    shapes.add(first.replace(/s=[^,]*/, (salt) => `${atob(salt.slice(2)).length}`))
  }
  assert.equal([...shapes], [`,16,i=${iterations}`])
  assert.is.not(await challengeOf(desk, 'nobody'), await challengeOf(desk, 'nemo'))
  // Whoever keeps the secret keeps the salts.
  const secret = new Uint8Array(32).fill(7)
  const credentials = async () => null
  const query = { _tag: 'ScramSalt', userName: 'nobody' } as const
  const salts = await Promise.all(
    [{ secret }, { secret }, {}].map((some) => createScram({ credentials, ...some })(query)),
  )
  const written = salts.map((answer) => answer._tag === 'ScramSalt' ? textOf(answer.salt) : '')
  assert.is(written[0], written[1])
  assert.is.not(written[0], written[2])
  // As long as real ones, whatever length those have.
  for (const saltBytes of [1, 32, 33, 100]) {
    const answer = await createScram({ credentials, secret, saltBytes })(query)
    const salt = answer._tag === 'ScramSalt' ? B.view(answer.salt) : new Uint8Array()
    assert.is(salt.length, saltBytes)
    assert.ok(salt.subarray(-16).some((byte) => byte !== 0), 'it is random to its end')
  }
})

authenticate('a proof counts once: in another exchange it is refused', async () => {
  const desk = new Desk()
  const client = new ScramClient('user', 'pencil', 'client')
  const first = connect(desk, { data: client.first() })
  await desk.settle()
  const final = client.final(desk.data(first))
  desk.auth(first, 0x18, final)
  await desk.settle()
  assert.is(desk.seen(first), 'Auth 18, Connack 0')
  const second = connect(desk, { data: client.first() })
  await desk.settle()
  desk.auth(second, 0x18, final)
  assert.is(desk.seen(second), 'Auth 18, Connack 87, close')
  // The same connection has another nonce for another exchange, too.
  desk.auth(first, 0x19, client.first())
  await desk.settle()
  desk.auth(first, 0x18, final)
  assert.is(desk.seen(first), 'Auth 18, Disconnect 87, close')
})

authenticate('what is no message of SCRAM is refused', async () => {
  const firsts = [
    null,
    '',
    'n,,n=user',
    'n,,n=user,r=',
    'n,,n=,r=client',
    'n,,r=client,n=user',
    'n,,n=us=er,r=client',
    'n,,m=must,n=user,r=client',
    'n,a=eve,n=user,r=client',
    'p=tls-unique,,n=user,r=client',
    'n,,n=user,r=cli ent',
    'n,,n=us\u0007er,r=client',
    'n,,n=user,r=client,1=x',
    'x,,n=user,r=client',
  ]
  const desk = new Desk()
  for (const data of firsts) {
    const conn = connect(desk, { data })
    assert.is(desk.seen(conn), 'Connack 87, close', `${data}`)
  }
  for (const data of ['y,,n=user,r=client', 'n,a=user,n=user,r=client,x=more']) {
    const conn = connect(desk, { data })
    await desk.settle()
    assert.is(desk.seen(conn), 'Auth 18', data)
  }
  const good = new ScramClient('user', 'pencil', 'client')
  const finals = [
    (final: string) => final.replace('c=biws', 'c=eSws'), // y,,
    (final: string) => final.replace(/p=.*/, 'p=AAAA'),
    (final: string) => final.replace(/=$/, ''),
    (final: string) => final.replace(/,p=.*/, ''),
    (final: string) => `${final},x=more`,
    () => '',
    () => null,
  ]
  for (const change of finals) {
    const conn = connect(desk, { data: good.first() })
    await desk.settle()
    desk.auth(conn, 0x18, change(good.final(desk.data(conn))))
    assert.is(desk.seen(conn), 'Auth 18, Connack 87, close', String(change))
  }
})

authenticate('a method that is not offered is refused with 0x8C', () => {
  const desk = new Desk() // [MQTT-4.12.0-1]
  assert.is(desk.seen(connect(desk, { name: 'PLAIN' })), 'Connack 8c, close')
  const closedDesk = new Desk({ authenticationMethods: [] })
  assert.is(closedDesk.seen(connect(closedDesk)), 'Connack 8c, close')
})

authenticate('before CONNACK only the AUTH that answers, and DISCONNECT, are legal', async () => {
  const challenged = async (): Promise<readonly [Desk, Conn]> => {
    const desk = new Desk()
    const conn = connect(desk)
    await desk.settle()
    assert.is(desk.seen(conn), 'Auth 18')
    return [desk, conn]
  }
  const wrong: ReadonlyArray<(desk: Desk, conn: Conn) => void> = [
    (desk, conn) => desk.say(conn, { _tag: 'Pingreq' }), // [MQTT-3.1.2-30]
    (desk, conn) => desk.say(conn, Packet.publish({ topic: 't' })),
    (desk, conn) => desk.say(conn, Packet.subscribe('t')),
    (desk, conn) => desk.say(conn, Packet.connect({ clientId: 'x' })), // [MQTT-3.1.0-2]
    (desk, conn) => desk.auth(conn, 0x18, 'x', 'PLAIN'), // [MQTT-4.12.0-5]
    (desk, conn) => desk.auth(conn, 0x18, null, null),
    (desk, conn) => desk.auth(conn, 0x19, 'n,,n=user,r=client'), // [MQTT-4.12.0-3]
    (desk, conn) => desk.auth(conn, 0x00, 'x'),
  ]
  for (const act of wrong) {
    const [desk, conn] = await challenged()
    act(desk, conn)
    assert.is(desk.seen(conn), 'Connack 82, close', String(act))
  }
  const [leaving, conn] = await challenged()
  leaving.say(conn, { _tag: 'Disconnect', reason: 0, properties: {} })
  assert.is(leaving.seen(conn), 'close')
  // While the shell is asked it is not the client's turn.
  const desk = new Desk()
  const hasty = connect(desk)
  desk.auth(hasty, 0x18, 'c=biws,r=client,p=AAAA')
  assert.is(desk.seen(hasty), 'Connack 82, close')
  // Without a method there is no AUTH at all. [MQTT-4.12.0-7]
  const plain = desk.open()
  desk.say(plain, Packet.connect({ clientId: 'plain' }))
  desk.auth(plain, 0x19, 'n,,n=user,r=client')
  assert.is(desk.seen(plain), 'Connack 0, Disconnect 82, close')
})

authenticate('who has not proved anything disturbs nobody', async () => {
  const desk = new Desk()
  const holder = await enter(desk, 'user', 'pencil', { clientId: 'same', will: true })
  desk.seen(holder)
  await enter(desk, 'user', 'paper', { clientId: 'same' })
  assert.is(desk.seen(holder), '')
  await enter(desk, 'user', 'pencil', { clientId: 'same' }) // [MQTT-3.1.4-3]
  assert.is(desk.seen(holder), 'Disconnect 8e, close')
})

authenticate('the time to connect is the time to authenticate', async () => {
  const desk = new Desk({ connectTimeoutMs: 10_000 })
  const conn = connect(desk)
  await desk.settle()
  desk.seen(conn)
  desk.wait(9_999)
  assert.is(desk.seen(conn), '')
  desk.wait(1)
  assert.is(desk.seen(conn), 'close')
  const late = await enter(desk)
  desk.seen(late)
  desk.wait(60_000)
  assert.is(desk.seen(late), '')
  desk.auth(late, 0x19, 'n,,n=user,r=client')
  desk.wait(5_000)
  await desk.settle()
  desk.wait(4_999)
  desk.say(late, { _tag: 'Pingreq' })
  assert.is(desk.seen(late), 'Auth 18, Pingresp')
  desk.wait(1)
  assert.is(desk.seen(late), 'Disconnect 87, close')
})

authenticate('a client proves itself again while other traffic goes on', async () => {
  const desk = new Desk()
  const other = desk.open()
  desk.say(other, Packet.connect({ clientId: 'other' }))
  const conn = await enter(desk)
  desk.say(conn, Packet.subscribe('t'))
  for (let i = 0; i < 3; i++) {
    desk.seen(conn)
    const client = new ScramClient('user', 'pencil', `again${i}`)
    desk.auth(conn, 0x19, client.first())
    desk.say(other, Packet.publish({ topic: 't', payload: '1' }))
    await desk.settle()
    const challenge = desk.data(conn)
    desk.say(conn, { _tag: 'Pingreq' })
    desk.auth(conn, 0x18, client.final(challenge))
    desk.say(conn, Packet.publish({ topic: 't', payload: '2' }))
    await desk.settle()
    assert.is(desk.seen(conn), 'Publish, Auth 18, Pingresp, Publish, Auth 0')
    assert.ok(client.believes(desk.data(conn)))
    desk.wait(20_000)
  }
  assert.is(desk.seen(conn), '')
})

authenticate('who cannot prove itself again is disconnected', async () => {
  const cases: ReadonlyArray<readonly [string, (desk: Desk, conn: Conn) => void]> = [
    ['Auth 18, Disconnect 87, close', (desk, conn) => { // [MQTT-4.12.1-2]
      const client = new ScramClient('user', 'paper', 'again')
      desk.auth(conn, 0x19, client.first())
    }],
    ['Disconnect 87, close', (desk, conn) => desk.auth(conn, 0x19, null)],
    ['Disconnect 82, close', (desk, conn) => { // [MQTT-4.12.1-1]
      desk.auth(conn, 0x19, 'n,,n=user,r=again', 'PLAIN')
    }],
    ['Disconnect 82, close', (desk, conn) => desk.auth(conn, 0x18, 'c=biws')],
    ['Disconnect 82, close', (desk, conn) => desk.auth(conn, 0x00, 'v=')],
    ['Disconnect 82, close', (desk, conn) => desk.auth(conn, 0x19, null, null)],
    ['Disconnect 82, close', (desk, conn) => {
      desk.auth(conn, 0x19, 'n,,n=user,r=again')
      desk.auth(conn, 0x19, 'n,,n=user,r=again')
    }],
    ['Disconnect 8c, close', (desk, conn) => {
      desk.feed(reconfigured(0, { ...desk.state.config, authenticationMethods: [] }))
      desk.auth(conn, 0x19, 'n,,n=user,r=again')
    }],
  ]
  for (const [expected, act] of cases) {
    const desk = new Desk()
    const heir = desk.open()
    desk.say(heir, Packet.connect({ clientId: 'heir' }))
    desk.say(heir, Packet.subscribe('will'))
    const conn = await enter(desk, 'user', 'pencil', { will: true })
    desk.seen(conn)
    act(desk, conn)
    await desk.settle()
    if (desk.last(conn)._tag === 'Auth') {
      const client = new ScramClient('user', 'paper', 'again')
      desk.auth(conn, 0x18, client.final(desk.data(conn)))
      await desk.settle()
    }
    assert.is(desk.seen(conn), expected, String(act))
    assert.is(desk.last(heir)._tag, 'Publish', 'the will is published')
  }
})

authenticate('nobody becomes another user by proving to be him', async () => {
  const desk = new Desk()
  const conn = await enter(desk)
  desk.seen(conn)
  const client = new ScramClient('eve', 'apple', 'again')
  desk.auth(conn, 0x19, client.first())
  await desk.settle()
  desk.auth(conn, 0x18, client.final(desk.data(conn)))
  await desk.settle()
  assert.is(desk.seen(conn), 'Auth 18, Disconnect 87, close')
})

authenticate('authentication data has a limit', async () => {
  const first = 'n,,n=user,r=client,x='
  const desk = new Desk({ authenticationBytesMax: 300 })
  const fitting = connect(desk, { data: first.padEnd(300, 'x') })
  const overlong = connect(desk, { data: first.padEnd(301, 'x') })
  await desk.settle()
  assert.is(desk.seen(fitting), 'Auth 18')
  assert.is(desk.seen(overlong), 'Connack 97, close')
  desk.auth(fitting, 0x18, 'c=biws'.padEnd(301, 'x'))
  assert.is(desk.seen(fitting), 'Connack 97, close')
  const conn = await enter(desk)
  desk.auth(conn, 0x19, first.padEnd(301, 'x'))
  assert.is(desk.seen(conn), 'Auth 18, Connack 0, Disconnect 97, close')
})

authenticate('a challenge fits into what the client takes', async () => {
  const desk = new Desk() // [MQTT-3.1.2-24]
  const roomy = connect(desk)
  await desk.settle()
  const size = encode(5, desk.last(roomy)).length
  for (const [packetBytesMax, expected] of [[size, 'Auth 18'], [size - 1, 'Connack 95, close']]) {
    const conn = connect(desk, { packetBytesMax: Number(packetBytesMax) })
    await desk.settle()
    assert.is(desk.seen(conn), expected)
  }
})

authenticate('answers to nobody, or out of turn, are stale', async () => {
  const desk = new Desk()
  const conn = connect(desk)
  const refused = { _tag: 'Refused', reason: 0x87 } as const
  await desk.settle()
  assert.is(desk.seen(conn), 'Auth 18')
  for (const whose of [conn, { ...conn, generation: 77 }, { slot: 50, generation: 50 }]) {
    const effects = desk.feed(answered(whose, 0, 'X', refused))
    assert.equal(effects.map((effect) => effect._tag), ['Note'])
  }
  const ready = await enter(desk)
  desk.auth(ready, 0x19, 'n,,n=user,r=again')
  await desk.settle()
  desk.seen(ready)
  desk.feed(answered(ready, 0, 'X', refused))
  assert.is(desk.seen(ready), '', 'it is the turn of the client')
  assert.is(desk.state.counters.stale, 4)
})

authenticate('reading rests while the shell is asked, but not for a connected client', async () => {
  const desk = new Desk()
  const conn = desk.open()
  const tags = (effects: ReadonlyArray<Effect>): string[] =>
    effects.map((effect) => effect._tag).filter((tag) => tag !== 'Note')
  const asked = desk.feed(arrived(
    conn,
    0,
    Packet.connect({
      clientId: 'c',
      properties: {
        authenticationMethod: method,
        authenticationData: bytesOf('n,,n=user,r=client'),
      },
    }),
  ))
  assert.equal(tags(asked), ['Pause', 'Ask'])
  const answer = await scram({ _tag: 'ScramSalt', userName: 'user' })
  assert.equal(tags(desk.feed(answered(conn, 0, 'X', answer))), ['Resume', 'Send'])
  const ready = await enter(desk)
  const again = desk.feed(arrived(ready, 0, {
    _tag: 'Auth',
    reason: 0x19,
    properties: { authenticationMethod: method, authenticationData: bytesOf('n,,n=user,r=again') },
  }))
  assert.equal(tags(again), ['Ask'])
})

authenticate('no state holds a proof or a key', async () => {
  const holds = (value: unknown, wanted: string, seen = new Set<unknown>()): boolean => {
    if (typeof value === 'string') return value.includes(wanted)
    if (typeof value !== 'object' || value === null || seen.has(value)) return false
    seen.add(value)
    if (value instanceof Uint8Array) {
      return wanted.length > 0 && new TextDecoder('latin1').decode(value).includes(wanted)
    }
    return Object.values(value).some((part) => holds(part, wanted, seen))
  }
  const desk = new Desk()
  const client = new ScramClient('user', 'pencil', 'client')
  const conn = connect(desk, { data: client.first() })
  assert.ok(holds(desk.state, 'r=client'), 'what is public is found')
  await desk.settle()
  const final = client.final(desk.data(conn))
  desk.auth(conn, 0x18, final)
  const proof = final.slice(final.indexOf(',p=') + 3)
  assert.not.ok(holds(desk.state, proof), 'the proof as text')
  assert.not.ok(holds(desk.state, atob(proof)), 'the proof as bytes')
  await desk.settle()
  const signature = desk.data(conn).slice(2)
  assert.not.ok(holds(desk.state, signature))
  assert.not.ok(holds(desk.state, atob(signature)))
})

authenticate('AUTH is a packet of MQTT 5 with a reason and its method', () => {
  // A bare AUTH says Success and names no method, which the machine refuses. [MQTT-3.15.2-1]
  const found = decode(5, B.of(Uint8Array.of(0xf0, 0)))
  assert.ok(E.isRight(found) && O.isSome(found.right))
  assert.ok(E.isLeft(decode(4, B.of(Uint8Array.of(0xf0, 0)))))
  assert.ok(E.isLeft(decode(5, B.of(Uint8Array.of(0xf0, 2, 0x1a, 0)))))
})

authenticate('a stop ends an exchange in silence', async () => {
  const desk = new Desk()
  const conn = connect(desk)
  await desk.settle()
  desk.seen(conn)
  desk.feed(commanded(0, { _tag: 'Stop' }))
  assert.is(desk.seen(conn), 'close')
})

authenticate.run()
