// From what an operator asked for to what the machine needs.

import type { Acl } from '../broker/acl.ts'
import { defaults } from '../broker/config.ts'
import type { Config, ListenerRules } from '../broker/config.ts'
import type { ListenerSettings, Settings } from './settings.ts'

const never = 0xffffffff
const receiveMaximumMax = 65_535

/** Access lists by the path of their file, as the settings have it. */
export type Acls = ReadonlyMap<string, Acl>

const noAcls: Acls = new Map()

/** What an access list comes to that was not read. */
const nothing: Acl = { anonymous: [], users: [], patterns: [] }

const aclOf = (file: string | null, acls: Acls): Acl | null =>
  file === null ? null : acls.get(file) ?? nothing

/**
 * Whose listener is gone, a session that is away or the publisher of what is retained, has the
 * access list that all listeners share. Where they do not agree in one nothing is allowed: nobody
 * gains by a listener that is taken away.
 */
const commonAcl = (listeners: ReadonlyArray<ListenerSettings>, acls: Acls): Acl | null => {
  const [first] = listeners
  return first !== undefined && listeners.every(({ aclFile }) => aclFile === first.aclFile)
    ? aclOf(first.aclFile, acls)
    : nothing
}

/** The rules of a listener; an access list that is not in `acls` allows nothing. */
const listenerRules = (listener: ListenerSettings, acls: Acls = noAcls): ListenerRules => ({
  // Whoever may not come in without a password is asked for one, also where nobody has any.
  authentication: listener.anonymous && listener.passwordFile === null ? 'none' : 'judge',
  listenerConnectionsMax: listener.connectionsMax ?? defaults.listenerConnectionsMax,
  protocolLevels: listener.levels,
  mountPoint: listener.mountPoint ?? '',
  emptyClientIds: listener.zeroLengthClientId,
  autoIdPrefix: listener.autoIdPrefix,
  allowAnonymous: listener.anonymous,
  userNameAsClientId: listener.usernameAsClientId,
  acl: aclOf(listener.aclFile, acls),
  denySpecialChars: listener.denySpecialChars,
  topicAliasMaximum: listener.topicAliasMaximum,
  outgoingTopicAliasMax: listener.outgoingTopicAliasMax,
  maximumQos: listener.maximumQos,
})

/**
 * What of the machine's configuration the settings decide. `persistence` is not in it nor, where
 * the settings have no limit, `connectionsMax`: these the shell knows. An access list that is not
 * in `acls` allows nothing.
 */
export const brokerConfig = (settings: Settings, acls: Acls = noAcls): Partial<Config> => {
  const { inflightCountMax, packetBytesMax, sessionExpiryMaxS, connectionsMax } = settings
  // mosquitto takes as many as it sends.
  const receiveMaximum = inflightCountMax === 0 ? receiveMaximumMax : inflightCountMax
  return {
    // A listener that nobody named would be a fault of ours: it lets nobody in without asking.
    authentication: 'judge',
    allowAnonymous: false,
    acl: commonAcl(settings.listeners, acls),
    denySpecialChars: settings.listeners.some((one) => one.denySpecialChars),
    listeners: settings.listeners.map((one) => [one.name, listenerRules(one, acls)]),
    clientIdPrefix: settings.clientIdPrefix,
    checkRetainSource: settings.checkRetainSource,
    inflightCountMax,
    inflightBytesMax: settings.inflightBytesMax,
    receiveMaximum,
    // No client is turned away for what its CONNACK allowed.
    incomingCountMax: Math.max(defaults.incomingCountMax, receiveMaximum),
    incomingBytesMax: Math.max(defaults.incomingBytesMax, receiveMaximum * packetBytesMax),
    queuedCountMax: settings.queuedCountMax,
    queuedBytesMax: settings.queuedBytesMax,
    packetBytesMax,
    connectPacketBytesMax: Math.min(defaults.connectPacketBytesMax, packetBytesMax),
    payloadBytesMax: settings.payloadBytesMax,
    keepAliveMaxS: settings.keepAliveMaxS,
    sessionsMax: settings.sessionsMax ?? Number.MAX_SAFE_INTEGER,
    ...(connectionsMax === null ? {} : { connectionsMax }),
    queueQos0: settings.queueQos0,
    upgradeOutgoingQos: settings.upgradeOutgoingQos,
    allowDuplicateMessages: settings.allowDuplicateMessages,
    retainAvailable: settings.retainAvailable,
    retainedExpiryMs: settings.retainExpiryS * 1000,
    sessionExpiryMaxS: sessionExpiryMaxS ?? never,
    sharedOrder: settings.sharedOrder,
    sharedOffline: settings.sharedOffline,
    sysIntervalMs: settings.sysIntervalS * 1000,
    reasonStrings: settings.reasonStrings,
    connectTimeoutMs: settings.connectTimeoutMs,
    stalledMs: settings.stalledMs,
    connectionsPerAddressMax: settings.connectionsPerAddressMax,
    connectionRatePerAddress: settings.connectionRatePerAddress,
    connectionBurstPerAddress: settings.connectionBurstPerAddress,
    subscriptionsPerSessionMax: settings.subscriptionsPerSessionMax,
    retainedCountMax: settings.retainedCountMax,
    retainedBytesMax: settings.retainedBytesMax,
  }
}
