// SCRAM-SHA-256 (RFC 5802 with the hash of RFC 7677) as a server speaks it: what its four messages
// look like and how they follow one another. Who exists and what a proof is worth is asked of the
// shell, which has the keys; whether there is such a user is not known here, so nothing here can
// tell. Channel binding does not exist without TLS and is refused.

import { decodeUtf8, encodeUtf8, hasControl } from '../codec/utf8.ts'
import * as Base64 from '../data/base64.ts'
import * as Bytes from '../data/bytes.ts'
import { type Exchange, failure, type Method, type Turn } from './method.ts'

// gs2-header, then user name, nonce and extensions; `m=` in front of the name would be an extension
// that has to be understood, and there is none.
const clientFirst =
  /^([ny],(?:a=([^,]+))?,)(n=((?:[^,=]|=2C|=3D)+),r=([\x21-\x2b\x2d-\x7e]+)(?:,[A-Za-z]=[^,]+)*)$/

const clientFinal = /^(c=([^,]+),r=([^,]+)(?:,[A-Za-z]=[^,]+)*),p=([^,]+)$/

/** SHA-256 has so many bytes. */
const proofBytes = 32

const malformed = failure('authentication data that is not a message of SCRAM')

const textOf = (data: Bytes.Bytes | null): string | null =>
  data === null ? null : decodeUtf8(data.buffer, data.start, data.end)

/** `=2C` and `=3D` stand for the comma and the equals sign. */
const plainName = (name: string): string => name.replaceAll('=2C', ',').replaceAll('=3D', '=')

const begin = (data: Bytes.Bytes | null): Turn => {
  const found = clientFirst.exec(textOf(data) ?? '')
  if (found === null) return malformed
  const [, header = '', identity, bare = '', name = '', nonce = ''] = found
  const userName = plainName(name)
  if (hasControl(userName)) return malformed
  // Nobody may act for another.
  if (identity !== undefined && identity !== name) return failure('authentication as another user')
  return {
    _tag: 'Ask',
    query: { _tag: 'ScramSalt', userName },
    exchange: { step: 'salt', userName, header, bare, nonce },
  }
}

const proceed = (exchange: Exchange, data: Bytes.Bytes | null): Turn => {
  if (exchange.step !== 'final') throw new Error('a client was heard out of its turn')
  const found = clientFinal.exec(textOf(data) ?? '')
  if (found === null) return malformed
  const [, unproved = '', binding = '', nonce = '', proof = ''] = found
  const proved = Base64.decode(proof)
  if (proved === null || Bytes.size(proved) !== proofBytes) return malformed
  if (binding !== Base64.encode(Bytes.of(encodeUtf8(exchange.header)))) {
    return failure('a channel binding that is not the one announced')
  }
  if (nonce !== exchange.nonce) return failure('a nonce of another exchange')
  const { userName } = exchange
  return {
    _tag: 'Ask',
    query: {
      _tag: 'ScramProof',
      userName,
      signed: Bytes.of(encodeUtf8(`${exchange.said},${unproved}`)),
      proof: proved,
    },
    exchange: { step: 'proof', userName },
  }
}

const resolve: Method['resolve'] = (exchange, answer, nonce) => {
  if (answer._tag === 'Refused') return failure('the authentication failed', answer.reason)
  const { userName } = exchange
  if (exchange.step === 'salt' && answer._tag === 'ScramSalt') {
    const both = exchange.nonce + nonce
    const first = `r=${both},s=${Base64.encode(answer.salt)},i=${answer.iterations}`
    return {
      _tag: 'Challenge',
      data: Bytes.of(encodeUtf8(first)),
      exchange: {
        step: 'final',
        userName,
        header: exchange.header,
        said: `${exchange.bare},${first}`,
        nonce: both,
      },
    }
  }
  if (exchange.step === 'proof' && answer._tag === 'ScramSignature') {
    const final = `v=${Base64.encode(answer.signature)}`
    return { _tag: 'Success', userName, data: Bytes.of(encodeUtf8(final)) }
  }
  throw new Error(`${answer._tag} answers no question of step ${exchange.step}`)
}

export const scramSha256: Method = { name: 'SCRAM-SHA-256', begin, proceed, resolve }
