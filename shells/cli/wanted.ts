// From the listeners of the settings to the addresses that the system knows: names are looked up,
// network interfaces are asked for theirs.

import { lookup } from 'node:dns/promises'
import { networkInterfaces } from 'node:os'
import type { ListenerSettings, Settings } from '../../core/config/settings.ts'
import { E } from '../../core/prelude.ts'
import type { Either } from '../../core/prelude.ts'
import type { Address, Wanted } from '../common/listen.ts'

const anywhere: ReadonlyArray<string> = ['0.0.0.0', '::']

/** What local-only mode means, whatever a resolver makes of `localhost`. */
const loopback: ReadonlyArray<string> = ['127.0.0.1', '::1']

const isVersion6 = (host: string): boolean => host.includes(':')

const isIn = (host: string, domain: ListenerSettings['domain']): boolean =>
  domain === 'any' || (domain === 'ipv6') === isVersion6(host)

const ofInterface = (name: string): Either<string, ReadonlyArray<string>> => {
  const all = networkInterfaces()
  const found = Object.hasOwn(all, name) ? all[name] : undefined
  if (found === undefined) {
    return E.left(
      `There is no network interface '${name}' (bind_interface). There are: ` +
        `${Object.keys(all).join(', ')}.`,
    )
  }
  // An address of the link alone is none without the number of the interface.
  return E.right(
    found.map(({ address, scopeid }) => scopeid ? `${address}%${name}` : address),
  )
}

const hostsOf = async (
  { host, bindInterface }: ListenerSettings,
  isLocalOnly: boolean,
): Promise<Either<string, ReadonlyArray<string>>> => {
  if (isLocalOnly) return E.right(loopback)
  if (bindInterface !== null && host === null) return ofInterface(bindInterface)
  if (host === null) return E.right(anywhere)
  try {
    const found = await lookup(host, { all: true })
    return E.right([...new Set(found.map(({ address }) => address))])
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    return E.left(`There is no address of the name '${host}' to listen on: ${why}.`)
  }
}

const addressesOf = async (
  listener: ListenerSettings,
  isLocalOnly: boolean,
): Promise<Either<string, ReadonlyArray<Address>>> => {
  const { path, port, domain } = listener
  if (path !== null) return E.right([{ _tag: 'Unix', path }])
  const hosts = await hostsOf(listener, isLocalOnly)
  if (E.isLeft(hosts)) return hosts
  const some = hosts.right.filter((host) => isIn(host, domain))
  return some.length === 0
    ? E.left(`The listener ${listener.name} has no ${domain} address (socket_domain).`)
    : E.right(some.map((host) => ({ _tag: 'Tcp', host, port })))
}

/** Left: a sentence about the listener that cannot be. */
export const wantedOf = async (
  { listeners, isLocalOnly, tcpNoDelay }: Settings,
): Promise<Either<string, ReadonlyArray<Wanted>>> => {
  const wanted: Array<Wanted> = []
  for (const listener of listeners) {
    const addresses = await addressesOf(listener, isLocalOnly)
    if (E.isLeft(addresses)) return addresses
    wanted.push({ name: listener.name, addresses: addresses.right, noDelay: tcpNoDelay })
  }
  return E.right(wanted)
}
