// MQTT 5 properties as a record. A missing property is a missing key, never undefined; the order of
// keys is the order on the wire, both ways.

import type { Bytes } from '../data/bytes.ts'

/** The properties of a packet, or of a will, by the names of MQTT 5; intervals in seconds. */
export interface Properties {
  readonly payloadFormatIndicator?: 0 | 1
  readonly messageExpiryInterval?: number
  readonly contentType?: string
  readonly responseTopic?: string
  readonly correlationData?: Bytes
  /** In PUBLISH towards a client one per matching subscription, in SUBSCRIBE exactly one. */
  readonly subscriptionIdentifiers?: ReadonlyArray<number>
  readonly sessionExpiryInterval?: number
  readonly assignedClientIdentifier?: string
  readonly serverKeepAlive?: number
  readonly authenticationMethod?: string
  readonly authenticationData?: Bytes
  readonly requestProblemInformation?: 0 | 1
  readonly willDelayInterval?: number
  readonly requestResponseInformation?: 0 | 1
  readonly responseInformation?: string
  readonly serverReference?: string
  readonly reasonString?: string
  readonly receiveMaximum?: number
  readonly topicAliasMaximum?: number
  readonly topicAlias?: number
  readonly maximumQos?: 0 | 1
  readonly retainAvailable?: 0 | 1
  readonly userProperties?: ReadonlyArray<readonly [name: string, value: string]>
  readonly maximumPacketSize?: number
  readonly wildcardSubscriptionAvailable?: 0 | 1
  readonly subscriptionIdentifierAvailable?: 0 | 1
  readonly sharedSubscriptionAvailable?: 0 | 1
}

/** The one record without properties; packets that have none share it. */
export const none: Properties = Object.freeze({})
