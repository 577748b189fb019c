// Rows about the program around the broker: start, end, signals, ports, and what happens to all
// clients when one of them (or the machine) misbehaves. Most need a broker to themselves.

import { Buffer } from 'node:buffer'
import * as path from 'node:path'
import process from 'node:process'
import { servedMs } from '../served.ts'
import { holds, same, skipped, sleep, until, within } from './expect.ts'
import { farewell, Peer } from './peer.ts'
import type { Row, Stage } from './row.ts'
import { root } from '../runtimes.ts'
import { descriptorsOf, endOf, launch, processorMs, residentBytes, Running } from './subject.ts'
import type { Broker } from './subject.ts'
import { bytes, connectBytes, publishBytes } from './wire.ts'

const mebibyte = 1024 * 1024

const endsOn = (signal: 'SIGINT' | 'SIGTERM'): Row => ({
  name: `${signal} ends the broker with status 0, clients are told`,
  alone: {},
  differs: '2.0 sends no DISCONNECT 0x8B',
  play: async (stage) => {
    const modern = await stage.client('modern', { level: 5 })
    await modern.subscribe(stage.own('t'), 1)
    const old = await stage.client('old', { level: 4 })
    const silent = await stage.dial()
    const publisher = await stage.client('publisher', { level: 5 })
    for (let i = 0; i < 10; i++) {
      publisher.send(
        publishBytes({ level: 5, topic: stage.own('t'), payload: `${i}`, qos: 1, packetId: i + 1 }),
      )
    }
    for (let i = 0; i < 10; i++) await publisher.answer('PUBACK')
    stage.broker.running.signal(signal)
    const end = await endOf(stage.broker.running, 5_000, `the end after ${signal}`)
    same(end, { status: 0, signal: null }, 'how it ended')
    // What a client is owed comes before the farewell.
    await farewell(modern, 0x8b)
    same(modern.messages.length, 10, 'delivered before the end')
    await farewell(publisher, 0x8b)
    await old.gone()
    await silent.gone()
  },
})

/** Loss or death of a broker in a row that it must survive. */
const lives = (broker: Broker, after: string): void => {
  holds(
    !broker.running.isEnded,
    `the broker after ${after}`,
    'alive',
    `ended: ${broker.running.stderr.slice(-1_000)}`,
  )
}

/** Sends `count` messages of `size` bytes, each batch only when `pace` has got the last one. */
const publishPaced = async (
  publisher: Peer,
  pace: Peer,
  topic: string,
  count: number,
  size: number,
): Promise<void> => {
  const packet = publishBytes({ level: 4, topic, payload: Buffer.alloc(size, 'x') })
  const perBatch = 5
  const batch = Buffer.alloc(packet.length * perBatch, packet)
  let expected = pace.messages.length
  for (let sent = 0; sent < count; sent += perBatch) {
    publisher.send(batch)
    expected += perBatch
    await pace.deliveries(expected)
    // Payloads of this size would otherwise fill this process and not the broker's.
    pace.history.length = 0
  }
}

const residentAfterRest = async (broker: Broker): Promise<number | null> => {
  await sleep(300)
  return residentBytes(broker.running.pid)
}

/** Who comes while accepting pauses is refused, or waits; nobody is taken in and thrown out. */
const pausesAccepting = async (stage: Stage): Promise<void> => {
  const { broker } = stage
  if (broker.kind !== 'mosquitto') {
    const { stderr } = broker.running
    holds(stderr.includes('pauses'), 'the log', 'a line that accepting pauses', stderr)
  }
  for (let i = 0; i < 3; i++) {
    let peer: Peer
    try {
      peer = await stage.dial()
    } catch {
      continue
    }
    const fate = await Promise.race([
      peer.closed.then(() => 'thrown out'),
      sleep(150).then(() => 'waiting'),
    ])
    same(fate, 'waiting', 'who connected while no descriptor was left')
    peer.destroy()
  }
}

