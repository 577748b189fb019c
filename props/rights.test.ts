// runs: node
//
// Access lists and password files do what they do in mosquitto: a handful of each is given to both
// brokers, with the same configuration file, and for every client the same messages have to get
// through, in both directions, and the same doors to open. What is different on purpose is in a
// list with its reason, and the list has nothing in it that is not met.

import { spawnSync } from 'node:child_process'
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { freePort } from './free-port.ts'
import { skipped, until } from './conformance/expect.ts'
import { payloadText, Peer } from './conformance/peer.ts'
import { isThere, type Kind, launch, type Running } from './conformance/subject.ts'
import {
  clients,
  differences,
  doors,
  files,
  passwordFile,
  topics,
} from './differential/rights.ts'

const rights = suite('rights')

const folder = mkdtempSync(join(tmpdir(), 'sabethes-rights-'))
rights.after(() => rmSync(folder, { recursive: true, force: true }))

const asRoot = process.getuid?.() === 0 ? 'user root\n' : ''

const write = (name: string, text: string): string => {
  const path = join(folder, name)
  writeFileSync(path, text, { mode: 0o600 })
  return path
}

/** One broker at a time with these lines; `use` is given its port. */
const serving = async <A>(
  kind: Kind,
  lines: string,
  use: (port: number) => Promise<A>,
): Promise<A> => {
  const port = await freePort()
  const head = `${asRoot}listener ${port} 127.0.0.1\nset_tcp_nodelay true\n`
  const file = write('broker.conf', head + lines)
  const running: Running = launch(kind, ['-c', file])
  try {
    await until(20_000, `${kind} accepting connections`, () => {
      if (running.isEnded) throw new Error(running.stderr + running.stdout)
      return Peer.dial(port).then((peer) => {
        peer.destroy()
        return true
      }, () => false)
    })
    return await use(port)
  } finally {
    running.signal('SIGTERM')
    await running.ended
  }
}

const watcher = '\nuser watcher\ntopic readwrite #\ntopic readwrite $p/#\n'

/** For every client and topic: whether its message gets through, and whether it gets another's. */
const outcomes = async (port: number): Promise<ReadonlyMap<string, string>> => {
  const found = new Map<string, string>()
  const watching = await Peer.dial(port)
  await watching.connect({ level: 5, id: 'watching', userName: 'watcher' })
  await watching.ask(['#', '$p/#'].map((filter) => ({ filter, qos: 0 })))
  for (const { id, userName } of clients) {
    const peer = await Peer.dial(port)
    await peer.connect({ level: 5, id, ...(userName === null ? {} : { userName }) })
    await peer.ask(['#', '$p/#'].map((filter) => ({ filter, qos: 0 })))
    const seen = watching.messages.length
    for (const topic of topics) await peer.publish(topic, 'theirs', { qos: 1 })
    await watching.ping()
    const through = watching.messages.slice(seen).map(({ topic }) => topic)
    for (const topic of topics) await watching.publish(topic, 'mine', { qos: 1 })
    await peer.ping()
    const got = peer.messages.filter((one) => payloadText(one) === 'mine')
      .map(({ topic }) => topic)
    for (const topic of topics) {
      const may = (through.includes(topic) ? 'w' : '-') + (got.includes(topic) ? 'r' : '-')
      found.set(`${id} ${userName ?? '(nobody)'} ${topic}`, may)
    }
    await peer.disconnect()
  }
  watching.destroy()
  return found
}

const met = new Set<string>()

/** Whether the letters of one are among those of the other. */
const isWithin = (one: string, other: string): boolean =>
  [...one].every((letter, i) => letter === '-' || letter === other[i])

for (const [name, text] of Object.entries(files)) {
  rights(`access list: ${name}`, async () => {
    if (!isThere('mosquitto')) return skipped(`the access list "${name}"`, 'mosquitto')
    const lines = `allow_anonymous true\nacl_file ${write('acl', text + watcher)}\n`
    const theirs = await serving('mosquitto', lines, outcomes)
    const ours = await serving('node', lines, outcomes)
    const unlike: string[] = []
    for (const client of clients) {
      for (const topic of topics) {
        const what = `${client.id} ${client.userName ?? '(nobody)'} ${topic}`
        const [one, other] = [theirs.get(what)!, ours.get(what)!]
        if (one === other) continue
        const gives = isWithin(other, one) ? 'less' : isWithin(one, other) ? 'more' : 'other'
        const known = differences.find((each) => each.gives === gives && each.at(text, client))
        if (known === undefined) unlike.push(`${what}: mosquitto ${one}, Sabethes ${other}`)
        else met.add(known.name)
      }
    }
    assert.is(unlike.join('\n'), '')
    const all = [...ours.values()].join('')
    assert.ok(/[rw]/.test(all) || name === 'nothing', 'somebody may do something')
    assert.ok(all.includes('-'), 'not everybody may everything')
  })
}

rights('what is different on purpose is different', () => {
  if (!isThere('mosquitto')) return skipped('the differences of rights', 'mosquitto')
  assert.equal([...met].sort(), [...new Set(differences.map(({ name }) => name))].sort())
})

for (const allowsAnonymous of [false, true]) {
  const others = allowsAnonymous ? 'allowed' : 'refused'
  rights(`a password file, and anonymous clients are ${others}`, async () => {
    if (!isThere('mosquitto')) return skipped('the comparison of passwords', 'mosquitto')
    const file = write('passwd', '')
    // Beginning with the program: it copies nothing from a comment on.
    spawnSync('mosquitto_passwd', ['-b', file, 'tool', 'g\u00fcnther'])
    appendFileSync(file, passwordFile)
    const lines = `allow_anonymous ${allowsAnonymous}\npassword_file ${file}\n`
    const knock = async (port: number): Promise<string[]> => {
      const found: string[] = []
      for (const door of doors) {
        for (const level of [4, 5] as const) {
          const { userName, password } = door
          // Only level 5 may have a password without a user name.
          if (level === 4 && userName === null && password !== null) continue
          const peer = await Peer.dial(port)
          const { reason } = await peer.greet({
            level,
            id: 'x',
            ...(userName === null ? {} : { userName }),
            ...(password === null ? {} : { password }),
          })
          found.push(`${JSON.stringify(door)} ${level}: ${reason}`)
          peer.destroy()
        }
      }
      return found
    }
    const theirs = await serving('mosquitto', lines, knock)
    const ours = await serving('node', lines, knock)
    assert.equal(ours, theirs)
    const inside = ours.filter((line) => line.endsWith(' 4: 0')).map((line) =>
      JSON.parse(line.slice(0, -5)).userName
    )
    const named = ['tool', 'old', 'twice', 'lead', 'trail', '# user', 'fields']
    assert.equal(inside, allowsAnonymous ? [null, '', '', ...named] : named)
  })
}

rights.run()
