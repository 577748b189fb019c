// OpenWrt and an ESP8266: a broker on a router, and a board that speaks PubSubClient to it.

import type { Play } from './play.ts'
import { PubSubClient, states } from './pubsubclient.ts'
import { comes } from './screen.ts'

export const fill = { '<username>': 'esp', '<user>': 'esp', '<passphrase>': 'secret' }

const [router, board, twin] = ['10.42.0.3', '10.42.0.7', '10.42.0.8']

const makeBoard = (play: Play, address: string): PubSubClient =>
  new PubSubClient(
    play.world.here(router),
    Number(play.world.here('1883')),
    play.world.here(address),
  )

/** `loop()` of a sketch, until it has what it waits for. */
const loops = (client: PubSubClient, done: () => boolean, withinMs?: number): Promise<boolean> =>
  comes(async () => {
    await client.loop()
    return done()
  }, withinMs)

/** The broker, the password and the typo. */
const misspelt = async (play: Play): Promise<void> => {
  play.skip('opkg update')
  play.skip('opkg install mosquitto mosquitto-client libmosquitto')
  await play.privately('/etc/init.d/mosquitto enable')
  await play.run('/etc/init.d/mosquitto restart')
  await play.run('mosquitto_passwd -c /etc/mosquitto/passwd <username>', {
    typed: 'secret\nsecret\n',
    says: ['Password: ', 'Reenter password: '],
  })
  await play.fileSays('/etc/mosquitto/passwd', 'esp:$7$<hash>')

  // As the tutorial has it.
  await play.edit(
    'vim /etc/mosquitto/mosquitto.conf',
    ['allow_anonymouse false', 'password_file /etc/mosquitto/passwd'],
    true,
  )
  const quote = play.unlike("double quotes, and 'at' without them", "'", '"')
  await play.run('mosquitto -c /etc/mosquitto/mosquitto.conf', {
    status: 3,
    says: [
      `Error: Unknown configuration variable ${quote}allow_anonymouse${quote}.`,
      'Error found at /etc/mosquitto/mosquitto.conf:15.',
    ],
  })
  await play.run('/etc/init.d/mosquitto restart', {
    status: 3,
    says: play.unlike('proposes nothing', ["Did you mean 'allow_anonymous'?"], []),
  })
  await play.run('mosquitto_pub -h localhost -t test -m x', {
    status: 1,
    says: ['Error: Connection refused'],
  })
  await play.run("sed -i 's/allow_anonymouse/allow_anonymous/' /etc/mosquitto/mosquitto.conf")
  await play.run('/etc/init.d/mosquitto restart')
  const hint = play.unlike(
    'says it at more length',
    ["a line 'listener <port>' lets others in"],
    [],
  )
  await play.fileSays('/var/log/mosquitto/mosquitto.log', ...hint, 'Starting in local only mode.')
  await play.fileSays('/var/log/mosquitto/mosquitto.log', ' running')
}

/** What the reader tries on the router itself. */
const passwords = async (play: Play): Promise<void> => {
  const older = { status: 0 }
  const refused = { status: 5, says: ['not authorised'] }
  await play.run(
    'mosquitto_pub -h localhost -t test -m x',
    play.unlike('lets anonymous clients in while it is local only', refused, older),
  )
  await play.run('mosquitto_pub -h localhost -t test -m x -u "<user>" -P "wrong"', refused)
  const sub = play.open('mosquitto_sub -h localhost -t test -u "<user>" -P "<passphrase>"')
  await play.fileSays('/var/log/mosquitto/mosquitto.log', "u'esp').")
  await play.run('mosquitto_pub -h localhost -t "test" -u "<user>" -P "<passphrase>"', {
    status: 1,
    says: ['Error: Both topic and message must be supplied.'],
  })
  // There is nothing to see yet, whatever the tutorial says.
  await play.run('mosquitto_pub -h localhost -t "test" -u "<user>" -P "<passphrase>" -m hi')
  await sub.says('hi')
  await sub.interrupt()
}

const id = 'ESP8266Client'
/** CONNECT: 3.1.1, user, password and clean session, 15 s, the three strings. */
const connectHex = '102600044d51545404c2000f000d45535038323636436c69656e740003657370' +
  '0006736563726574'
/** PUBLISH at QoS 0 to esp/test. */
const helloHex = '30240008' + '6573702f74657374' +
  '48656c6c6f2066726f6d2061206c6974746c6520646576696365'

