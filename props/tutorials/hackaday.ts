// Hackaday's "Minimal MQTT": a broker on a Pi, wildcards, sessions and retained messages, with
// nothing but mosquitto's clients.

import type { Play } from './play.ts'

const install = async (play: Play): Promise<void> => {
  play.skip('curl -O http://repo.mosquitto.org/debian/mosquitto-repo.gpg.key')
  play.put('mosquitto-repo.gpg.key', '')
  play.skip('sudo apt-key add mosquitto-repo.gpg.key')
  await play.run('rm mosquitto-repo.gpg.key')
  await play.run('cd /etc/apt/sources.list.d/')
  play.skip('sudo curl -O http://repo.mosquitto.org/debian/mosquitto-jessie.list')
  play.skip('sudo apt-get update')
  play.skip('sudo apt-get install mosquitto mosquitto-clients')
  // Which leaves a broker running.
  await play.run('/etc/init.d/mosquitto start')
}

const subscribers = async (play: Play): Promise<void> => {
  const one = play.open('mosquitto_sub -h localhost -t "test/topic"')
  const two = play.open('mosquitto_sub -h localhost -t "test/topic"')
  await play.clients(2)
  await play.run('mosquitto_pub -h localhost -t "test/topic" -m "hello!"', { exactly: [] })
  await one.says('hello!')
  await two.says('hello!')
  // A topic that nobody knows.
  await play.run('mosquitto_pub -h localhost -t "nobody/knows" -m "hello?"', { exactly: [] })
  await one.interrupt()
  await two.interrupt()
}

const wildcards = async (play: Play): Promise<void> => {
  const temp = play.open('mosquitto_sub -h localhost -v -t "home/+/temp"')
  const bedroom = play.open('mosquitto_sub -h localhost -v -t "home/bedroom/#"')
  const both = play.open('mosquitto_sub -h localhost -v -t "home/+/temp" -t "home/bedroom/#"')
  const all = play.open('mosquitto_sub -h localhost -v -t "test/#"')
  await play.clients(4)
  await play.run('mosquitto_pub -h localhost -t "home/bedroom/temp" -m 20')
  await play.run('mosquitto_pub -h localhost -t "home/cellar/temp" -m 10')
  await play.run('mosquitto_pub -h localhost -t "home/bedroom/light" -m 1')
  await play.run('mosquitto_pub -h localhost -t "test" -m "matched too"')
  await play.run('mosquitto_pub -h localhost -t "test/topic" -m "hello!"')
  await temp.says('home/bedroom/temp 20', 'home/cellar/temp 10')
  await bedroom.says('home/bedroom/temp 20', 'home/bedroom/light 1')
  const copies = play.unlike('one copy where two filters of one client match', 2, 1)
  const first = Array.from({ length: copies }, () => 'home/bedroom/temp 20')
  await both.says(...first, 'home/cellar/temp 10', 'home/bedroom/light 1')
  await all.says('test matched too', 'test/topic hello!')
  for (const window of [temp, bedroom, both, all]) await window.interrupt()
}

const bond = 'mosquitto_sub -h localhost -v -t "test/#" -c -q 1 -i "james bond"'
const wowie = 'mosquitto_pub -h localhost -t "test/topic" -m "wowie" -q 1'
const zowie = 'mosquitto_pub -h localhost -t "test/topic" -m "zowie"'

const sessions = async (play: Play): Promise<void> => {
  const online = play.open(bond)
  const protocol = play.unlike('calls 3.1.1 p2', 'p4', 'p2')
  await play.fileSays(
    '/var/log/mosquitto/mosquitto.log',
    `New client connected from <address> as james bond (${protocol}, c0, k60).`,
  )
  await play.clients(1)
  await play.run(wowie)
  await play.run(zowie)
  await online.says('test/topic wowie', 'test/topic zowie')
  await online.interrupt()

  // QoS 0 waits for nobody.
  await play.run(wowie)
  await play.run(zowie)
  const back = play.open(bond)
  await back.says('test/topic wowie')
  await play.run('mosquitto_pub -h localhost -t "test/topic" -m "the end"')
  await back.says('test/topic wowie', 'test/topic the end')
  await back.interrupt()

  // Who is new has missed nothing.
  const fresh = play.open(bond.replace('james bond', 'q'))
  await play.clients(1)
  await play.run('mosquitto_pub -h localhost -t "test/topic" -m "the end"')
  await fresh.says('test/topic the end')
  await fresh.interrupt()

  // The broker is told to go and comes back; what it owes is still owed.
  await play.run(wowie)
  await play.run('/etc/init.d/mosquitto restart')
  const later = play.open(bond)
  await later.says('test/topic wowie')
  await later.interrupt()
}

const retained = async (play: Play): Promise<void> => {
  await play.run('mosquitto_pub -h localhost -t "test/topic" -m "ret" -q 1 -r')
  const twice = play.open(bond)
  // Once as it was published for the session, and once as what is retained.
  await twice.says('test/topic ret', 'test/topic ret')
  await play.run('mosquitto_pub -h localhost -t "test/topic" -m "the end"')
  await twice.says('test/topic ret', 'test/topic ret', 'test/topic the end')
  await twice.interrupt()
  await play.run('mosquitto_sub -h localhost -v -t "test/#" -C 1', {
    exactly: ['test/topic ret'],
  })
}

/** The public server is ourselves here. */
const articles = async (play: Play): Promise<void> => {
  const reader = play.open(
    'mosquitto_sub -h test.mosquitto.org -t "hackaday/new_articles" -c -q 1 -i "your_name_here"',
  )
  await play.clients(1)
  await play.run('mosquitto_pub -t "hackaday/new_articles" -m "http://hackaday.com/?p=1" -q 1')
  await reader.says('http://hackaday.com/?p=1')
  await reader.interrupt()
}

export const hackaday = async (play: Play): Promise<void> => {
  await install(play)
  await subscribers(play)
  await wildcards(play)
  await sessions(play)
  await retained(play)
  await articles(play)
}
