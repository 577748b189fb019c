// Which files with secrets in them are read: not what others may write, not what a link points to
// unless that is allowed; what all may read with a warning.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { faultText, keptText, trustSecret } from '../core/config/mod.ts'
import type { FileFacts } from '../core/config/mod.ts'
import { E } from '../core/prelude.ts'
import type { Files } from '../shells/common/secrets.ts'
import { readSecret } from '../shells/common/secrets.ts'

const secrets = suite('secrets')

const fileOf = (mode: number | null): FileFacts => ({ isLink: false, isFile: true, mode })

const verdict = (facts: FileFacts, allowsLinks = false): string => {
  const found = trustSecret('/etc/pw', facts, allowsLinks)
  return E.isLeft(found) ? faultText(found.left) : found.right.join(' ')
}

secrets('of all modes those are refused that somebody else may write', () => {
  for (let mode = 0; mode <= 0o777; mode++) {
    const isRefused = verdict(fileOf(mode)).startsWith('/etc/pw: a file that')
    const bits = mode.toString(8).padStart(3, '0').split('').map(Number)
    const mayWrite = bits.map((bit) => [2, 3, 6, 7].includes(bit))
    assert.is(isRefused, mayWrite[1]! || mayWrite[2]!, mode.toString(8))
    const isWarned = verdict(fileOf(mode)).startsWith('File /etc/pw has world readable')
    assert.is(isWarned, !isRefused && bits[2]! >= 4, mode.toString(8))
  }
})

secrets('each sentence says what to do', () => {
  assert.is(
    verdict(fileOf(0o666)),
    '/etc/pw: a file that all may write. To fix this, use "chmod go-w /etc/pw".',
  )
  assert.is(
    verdict(fileOf(0o660)),
    '/etc/pw: a file that its group may write. To fix this, use "chmod go-w /etc/pw".',
  )
  assert.match(verdict(fileOf(0o644)), /world readable permissions\. .*"chmod o-r \/etc\/pw"/)
  assert.is(verdict(fileOf(0o640)), '')
  assert.is(verdict(fileOf(null)), '')
  assert.match(verdict({ isLink: false, isFile: false, mode: 0o700 }), /: no file\. /)
})

secrets('a link is followed only where that is allowed', () => {
  const link = { isLink: true, isFile: true, mode: 0o600 }
  assert.match(verdict(link), /a symbolic link.*MOSQUITTO_UNSAFE_ALLOW_SYMLINKS=1/)
  assert.is(verdict(link, true), '')
  // What it leads to is looked at all the same.
  assert.match(verdict({ ...link, mode: 0o602 }, true), /a file that all may write/)
})

const denied = (): Promise<never> =>
  Promise.reject(Object.assign(new Error('no'), { code: 'EACCES' }))

secrets('what cannot be read is named, with whom to give it to', async () => {
  const files: Files = { facts: () => Promise.resolve(fileOf(0o600)), text: denied }
  const options = { allowsLinks: false, user: 'mosquitto' }
  const found = await readSecret(files, '/etc/pw', options)
  assert.ok(E.isLeft(found))
  assert.is(
    keptText(faultText(found.left)),
    '/etc/pw: the file cannot be read (EACCES). To fix this, use "chown mosquitto /etc/pw". ' +
      'What was read before stays in force.',
  )
  const gone = await readSecret({ ...files, facts: denied }, '/etc/pw', { ...options, user: null })
  assert.ok(E.isLeft(gone))
  assert.match(faultText(gone.left), /Give the user that the broker runs as/)
})

secrets('of a file that is not there nobody is told to give it to somebody', async () => {
  const said = async (path: string, code: string): Promise<string> => {
    const reject = (): Promise<never> => Promise.reject(Object.assign(new Error('no'), { code }))
    const options = { allowsLinks: false, user: 'mosquitto' }
    const found = await readSecret({ facts: reject, text: reject }, path, options)
    return E.isLeft(found) ? faultText(found.left) : ''
  }
  const missing = 'there is no such file (ENOENT). Make it, or correct its path.'
  assert.is(await said('/etc/pw', 'ENOENT'), `/etc/pw: ${missing}`)
  assert.is(
    await said('pw', 'ENOENT'),
    `pw: ${missing} It was looked for in the folder that the broker runs in.`,
  )
  assert.match(await said('/etc/hosts/pw', 'ENOTDIR'), /there is no such file/)
})

secrets('what is not to be trusted is not even opened', async () => {
  let opened = 0
  const files: Files = {
    facts: () => Promise.resolve(fileOf(0o606)),
    text: () => Promise.resolve(`${opened++}`),
  }
  const found = await readSecret(files, '/etc/pw', { allowsLinks: false, user: null })
  assert.ok(E.isLeft(found))
  assert.is(opened, 0)
  const fine = { ...files, facts: () => Promise.resolve(fileOf(0o644)) }
  const read = await readSecret(fine, '/etc/pw', { allowsLinks: false, user: null })
  assert.ok(E.isRight(read) && read.right.text === '0' && read.right.warnings.length === 1)
})

secrets.run()
