// Properties between the names that Paho for Python has for them and those of the rows.

import type { Properties, Told } from './family.ts'

/** Properties by the names that Paho has for them. */
export interface PahoProperties {
  readonly PayloadFormatIndicator?: number | undefined
  readonly MessageExpiryInterval?: number | undefined
  readonly ContentType?: string | undefined
  readonly ResponseTopic?: string | undefined
  readonly CorrelationData?: string | undefined
  readonly UserProperty?: ReadonlyArray<readonly [string, string]> | undefined
  readonly TopicAlias?: number | undefined
  readonly SubscriptionIdentifier?: ReadonlyArray<number> | undefined
  readonly AssignedClientIdentifier?: string | undefined
  readonly ReceiveMaximum?: number | undefined
  readonly MaximumQoS?: number | undefined
  readonly RetainAvailable?: number | undefined
  readonly MaximumPacketSize?: number | undefined
  readonly TopicAliasMaximum?: number | undefined
  readonly WildcardSubscriptionAvailable?: number | undefined
  readonly SubscriptionIdentifierAvailable?: number | undefined
  readonly SharedSubscriptionAvailable?: number | undefined
  readonly ResponseInformation?: string | undefined
  readonly ServerReference?: string | undefined
  readonly ReasonString?: string | undefined
}

export const pahoOf = (properties: Properties = {}): PahoProperties => ({
  PayloadFormatIndicator: properties.payloadFormat,
  MessageExpiryInterval: properties.expiryS,
  ContentType: properties.contentType,
  ResponseTopic: properties.responseTopic,
  CorrelationData: properties.correlationData,
  UserProperty: properties.user,
  TopicAlias: properties.topicAlias,
})

export const propertiesOf = (found: PahoProperties = {}): Properties => ({
  payloadFormat: found.PayloadFormatIndicator,
  expiryS: found.MessageExpiryInterval,
  contentType: found.ContentType,
  responseTopic: found.ResponseTopic,
  correlationData: found.CorrelationData,
  user: found.UserProperty,
  topicAlias: found.TopicAlias,
  subscriptionIds: found.SubscriptionIdentifier,
})

const flagOf = (value: number | undefined): boolean | undefined =>
  value === undefined ? undefined : value === 1

export const toldOf = (present: boolean, found: PahoProperties = {}): Told => ({
  sessionPresent: present,
  assignedId: found.AssignedClientIdentifier,
  receiveMaximum: found.ReceiveMaximum,
  maximumQos: found.MaximumQoS,
  retainAvailable: flagOf(found.RetainAvailable),
  packetBytesMax: found.MaximumPacketSize,
  topicAliasMaximum: found.TopicAliasMaximum,
  wildcardAvailable: flagOf(found.WildcardSubscriptionAvailable),
  subscriptionIdentifiersAvailable: flagOf(found.SubscriptionIdentifierAvailable),
  sharedAvailable: flagOf(found.SharedSubscriptionAvailable),
  responseInformation: found.ResponseInformation,
  serverReference: found.ServerReference,
})