const descriptors: Row = {
  name: 'out of file descriptors: alive, idle, and serving again afterwards',
  alone: { filesMax: 64 },
  patienceMs: 30_000,
  play: async (stage) => {
    const { broker } = stage
    const early = await stage.client('early', { keepAliveS: 0 })
    const crowd: Peer[] = []
    // The kernel completes these connections whether or not the broker accepts them.
    for (let i = 0; i < 100; i++) {
      try {
        crowd.push(await stage.dial())
      } catch {
        // Refused is as good as waiting.
      }
    }
    await sleep(300)
    lives(broker, '100 connections with 64 file descriptors')
    const used = descriptorsOf(broker.running.pid)
    // Anything less would not be the case that this row is about.
    if (used !== null) holds(used >= 60, 'file descriptors in use', '60 to 64 of 64', used)
    await early.ping()
    await pausesAccepting(stage)
    const beforeMs = processorMs(broker.running.pid)
    await sleep(1_500)
    const afterMs = processorMs(broker.running.pid)
    if (beforeMs === null || afterMs === null) {
      skipped('processor time without file descriptors', '/proc')
    } else {
      const usedMs = afterMs - beforeMs
      holds(usedMs <= 450, 'processor time in 1.5 s', 'at most 450 ms', `${usedMs} ms`)
    }
    await early.ping()
    // Some go, and who waits takes their places, so that there is none again.
    for (const peer of crowd.splice(0, 10)) {
      peer.destroy()
      await sleep(120)
    }
    const pauses = broker.running.stderr.split(' pauses: no file descriptor is left').length - 1
    if (broker.kind !== 'mosquitto') same(pauses, 1, 'lines that accepting pauses')
    for (const peer of crowd) peer.destroy()
    // Who comes before the broker has noticed that there is room again may still be refused.
    await until(3_000, 'serving a new client again', async () => {
      try {
        await (await stage.client('late')).ping()
        return true
      } catch {
        return false
      }
    })
    await early.ping()
  },
}

const stalled: Row = {
  name: 'a subscriber that stops reading holds little QoS 0 and slows nobody',
  alone: {},
  differs: '2.0 holds 44 MB',
  patienceMs: 60_000,
  play: async (stage) => {
    const { broker } = stage
    const topic = stage.own('t')
    const healthy = await stage.client('healthy', { keepAliveS: 0 })
    await healthy.subscribe(topic)
    const publisher = await stage.client('publisher', { keepAliveS: 0 })
    // The same load without a stalled subscriber first: what the heap takes for itself is no news.
    await publishPaced(publisher, healthy, topic, 300, 100_000)
    const before = await residentAfterRest(broker)
    const victim = await stage.client('stalled', { keepAliveS: 0 })
    await victim.subscribe(topic)
    victim.socket.pause()
    const sinceMs = servedMs()
    await publishPaced(publisher, healthy, topic, 500, 100_000)
    await publisher.ping()
    await healthy.ping()
    const ms = servedMs() - sinceMs
    holds(ms < 15_000, '50 MB past a stalled subscriber', 'under 15 s', `${ms} ms`)
    const after = await residentAfterRest(broker)
    if (before === null || after === null) {
      skipped('memory held for a stalled subscriber', '/proc')
    } else {
      const grown = (after - before) / mebibyte
      holds(grown < 34, 'growth of memory', 'under 34 MiB', `${grown.toFixed(1)} MiB`)
    }
    victim.socket.resume()
    await sleep(300)
    await victim.ping()
    const got = victim.messages.length
    // Socket buffers of the kernel hold some megabytes of the 50; the broker may add one.
    holds(got < 250, 'messages the stalled one got after all', 'under half of 500', got)
    const count = victim.messages.length
    await publisher.publish(topic, 'again')
    await victim.deliveries(count + 1)
    same(victim.payloads().slice(-1), ['again'], 'delivered once it reads again')
  },
}

const stalledAtQos1: Row = {
  name: 'QoS 1 waits in the session of a subscriber that stops reading',
  alone: {},
  patienceMs: 60_000,
  play: async (stage) => {
    const topic = stage.own('t')
    const victim = await stage.client('stalled', { keepAliveS: 0, level: 5 })
    await victim.subscribe(topic, 1)
    victim.socket.pause()
    const publisher = await stage.client('publisher', { level: 5 })
    const expected = Array.from({ length: 500 }, (_, index) => `${index}`)
    for (const number of expected) {
      const payload = number.padEnd(20_000)
      same(await publisher.publish(topic, payload, { qos: 1 }), 0, `PUBACK ${number}`)
    }
    victim.socket.resume()
    await victim.deliveries(500, 20_000)
    await victim.ping()
    same(victim.payloads().map((payload) => payload.trimEnd()), expected, 'delivered')
  },
}

