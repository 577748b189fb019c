// What of a capture could not be read, in sentences, and which port was taken for the broker's.

import type { Comparison } from './compare.ts'
import type { CaptureFile } from './file.ts'
import type { Reenactment } from './reenact.ts'
import type { Conversation, Tap, Trouble } from './tap.ts'
import { plural, seconds } from '../words.ts'

const troublesMax = 50
const oldersMax = 5

/** The first of them, and how many more there are. */
export const few = (
  lines: ReadonlyArray<string>,
  max: number,
  what: string,
): ReadonlyArray<string> =>
  lines.length <= max
    ? lines
    : [...lines.slice(0, max), `... and ${lines.length - max} more ${what}.`]

/** Ports with the number of CONNECTs that went there, most first. */
export type Connects = ReadonlyArray<readonly [port: number, connects: number]>

/** How the port was found out; `asked` is what somebody wanted. */
export const portText = (port: number, asked: number | null, connects: Connects): string => {
  if (asked !== null) return `The broker's port is ${port}, as asked for.`
  const [first, ...others] = connects
  if (first === undefined) {
    return `No CONNECT was found; the broker's port is taken to be ${port}.`
  }
  const rest = others.slice(0, 5).map(([other, count]) => `${other} (${count})`).join(', ')
  return `The broker's port is taken to be ${port}, where ${plural(first[1], 'CONNECT')} went` +
    (rest === '' ? '.' : `; others went to ${rest}: --port N is for these.`)
}

const cutText = 'the capture keeps only the beginnings of packets: tcpdump -s 0'

/** `clientId` is quoted; null where it is not known. */
const troubleText = (
  { client }: Conversation,
  trouble: Trouble | 'no answer',
  clientId: string | null,
  beganMs: number,
): string => {
  const who = `The connection of ${client.address}:${client.port}` +
    (clientId === null || clientId.startsWith('the client') ? '' : ` (client ${clientId})`)
  switch (trouble) {
    case 'encrypted':
      return `${who} is encrypted (TLS): without the keys of the session it cannot be read.`
    case 'web socket':
      return `${who} is WebSocket, which is not read yet.`
    case 'proxied':
      return `${who} begins with a header of the PROXY protocol, which is not read: it was ` +
        'captured between a proxy and the broker.'
    case 'no connect':
      return `${who} begins in the middle: its CONNECT is not in the capture, and what follows ` +
        'cannot be understood.'
    case 'no answer':
      return `${who} has no answer to its CONNECT in the capture: whether it was let in is not ` +
        'known, and what it did then is left out (a configuration that asks nobody lets it in).'
  }
  const { of, hole } = trouble
  const why = hole.isCut ? ` (${cutText})` : ''
  return `${who} is incomplete from ${seconds(hole.atMs - beganMs)} on: ` +
    `${plural(hole.bytes, 'byte')} of the ${of} ${
      hole.bytes === 1 ? 'is' : 'are'
    } missing${why}; ` +
    'what follows is left out.'
}

/** All that could not be read, once there is no more of it. */
export const troublesOf = (
  tap: Tap,
  { breach, packetCount }: CaptureFile,
  reenactment: Reenactment | null,
  beganMs: number,
): ReadonlyArray<string> => {
  const troubles = tap.conversations.flatMap((one) => {
    const { id } = one
    const clientId = reenactment?.comparison.clientOf(id) ?? null
    const unjudged = reenactment?.unjudged.has(id) ? ['no answer' as const] : []
    return [...one.troubles, ...unjudged]
      .map((trouble) => troubleText(one, trouble, clientId, beganMs))
  })
  const lines = [...few(troubles, troublesMax, 'connections')]
  for (const [link, count] of tap.unknownLinks) {
    lines.push(`${plural(count, 'packet')} of link type ${link} could not be read.`)
  }
  if (tap.fragments > 0) {
    lines.push(
      tap.fragments === 1
        ? '1 fragment of an IP packet was left out.'
        : `${tap.fragments} fragments of IP packets were left out.`,
    )
  }
  if (tap.cutCount > 0) {
    lines.push(
      `${plural(tap.cutCount, 'IP packet')} had no room for all of the headers of TCP ` +
        `(${cutText}), and nobody knows whose they were.`,
    )
  }
  if (breach !== null) {
    lines.push(
      `The capture can be read up to byte ${breach.offset}, after ` +
        `${plural(packetCount, 'packet')}; there ${breach.why}.`,
    )
  }
  return lines
}

export const wasOf = (number: number): string => number === 1 ? 'was' : 'were'

/** What is from before the capture, or not in it: of all, or of the client of this name. */
export const olderTexts = (
  comparison: Comparison,
  whose: string | null = null,
): ReadonlyArray<string> => {
  const sessions = comparison.older().filter(([name]) => whose === null || name === whose)
  const kept = comparison.keptCount(whose)
  const elsewhere = comparison.elsewhereCount(whose)
  const shared = comparison.sharedCount(whose)
  return [
    ...few(
      sessions.map(([name, count, isSaid]) =>
        `The session of ${name} ${isSaid ? 'began' : 'may have begun'} before the capture, and ` +
        `what it had then is not known: ${count} ${
          count === 1 ? 'message or answer was' : 'messages and answers were'
        } not compared.`
      ),
      oldersMax,
      'sessions',
    ),
    ...(kept === 0 ? [] : [
      `${plural(kept, 'retained message')} that nobody published in the capture ` +
      `${wasOf(kept)} not compared.`,
    ]),
    ...(elsewhere === 0 ? [] : [
      `${plural(elsewhere, 'message')} ${wasOf(elsewhere)} not compared: nobody published to ` +
      'the topic in the capture, or bytes of who may have are missing.',
    ]),
    ...(shared === 0 ? [] : [
      `${plural(shared, 'message')} of shared groups ${wasOf(shared)} not compared: it is not ` +
      'known who else was in them.',
    ]),
  ]
}

/** Where nobody is to be found; that brokers with TLS are on other ports than usual is usual. */
export const nobodyText = (port: number, { encryptedPorts }: Tap): string =>
  `Nobody connects to port ${port} in this capture: --port N names another.` +
  (encryptedPorts.size === 0
    ? ''
    : ` What goes to port ${[...encryptedPorts].join(', ')} is encrypted (TLS): without the keys ` +
      'of the session it cannot be read.')
