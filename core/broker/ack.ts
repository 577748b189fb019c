// Acknowledgements from a subscriber: PUBACK, PUBREC and PUBCOMP move an exchange on or end it, and
// every end makes room for the next message.

import { type Fault, fault } from '../codec/fault.ts'
import type { Puback, Pubcomp, Pubrec } from '../codec/packet.ts'
import { none } from '../codec/properties.ts'
import { PACKET_IDENTIFIER_NOT_FOUND, PROTOCOL_ERROR } from '../codec/reason-code.ts'
import * as IntMap from '../data/int-map.ts'
import * as Window from '../data/window.ts'
import { drain, release } from './deliver.ts'
import { type Draft, editSession } from './draft.ts'
import { noteGone } from './journal.ts'
import type { Outgoing, Ready, Session } from './state.ts'
import { tell } from './tell.ts'

const REFUSED = 0x80

const wrong = (what: string): Fault =>
  fault(
    PROTOCOL_ERROR,
    'MQTT-4.13.1-1',
    `${what} that does not fit the message with its identifier`,
  )

const finish = (draft: Draft, session: Session, packetId: number, outgoing: Outgoing): void => {
  const editable = editSession(draft, session)
  editable.window = Window.remove(editable.window, draft.owner, packetId)
  noteGone(draft, editable, outgoing)
  if (outgoing.stage === 'waiting') editable.waitingCount--
  else if (outgoing.stage !== 'released') editable.inflightBytes -= outgoing.message.bytes
  drain(draft, editable)
}

/** An identifier that is not in use is ignored: an answer may cross a message's end. */
export const puback = (draft: Draft, ready: Ready, packet: Puback): Fault | null => {
  const session = IntMap.get(draft.sessions, ready.session)!
  const outgoing = Window.get(session.window, packet.packetId)
  if (outgoing === undefined) return null
  if (outgoing.terms.qos !== 1) return wrong('a PUBACK')
  // Whatever its reason code [MQTT-4.3.2-3] [MQTT-4.4.0-2] [v3 MQTT-4.3.2-1].
  finish(draft, session, packet.packetId, outgoing)
  return null
}

/** The client has a QoS 2 message, or refuses it: its identifier is released, or free. */
export const pubrec = (draft: Draft, ready: Ready, packet: Pubrec): Fault | null => {
  const { packetId } = packet
  const session = IntMap.get(draft.sessions, ready.session)!
  const outgoing = Window.get(session.window, packetId)
  if (outgoing === undefined) {
    if (packet.reason < REFUSED) {
      const reason = ready.level === 5 ? PACKET_IDENTIFIER_NOT_FOUND : 0
      tell(draft, session, { _tag: 'Pubrel', packetId, reason, properties: none })
    }
    return null
  }
  if (outgoing.terms.qos !== 2) return wrong('a PUBREC')
  if (packet.reason >= REFUSED) { // [MQTT-4.3.3-4] [MQTT-4.4.0-2]: the exchange ends here
    finish(draft, session, packetId, outgoing)
    return null
  }
  if (outgoing.stage !== 'released') {
    const editable = editSession(draft, session)
    if (outgoing.stage === 'waiting') editable.waitingCount--
    else editable.inflightBytes -= outgoing.message.bytes
    // The message goes: it is not sent again [MQTT-4.3.3-3] [MQTT-4.3.3-6] [v3 MQTT-4.3.3-1].
    release(draft, editable, packetId, outgoing)
  }
  // At once, so in the order of the PUBRECs [MQTT-2.2.1-5] [MQTT-3.6.2-2] [MQTT-3.6.2-3]
  // [v3 MQTT-2.3.1-6] [v3 MQTT-4.3.3-1] [v3 MQTT-4.6.0-4].
  tell(draft, session, { _tag: 'Pubrel', packetId, reason: 0, properties: none })
  return null
}

/** The exchange of a QoS 2 message is over. */
export const pubcomp = (draft: Draft, ready: Ready, packet: Pubcomp): Fault | null => {
  const session = IntMap.get(draft.sessions, ready.session)!
  const outgoing = Window.get(session.window, packet.packetId)
  if (outgoing === undefined) return null
  if (outgoing.stage !== 'released') return wrong('a PUBCOMP') // so it is of QoS 2
  finish(draft, session, packet.packetId, outgoing) // [MQTT-4.3.3-5] [v3 MQTT-4.3.3-1]
  return null
}
