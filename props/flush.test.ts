// runs: node
//
// Seen from outside: between the moment a message is written to the store's log and the moment its
// acknowledgement is given to a socket, a flush of the log has returned. The system calls of the
// real broker, on both runtimes, as strace tells them.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { skipped, until } from './conformance/expect.ts'
import { Peer } from './conformance/peer.ts'
import { ackBytes, publishBytes } from './conformance/wire.ts'
import { keep, type Kind, resume, runtimes } from './kill/broker.ts'
import { flushesOf, type Message, traceOf } from './kill/trace.ts'

const flush = suite('flush')

const hasTracer = spawnSync('strace', ['-e', 'trace=none', 'true']).status === 0

const tracer = (file: string): ReadonlyArray<string> => [
  'strace',
  '-f',
  '--seccomp-bpf',
  '-xx',
  '-y',
  '-s',
  '70000',
  '-e',
  'trace=pwrite64,pwritev,fdatasync,fsync,write,writev,sendto,sendmsg',
  '-o',
  file,
]

const batches = 12
const perBatch = 5

/** Publishes in bursts, so that some batches are flushed while the next ones gather. */
const work = async (port: number): Promise<ReadonlyArray<Message>> => {
  const sink = await resume(port, 'sink')
  await sink.subscribe('t', 2)
  await sink.disconnect()
  const writer = await Peer.dial(port)
  await writer.connect({ id: 'writer', clean: false, keepAliveS: 0 })
  const messages: Message[] = []
  let packetId = 1_000
  for (let batch = 0; batch < batches; batch++) {
    for (let i = 0; i < perBatch; i++) {
      packetId += 1
      const qos = i === 0 ? 2 : 1
      const payload = `the message ${packetId} at level ${qos}`
      writer.send(publishBytes({ level: 4, topic: 't', payload, qos, packetId }))
      messages.push({ payload, packetId, qos })
    }
    // Two bursts are under way at a time.
    await until(10_000, 'answers', () => writer.answers.length >= (batch - 1) * perBatch)
  }
  await until(10_000, 'answers', () => writer.answers.length >= messages.length)
  writer.answers.splice(0)
  for (const { qos, packetId: id } of messages) if (qos === 2) writer.send(ackBytes(0x62, id))
  await until(10_000, 'PUBCOMP', () => writer.answers.length >= batches)
  writer.destroy()
  return messages
}

const trace = async (kind: Kind): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'sabethes-flush-'))
  const file = join(folder, 'trace')
  const store = join(folder, 'store')
  const broker = await keep(kind, store, { under: tracer(file) })
  let messages: ReadonlyArray<Message>
  try {
    messages = await work(broker.port)
  } finally {
    await broker.end()
  }
  const calls = traceOf(readFileSync(file, 'latin1'))
  const flushes = flushesOf(calls, messages)
  console.log(`\n${kind}: ${flushes.length} acknowledgements after ${calls.flushes.length} flushes`)
  assert.is(flushes.length, messages.length)
  for (const { message, written, flushed, answered } of flushes) {
    const what = `message ${message.packetId} of QoS ${message.qos}`
    assert.ok(written >= 0, `${what} is not in the log`)
    assert.ok(answered >= 0, `${what} was not answered`)
    assert.ok(flushed >= 0 && flushed < answered, `${what} was answered before its flush returned`)
  }
  assert.ok(calls.flushes.length >= batches / 2, `only ${calls.flushes.length} flushes`)
  rmSync(folder, { recursive: true, force: true })
}

for (const kind of runtimes) {
  flush(`a flush returns before each acknowledgement on ${kind}`, async () => {
    if (hasTracer) await trace(kind)
    else skipped('the order of flush and acknowledgement', 'strace')
  })
}

flush.run()
