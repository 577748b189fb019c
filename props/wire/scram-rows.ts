// Enhanced authentication of MQTT 5 (section 4.12) by SCRAM-SHA-256: a client that proves itself
// before CONNACK and again after it, and everything that it may not do on the way. What is secret
// or random in it is fixed (rooms.ts, memory.ts), so these rows are played in memory only.

import { Buffer } from 'node:buffer'
import type { Exchange } from './exchange.ts'
import { rows } from './exchange.ts'

const method = '15 "SCRAM-SHA-256"'

/** AUTH with a method and data, or without data. */
const auth = (reason: string, text: string | null): string =>
  `f0 [${reason} (${method}${text === null ? '' : ` 16 <'${text}'>`})]`

const base64 = (byte: number, count: number): string => Buffer.alloc(count, byte).toString('base64')

const first = (name = 'user', nonce = 'abc'): string => `n,,n=${name},r=${nonce}`
const final = (proof = base64(1, 32), nonce = 'abcNONCE', binding = 'biws'): string =>
  `c=${binding},r=${nonce},p=${proof}`

const hello = (text = first(), more = ''): string =>
  `> 10 [@v 02 003c (${method} 16 <'${text}'> ${more}) "~a"]`
const challenge = (nonce = 'abc'): string => `< ${auth('18', `r=${nonce}NONCE,s=c2FsdA==,i=4096`)}`
const proof = `> ${auth('18', final())}`
const signature = `v=${base64(2, 32)}`
const welcome = `< 20 [00 00 (22 000a ${method} 16 <'${signature}'> 27 001e8480 21 0014)]`
const login = `| ${hello()} | ${challenge()} | ${proof} | ${welcome}`
const again = (text = first()): string => `> ${auth('19', text)}`
const renewed = `< ${auth('00', signature)}`

/** Of so many characters that the first message, or the last one, has the 96 bytes allowed. */
const long = 'n'.repeat(84)

const messages = `
[MQTT-4.12.0-2] [MQTT-4.12.0-5] [MQTT-4.12.0-6]
scram raw 5 a client proves itself ${login} | open
scram raw 5 a client that names no method need not | > @connect | < @ok
scram raw 5 with a comma and an equals sign in the name | ${hello(first('a=2Cb=3Dc'))}
  | ${challenge()} | ${proof} | ${welcome}
scram raw 5 with an extension that need not be understood | ${hello(`${first()},x=y`)}
  | ${challenge()} | ${proof} | ${welcome}
scram raw 5 in the name of oneself | ${hello('n,a=user,n=user,r=abc')} | ${challenge()}
  | > ${auth('18', final(undefined, undefined, 'bixhPXVzZXIs'))} | ${welcome}
scram raw 5 without channel binding though the client could | ${hello('y,,n=user,r=abc')}
  | ${challenge()} | > ${auth('18', final(undefined, undefined, 'eSws'))} | ${welcome}
scram raw 5 what comes first has the bytes that are allowed | ${hello(first('user', long))}
  | ${challenge(long)} | lost
scram raw 5 what comes last has the bytes that are allowed | ${hello()} | ${challenge()}
  | > ${auth('18', `c=biws,r=abcNONCE,x=${'y'.repeat(29)},p=${base64(1, 32)}`)} | ${welcome}
[MQTT-4.12.0-4]
scram raw 5 what comes first has a byte too many | ${hello(first('user', `${long}n`))} | rejected 97
scram raw 5 what comes last has a byte too many | ${hello()} | ${challenge()}
  | > ${auth('18', `c=biws,r=abcNONCE,x=${'y'.repeat(30)},p=${base64(1, 32)}`)} | rejected 97
scram raw 5 nothing comes first | > 10 [@v 02 003c (${method}) "~a"] | rejected 87
scram raw 5 what comes first is nonsense | ${hello('hello')} | rejected 87
scram raw 5 what comes first is no text | > 10 [@v 02 003c (${method} 16 <ff>) "~a"] | rejected 87
scram raw 5 channel binding, which there is not | ${hello('p=tls-unique,,n=user,r=abc')}
  | rejected 87
scram raw 5 an extension that has to be understood | ${hello('n,,m=x,n=user,r=abc')} | rejected 87
scram raw 5 a control character in the name
  | > 10 [@v 02 003c (${method} 16 <'n,,n=us' 07 'er,r=abc'>) "~a"] | rejected 87
scram raw 5 in the name of another | ${hello('n,a=other,n=user,r=abc')} | rejected 87
scram raw 5 somebody who is banned | ${hello(first('banned'))} | rejected 8a
scram raw 5 a wrong proof | ${hello()} | ${challenge()}
  | > ${auth('18', final(base64(3, 32)))} | rejected 87
scram raw 5 a proof that is too short | ${hello()} | ${challenge()}
  | > ${auth('18', final(base64(1, 31)))} | rejected 87
scram raw 5 a proof that is no base64 | ${hello()} | ${challenge()} | > ${auth('18', final('*'))}
  | rejected 87
scram raw 5 nothing comes last | ${hello()} | ${challenge()} | > ${auth('18', null)} | rejected 87
scram raw 5 what comes last is nonsense | ${hello()} | ${challenge()} | > ${auth('18', 'hello')}
  | rejected 87
scram raw 5 the nonce of another exchange | ${hello()} | ${challenge()}
  | > ${auth('18', final(undefined, 'abcOTHER'))} | rejected 87
scram raw 5 another channel binding than was announced | ${hello()} | ${challenge()}
  | > ${auth('18', final(undefined, undefined, 'eSws'))} | rejected 87
scram raw 5 a challenge that just fits the client | ${hello(first(), '27 00000033')}
  | ${challenge()} | lost
scram raw 5 a challenge that is too large for the client | ${hello(first(), '27 00000032')}
  | rejected 95
[MQTT-3.1.2-24]
scram raw 5 a CONNACK that just fits the client | ${hello(first(), '27 00000051')}
  | ${challenge()} | ${proof} | ${welcome}
scram raw 5 a CONNACK that is too large for the client | ${hello(first(), '27 00000050')}
  | ${challenge()} | ${proof} | dropped 95
`

