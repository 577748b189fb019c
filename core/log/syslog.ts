// Under which numbers syslog knows what is said, and under which topics clients of the broker do.

import type { LogFacility, LogType } from '../config/settings.ts'

/** The severities of RFC 5424, 0 to 7; as mosquitto chooses them. */
export const severityOf = (type: LogType): number => {
  switch (type) {
    case 'error':
      return 3
    case 'warning':
      return 4
    case 'notice':
    case 'subscribe':
    case 'unsubscribe':
      return 5
    case 'information':
      return 6
    case 'debug':
    case 'websockets':
    case 'internal':
      return 7
  }
}

/** The facilities of RFC 5424: 3 is daemon, 16 to 23 are local0 to local7. */
export const facilityNumber = (facility: LogFacility): number =>
  facility === 'daemon' ? 3 : 16 + Number(facility.slice(-1))

const prefix = '$SYS/broker/log/'

const levels: Readonly<Record<LogType, string | null>> = {
  error: 'E',
  warning: 'W',
  notice: 'N',
  information: 'I',
  // About single packets: each that was published would be told in others.
  debug: null,
  subscribe: 'M/subscribe',
  unsubscribe: 'M/unsubscribe',
  websockets: 'WS',
  internal: null,
}

/** Where a line is published; null where it is not, as with mosquitto. */
export const logTopic = (type: LogType): string | null => {
  const level = levels[type]
  return level === null ? null : prefix + level
}

/** Whether the log itself publishes there: nothing is said about that. */
export const ownTopics = (topic: string): boolean =>
  topic.charCodeAt(0) === 0x24 /* $ */ && topic.startsWith(prefix)
