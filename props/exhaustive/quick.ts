// The quick searches, for a process of its own: prints the first law that is broken and how it came
// to that, or nothing.

import { search, told } from './search.ts'
import { quick } from './setting.ts'

for (const setting of quick) {
  const { finding } = search(setting)
  if (finding === null) continue
  console.log(`${setting.name}\n${told(finding)}`)
  break
}