/** The sketch: connect, say hello, listen to the topic. */
const sketch = async (play: Play): Promise<PubSubClient> => {
  play.skip('arduino --upload esp.ino  # const char* mqttUser="<mqtt username>"";')
  const early = makeBoard(play, board)
  await early.connect(id, 'esp', 'secret')
  await play.holds(
    'the board cannot connect while the broker is local only: state -2',
    () => early.state() === states.connectFailed,
  )
  await play.edit('vim /etc/mosquitto/mosquitto.conf', ['listener 1883'], true)
  await play.run('/etc/init.d/mosquitto restart')

  const wrong = makeBoard(play, board)
  await wrong.connect(id, 'esp', 'wrong')
  await play.holds(
    'a wrong password: state 5',
    () => wrong.state() === 5 && wrong.received.join() === '20020005',
  )

  const client = makeBoard(play, board)
  const heard: Array<string> = []
  client.callback = (topic, payload) => heard.push(`${topic} ${payload.toString('utf8')}`)
  await client.connect(id, 'esp', 'secret')
  await play.holds('the board is connected: state 0', () => client.state() === states.connected)
  client.publish('esp/test', 'Hello from a little device')
  client.subscribe('esp/test')
  await loops(client, () => client.received.length >= 2)
  await play.run('mosquitto_pub -u esp -P secret -t esp/test -m "Hello back"')
  await loops(client, () => heard.length >= 1)
  client.publish('esp/test', 'Hello from a little device')
  await loops(client, () => heard.length >= 2)
  await play.holds(
    'every byte that went out and came in is the right one',
    () =>
      client.sent.join(' ') ===
        [connectHex, helloHex, '820d000200086573702f7465737400', helloHex].join(' ') &&
      client.received.join(' ') ===
        [
          '20020000',
          '9003000200',
          '30140008' + '6573702f74657374' + '48656c6c6f206261636b',
          helloHex,
        ].join(' '),
  )
  await play.holds(
    'the callback was called',
    () => heard.join('; ') === 'esp/test Hello back; esp/test Hello from a little device',
  )
  return client
}

/** What does not fit the library's buffer. */
const buffers = async (play: Play, client: PubSubClient): Promise<void> => {
  const heard: Array<number> = []
  client.callback = (_, payload) => heard.push(payload.length)
  const most = 'x'.repeat(256 - 5 - 2 - 8)
  await play.holds(
    'the library sends 256 bytes and none more',
    () => client.publish('esp/test', most) && !client.publish('esp/test', `${most}x`),
  )
  await play.run(
    `mosquitto_pub -u esp -P secret -t esp/test -m ${'y'.repeat(300)} && ` +
      'mosquitto_pub -u esp -P secret -t esp/test -m short',
  )
  await loops(client, () => heard.includes(5))
  await play.holds(
    'what is longer is dropped by the board, and nothing else',
    () => heard.join() === `${most.length},5` && client.connected(),
  )
}

/** Two boards with one sketch. */
const twins = async (play: Play, first: PubSubClient): Promise<void> => {
  const second = makeBoard(play, twin)
  for (let i = 0; i < 6; i++) {
    const [comesIn, goes] = i % 2 === 0 ? [second, first] : [first, second]
    await comesIn.connect(id, 'esp', 'secret')
    await loops(goes, () => !goes.connected(), 2_000)
  }
  await play.holds('each throws the other out', () => first.connected() !== second.connected())
  const log = '/var/log/mosquitto/mosquitto.log'
  if (play.unlike('says nothing of clients that throw each other out', true, false)) {
    await play.fileSays(log, `${id}<what>${board}<what>${twin}`)
  }
  first.stop()
  second.stop()
}

/** One board that calls loop(), and one that has stopped to. */
const keepAlive = (play: Play): () => Promise<void> => {
  const [alive, dead] = [makeBoard(play, board), makeBoard(play, twin)]
  const startMs = performance.now()
  let diedMs = 0
  const ready = Promise.all([
    alive.connect('alive', 'esp', 'secret'),
    dead.connect('dead', 'esp', 'secret'),
  ])
  return async () => {
    await ready
    await comes(async () => {
      await alive.loop()
      if (!dead.connected()) diedMs = performance.now() - startMs
      return diedMs > 0
    }, 26_000)
    await play.holds(
      'a board in loop() sends PINGREQ after 15 s and is answered',
      () => alive.connected() && alive.sent.at(-1) === 'c000' && alive.received.at(-1) === 'd000',
    )
    await play.holds(
      `a board that has stopped is dropped after 22.5 s (${Math.round(diedMs)} ms)`,
      () => diedMs > 21_500 && diedMs < 25_500,
    )
    alive.stop()
  }
}

export const openwrt = async (play: Play): Promise<void> => {
  await misspelt(play)
  await passwords(play)
  const client = await sketch(play)
  const waits = keepAlive(play)
  await buffers(play, client)
  await twins(play, client)
  await waits()
}
