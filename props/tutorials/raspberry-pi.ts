// Raspberry Pi: install a broker, look whether it is there, and let the whole house in.

import type { Play } from './play.ts'

export const raspberryPi = async (play: Play): Promise<void> => {
  play.skip('ssh username@hostname_or_ip')
  play.skip('sudo apt install -y mosquitto mosquitto-client')
  await play.stock()
  // Which leaves a broker running.
  await play.run('service mosquitto start')

  // No question for the version, as the tutorial has it, but a second broker.
  await play.run('mosquitto -v', { status: 1, says: ['Error: Address already in use'] })
  await play.run('service mosquitto stop')
  const verbose = play.open('mosquitto -v')
  await verbose.says(
    '<program> version <version> starting',
    'Using default config.',
    'Starting in local only mode.',
    'Opening ipv4 listen socket on port 1883.',
    'Opening ipv6 listen socket on port 1883.',
    '<program> version <version> running',
  )
  await play.run('mosquitto_pub -h 10.42.0.3 -t a -m "from another machine"', {
    status: 1,
    says: ['Error: Connection refused'],
  })
  await play.run('mosquitto_pub -t a -m "from this one"')
  await verbose.says("Received PUBLISH from <id> (d0, q0, r0, m0, 'a', ... (13 bytes))")
  await verbose.interrupt()

  play.skip('sudo systemctl enable mosquitto')
  await play.run('service mosquitto start')
  play.skip('sudo systemctl status mosquitto')
  await play.run('service mosquitto status')
  await play.edit(
    'sudo nano /etc/mosquitto/mosquitto.conf',
    ['allow_anonymous true', 'listener 1883'],
    true,
  )
  play.skip('sudo systemctl restart mosquitto')
  await play.run('service mosquitto restart')
  await play.fileSays(
    '/var/log/mosquitto/mosquitto.log',
    'Config loaded from /etc/mosquitto/mosquitto.conf.',
    'Opening ipv4 listen socket on port 1883.',
    'Opening ipv6 listen socket on port 1883.',
    '<program> version <version> running',
  )
  const own = play.world.isOwnMachine ? ['10.42.0.3'] : []
  await play.run('hostname -I', { says: own })
  const sub = play.open('mosquitto_sub -h 10.42.0.3 -t house/door -v')
  await play.clients(1)
  await play.run('mosquitto_pub -h 10.42.0.3 -t house/door -m open')
  await play.run('mosquitto_pub -h ::1 -t house/door -m shut')
  await sub.says('house/door open', 'house/door shut')
  await sub.interrupt()
  await play.run('service mosquitto stop')
}
