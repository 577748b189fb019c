// Every option of mosquitto 2.1 and those that are ours, in the order of the documentation.

import type { Option } from './option.ts'
import { access } from './table-access.ts'
import { bridges } from './table-bridge.ts'
import { limits } from './table-limits.ts'
import { listeners, plugins, tls } from './table-listener.ts'
import { gone, logging, persistence } from './table-running.ts'

export const table: ReadonlyArray<Option> = [
  ...access,
  ...limits,
  ...persistence,
  ...logging,
  ...plugins,
  ...listeners,
  ...tls,
  ...bridges,
  ...gone,
]

const byName = new Map<string, Option>()
for (const option of table) {
  for (const name of [option.name, ...option.aliases]) byName.set(name, option)
}

/** The option of this name, or of this older name. */
export const optionOf = (name: string): Option | undefined => byName.get(name)

/** All names, older ones too. */
export const optionNames: ReadonlyArray<string> = [...byName.keys()]