const early = [
  ['CONNACK', '20 [00 00 ()]'],
  ['PUBLISH', `30 ["~/t" () 'x']`],
  ['PUBACK', '40 [0001]'],
  ['PUBREC', '50 [0001]'],
  ['PUBREL', '62 [0001]'],
  ['PUBCOMP', '70 [0001]'],
  ['SUBSCRIBE', '82 [0001 () "~/t" 00]'],
  ['SUBACK', '90 [0001 () 00]'],
  ['UNSUBSCRIBE', 'a2 [0001 () "~/t"]'],
  ['UNSUBACK', 'b0 [0001 () 00]'],
  ['PINGREQ', 'c000'],
  ['PINGRESP', 'd000'],
].map(([name, packet]) =>
  `scram raw 5 ${name} before the proof | ${hello()} | ${challenge()} | > ${packet} | rejected 82`
)

const turns = `
[MQTT-3.1.2-30]
${early.join('\n')}
scram raw 5 DISCONNECT before the proof | ${hello()} | ${challenge()} | > e000 | closed
[MQTT-3.1.0-2]
scram raw 5 a second CONNECT before the proof | ${hello()} | ${challenge()} | > @connect
  | rejected 82
[MQTT-4.12.0-3]
scram raw 5 AUTH 00 instead of the proof | ${hello()} | ${challenge()} | > ${auth('00', final())}
  | rejected 82
scram raw 5 AUTH 19 instead of the proof | ${hello()} | ${challenge()} | > ${auth('19', final())}
  | rejected 82
[MQTT-4.12.0-5]
scram raw 5 a proof by another method | ${hello()} | ${challenge()}
  | > f0 [18 (15 "m" 16 <'${final()}'>)] | rejected 82
scram raw 5 a proof without its method [MQTT-4.13.1-1] | ${hello()} | ${challenge()}
  | > f0 [18 (16 <'${final()}'>)] | rejected 82
[MQTT-4.12.0-2]
scram raw 5 a client that never answers | ${hello()} | ${challenge()} | wait 400 | dropped 8d
scram raw 5 a client that takes its time | ${hello()} | ${challenge()} | wait 399 | ${proof}
  | ${welcome} | wait 400 | open
scram raw 5 what is asked is never answered | ${hello(first('slow'))} | wait 400 | dropped 8d
scram raw 5 a client that has not proved itself is sent elsewhere | ${hello()} | ${challenge()}
  | order redirect | rejected 9c
scram raw 5 a client that has not proved itself when the broker stops | ${hello()} | ${challenge()}
  | order stop | dropped 8b
scram raw 5 the client is gone before the answer | ${hello(first('slow'))} | lost
`

