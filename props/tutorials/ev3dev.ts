// ev3dev, with mosquitto 1.3.4: a broker on a Lego brick, every kind of log, and two passwords.

import { spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Play } from './play.ts'
import { comes, readScreen } from './screen.ts'

const log = '/var/log/mosquitto/mosquitto.log'

const install = async (play: Play): Promise<void> => {
  play.skip('sudo apt-get update -y & sudo apt full-upgarde -y')
  play.skip('ssh robot@10.42.0.3')
  // The package has made one.
  await play.privately('sudo adduser mosquitto', { status: 1, says: ['already exists'] })
  play.skip('sudo apt-get install mosquitto mosquitto-clients -y')
  play.skip(
    'sudo apt-get install build-essential libwrap0-dev libssl-dev libc-ares-dev uuid-dev ' +
      'xsltproc -y',
  )
  await play.run('service mosquitto start')
  await play.privately('sudo su')
  await play.run('mkdir /etc/mosquitto', { status: 1, says: ['File exists'] })
  await play.run('echo "" > /etc/mosquitto/pwfile')
  for (const user of ['ev3', 'test']) {
    await play.run(`sudo mosquitto_passwd /etc/mosquitto/pwfile ${user}`, {
      typed: 'formosa\nformosa\n',
      says: user === 'ev3' ? ['Error: Corrupt password file at line 1.'] : ['Password: '],
    })
  }
  await play.run('sudo mkdir /var/lib/mosquitto/', { status: 1, says: ['File exists'] })
  await play.privately('sudo chown mosquitto:mosquitto /var/lib/mosquitto/ -R')
  await play.run('cd /etc/mosquitto')
  await play.run('sudo cat mosquitto.conf', { says: ['include_dir /etc/mosquitto/conf.d'] })
  await play.run('cd /etc/mosquitto/conf.d')
  await play.run('ls', { exactly: ['README'] })
  await play.run('cat README', { says: ['.conf'] })
  play.skip('man mosquitto.conf')
}

const configuration: ReadonlyArray<string> = [
  'listener 1883 *',
  'persistence true',
  'persistence_location /var/lib/mosquitto/',
  'persistence_file mosquitto.db',
  'log_dest syslog',
  'log_dest stdout',
  'log_dest topic',
  'log_type error',
  'log_type warning',
  'log_type notice',
  'log_type information',
  'connection_messages true',
  'log_timestamp true',
  'allow_anonymous true',
  'password_file /etc/mosquitto/pwfile',
]

/** The second `persistence_location`, which ends mosquitto. */
const configure = async (play: Play): Promise<void> => {
  await play.edit('sudo nano /etc/mosquitto/conf.d/mosquitto.conf', configuration)
  await play.privately('sudo /sbin/ldconfig')
  const duplicate = play.unlike('a line that is repeated ends it', false, true)
  await play.run('sudo service mosquitto restart', {
    status: duplicate ? 3 : 0,
    says: duplicate
      ? [
        'Error: Duplicate persistence_location value in configuration.',
        'Error found at /etc/mosquitto/conf.d/mosquitto.conf:3.',
      ]
      : [],
  })
  if (duplicate) {
    await play.run("sed -i '/persistence/d' /etc/mosquitto/conf.d/mosquitto.conf")
    await play.run('sudo service mosquitto restart')
  } else await play.fileSays(log, 'Warning: <what>persistence_location')
  await play.privately('sudo update-rc.d mosquitto enable')
}

/** `sudo mosquitto`: one more broker, with nothing configured. */
const second = async (play: Play): Promise<void> => {
  await play.run('sudo mosquitto', { status: 1, says: ['Error: Address already in use'] })
  await play.run('sudo service mosquitto stop')
  await play.run('sudo mosquitto_sub -h 10.42.0.3 -p 1883 -t hello/world -d', {
    status: 1,
    says: ['Error: Connection refused'],
  })
  const broker = play.open('sudo mosquitto')
  await broker.says(
    '<program> version <version> starting',
    'Using default config.',
    'Opening ipv4 listen socket on port 1883.',
    'Opening ipv6 listen socket on port 1883.',
  )
  await broker.says(' running')
  // Since 2.0 a broker without a configuration is for its own machine.
  await play.run('sudo mosquitto_sub -h 10.42.0.3 -p 1883 -t hello/world -d', {
    status: 1,
    says: ['Error: Connection refused'],
  })
  await broker.interrupt()
}

/** Where a client of this machine comes from that has gone to 10.42.0.3. */
const brick = (play: Play): string => play.world.isOwnMachine ? '10.42.0.3' : '<address>'

const older = (play: Play): string => play.unlike('calls 3.1.1 p2 and 3.1 p1', 'p4', 'p2')

