// What clients do before the process ends; `play.ts` has the language. Every script is cut at
// every flush, and everybody comes back afterwards. Payloads are different within a script.

import type { Config } from '../../core/broker/config.ts'
import type { Script } from './play.ts'

interface Rest {
  readonly config?: Partial<Config>
  readonly awayMs?: number
  readonly backMs?: number
}

const script = (name: string, text: string, rest: Rest = {}): Script => ({
  name,
  lines: text.split('\n').map((line) => line.trim()).filter((line) => line !== ''),
  config: rest.config ?? {},
  awayMs: rest.awayMs ?? 100,
  backMs: rest.backMs ?? 100,
})

/** A subscriber that stays connected. */
const s = (qos: number) => `s connect\ns subscribe t ${qos}\n`
/** The same, and gone again. */
const sAway = (qos: number) => `${s(qos)}s lose\n`
const p = 'p connect\n'

const toSubscribers = [
  script('QoS 1 to a session that is online', `${s(1)}${p}p publish t 1 1\np publish t 2 1`),
  script('QoS 1 to a session that is away', `${sAway(1)}${p}p publish t 1 1\np publish t 2 1`),
  script('QoS 2 to a session that is online', `${s(2)}${p}p publish t 1 2\np publish t 2 2`),
  script('QoS 2 to a session that is away', `${sAway(2)}${p}p publish t 1 2\np publish t 2 2`),
  script(
    'one message for three sessions, of which one is away',
    `a connect\na subscribe t 1\nb connect v4\nb subscribe t 2\nc connect\nc subscribe # 2
     c lose\n${p}p publish t 1 2\np publish t 2 1`,
  ),
  script('by a publisher of 3.1.1', `${sAway(2)}p connect v4\np publish t 1 2\np publish t 2 1`),
  script('by a publisher of 3.1', `${sAway(2)}p connect v3\np publish t 1 2\np publish t 2 1`),
  script(
    'by a publisher whose session ends with its connection',
    `${sAway(2)}p connect brief clean\np publish t 1 2\np publish t 2 1\np publish t 3 2`,
  ),
  script('to itself', `${p}p subscribe t 2\np publish t 1 2\np publish t 2 1`),
  script(
    'all levels of service in one line',
    `${
      s(2)
    }${p}p publish t 1 0\np publish t 2 1\np publish t 3 2\np publish t 4 0\np publish t 5 1`,
  ),
  script(
    'two publishers in turn',
    `${
      sAway(2)
    }${p}q connect v4\np publish t 1 2\nq publish t 2 2\np publish t 3 1\nq publish t 4 1`,
  ),
  script(
    'a second subscriber while the first one waits',
    `${sAway(1)}${p}p publish t 1 1\nb connect\nb subscribe t 1\np publish t 2 1\nb lose
     p publish t 3 1`,
  ),
]

const publisherLosses = [
  script('PUBACK is lost', `${s(1)}${p}p deaf\np publish t 1 1\np lose\n${p}p publish t 2 1`),
  script('PUBREC is lost', `${s(2)}${p}p deaf\np publish t 1 2\np lose\n${p}p publish t 2 2`),
  script(
    'PUBREL is not sent before the connection is lost',
    `${s(2)}${p}p mute pubrel\np publish t 1 2\np publish t 2 2\np lose\n${p}p publish t 3 2`,
  ),
  script(
    'PUBREL is not sent at all',
    `${s(2)}${p}p mute pubrel\np publish t 1 2\np publish t 2 2\np lose`,
  ),
  script(
    'PUBCOMP is lost',
    `${s(2)}${p}p mute pubrel\np publish t 1 2\n- flush\np lose\n${p}p deaf\np lose\n${p}
     p publish t 2 2`,
  ),
  script(
    'an identifier is used anew as soon as it may be',
    `${sAway(2)}${p}p publish t 1 2\np publish t 2 1\np publish t 3 2\np lose\n${p}p publish t 4 2`,
  ),
  script(
    'a publisher begins anew and leaves a message unreleased',
    `${s(2)}${p}p mute pubrel\np publish t 1 2\np connect clean\np publish t 2 2`,
  ),
  script(
    'QoS 2 of a publisher without a session that outlives it',
    `${s(2)}p connect brief clean\np mute pubrel\np publish t 1 2\np lose
     p connect brief clean\np publish t 2 2`,
  ),
]

