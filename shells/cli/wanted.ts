// From the listeners of the settings to the addresses that the system knows: names are looked up,
// network interfaces are asked for theirs.

import { lookup } from 'node:dns/promises'
import { networkInterfaces } from 'node:os'
import type { NetworkInterfaceInfo } from 'node:os'
import { showPlace } from '../../core/config/draft.ts'
import type { ListenerSettings, Settings } from '../../core/config/settings.ts'
import { E } from '../../core/prelude.ts'
import type { Either } from '../../core/prelude.ts'
import type { Address, Wanted } from '../common/listen.ts'
import { messageOf } from '../common/message.ts'

const anywhere: ReadonlyArray<string> = ['0.0.0.0', '::']

/** What local-only mode means, whatever a resolver makes of `localhost`. */
const loopback: ReadonlyArray<string> = ['127.0.0.1', '::1']

const isVersion6 = (host: string): boolean => host.includes(':')

const isIn = (host: string, domain: ListenerSettings['domain']): boolean =>
  domain === 'any' || (domain === 'ipv6') === isVersion6(host)

/** What a sentence says of an option of a listener: its name, and where it was given. */
const optionAt = (
  wanted: 'listener' | 'bind_interface' | 'socket_domain',
  { origins, isLocalOnly }: Settings,
  { name }: ListenerSettings,
): string => {
  const owner = isLocalOnly ? null : name
  const said = origins.find(({ option, listener }) => option === wanted && listener === owner)
  return said === undefined ? `(${wanted})` : `(${wanted}, ${showPlace(said.place)})`
}

/** An address of an interface: as it is bound to, and all that it may be called. */
interface Own {
  readonly host: string
  readonly names: ReadonlyArray<string>
}

const ownOf = (name: string, { address, scopeid }: NetworkInterfaceInfo): Own =>
  // An address of the link alone is none without the number of the interface.
  scopeid
    ? {
      host: `${address}%${name}`,
      names: [address, `${address}%${name}`, `${address}%${scopeid}`],
    }
    : { host: address, names: [address] }

const ofInterface = (wanted: string, at: string): Either<string, ReadonlyArray<Own>> => {
  let all: NodeJS.Dict<NetworkInterfaceInfo[]>
  try {
    all = networkInterfaces()
  } catch (error) {
    // Deno may have to be allowed to look.
    const why = messageOf(error)
    return E.left(`The network interface '${wanted}' ${at} cannot be looked for: ${why}`)
  }
  const names = Object.keys(all)
  const name = names.find((one) => one === wanted) ??
    names.find((one) => one.toLowerCase() === wanted.toLowerCase())
  return name === undefined
    ? E.left(
      `There is no network interface '${wanted}' with an address ${at}. ` +
        `There are: ${names.join(', ')}.`,
    )
    : E.right(all[name]!.map((one) => ownOf(name, one)))
}

/** An address in its shortest form, as interfaces have theirs. */
const shortest = (address: string): string => {
  const [bare = '', ...zone] = address.split('%')
  if (!isVersion6(bare)) return address
  return [new URL(`http://[${bare}]`).hostname.slice(1, -1), ...zone].join('%')
}

const lookUp = async (
  host: string,
  at: string,
): Promise<Either<string, ReadonlyArray<string>>> => {
  try {
    const found = await lookup(host, { all: true })
    return E.right([...new Set(found.map(({ address }) => address))])
  } catch (error) {
    const why = messageOf(error)
    return E.left(
      `There is no address of the name '${host}' to listen on ${at}: ${why}. ` +
        'Correct the name, or write an address.',
    )
  }
}

/** Where a listener would be without bind_interface; null for everywhere. */
const askedFor = async (
  settings: Settings,
  listener: ListenerSettings,
): Promise<Either<string, ReadonlyArray<string> | null>> => {
  if (settings.isLocalOnly) return E.right(loopback)
  const { host } = listener
  return host === null
    ? E.right(null)
    : await lookUp(host, optionAt('listener', settings, listener))
}

const hostsOf = async (
  settings: Settings,
  listener: ListenerSettings,
): Promise<Either<string, ReadonlyArray<string>>> => {
  const { host, bindInterface } = listener
  const asked = await askedFor(settings, listener)
  if (E.isLeft(asked)) return asked
  if (bindInterface === null) return E.right(asked.right ?? anywhere)
  const at = optionAt('bind_interface', settings, listener)
  const own = ofInterface(bindInterface, at)
  if (E.isLeft(own)) return own
  const wanted = asked.right?.map(shortest)
  // Who names both wants no more than both mean: 0.0.0.0 is no address of any interface.
  const some = own.right.filter(({ names }) => wanted?.some((one) => names.includes(one)) ?? true)
  if (some.length > 0) return E.right(some.map(({ host }) => host))
  return E.left(
    settings.isLocalOnly
      ? `The network interface '${bindInterface}' ${at} is not that of loopback, and without a ` +
        "listener only clients on this machine can connect. Write a line 'listener 1883' above it."
      : `The listener ${listener.name} is on '${host}', which is no address of the network ` +
        `interface '${bindInterface}' ${at}. It has: ` +
        `${own.right.map(({ host }) => host).join(', ')}. ` +
        'Name one of these, or leave out the address or bind_interface.',
  )
}

const addressesOf = async (
  settings: Settings,
  listener: ListenerSettings,
): Promise<Either<string, ReadonlyArray<Address>>> => {
  const { path, port, domain } = listener
  if (path !== null) return E.right([{ _tag: 'Unix', path }])
  const hosts = await hostsOf(settings, listener)
  if (E.isLeft(hosts)) return hosts
  const some = hosts.right.filter((host) => isIn(host, domain))
  return some.length === 0
    ? E.left(
      `The listener ${listener.name} has no ${domain} address ` +
        `${optionAt('socket_domain', settings, listener)}. It has: ${hosts.right.join(', ')}. ` +
        `Name one of ${domain}, or leave out socket_domain.`,
    )
    : E.right(some.map((host) => ({ _tag: 'Tcp', host, port })))
}

/** Left: a sentence about the listener that cannot be. */
export const wantedOf = async (
  settings: Settings,
): Promise<Either<string, ReadonlyArray<Wanted>>> => {
  const { listeners, tcpNoDelay } = settings
  const wanted: Array<Wanted> = []
  for (const listener of listeners) {
    const addresses = await addressesOf(settings, listener)
    if (E.isLeft(addresses)) return addresses
    wanted.push({ name: listener.name, addresses: addresses.right, noDelay: tcpNoDelay })
  }
  return E.right(wanted)
}
