// Debian: the service, a configuration of one's own, a password, and a folder of configurations.

import { statSync } from 'node:fs'
import type { Play } from './play.ts'
import { readScreen } from './screen.ts'

export const fill = { '<username>': 'sammy' }

const log = '/var/log/mosquitto/mosquitto.log'

/** The file as the tutorial prints it. */
const configuration: ReadonlyArray<string> = [
  'pid_file /var/run/mosquitto.pid',
  '',
  'persistence true',
  'persistence_location /var/lib/mosquitto/',
  '',
  'log_dest file /var/log/mosquitto/mosquitto.log',
  '',
  'log_type error',
  'log_type warning',
  'log_type notice',
  'log_type information',
  '',
  'connection_messages true',
  'log_timestamp true',
  '',
  'include_dir /etc/mosquitto/conf.d',
]

const service = async (play: Play): Promise<void> => {
  play.skip('sudo apt install mosquitto mosquitto-clients')
  await play.stock()
  await play.run('sudo /etc/init.d/mosquitto start')
  await play.stock()
  play.skip('sudo systemctl stop mosquitto.service')
  await play.run('sudo /etc/init.d/mosquitto stop')
  await play.run('mosquitto_pub -t a -m b', { status: 1, says: ['Error: Connection refused'] })
  await play.run('sudo /etc/init.d/mosquitto start')
  await play.edit('sudo nano /etc/mosquitto/mosquitto.conf', configuration)
  // The broker that runs has its number in the file of the old configuration.
  await play.run('sudo /etc/init.d/mosquitto restart')
  await play.run('sudo /etc/init.d/mosquitto status')
  await play.holds('the number of the process stands in the file', () => {
    const pid = readScreen(play.world.here('/var/run/mosquitto.pid')).trim()
    return /^\d+$/.test(pid) && /mosquitto|sabethes/.test(readScreen(`/proc/${pid}/cmdline`))
  })
  await play.fileSays(
    log,
    '<program> version <version> starting',
    'Config loaded from /etc/mosquitto/mosquitto.conf.',
    'Opening ipv4 listen socket on port 1883.',
    '<program> version <version> running',
  )
}

const conversation = async (play: Play): Promise<void> => {
  const sub = play.open('mosquitto_sub -d -t hello/world')
  await sub.says(
    'Client <id> sending CONNECT',
    'Client <id> received CONNACK (0)',
    'Client <id> sending SUBSCRIBE (Mid: 1, Topic: hello/world, QoS: 0, Options: 0x00)',
    'Client <id> received SUBACK',
    'Subscribed (mid: 1): 0',
  )
  await play.run('mosquitto_pub -d -t hello/world -m "Test Message"', {
    says: [
      'Client <id> sending CONNECT',
      'Client <id> received CONNACK (0)',
      "Client <id> sending PUBLISH (d0, q0, r0, m1, 'hello/world', ... (12 bytes))",
      'Client <id> sending DISCONNECT',
    ],
  })
  await sub.says(
    "Client <id> received PUBLISH (d0, q0, r0, m0, 'hello/world', ... (12 bytes))",
    'Test Message',
  )
  await sub.interrupt()
}

const passwords = async (play: Play): Promise<void> => {
  await play.run('sudo mosquitto_passwd -c /etc/mosquitto/passwd <username>', {
    typed: 'secret\nsecret\n',
    says: ['Password: '],
  })
  await play.fileSays('/etc/mosquitto/passwd', 'sammy:$7$<hash>')
  // 2.0 leaves a file that everybody may read.
  await play.holds(
    'it is 0644',
    () => (statSync(play.world.here('/etc/mosquitto/passwd')).mode & 0o777) === 0o644,
  )
  await play.edit('sudo nano /etc/mosquitto/conf.d/default.conf', [
    '    allow_anonymous false',
    '    password_file /etc/mosquitto/passwd',
  ])
  play.skip('sudo systemctl restart mosquitto.service')
  await play.run('sudo /etc/init.d/mosquitto restart')
  await play.fileSays(
    log,
    ...play.unlike('names included files before it has opened its log', [
      "Loading config file '/etc/mosquitto/conf.d/default.conf'",
    ], []),
  )
  await play.run(
    'mosquitto_pub -t hello/world -m anonymous',
    play.unlike('lets anonymous clients in while it is local only', {
      status: 5,
      says: ['Connection error: Connection Refused: not authorised.'],
    }, { status: 0 }),
  )
  await play.run('mosquitto_pub -t hello/world -m wrong -u sammy -P wrong', { status: 5 })
  await play.run('mosquitto_pub -t hello/world -m right -u sammy -P secret -q 1')
  const protocol = play.unlike('calls 3.1.1 p2', 'p4', 'p2')
  await play.fileSays(
    log,
    `New client connected from <address> as <id> (${protocol}, c1, k60, u'sammy').`,
  )
}

/** The same file as mosquitto_passwd 2.1 leaves it: for root alone. */
const closedFile = async (play: Play): Promise<void> => {
  if (!play.unlike('ends with status 13 where the file is for root alone', true, false)) return
  await play.run('sudo chmod 600 /etc/mosquitto/passwd')
  if (play.world.broker === 'deno') {
    play.note('on Deno the broker is the user mosquitto from the start, and must own what it reads')
    await play.privately('sudo chown mosquitto /etc/mosquitto/passwd')
  }
  await play.run('sudo /etc/init.d/mosquitto restart')
  await play.run('mosquitto_pub -t hello/world -m right -u sammy -P secret -q 1')
  await play.run('mosquitto_pub -t hello/world -m wrong -u sammy -P wrong', { status: 5 })
}

/** What is left when the broker has gone. */
const ended = async (play: Play): Promise<void> => {
  await play.run('mosquitto_pub -t kept -m "for later" -q 1 -r -u sammy -P secret')
  await play.run('sudo /etc/init.d/mosquitto stop')
  await play.fileSays(log, '<program> version <version> terminating')
  // In a folder in which the broker may delete nothing.
  const stays = play.unlike('leaves the number of a process that has ended', false, true)
  await play.holds(
    'the number is gone from its file',
    () => stays || readScreen(play.world.here('/var/run/mosquitto.pid')).trim() === '',
  )
  await play.run('ls /var/lib/mosquitto/', {
    says: [play.unlike('a file of its own', 'sabethes.sqlite3', 'mosquitto.db')],
  })
  await play.run('sudo /etc/init.d/mosquitto start')
  await play.run('mosquitto_sub -t kept -C 1 -u sammy -P secret', { exactly: ['for later'] })
}

export const debian = async (play: Play): Promise<void> => {
  await service(play)
  await conversation(play)
  await passwords(play)
  await closedFile(play)
  await ended(play)
}
