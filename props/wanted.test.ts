// From a listener of the settings to addresses of this machine: all of them, those of one family,
// of a name, of a network interface; or a sentence that names the option.

import { networkInterfaces } from 'node:os'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { defaultListener, defaultSettings, localOnly } from '../core/config/mod.ts'
import type { ListenerSettings, Settings } from '../core/config/mod.ts'
import { E } from '../core/prelude.ts'
import { wantedOf } from '../shells/cli/wanted.ts'
import { skipped } from './conformance/expect.ts'

const wanting = suite('wanted')

const settingsWith = (some: Partial<ListenerSettings>): Settings => ({
  ...defaultSettings,
  listeners: [{ ...defaultListener(1883), ...some }],
})

/** The addresses of the first listener as text, or the sentence. */
const placesOf = async (settings: Settings): Promise<ReadonlyArray<string> | string> => {
  const wanted = await wantedOf(settings)
  if (E.isLeft(wanted)) return wanted.left
  return wanted.right[0]!.addresses.map((one) =>
    one._tag === 'Unix' ? one.path : `${one.host} ${one.port}`
  )
}

const of = (some: Partial<ListenerSettings>): Promise<ReadonlyArray<string> | string> =>
  placesOf(settingsWith(some))

wanting('a port alone is on every address, of the families that are wanted', async () => {
  assert.equal(await of({}), ['0.0.0.0 1883', ':: 1883'])
  assert.equal(await of({ domain: 'ipv4' }), ['0.0.0.0 1883'])
  assert.equal(await of({ domain: 'ipv6' }), [':: 1883'])
})

wanting('what is given is what is taken', async () => {
  assert.equal(await of({ host: '127.0.0.1' }), ['127.0.0.1 1883'])
  assert.equal(await of({ path: '/run/mqtt.sock', port: 0 }), ['/run/mqtt.sock'])
  const other = String(await of({ host: '127.0.0.1', domain: 'ipv6' }))
  assert.match(other, 'no ipv6 address (socket_domain). It has: 127.0.0.1.')
})

wanting('a name is looked up, and one that is none is said', async () => {
  const found = await of({ host: 'localhost' })
  assert.ok(found.includes('127.0.0.1 1883') || found.includes('::1 1883'))
  const settings = settingsWith({ host: 'nowhere.invalid' })
  const origin = { option: 'listener', listener: '1883', place: { file: 'c', line: 7 } }
  const sentence = String(await placesOf({ ...settings, origins: [origin] }))
  assert.match(sentence, "'nowhere.invalid' to listen on (listener, c:7): ")
  assert.match(sentence, /\. Correct the name, or write an address\.$/)
})

/** The interface of loopback, and what it is known by. */
const [loop = 'lo', loopAddresses = []] = Object.entries(networkInterfaces())
  .find(([, some]) => some?.some(({ internal }) => internal)) ?? []

const hasVersion6 = loopAddresses.some(({ address }) => address === '::1')

wanting('the addresses of an interface; of one that is not there, a sentence', async () => {
  const found = await of({ bindInterface: loop })
  for (const { address } of loopAddresses) {
    assert.ok([...found].some((one) => one.startsWith(address)), `${address} is left out`)
  }
  assert.is(found.length, loopAddresses.length)
  // mosquitto does not mind the case either.
  assert.equal(await of({ bindInterface: loop.toUpperCase() }), found)
  for (const host of [null, '127.0.0.1', '::1', 'localhost']) {
    const missing = String(await of({ host, bindInterface: 'wlan-none' }))
    assert.match(missing, "'wlan-none'")
    assert.match(missing, 'bind_interface')
  }
  assert.match(String(await of({ bindInterface: '__proto__' })), "'__proto__'")
})

wanting('of an interface and an address what both mean, else a sentence', async () => {
  const both = (host: string) => of({ host, bindInterface: loop })
  assert.equal(await both('127.0.0.1'), ['127.0.0.1 1883'])
  for (const one of await both('localhost')) assert.match(one, /^(127\.0\.0\.1|::1) 1883$/)
  if (hasVersion6) {
    for (const host of ['::1', '0:0:0:0:0:0:0:1']) assert.equal(await both(host), ['::1 1883'])
  }
  for (const host of ['0.0.0.0', '::', '192.0.2.77', '2001:db8::77', '::ffff:127.0.0.1']) {
    const sentence = String(await both(host))
    assert.match(sentence, `'${host}'`)
    assert.match(sentence, `'${loop}' (bind_interface)`)
    assert.match(sentence, '127.0.0.1')
  }
})

wanting('a sentence about an interface says where it was named', async () => {
  const place = { file: 'm.conf', line: 7 }
  const settings = settingsWith({ host: '0.0.0.0', bindInterface: loop })
  const of = (option: string, listener: string | null) => ({ option, listener, place })
  const said = [of('bind_interface', '1884'), of('bind_interface', '1883')]
  assert.match(String(await placesOf({ ...settings, origins: said })), '(bind_interface, m.conf:7)')
  const four = settingsWith({ host: '::1', domain: 'ipv4' })
  const where = await placesOf({ ...four, origins: [of('socket_domain', '1883')] })
  assert.match(String(where), '(socket_domain, m.conf:7)')
})

wanting(
  'without a listener an interface that is not loopback is refused, not passed over',
  async () => {
    const alone = (bindInterface: string) =>
      placesOf(localOnly([1884], defaultSettings, { bindInterface }))
    assert.ok((await alone(loop)).includes('127.0.0.1 1884'))
    assert.match(String(await alone('wlan-none')), "'wlan-none'")
    const [other] = Object.entries(networkInterfaces())
      .find(([, some]) => some?.every(({ internal }) => !internal)) ?? []
    if (other === undefined) return skipped('an interface that is not loopback', 'one')
    assert.match(String(await alone(other)), "'listener 1883'")
  },
)

wanting('only this machine means loopback, whatever a resolver says', async () => {
  assert.equal(await placesOf(localOnly([1884])), ['127.0.0.1 1884', '::1 1884'])
})

wanting('small packets leave at once where it is asked for', async () => {
  for (const tcpNoDelay of [true, false]) {
    const wanted = await wantedOf({ ...settingsWith({}), tcpNoDelay })
    assert.is(E.isRight(wanted) && wanted.right[0]!.noDelay, tcpNoDelay)
  }
})

wanting.run()