const subscriberLosses = [
  script(
    'a subscriber that does not answer at QoS 1',
    `${
      s(1)
    }s mute puback\n${p}p publish t 1 1\np publish t 2 1\ns lose\ns connect\np publish t 3 1`,
  ),
  script(
    'a subscriber that does not send PUBREC',
    `${
      s(2)
    }s mute pubrec\n${p}p publish t 1 2\np publish t 2 2\ns lose\ns connect\np publish t 3 2`,
  ),
  script(
    'a subscriber that does not send PUBCOMP',
    `${s(2)}s mute pubcomp\n${p}p publish t 1 2\np publish t 2 2\ns lose\ns connect
     p publish t 3 2`,
  ),
  script(
    'a PUBLISH is lost on the way to its subscriber',
    `${s(2)}s deaf\n${p}p publish t 1 2\np publish t 2 1\ns lose\np publish t 3 2\ns connect`,
  ),
  script(
    'a PUBREL is lost on the way to its subscriber',
    `${
      s(2)
    }${p}s mute pubrec\np publish t 1 2\n- flush\ns lose\ns connect\ns deaf\ns lose\ns connect
     p publish t 2 2`,
  ),
  script(
    'a subscriber with a window of one',
    `s connect receive=1\ns subscribe t 2\n${p}p publish t 1 2\np publish t 2 1\np publish t 3 2
     p publish t 4 1`,
  ),
  script(
    'a subscriber with a window of one that does not answer',
    `s connect receive=1\ns subscribe t 1\ns mute puback\n${p}p publish t 1 1\np publish t 2 1
     s lose\np publish t 3 1\ns connect receive=1\np publish t 4 1`,
  ),
  script(
    'identifiers that come round soon',
    `${s(1)}s mute puback\n${p}p publish t 1 1\np publish t 2 1\ns lose\ns connect\np publish t 3 1
     p publish t 4 1\np publish t 5 1\ns lose\np publish t 6 1\ns connect`,
    { config: { packetIdMax: 3 } },
  ),
  script(
    'identifiers that come round soon, at QoS 2',
    `${s(2)}s mute pubcomp\n${p}p publish t 1 2\np publish t 2 2\ns lose\ns connect\np publish t 3 2
     p publish t 4 2\np publish t 5 2\ns lose\np publish t 6 2\ns connect`,
    { config: { packetIdMax: 3 } },
  ),
  script(
    'QoS 2 that cannot be sent again to a subscriber that has it',
    `${s(2)}s mute pubrec\n${p}p publish t ${'large'.repeat(20)} 2\ns lose\ns connect largest=60
     p publish t 1 2\np publish t 2 2\np publish t 3 2`,
    { config: { packetIdMax: 2 } },
  ),
  script(
    'a subscriber of 3.1.1 that comes and goes',
    `s connect v4\ns subscribe t 2\n${p}p publish t 1 2\ns lose\np publish t 2 2\ns connect v4
     p publish t 3 2\ns disconnect\np publish t 4 1`,
  ),
]

const sharing = [
  script(
    'a shared subscription with two members',
    `a connect\na subscribe $share/g/t 2\nb connect\nb subscribe $share/g/t 2\n${p}p publish t 1 2
     p publish t 2 2\np publish t 3 1`,
  ),
  script(
    'a shared subscription whose members are away',
    `a connect\na subscribe $share/g/t 2\na lose\nb connect\nb subscribe $share/g/t 2\nb lose
     ${p}p publish t 1 2\np publish t 2 1\np publish t 3 2`,
  ),
  script(
    'a member that leaves hands over what it has not acknowledged',
    `a connect\na subscribe $share/g/t 1\na mute puback\n${p}p publish t 1 1\np publish t 2 1
     b connect\nb subscribe $share/g/t 1\na disconnect expiry=0\n- pass 10\np publish t 3 1`,
  ),
  script(
    'shared and not, both in one session',
    `a connect\na subscribe $share/g/t 1\na subscribe t 2\n${p}p publish t 1 2\na lose
     p publish t 2 1`,
  ),
]

