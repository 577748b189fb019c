// The rows of the table of clients: every feature with every family and level that can speak it.

import { commonPlays } from './common-plays.ts'
import { announced, connectPlays } from './connect-plays.ts'
import { keepAliveS, patienceMs } from './family.ts'
import type { Family } from './family.ts'
import { clientName, featureTable } from './features.ts'
import type { Feature, FeatureName } from './features.ts'
import { fivePlays } from './five-plays.ts'
import type { Row } from './row.ts'
import type { StartOptions } from './subject.ts'
import { Tools } from './tools.ts'
import type { Play } from './tools.ts'

const plays: { readonly [feature in FeatureName]: Play } = {
  ...commonPlays,
  ...connectPlays,
  ...fivePlays,
}

/**
 * Whoever listens to # beside the other rows has megabytes to read, and at QoS 0 the broker rightly
 * drops what a slow reader does not take.
 */
const solitary: FeatureName = 'wildcards, the parent of #, $ kept out'

/** Features with a broker that is configured for them. */
const configured: { readonly [feature in FeatureName]?: StartOptions } = {
  'user name and password': { settings: { passwords: { user: 'pencil' } } },
  'reason codes in SUBACK': {
    settings: { config: { maximumQos: 1, subscriptionsPerSessionMax: 1 } },
  },
  'a reason string in DISCONNECT': { settings: { config: { reasonStrings: true } } },
  'what CONNACK announces': {
    settings: { config: { ...announced, responseInformation: 'answers' } },
  },
  'being sent to another server': {
    settings: { config: { redirect: 'use another server', serverReference: 'other.example:1883' } },
  },
  'server keep alive': { settings: { config: { keepAliveMaxS: keepAliveS } } },
  'enhanced authentication': { settings: { users: { user: 'pencil' } } },
}

/** In what mosquitto 2.0 is different, with all of its clients. */
const different: { readonly [feature in FeatureName]?: string } = {
  'subscription identifiers of overlapping subscriptions': 'one identifier only',
  'topic aliases towards the client': 'it uses none',
  'the reason of DISCONNECT from the broker': 'it closes without DISCONNECT',
  'two hundred messages in order at each QoS, and a large one':
    'mosquitto_sub at times ends with a protocol error',
}

const brokerOf = (name: FeatureName): Pick<Row, 'alone' | 'on' | 'differs'> => {
  if (name === solitary) return { alone: {} }
  const on = configured[name]
  if (on !== undefined) return { on, differs: 'mosquitto reads its configuration from a file' }
  const differs = different[name]
  return differs === undefined ? {} : { differs }
}

export const playNames: ReadonlyArray<string> = Object.keys(plays)

const rowsOf = (name: FeatureName, { levels, cannot }: Feature, family: Family): Row[] => {
  if (cannot?.[family.name] !== undefined) return []
  return levels.map((level): Row => ({
    name: `${name} (${clientName(family.name, level)})`,
    client: clientName(family.name, level),
    // More than one wait may take, so that it is the wait that fails.
    patienceMs: 3 * patienceMs,
    ...brokerOf(name),
    play: (stage) => plays[name](stage, new Tools(stage, family, level)),
  }))
}

export const clientRows = (families: ReadonlyArray<Family>): ReadonlyArray<Row> =>
  families.flatMap((family) =>
    featureTable.flatMap(([name, feature]) => rowsOf(name, feature, family))
  )
