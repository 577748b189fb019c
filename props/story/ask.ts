// A story as the inputs of a broker, for questions about it.

import * as assert from 'uvu/assert'
import type { Acl } from '../../core/broker/acl.ts'
import type { Input } from '../../core/broker/input.ts'
import type { State } from '../../core/broker/state.ts'
import { parseAcl } from '../../core/config/acl-file.ts'
import { initial, run } from '../../core/mod.ts'
import { E } from '../../core/prelude.ts'
import { play } from '../../core/trace/play.ts'
import { parseStory, usualOrigin } from '../../core/trace/story.ts'

const listOf = (text: string): Acl => {
  const file = parseAcl('/etc/mosquitto/acl', text)
  assert.ok(E.isRight(file))
  return file.right.acl
}

/**
 * The inputs of a story from a stanza on, and the broker as it is there; `files` are the access
 * lists that are read at the start and then.
 */
export const inputsOf = (
  story: string,
  files: ReadonlyArray<string> = [],
  stanza = 0,
): { readonly state: State; readonly inputs: ReadonlyArray<Input> } => {
  const body = story.replaceAll(/^ {4}/gm, '').trim()
  const text = `# A story.\n${body.startsWith('config') ? '' : '\n'}${body}\n`
  const parsed = parseStory(text, 'story')
  assert.ok(E.isRight(parsed), E.isLeft(parsed) ? JSON.stringify(parsed.left) : '')
  const told = parsed.right
  const played = play(told, 'story')
  assert.ok(E.isRight(played), E.isLeft(played) ? played.left : '')
  const inputsIn = (from: number, to?: number): ReadonlyArray<Input> =>
    played.right.stanzas.slice(from, to).flatMap(({ lines }) => lines.flatMap((one) => one.inputs))
  const [first, ...later] = files.map(listOf)
  const config = first === undefined ? told.config : { ...told.config, acl: first }
  const reload = (input: Input): Input => {
    const next = input._tag === 'Reconfigured' ? later.shift() : undefined
    return input._tag === 'Reconfigured' && next !== undefined
      ? { ...input, config: { ...input.config, acl: next } }
      : input
  }
  const fresh = initial(config, told.origin ?? usualOrigin)
  const [state] = run(fresh, inputsIn(0, stanza).map(reload))
  return { state, inputs: inputsIn(stanza).map(reload) }
}
