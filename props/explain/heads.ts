// Whether the beginning of an answer is true: who published what when, what became of its release,
// which subscriptions it matched and how long it was retained.

import * as assert from 'uvu/assert'
import type { Account } from './account.ts'
import { since, subsFor } from './day.ts'
import type { Publication } from './publications.ts'
import { counted, escaped, quoted } from './words.ts'

/** Fails where the beginning is not that of the publication. */
export const checkHead = (account: Account, one: Publication, head: string): void => {
  const { topic, mountPoint, by, clientId, at, qos, packetId, retain, bytes } = one
  const who = by === 'broker'
    ? 'by the broker itself'
    : `${by === 'will' ? 'as the will of' : 'by'} ${quoted(clientId!)}`
  const mounted = mountPoint === ''
    ? ''
    : `, for whom it is ${quoted(topic.slice(mountPoint.length))} (mount_point ${mountPoint}),`
  const id = by === 'client' && packetId > 0 ? ` and packet id ${packetId}` : ''
  const words = [
    `${quoted(topic)} was published at ${
      since(account.day, at)
    } ${who}${mounted} with QoS ${qos}${id}` +
    `${retain ? ', to be retained' : ''}: ${counted(bytes, 'byte')}.`,
  ]
  if (one.held !== null) {
    words.push(one.held)
    account.tally.add(one.held.replace(/(: | at )\d.*|: at .*|Its publisher /gs, ''))
  }
  if (one.again > 0) {
    account.tally.add('came again')
    words.push(`Before that it came again ${one.again === 1 ? 'once' : `${one.again} times`}.`)
  }
  const rest = afterHead(account, one)
  const start = words.join(' ')
  assert.ok(head.startsWith(start), `${start}\nbut was told\n${head}`)
  const more = head.slice(start.length)
  if (one.refused !== null) {
    const found = /^ It went to nobody: (.*)\.$/s.exec(more)
    assert.ok(found !== null && one.refused.test(found[1]!), `${one.refused}\nin\n${head}`)
    account.tally.add('went to nobody')
    return
  }
  assert.ok(rest.test(more), `${rest}\nin\n${head}`)
}

/** So many subscriptions are named, in order of their names. */
const shownMax = 20

/** What there is to say once it was routed. */
const afterHead = (account: Account, one: Publication): RegExp => {
  const words: Array<string> = []
  if (one.routed !== null && !one.isHeld) {
    const matched = [...one.routed.before.values()].flatMap((session) =>
      subsFor(session, one.topic).map(({ filter, qos }) =>
        `${quoted(filter)} of ${quoted(session.clientId)} with QoS ${qos}`
      )
    )
    const more = matched.length > shownMax ? ` and ${matched.length - shownMax} more` : ''
    words.push(
      matched.length === 0
        ? 'It matched no subscription.'
        : `It matched ${matched.sort().slice(0, shownMax).join(', ')}${more}.`,
    )
    account.tally.add(matched.length === 0 ? 'matched nobody' : 'matched')
  }
  // Nothing is said of what was retained for no time at all.
  if (
    one.retained !== null && one.retained.until !== null &&
    one.retained.until.index > one.retained.from.index
  ) {
    const { until, why } = one.retained
    words.push(`It was retained until ${since(account.day, until.at)}, ${why}.`)
    account.tally.add(why)
  }
  const text = words.map((some) => ` ${some}`).join('')
  const pattern = escaped(text)
  const isLost = one.retain && one.retained === null && one.routed !== null && one.bytes > 0
  return new RegExp(`^${pattern}${isLost ? ' It was not retained: .+\\.' : ''}$`, 's')
}