const retaining = [
  script('a retained message is set', `${p}p publish t 1 1 retain`),
  script('a retained message is replaced', `${p}p publish t 1 1 retain\np publish t 2 2 retain`),
  script('a retained message is cleared', `${p}p publish t 1 1 retain\np publish t - 1 retain`),
  script(
    'a retained message is cleared and set again',
    `${p}p publish t 1 2 retain\np publish t - 2 retain\np publish t 3 1 retain
     p publish u 4 1 retain`,
  ),
  script(
    'a retained message is cleared by two, one of whom is faster',
    `${p}q connect\np publish t 1 1 retain\n- flush\np publish t - 0 retain\nq publish t - 1 retain
     q publish t - 2 retain`,
  ),
  script(
    'a subscriber is away while what is retained changes',
    `${p}p publish t 1 1 retain\n${sAway(2)}p publish t 2 1 retain\np publish t - 1 retain`,
  ),
  script(
    'a subscriber comes for what is retained, and its answers are missing',
    `${p}p publish t 1 1 retain\np publish u 2 2 retain\ns connect receive=1\ns mute puback
     s mute pubrec\ns subscribe # 2\n- pass 10\ns lose\np publish u 3 1 retain`,
  ),
  script(
    'retained messages are still to come',
    `${p}p publish a 1 1 retain\np publish b 2 1 retain\np publish c 3 1 retain
     s connect receive=1\ns mute puback\ns subscribe # 1\n- pass 10\np publish d 4 1\ns lose`,
    { config: { queuedCountMax: 1 } },
  ),
  script(
    'more retained topics than there is room for',
    `${p}p publish t 1 1 retain\np publish u 2 1 retain\np publish v 3 2 retain`,
    { config: { retainedCountMax: 1 } },
  ),
]

const w = (qos: number) => `watcher connect\nwatcher subscribe w ${qos}\n`

const wills = [
  script('a will of somebody who is still connected', `${w(2)}a connect will=w,A,2`),
  script('a will of somebody whose session is brief', `${w(2)}a connect brief clean will=w,A,1`),
  script('a will that was published', `${w(2)}a connect v4 will=w,A,2\na lose\n- flush\nb connect`),
  script(
    'a will that was given up',
    `${w(2)}a connect brief will=w,A,2\na disconnect\nb connect\nb subscribe x 1\nb subscribe y 1`,
  ),
  script('a will that was asked for', `${w(2)}a connect will=w,A,2\na disconnect 4\nb connect`),
  script(
    'a will with a delay, whose client is back in time',
    `${w(2)}a connect will=w,A,2,10\na lose\n- pass 3000\na connect will=w,B,1,10\na lose`,
  ),
  script(
    'a will with a delay, whose client comes too late',
    `${w(2)}a connect will=w,A,2,10\na lose\n- pass 3000`,
    { backMs: 20_000 },
  ),
  script(
    'a will with a delay that passes while the broker is away',
    `${w(2)}a connect will=w,A,2,10\na lose\n- pass 3000\nb connect`,
    { awayMs: 60_000, backMs: 20_000 },
  ),
  script(
    'a will with a delay that has passed',
    `${w(2)}a connect will=w,A,2,2\na lose\n- pass 1000\n- pass 2000\nb connect`,
  ),
  script(
    'a will of the connection that was taken over, and of the one that did',
    `${w(2)}a connect will=w,A,2\na connect will=w,B,2\na connect v4 will=w,C,1`,
  ),
  script(
    'a will that is retained',
    `${w(1)}a connect v4 clean will=w,A,1,0,r\na lose\nb connect v4 will=w,B,2,0,r`,
  ),
  script(
    'a will that ends with a clean start',
    `${w(2)}a connect will=w,A,2,60\na lose\na connect clean will=w,B,2,60`,
  ),
  script(
    'a will of a session that expires before its delay has passed',
    `${w(2)}a connect expiry=2 will=w,A,2,60\na lose\n- pass 1000\n- pass 3000`,
    { backMs: 70_000 },
  ),
  script(
    'wills of three who lose their connections one after the other',
    `${w(2)}a connect will=w,A,2\nb connect brief will=w,B,2\nc connect v3 will=w,C,1\na lose
     b lose\nc lose`,
  ),
]