const renewals = `
[MQTT-4.12.1-1]
scram raw 5 a client proves itself again ${login} | ${again()} | ${challenge()} | ${proof}
  | ${renewed} | open
scram raw 5 a client proves itself again and again ${login} | ${again()} | ${challenge()} | ${proof}
  | ${renewed} | ${again()} | ${challenge()} | ${proof} | ${renewed} | wait 400 | open
scram raw 5 the rest goes on while a client proves itself again ${login} | ${again()}
  | ${challenge()} | > c000 | < d000 | ${proof} | ${renewed}
scram raw 5 a client proves itself again by another method ${login}
  | > f0 [19 (15 "m" 16 <'${first()}'>)] | refused 82
scram raw 5 a client proves itself again without a method ${login} | > f0 [19 ()] | refused 82
[MQTT-4.12.0-3]
scram raw 5 an answer to no challenge ${login} | ${proof} | refused 82
scram raw 5 AUTH 00 from a client ${login} | > ${auth('00', first())} | refused 82
scram raw 5 an answer while the last one is looked at ${login} | ${again(first('slow'))} | ${proof}
  | refused 82
scram raw 5 AUTH 19 instead of the answer ${login} | ${again()} | ${challenge()} | ${again()}
  | refused 82
[MQTT-4.12.0-5]
scram raw 5 an answer by another method ${login} | ${again()} | ${challenge()}
  | > f0 [18 (15 "m" 16 <'${final()}'>)] | refused 82
[MQTT-4.12.1-2]
scram raw 5 a wrong proof of a client that is connected ${login} | ${again()} | ${challenge()}
  | > ${auth('18', final(base64(3, 32)))} | refused 87
scram raw 5 a proof of being somebody else ${login} | ${again(first('other'))} | ${challenge()}
  | ${proof} | refused 87
scram raw 5 a client that is connected is banned ${login} | ${again(first('banned'))}
  | refused 82 8a
scram raw 5 too much data of a client that is connected ${login}
  | ${again(first('user', `${long}n`))} | refused 97
scram raw 5 a challenge too large for a client that is connected
  | ${hello(first(), '27 00000085')} | ${challenge()} | ${proof} | ${welcome}
  | ${again(first('user', long))} | refused 95
scram raw 5 a challenge that just fits a client that is connected
  | ${hello(first(), '27 00000086')} | ${challenge()} | ${proof} | ${welcome}
  | ${again(first('user', long))} | ${challenge(long)} | lost
scram raw 5 a proof that takes too long ${login} | ${again()} | ${challenge()} | wait 400
  | refused 87
scram raw 5 a proof gets no more time than there was ${login} | ${again()} | ${challenge()}
  | wait 300 | > ${auth('18', final(base64(4, 32)))} | wait 99 | open | wait 1 | refused 87
scram raw 5 a proof that takes too long, later ${login} | wait 500 | ${again()} | ${challenge()}
  | wait 399 | open | wait 1 | refused 87
scram raw 5 a proof that takes nearly too long ${login} | ${again()} | ${challenge()} | wait 399
  | ${proof} | ${renewed} | wait 400 | open
scram raw 5 the will of a client whose proof failed | h connects | h subscribes ~/w 0
  | > 10 [@v 06 003c (${method} 16 <'${first()}'>) "~a" () "~/w" "x"]
  | ${challenge()} | ${proof} | ${welcome} | ${again(first('banned'))} | refused 82 8a
  | h< 30 ["~/w" () 'x']
scram raw 5 a method that is not offered any more ${login} | order room shared | ${again()}
  | refused 8c
`

export const scramRows: ReadonlyArray<Exchange> = [messages, turns, renewals].flatMap(rows)
