// Enhanced authentication in the dumb broker: SCRAM-SHA-256 taken apart at its commas, and whose
// turn it is. What hashes and keys are for is asked and answered from outside, as for the real one.

import type { Answer } from '../../core/broker/input.ts'
import type { Packet } from '../../core/codec/packet.ts'
import type { Bytes } from '../../core/data/bytes.ts'
import * as B from '../../core/data/bytes.ts'

export const method = 'SCRAM-SHA-256'

/** How far an exchange has come. */
export interface Dialogue {
  /** What it waits for: an answer of the shell, or the client's last message. */
  readonly waits: 'salt' | 'final' | 'proof'
  readonly userName: string
  readonly header: string
  readonly nonce: string
}

/** What a message or an answer leads to: the next wait, what the client is told, or a reason. */
export type Next =
  | { readonly dialogue: Dialogue; readonly told: string | null }
  | { readonly userName: string; readonly told: string }
  | number

const textOf = (data: Bytes | undefined): string => {
  if (data === undefined) return ''
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(B.view(data))
    return text.includes('\0') ? '' : text
  } catch {
    return ''
  }
}

const isTooLong = (data: Bytes | undefined, most: number): boolean =>
  data !== undefined && B.size(data) > most

const valued = (part: string | undefined, letter: string): string | null =>
  part !== undefined && part.startsWith(`${letter}=`) && part.length > 2 ? part.slice(2) : null

const isExtension = (part: string): boolean =>
  valued(part, part.charAt(0)) !== null &&
  /[A-Za-z]/.test(part.charAt(0))

/** The client's first message. */
export const first = (data: Bytes | undefined, most: number): Next => {
  if (isTooLong(data, most)) return 0x97
  const [flag, identity, named, chosen, ...rest] = textOf(data).split(',')
  const name = valued(named, 'n')
  const nonce = valued(chosen, 'r')
  const other = identity === '' ? name : valued(identity, 'a')
  if ((flag !== 'n' && flag !== 'y') || name === null || nonce === null) return 0x87
  if (!rest.every(isExtension) || /[^!-~]/.test(nonce)) return 0x87
  const escaped = name.split('=2C').join('').split('=3D').join('')
  if (escaped.includes('=') || other !== name) return 0x87
  return {
    dialogue: {
      waits: 'salt',
      userName: name.split('=2C').join(',').split('=3D').join('='),
      header: `${flag},${identity},`,
      nonce,
    },
    told: null,
  }
}

/** The client's last message. */
export const last = (dialogue: Dialogue, data: Bytes | undefined, most: number): Next => {
  if (isTooLong(data, most)) return 0x97
  const parts = textOf(data).split(',')
  const proof = valued(parts.pop(), 'p') ?? ''
  const [binding, nonce, ...rest] = parts
  const isWhole = valued(binding, 'c') === btoa(dialogue.header) &&
    valued(nonce, 'r') === dialogue.nonce && rest.every(isExtension)
  if (!isWhole || !/^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/.test(proof)) return 0x87
  return { dialogue: { ...dialogue, waits: 'proof' }, told: null }
}

/** What the shell found out. */
export const found = (dialogue: Dialogue, answer: Answer, fresh: string): Next => {
  switch (answer._tag) {
    case 'Refused':
      return answer.reason
    case 'ScramSalt': {
      const nonce = dialogue.nonce + fresh
      const salt = btoa(String.fromCharCode(...B.view(answer.salt)))
      return {
        dialogue: { ...dialogue, waits: 'final', nonce },
        told: `r=${nonce},s=${salt},i=${answer.iterations}`,
      }
    }
    case 'ScramSignature': {
      const signature = btoa(String.fromCharCode(...B.view(answer.signature)))
      return { userName: dialogue.userName, told: `v=${signature}` }
    }
  }
}

export const auth = (reason: number, told: string): Packet => ({
  _tag: 'Auth',
  reason,
  properties: {
    authenticationMethod: method,
    authenticationData: B.of(new TextEncoder().encode(told)),
  },
})
