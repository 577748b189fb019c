// Properties between the names that MQTT.js has for them and those of the rows.

import { Buffer } from 'node:buffer'
import type { IClientPublishOptions, IConnackPacket } from 'mqtt'
import type { Properties, Told } from './family.ts'

type JsProperties = NonNullable<IClientPublishOptions['properties']>

/** Without what is undefined, which MQTT.js would take for a value. */
export const defined = <A extends object>(all: A): A => JSON.parse(JSON.stringify(all))

/** In the order in which their names first appear; a name with several values has a list. */
const userOf = (pairs: ReadonlyArray<readonly [string, string]>): Record<string, string[]> => {
  const found: Record<string, string[]> = {}
  for (const [name, value] of pairs) (found[name] ??= []).push(value)
  return found
}

export const jsOf = (properties: Properties = {}): JsProperties => {
  const { correlationData, user, payloadFormat } = properties
  return {
    ...defined({
      messageExpiryInterval: properties.expiryS,
      contentType: properties.contentType,
      responseTopic: properties.responseTopic,
      topicAlias: properties.topicAlias,
    }),
    ...(payloadFormat === undefined ? {} : { payloadFormatIndicator: payloadFormat === 1 }),
    ...(correlationData === undefined ? {} : { correlationData: Buffer.from(correlationData) }),
    ...(user === undefined ? {} : { userProperties: userOf(user) }),
  } as JsProperties
}

const listOf = <A>(value: A | A[]): A[] => Array.isArray(value) ? value : [value]

export const propertiesOf = (found: JsProperties = {}): Properties => ({
  payloadFormat: found.payloadFormatIndicator === undefined
    ? undefined
    : Number(found.payloadFormatIndicator),
  expiryS: found.messageExpiryInterval,
  contentType: found.contentType,
  responseTopic: found.responseTopic,
  correlationData: found.correlationData?.toString(),
  user: found.userProperties === undefined ? undefined : Object.entries(found.userProperties)
    .flatMap(([name, values]) => listOf(values).map((value) => [name, value] as const)),
  topicAlias: found.topicAlias,
  subscriptionIds: found.subscriptionIdentifier === undefined
    ? undefined
    : listOf(found.subscriptionIdentifier),
})

export const toldOf = ({ sessionPresent, properties: found = {} }: IConnackPacket): Told => ({
  sessionPresent,
  assignedId: found.assignedClientIdentifier,
  receiveMaximum: found.receiveMaximum,
  maximumQos: found.maximumQoS,
  retainAvailable: found.retainAvailable,
  packetBytesMax: found.maximumPacketSize,
  topicAliasMaximum: found.topicAliasMaximum,
  wildcardAvailable: found.wildcardSubscriptionAvailable,
  subscriptionIdentifiersAvailable: found.subscriptionIdentifiersAvailable,
  sharedAvailable: found.sharedSubscriptionAvailable,
  responseInformation: found.responseInformation,
  serverReference: found.serverReference,
})
