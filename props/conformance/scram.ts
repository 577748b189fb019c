// SCRAM-SHA-256 as a client speaks it, by the book (RFC 5802, section 3) and by Node's own hashes:
// the other side of what the broker does with WebCrypto, and a second definition of its keys.

import { Buffer } from 'node:buffer'
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'

export const method = 'SCRAM-SHA-256'

const hmac = (key: Uint8Array, text: string): Buffer =>
  createHmac('sha256', key).update(text).digest()

const xor = (a: Uint8Array, b: Uint8Array): Buffer =>
  Buffer.from(a.map((byte, i) => byte ^ (b[i] ?? 0)))

/** What the server keeps of a password. */
export const keysOf = (password: string, salt: Uint8Array, iterations: number) => {
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256')
  return {
    clientKey: hmac(salted, 'Client Key'),
    storedKey: createHash('sha256').update(hmac(salted, 'Client Key')).digest(),
    serverKey: hmac(salted, 'Server Key'),
  }
}

/** One exchange, as the client sees it. */
export class ScramClient {
  private readonly password: string
  private readonly bare: string
  private signature = ''

  constructor(userName: string, password: string, nonce: string) {
    this.password = password
    const name = userName.replaceAll('=', '=3D').replaceAll(',', '=2C')
    this.bare = `n=${name},r=${nonce}`
  }

  first(): string {
    return `n,,${this.bare}`
  }

  /** The last message, in answer to the server's first. */
  final(challenge: string): string {
    const [, nonce = '', salt = '', count = ''] = /^r=([^,]+),s=([^,]+),i=(\d+)$/.exec(challenge) ??
      []
    if (!nonce.startsWith(this.bare.slice(this.bare.lastIndexOf('r=') + 2))) {
      throw new Error(`the server's nonce does not begin with ours: ${challenge}`)
    }
    const keys = keysOf(this.password, Buffer.from(salt, 'base64'), Number(count))
    const unproved = `c=${Buffer.from('n,,').toString('base64')},r=${nonce}`
    const signed = `${this.bare},${challenge},${unproved}`
    this.signature = hmac(keys.serverKey, signed).toString('base64')
    const proof = xor(keys.clientKey, hmac(keys.storedKey, signed))
    return `${unproved},p=${proof.toString('base64')}`
  }

  /** Whether the server knows the password too. */
  believes(answer: string): boolean {
    return answer === `v=${this.signature}`
  }
}