/** The broker in a window, where its log is to be seen. */
const conversation = async (play: Play): Promise<void> => {
  const broker = play.open('sudo mosquitto -c /etc/mosquitto/mosquitto.conf')
  await broker.says('Opening ipv4 listen socket on port 1883.', ' running')
  const sub = play.open('sudo mosquitto_sub -h 10.42.0.3 -p 1883 -t hello/world -d')
  await sub.says(
    'Client <id> sending CONNECT',
    'Client <id> received CONNACK',
    'Client <id> sending SUBSCRIBE (Mid: 1, Topic: hello/world, QoS: 0',
    'Client <id> received SUBACK',
    'Subscribed (mid: 1): 0',
  )
  await play.run('sudo mosquitto_pub -h 10.42.0.3 -p 1883 -d -t hello/world -m "hello"', {
    says: [
      'Client <id> sending CONNECT',
      'Client <id> received CONNACK',
      "Client <id> sending PUBLISH (d0, q0, r0, m1, 'hello/world', ... (5 bytes))",
      'Client <id> sending DISCONNECT',
    ],
  })
  await sub.says(
    "Client <id> received PUBLISH (d0, q0, r0, m0, 'hello/world', ... (5 bytes))",
    'hello',
  )
  const p = older(play)
  await broker.says(
    `New connection from ${brick(play)}:<port> on port 1883.`,
    `New client connected from ${brick(play)}:<port> as <id> (${p}, c1, k60).`,
  )
  await sub.interrupt()
  const known = play.open(
    'sudo mosquitto_sub -h 10.42.0.3 -p 1883 -t hello/world -d -u ev3 -P formosa',
  )
  await known.says('Subscribed (mid: 1): 0')
  await play.run(
    'sudo mosquitto_pub -h 10.42.0.3 -p 1883 -d -t hello/world -m "hello" -u test -P formosa',
  )
  await known.says('hello')
  await broker.says(`(${p}, c1, k60, u'ev3').`, `(${p}, c1, k60, u'test').`)
  await play.run('mosquitto_pub -h 10.42.0.3 -t hello/world -m "hello" -u test -P taipei', {
    status: 5,
  })
  await known.interrupt()
  await elders(play, broker)
  await broker.interrupt()
}

/** mosquitto_sub 1.3.4 speaks MQTT 3.1, and makes such identifiers. */
const elders = async (play: Play, broker: ReturnType<Play['open']>): Promise<void> => {
  const p = play.unlike('calls 3.1 p1', 'p3', 'p1')
  const old = '-h 10.42.0.3 -V mqttv31 -t hello/world'
  const sub = play.open(`mosquitto_sub ${old} -i mosqsub/1404-ev3dev`)
  await broker.says(`as mosqsub/1404-ev3dev (${p}, c1, k60).`)
  await play.clients(1)
  await play.run(`mosquitto_pub ${old} -i mosqpub/1405-ev3dev -m "thirteen years"`)
  await sub.says('thirteen years')
  await sub.interrupt()
}

/** Four destinations at once. */
const logs = async (play: Play): Promise<void> => {
  const path = join(play.world.folder, 'syslog')
  const heard = play.world.isOwnMachine ? listenToSyslog(path) : null
  if (heard !== null) await comes(() => readScreen(path).includes('ready'))
  const broker = play.open('sudo mosquitto -c /etc/mosquitto/mosquitto.conf')
  await broker.says(' running')
  const topic = play.open("mosquitto_sub -h 10.42.0.3 -v -t '$SYS/broker/log/#'")
  await play.clients(1)
  await play.run('mosquitto_pub -h 10.42.0.3 -t hello/world -m "hello" -i brick')
  const line = `New client connected from ${brick(play)}:<port> as brick`
  await topic.says(`$SYS/broker/log/N <time>: ${line}`)
  await broker.says(`<time>: ${line}`)
  await play.fileSays(log, `<time>: ${line}`)
  if (heard === null) play.note('the system log of this machine is not ours to read')
  else await play.fileSays(path, line)
  await topic.interrupt()
  await broker.interrupt()
  heard?.kill('SIGKILL')
}

const listener = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind('/dev/log')
import os; os.chmod('/dev/log', 0o666)
f = open(sys.argv[1], 'ab', 0)
f.write(b'ready\\n')
while True:
    f.write(s.recv(8192) + b'\\n')
`

const listenToSyslog = (path: string) =>
  spawn('python3', ['-c', listener, path], { stdio: 'ignore' })

const subscriber = `
import sys
import paho.mqtt.client as mqtt
client = mqtt.Client()
client.username_pw_set('ev3', 'formosa')
client.on_connect = lambda c, u, f, rc: c.subscribe('hello/world')
client.on_subscribe = lambda c, u, mid, qos: c.publish('hello/world', 'hello')
def on_message(c, u, m):
    print(m.topic, m.payload.decode())
    c.disconnect()
client.on_message = on_message
client.connect('10.42.0.3', 1883, 60)
client.loop_forever()
`

/** paho-mqtt 1.x, as the tutorial's own programs use it. */
const python = async (play: Play): Promise<void> => {
  play.skip('sudo apt-get install python-pip -y')
  play.skip('sudo pip install paho-mqtt')
  await play.run('service mosquitto start')
  play.put('hello.py', play.world.here(subscriber))
  await play.run('/usr/bin/python3 hello.py', { exactly: ['hello/world hello'] })
}

export const ev3dev = async (play: Play): Promise<void> => {
  await install(play)
  await configure(play)
  await second(play)
  await conversation(play)
  await logs(play)
  await python(play)
}