const sessions = [
  script('a session is taken over', `${s(2)}${p}p publish t 1 2\n${s(2)}p publish t 2 2\n${s(2)}`),
  script(
    'a session is taken over in the middle of an exchange',
    `${s(2)}s mute pubrec\n${p}p publish t 1 2\ns connect\np publish t 2 2\np mute pubrel
     p publish t 3 2\np connect`,
  ),
  script('a clean start', `${sAway(1)}${p}p publish t 1 1\ns connect clean\np publish t 2 1`),
  script(
    'a clean start of 3.1.1',
    `s connect v4\ns subscribe t 1\ns lose\n${p}p publish t 1 1\ns connect v4 clean\np publish t 2 1
     s lose\np publish t 3 1\ns connect v4`,
  ),
  script(
    'a clean start, and a subscription like the one before',
    `${sAway(1)}${p}p publish t 1 1\ns connect clean\ns subscribe t 1\np publish t 2 1`,
  ),
  script(
    'a session that becomes brief',
    `${sAway(1)}${p}p publish t 1 1\ns connect brief\np publish t 2 1\ns lose\np publish t 3 1`,
  ),
  script(
    'a session that is ended by its client, who comes back at once',
    `${s(1)}s disconnect expiry=0\ns connect brief\ns lose\ns connect\n${p}p publish t 1 1`,
  ),
  script(
    'a session that is ended by its client, who makes sure',
    `${s(1)}s disconnect expiry=0\ns connect brief clean\ns disconnect\n${p}p publish t 1 1`,
  ),
  script(
    'a session that expires',
    `s connect expiry=5\ns subscribe t 1\ns lose\n${p}p publish t 1 1\n- pass 4000\np publish t 2 1
     - pass 3000\np publish t 3 1\ns connect expiry=5`,
  ),
  script(
    'a session that expires while the broker is away',
    `s connect expiry=5\ns subscribe t 1\ns lose\n${p}p publish t 1 1`,
    { awayMs: 20_000 },
  ),
  script(
    'a session that does not expire while the broker is away',
    `s connect expiry=60\ns subscribe t 1\ns lose\n${p}p publish t 1 1`,
    { awayMs: 20_000 },
  ),
  script(
    'a session whose expiry is prolonged at the end',
    `s connect expiry=5\ns subscribe t 1\ns disconnect expiry=600\n${p}p publish t 1 1\n- flush
     - pass 20000\np publish t 2 1`,
  ),
  script(
    'a session whose expiry is set anew by its next connection',
    `s connect expiry=5\ns subscribe t 1\ns lose\ns connect expiry=600\n${p}
     p publish t 1 1\ns lose`,
    { awayMs: 20_000 },
  ),
  script(
    'a session across versions',
    `s connect v4\ns subscribe t 2\ns lose\n${p}p publish t 1 2\ns connect\np publish t 2 2\ns lose
     p publish t 3 2\ns connect v3`,
  ),
]

const subscribing = [
  script(
    'somebody unsubscribes',
    `${s(1)}${p}p publish t 1 1\ns unsubscribe t\np publish t 2 1`,
  ),
  script(
    'somebody unsubscribes with messages under way',
    `${
      s(2)
    }s mute pubrec\n${p}p publish t 1 2\ns unsubscribe t\np publish t 2 2\ns lose\ns connect`,
  ),
  script(
    'somebody unsubscribes from one of two',
    `${
      s(1)
    }s subscribe u/# 2\n${p}p publish t 1 1\ns unsubscribe u/#\np publish u 2 2\np publish t 3 2`,
  ),
  script(
    'somebody unsubscribes and subscribes again',
    `${s(1)}s unsubscribe t\ns subscribe t 1\ns lose\n${p}p publish t 1 1`,
  ),
  script(
    'a subscription is asked for again',
    `${s(2)}s subscribe t 2\n${p}p publish t 1 2\ns subscribe t 2\ns lose\np publish t 2 2`,
  ),
]

const limits = [
  script(
    'the queue of the only subscriber is full',
    `${sAway(1)}${p}p publish t 1 1\np publish t 2 1\np publish t 3 1\ns connect\np publish t 4 1`,
    { config: { queuedCountMax: 2 } },
  ),
  script(
    'a queue is full of expired messages',
    `${sAway(1)}${p}p publish t 1 1 expiry=2\np publish t 2 1 expiry=2\n- pass 5000\np publish t 3 1
     p publish t 4 1`,
    { config: { queuedCountMax: 2 } },
  ),
  script(
    'a message expires while the broker is away',
    `${sAway(2)}${p}p publish t 1 2 expiry=5\np publish t 2 1\np publish u 3 1 retain expiry=5`,
    { awayMs: 20_000 },
  ),
  script(
    'a message does not expire while the broker is away',
    `${sAway(2)}${p}p publish t 1 2 expiry=600\np publish t 2 1 expiry=600
     p publish u 3 1 retain expiry=600`,
    { awayMs: 20_000 },
  ),
  script(
    'a message that expires on its way',
    `${
      s(2)
    }s mute pubrec\n${p}p publish t 1 2 expiry=2\n- pass 5000\ns lose\np publish t 2 2\ns connect`,
  ),
]

export const scripts: ReadonlyArray<Script> = [
  ...toSubscribers,
  ...publisherLosses,
  ...subscriberLosses,
  ...sharing,
  ...retaining,
  ...wills,
  ...sessions,
  ...subscribing,
  ...limits,
]
