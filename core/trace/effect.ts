// Effects of the broker as JSON and back. A Judge effect holds a password and an Ask
// effect a proof of one; both lose it here.

import type {
  Ask,
  Close,
  Effect,
  Judge,
  Multicast,
  Noted,
  Pause,
  Persist,
  Query,
  Question,
  Resume,
  Send,
  When,
} from '../broker/effect.ts'
import { conn, peer } from './input.ts'
import { note } from './note.ts'
import { level, packet } from './packet.ts'
import { write } from './record.ts'
import type { Codec } from './shape.ts'
import { byte, closed, count, list, nullable, oneOf, secret, tag, tagged, text } from './shape.ts'

const question: Codec<Question> = closed<Question>('Question', {
  listener: text,
  clientId: text,
  userName: nullable(text),
  password: nullable(secret),
  peer,
})

const query: Codec<Query> = tagged<Query>('Query', {
  ScramSalt: closed<Extract<Query, { readonly _tag: 'ScramSalt' }>>('ScramSalt', {
    _tag: tag('ScramSalt'),
    userName: text,
  }),
  ScramProof: closed<Extract<Query, { readonly _tag: 'ScramProof' }>>('ScramProof', {
    _tag: tag('ScramProof'),
    userName: text,
    signed: secret,
    proof: secret,
  }),
})

const when: Codec<When> = oneOf<When>('now', 'durable')

/** Every effect, as core/broker/effect.ts has it. */
export const effect: Codec<Effect> = tagged<Effect>('Effect', {
  Send: closed<Send>('Send', { _tag: tag('Send'), conn, level, packet, when }),
  Multicast: closed<Multicast>('Multicast', {
    _tag: tag('Multicast'),
    conns: list(conn),
    level,
    packet,
  }),
  Close: closed<Close>('Close', { _tag: tag('Close'), conn, reason: byte }),
  Pause: closed<Pause>('Pause', { _tag: tag('Pause'), conn }),
  Resume: closed<Resume>('Resume', { _tag: tag('Resume'), conn }),
  Judge: closed<Judge>('Judge', { _tag: tag('Judge'), conn, question }),
  Ask: closed<Ask>('Ask', { _tag: tag('Ask'), conn, clientId: text, peer, query }),
  Persist: closed<Persist>('Persist', { _tag: tag('Persist'), at: count, writes: list(write) }),
  Note: closed<Noted>('Note', { _tag: tag('Note'), note }),
})
