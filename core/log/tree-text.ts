// Who has subscribed to what, as the tree that mosquitto prints at SIGUSR2: a line for each level
// of a filter, and behind the last one the clients with their QoS.

import * as IntMap from '../data/int-map.ts'
import * as StrMap from '../data/str-map.ts'
import type { State, Subscription } from '../broker/state.ts'
import { harmless } from './harmless.ts'

interface Node {
  readonly children: Map<string, Node>
  readonly clients: Array<string>
}

const node = (): Node => ({ children: new Map(), clients: [] })

const below = (parent: Node, level: string): Node => {
  const known = parent.children.get(level)
  if (known !== undefined) return known
  const fresh = node()
  parent.children.set(level, fresh)
  return fresh
}

/** Under an empty level, as mosquitto keeps them; `$SYS` and what is shared stand apart. */
const rootsOf = ({ filter, share }: Subscription): ReadonlyArray<string> =>
  share !== null ? ['$share', share.group] : [filter.startsWith('$SYS') ? '$SYS' : '']

const write = (lines: Array<string>, at: Node, depth: number): void => {
  for (const [level, child] of at.children) {
    const clients = child.clients.length === 0 ? '' : ` ${child.clients.join(' ')}`
    lines.push(`${'  '.repeat(depth + 2)}${harmless(level)}${clients}`)
    write(lines, child, depth + 1)
  }
}

/** Lines with line ends; empty where nobody has subscribed. */
export const treeText = (state: State): string => {
  const top = node()
  IntMap.each(state.sessions, (session) => {
    for (const [, subscription] of StrMap.entries(session.subscriptions)) {
      const filter = subscription.share?.filter ?? subscription.filter
      let at = top
      for (const level of [...rootsOf(subscription), ...filter.split('/')]) at = below(at, level)
      at.clients.push(`(${harmless(session.clientId)}, ${subscription.qos})`)
    }
  })
  const lines: Array<string> = []
  write(lines, top, 0)
  return lines.map((line) => `${line}\n`).join('')
}
