// The rows of the table of clients: every feature with every family and level that can speak it.

import { commonPlays } from './common-plays.ts'
import type { Family } from './family.ts'
import { clientName, featureTable } from './features.ts'
import type { Feature, FeatureName } from './features.ts'
import { fivePlays } from './five-plays.ts'
import type { Row } from './row.ts'
import type { StartOptions } from './subject.ts'
import { Tools } from './tools.ts'
import type { Play } from './tools.ts'

const plays: { readonly [feature in FeatureName]: Play } = { ...commonPlays, ...fivePlays }

/** What some features need of a broker of their own. */
const brokers: { readonly [feature in FeatureName]?: StartOptions } = {
  'reason codes in SUBACK': {
    settings: { config: { maximumQos: 1, subscriptionsPerSessionMax: 1 } },
  },
  'server keep alive': { settings: { config: { keepAliveMaxS: 1 } } },
  'enhanced authentication': { settings: { users: { user: 'pencil' } } },
}

const rowsOf = (name: FeatureName, { levels, cannot }: Feature, family: Family): Row[] => {
  const alone = brokers[name]
  if (cannot?.[family.name] !== undefined) return []
  return levels.map((level): Row => ({
    name: `${name} (${clientName(family.name, level)})`,
    client: clientName(family.name, level),
    ...(alone === undefined
      ? {}
      : { alone, differs: 'mosquitto reads its configuration from a file' }),
    play: (stage) => plays[name](stage, new Tools(stage, family, level)),
  }))
}

export const clientRows = (families: ReadonlyArray<Family>): ReadonlyArray<Row> =>
  families.flatMap((family) =>
    featureTable.flatMap(([name, feature]) => rowsOf(name, feature, family))
  )
