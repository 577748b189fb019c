// The first conversation of a newcomer, word for word: what mosquitto_sub and mosquitto_pub print
// and how they end.

import { Buffer } from 'node:buffer'
import { holds, same, sleep, within } from './expect.ts'
import type { Family } from './family.ts'
import type { Row, Stage } from './row.ts'
import { Running } from './subject.ts'

const run = async (stage: Stage, command: string, args: ReadonlyArray<string>) => {
  const running = new Running([command, '-p', String(stage.broker.port), ...args])
  stage.afterwards(() => running.signal('SIGKILL'))
  running.child.stdin?.end()
  const end = await within(10_000, `the end of ${command} ${args.join(' ')}`, running.ended)
  return { ...end, stdout: running.stdout, stderr: running.stderr }
}

const versions = ['mqttv31', 'mqttv311', 'mqttv5']

const rows: ReadonlyArray<Row> = [
  {
    name: "mosquitto_sub -v -t 'home/+/temp' prints home/bedroom/temp 20",
    play: async (stage) => {
      const heard = run(stage, 'mosquitto_sub', ['-v', '-t', 'home/+/temp', '-C', '1'])
      let ended = false
      heard.then(() => ended = true, () => ended = true)
      // Nothing tells when it has subscribed, so this says it until somebody hears.
      while (!ended) {
        await run(stage, 'mosquitto_pub', ['-t', 'home/bedroom/temp', '-m', '20'])
        await sleep(20)
      }
      same(await heard, { status: 0, signal: null, stdout: 'home/bedroom/temp 20\n', stderr: '' },
        'mosquitto_sub')
    },
  },
  {
    name: 'mosquitto_sub -c -q 1 -i "james bond" gets what it missed',
    play: async (stage) => {
      for (const version of versions) {
        const topic = stage.own(version)
        const bond = ['-V', version, '-c', '-q', '1', '-i', 'james bond', '-t', topic]
        same((await run(stage, 'mosquitto_sub', [...bond, '-E'])).status, 0, 'the first visit')
        for (const [qos, payload] of [['1', 'shaken'], ['0', 'lost'], ['2', 'not stirred']]) {
          const said = await run(stage, 'mosquitto_pub', [
            '-V', version, '-t', topic, '-q', qos ?? '', '-m', payload ?? '',
          ])
          same([said.status, said.stderr], [0, ''], `mosquitto_pub -q ${qos}`)
        }
        const second = await run(stage, 'mosquitto_sub', [...bond, '-v', '-C', '2', '-W', '5'])
        same(
          [second.status, second.stdout],
          [0, `${topic} shaken\n${topic} not stirred\n`],
          `the second visit with ${version}`,
        )
        // Leave nothing behind for the next version, which has the same name.
        const clean = ['-V', version, '-i', 'james bond', '-t', topic, '-E']
        same((await run(stage, 'mosquitto_sub', clean)).status, 0, 'the last visit')
      }
    },
  },
  {
    name: 'mosquitto_pub -r and --retained-only, --remove-retained',
    play: async (stage) => {
      const topic = stage.own('t')
      await run(stage, 'mosquitto_pub', ['-t', topic, '-r', '-q', '1', '-m', 'kept'])
      const listen = ['-t', topic, '--retained-only', '-W', '1', '-F', '%r %p']
      same((await run(stage, 'mosquitto_sub', [...listen, '-C', '1'])).stdout, '1 kept\n', 'kept')
      await run(stage, 'mosquitto_sub', ['-t', topic, '--remove-retained', '-W', '1'])
      const empty = await run(stage, 'mosquitto_sub', listen)
      same([empty.status, empty.stdout], [27, ''], 'after removing')
    },
  },
  {
    name: 'mosquitto_pub -s and -f style payloads up to 1 MiB',
    play: async (stage) => {
      const topic = stage.own('t')
      const payload = Buffer.alloc(1024 * 1024, 'sabethes!')
      const running = new Running([
        'mosquitto_pub', '-p', String(stage.broker.port), '-t', topic, '-r', '-q', '2', '-s',
      ])
      stage.afterwards(() => running.signal('SIGKILL'))
      running.child.stdin?.end(payload)
      const end = await within(10_000, 'the end of mosquitto_pub -s', running.ended)
      same([end.status, running.stderr], [0, ''], 'mosquitto_pub -s')
      const heard = new Running([
        'mosquitto_sub', '-p', String(stage.broker.port), '-t', topic, '-C', '1', '-N', '-q', '2',
      ])
      stage.afterwards(() => heard.signal('SIGKILL'))
      let bytesHeard = 0
      heard.child.stdout?.on('data', (chunk: Buffer) => bytesHeard += chunk.length)
      same((await within(10_000, 'the end of mosquitto_sub', heard.ended)).status, 0, 'status')
      same(bytesHeard, payload.length, 'bytes heard')
      holds(heard.stdout.endsWith(payload.subarray(-1_000).toString()), 'the end', 'the same', '')
      await run(stage, 'mosquitto_pub', ['-t', topic, '-r', '-n'])
    },
  },
  {
    name: 'mosquitto_sub prints the properties of MQTT 5',
    play: async (stage) => {
      const topic = stage.own('t')
      const said = await run(stage, 'mosquitto_pub', [
        '-V', 'mqttv5', '-t', topic, '-r', '-q', '1', '-m', 'x',
        '-D', 'publish', 'content-type', 'text/plain',
        '-D', 'publish', 'user-property', 'who', 'me',
        '-D', 'publish', 'response-topic', 'answer/here',
        '-D', 'publish', 'message-expiry-interval', '1000',
      ])
      same([said.status, said.stderr], [0, ''], 'mosquitto_pub')
      const heard = await run(stage, 'mosquitto_sub', [
        '-V', 'mqttv5', '-t', topic, '-C', '1', '-W', '5', '-F', '%C|%P|%R|%E|%p',
      ])
      const [type, user, answer, expiry, payload] = heard.stdout.trim().split('|')
      same([type, user, answer, payload], ['text/plain', 'who:me', 'answer/here', 'x'], 'printed')
      holds(['998', '999', '1000'].includes(expiry ?? ''), 'expiry', '998 to 1000', expiry)
      await run(stage, 'mosquitto_pub', ['-t', topic, '-r', '-n'])
    },
  },
  {
    name: 'mosquitto_rr gets an answer',
    play: async (stage) => {
      const topic = stage.own('question')
      const responder = await stage.client('responder', { level: 5 })
      await responder.subscribe(topic, 1)
      const asked = run(stage, 'mosquitto_rr', [
        '-V', 'mqttv5', '-t', topic, '-e', stage.own('answer'), '-m', 'why', '-q', '1', '-W', '5',
      ])
      const [question] = await responder.deliveries(1)
      const found = question?.properties.find(({ name }) => name === 'responseTopic')
      same(found?.value, stage.own('answer'), 'response topic')
      await responder.publish(String(found?.value), 'because', { qos: 1 })
      same((await asked).stdout, 'because\n', 'mosquitto_rr')
    },
  },
]

/** The rows of the tools, where the tools are there. */
export const toolRows = (families: ReadonlyArray<Family>): ReadonlyArray<Row> =>
  families.some((family) => family.name.startsWith('mosquitto')) ? rows : []