const loud: Row = {
  name: 'one loud publisher does not starve another client',
  alone: {},
  patienceMs: 30_000,
  play: async (stage) => {
    const { broker } = stage
    const topic = stage.own('t')
    const quiet = await stage.client('quiet', { keepAliveS: 0 })
    const listener = await stage.client('listener')
    await listener.subscribe(stage.own('other'), 1)
    // The loud topic has a subscriber, so that every message of the flood is real work.
    const sink = new Running([
      process.execPath,
      '--import',
      'tsx',
      path.join(root, 'props/conformance/sink.ts'),
      String(broker.port),
      topic,
    ])
    stage.afterwards(() => sink.signal('SIGKILL'))
    const flood = new Running([
      process.execPath,
      '--import',
      'tsx',
      path.join(root, 'props/conformance/flood.ts'),
      String(broker.port),
      topic,
      '2500',
    ])
    stage.afterwards(() => flood.signal('SIGKILL'))
    await sleep(900)
    const timesMs: number[] = []
    while (!flood.isEnded && timesMs.length < 200) {
      const sinceMs = servedMs()
      await quiet.ping(10_000)
      await quiet.publish(stage.own('other'), 'x', { qos: 1 })
      timesMs.push((servedMs() - sinceMs) / 2)
      await sleep(5)
    }
    const end = await within(10_000, 'the end of the flood', flood.ended)
    same(end.status, 0, `status of the flood: ${flood.stderr}`)
    timesMs.sort((a, b) => a - b)
    const median = timesMs[Math.floor(timesMs.length / 2)] ?? Infinity
    const worst = timesMs[timesMs.length - 1] ?? Infinity
    holds(
      median < 60 && worst < 750,
      `answers during a flood of ${flood.stdout.trim()} messages`,
      'median under 60 ms, worst under 750 ms',
      `median ${median.toFixed(1)} ms, worst ${worst.toFixed(1)} ms of ${timesMs.length}`,
    )
    await listener.ping()
    lives(broker, 'the flood')
  },
}

const silentCrowd: Row = {
  name: '300 silent connections do not keep a client out',
  alone: {},
  differs: '2.0 keeps all of them',
  play: async (stage) => {
    const crowd: Peer[] = []
    for (let i = 0; i < 300; i++) crowd.push(await stage.dial())
    const sinceMs = servedMs()
    const client = await stage.client('client')
    await client.ping()
    const ms = servedMs() - sinceMs
    holds(ms < 1_000, 'CONNACK with 300 silent connections', 'under 1 s', `${ms} ms`)
    // After a second of grace every newcomer takes the place of whoever has hesitated longest.
    await sleep(1_200)
    const newcomers: Peer[] = []
    for (let i = 0; i < 50; i++) newcomers.push(await stage.dial())
    await client.ping()
    await until(2_000, 'the oldest 50 being closed', () => crowd[49]?.isClosed === true)
    const open = crowd.map((peer) => !peer.isClosed)
    const first = open.indexOf(true)
    // On a busy machine the crowd itself may take longer than the grace to come in.
    holds(first >= 50 && first < 200, 'the oldest that is left', 'number 50 or a later one', first)
    same(open.lastIndexOf(false), first - 1, 'the youngest that was closed')
    holds(newcomers.every((peer) => !peer.isClosed), 'the newcomers', 'open', 'closed')
  },
}

const resetAtOnce: Row = {
  name: 'connections that are reset before they are accepted delay nobody',
  alone: {},
  play: async (stage) => {
    const early = await stage.client('early')
    await Promise.all(Array.from({ length: 8 }, async () => {
      for (let i = 0; i < 25; i++) (await stage.dial()).reset()
    }))
    const sinceMs = servedMs()
    await (await stage.client('late')).ping()
    await early.ping()
    const ms = servedMs() - sinceMs
    holds(ms < 1_000, 'CONNACK after 200 resets', 'under 1 s', `${ms} ms`)
  },
}

const filters: Row = {
  name: 'the number of subscriptions of one client has a limit',
  alone: {},
  differs: '2.0 has no limit',
  play: async (stage) => {
    const client = await stage.client('client', { level: 5 })
    let granted = 0
    for (let i = 0; i < 30; i++) {
      const requests = Array.from({ length: 500 }, (_, n) => ({ filter: stage.own(`${i}/${n}`) }))
      const reasons = await client.ask(requests)
      granted += reasons.filter((reason) => reason === 0).length
      const others = reasons.filter((reason) => reason !== 0 && reason !== 0x97)
      same(others, [], 'reasons beside 00 and 97')
    }
    same(granted, 10_000, 'subscriptions granted of 15,000')
    await client.ping()
  },
}

