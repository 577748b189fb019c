// From a listener of the settings to addresses of this machine: all of them, those of one family,
// of a name, of a network interface; or a sentence that names the option.

import { networkInterfaces } from 'node:os'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { defaultListener, defaultSettings, localOnly } from '../core/config/mod.ts'
import type { ListenerSettings, Settings } from '../core/config/mod.ts'
import { E } from '../core/prelude.ts'
import { wantedOf } from '../shells/cli/wanted.ts'

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
  assert.match(String(await of({ host: '127.0.0.1', domain: 'ipv6' })), 'socket_domain')
})

wanting('a name is looked up, and one that is none is said', async () => {
  const found = await of({ host: 'localhost' })
  assert.ok(found.includes('127.0.0.1 1883') || found.includes('::1 1883'))
  assert.match(String(await of({ host: 'nowhere.invalid' })), "'nowhere.invalid'")
})

wanting('the addresses of an interface; of one that is not there, a sentence', async () => {
  const [name = 'lo', addresses = []] = Object.entries(networkInterfaces())
    .find(([, some]) => some?.some(({ internal }) => internal)) ?? []
  const found = await of({ bindInterface: name })
  for (const { address } of addresses) {
    assert.ok([...found].some((one) => one.startsWith(address)), `${address} is left out`)
  }
  assert.is(found.length, addresses.length)
  const missing = String(await of({ bindInterface: 'wlan-none' }))
  assert.match(missing, "'wlan-none'")
  assert.match(missing, 'bind_interface')
})

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