/** Runs the program to its end with these arguments. */
const refusal = async (stage: Stage, args: ReadonlyArray<string>) => {
  const running = launch(stage.broker.kind, args)
  stage.afterwards(() => running.signal('SIGKILL'))
  const end = await endOf(running, 10_000, `the end of ${args.join(' ')}`)
  return { ...end, stderr: running.stderr, stdout: running.stdout }
}

export const houseRows: ReadonlyArray<Row> = [
  endsOn('SIGINT'),
  endsOn('SIGTERM'),
  {
    name: 'a port in use is an error that names the address, status 1',
    differs: '2.0 does not name it',
    play: async (stage) => {
      const port = String(stage.broker.port)
      const seen = await refusal(stage, ['-p', port])
      same([seen.status, seen.signal], [1, null], 'how it ended')
      for (const part of ['Address already in use', port]) {
        holds(seen.stderr.includes(part), 'standard error', `... ${part} ...`, seen.stderr)
      }
      holds(
        seen.stderr.includes('127.0.0.1') || seen.stderr.includes('::1'),
        'standard error',
        'the address in use',
        seen.stderr,
      )
      const client = await stage.client('client')
      await client.ping()
    },
  },
  {
    name: 'an option that is not there is refused with a sentence, status 3',
    differs: '2.0 has other options',
    play: async (stage) => {
      for (const args of [['--no-such-option'], ['-p'], ['-p', 'abc'], ['-p', '70000']]) {
        const seen = await refusal(stage, args)
        same([seen.status, seen.signal], [3, null], `how it ended with ${args.join(' ')}`)
        holds(seen.stderr.trim().length > 10, 'standard error', 'a sentence', seen.stderr)
      }
      for (const wanted of [['--tls-keylog', 'keys'], ['-c', 'nowhere.conf']]) {
        const seen = await refusal(stage, wanted)
        same(seen.status, 3, `status with ${wanted.join(' ')}`)
        const word = wanted[wanted[0] === '-c' ? 1 : 0]!
        holds(seen.stderr.includes(word), 'standard error', `... ${word} ...`, seen.stderr)
      }
    },
  },
  {
    name: '-h and --version say what they are asked for, status 0',
    differs: '2.0 ends with 3',
    play: async (stage) => {
      const help = await refusal(stage, ['-h'])
      same(help.status, 0, 'status of -h')
      holds(/-p\b/.test(help.stdout), 'help', '-p explained', help.stdout)
      const version = await refusal(stage, ['--version'])
      same(version.status, 0, 'status of --version')
      holds(/\d+\.\d+\.\d+/.test(version.stdout), 'version', 'a number', version.stdout)
    },
  },
  {
    name: 'the broker listens on ::1 too',
    play: async (stage) => {
      let peer: Peer
      try {
        peer = await stage.dial('::1')
      } catch (error) {
        if (!String(error).includes('EADDRNOTAVAIL') && !String(error).includes('EAFNOSUPPORT')) {
          throw error
        }
        skipped('listening on ::1', 'IPv6')
        return
      }
      await peer.connect({ id: stage.own('six') })
      await peer.subscribe(stage.own('t'))
      const four = await stage.client('four')
      await four.publish(stage.own('t'), 'x')
      await peer.hasOnly(['x'], 'delivered from 127.0.0.1 to ::1')
    },
  },
  {
    name: '-v prints a line per event, and nothing a client says can forge one',
    alone: { args: ['-v'] },
    differs: '2.0 refuses control characters and prints other words',
    play: async (stage) => {
      const { running } = stage.broker
      const client = await stage.client('client', { keepAliveS: 60 })
      await client.subscribe(stage.own('t'), 1)
      await client.publish(stage.own('t'), 'hello', { qos: 1 })
      await client.disconnect()
      const forger = await stage.dial()
      forger.send(connectBytes({ id: 'evil\n1: forged line\u001b[2J\u202e' }))
      await sleep(300)
      const log = running.stderr + running.stdout
      for (
        const part of [
          /^\d+: New connection from 127\.0\.0\.1:\d+ on port \d+\.$/m,
          /^\d+: New client connected from 127\.0\.0\.1:\d+ as \S+client \(p4, c1, k60\)\.$/m,
          /^\d+: Sending CONNACK to /m,
          /^\d+: Received SUBSCRIBE from /m,
          /^\d+: Received PUBLISH from \S+ \(d0, q1, r0, m\d+, '\S+', \.\.\. \(5 bytes\)\)$/m,
          /^\d+: Sending PUBLISH to /m,
          /^\d+: Client \S+client \[127\.0\.0\.1:\d+\] disconnected\.$/m,
        ]
      ) {
        holds(part.test(log), 'the log', String(part), log.slice(-1_500))
      }
      holds(!/^1: forged/m.test(log), 'the log', 'no forged line', log.slice(-500))
      holds(
        // deno-lint-ignore no-control-regex
        !/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e]/.test(log),
        'the log',
        'no control character',
        JSON.stringify(log.slice(-500)),
      )
    },
  },
  {
    name: 'a broker without -v is silent about packets, with -q about everything',
    alone: { args: ['-q'] },
    differs: '2.0 has no -q',
    play: async (stage) => {
      const client = await stage.client('client')
      await client.publish(stage.own('t'), 'hello', { qos: 1 })
      await client.disconnect()
      same(stage.broker.running.stderr + stage.broker.running.stdout, '', 'output with -q')
    },
  },
  {
    name: 'after a standstill nobody is told off who has spoken meanwhile',
    alone: {},
    differs: '2.0 looks at the clock first',
    play: async (stage) => {
      const pinging = await stage.client('pinging', { keepAliveS: 1 })
      const silent = await stage.client('silent', { keepAliveS: 1 })
      stage.broker.running.signal('SIGSTOP')
      await sleep(1_000)
      pinging.send('c000')
      await sleep(1_000)
      stage.broker.running.signal('SIGCONT')
      await pinging.answer('PINGRESP')
      await silent.gone()
      await pinging.ping()
    },
  },
  silentCrowd,
  resetAtOnce,
  filters,
  descriptors,
  stalled,
  stalledAtQos1,
  loud,
  {
    name: 'sessions, retained messages and connections leave no memory behind',
    alone: {},
    patienceMs: 60_000,
    play: async (stage) => {
      const { broker } = stage
      const churn = async (round: number): Promise<void> => {
        for (let i = 0; i < 40; i++) {
          await Promise.all(Array.from({ length: 10 }, async (_, n) => {
            const peer = await Peer.dial(broker.port)
            await peer.connect({ id: stage.own(`${round}-${i}-${n}`), clean: true })
            await peer.subscribe(stage.own(`${round}/${i}/${n}/#`), 1)
            const topic = stage.own(`${round}/${i}/${n}/t`)
            await peer.publish(topic, 'x'.repeat(5_000), { qos: 1, retain: true })
            await peer.publish(topic, '', { qos: 1, retain: true })
            if (n % 2 === 0) await peer.disconnect()
            else peer.reset()
          }))
        }
      }
      // A heap grows for a while before its collector sees a reason to work; a leak never stops.
      const levels: number[] = []
      for (let round = 0; round < 80; round++) {
        await churn(round)
        const now = residentBytes(broker.running.pid)
        if (now === null) return skipped('memory after thousands of clients', '/proc')
        levels.push(now / mebibyte)
        const before = levels[round - 5]
        if (before !== undefined && now / mebibyte - before < 4) return
      }
      const shown = levels.map((level) => level.toFixed(0)).join(' ')
      holds(false, 'memory after each 400 clients', 'five rounds with less than 4 MiB', shown)
    },
  },
  {
    name: 'many claims of 256 MB cost nothing',
    alone: {},
    differs: '2.0 waits for the rest',
    play: async (stage) => {
      const before = await residentAfterRest(stage.broker)
      const claimed = bytes('30 ff ff ff 7f')
      const claimants: Peer[] = []
      for (let i = 0; i < 10; i++) {
        const peer = await stage.client(`claimant${i}`, { level: 5 })
        peer.send(claimed)
        peer.send(Buffer.alloc(100_000))
        claimants.push(peer)
      }
      for (const peer of claimants) await farewell(peer, 0x95)
      const after = await residentAfterRest(stage.broker)
      if (before === null || after === null) return skipped('memory for claimed lengths', '/proc')
      const grown = (after - before) / mebibyte
      holds(grown < 24, 'growth of memory', 'under 24 MiB', `${grown.toFixed(1)} MiB`)
    },
  },
]
