// The page on replaying: its commands print what stands below them. UPDATE=1 writes it anew.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { playRecording } from '../shells/cli/replay.ts'
import { shrinkRecording } from '../shells/cli/shrink.ts'
import { version } from '../shells/common/version.ts'
import { root } from './runtimes.ts'

const page = suite('replaying')

const path = join(root, 'core/trace/REPLAYING.md')

/** What a command prints, on both of its streams. */
const answer = async (command: string): Promise<string> => {
  const [program, name, ...words] = command.split(' ')
  assert.is(program, 'sabethes')
  const at = words.indexOf('>')
  const mine = at < 0 ? words : words.slice(0, at)
  let printed = ''
  let said = ''
  const mouth = {
    say: (text: string) => {
      said += text
      printed += text
    },
    complain: (text: string) => printed += text,
  }
  if (name === 'replay') await playRecording(mouth, mine)
  else await shrinkRecording(mouth, mine)
  if (at >= 0) writeFileSync(words[at + 1]!, said)
  // So that the page does not grow old with every version.
  return printed.replaceAll(`sabethes ${version}`, 'sabethes 1.0.0')
}

const filePattern = /<!-- file: (\S+) -->\n\n```text\n([^]*?)```\n/g
const runPattern = /(<!-- run[^\n]*-->\n\n```sh\n)([^\n]+)(\n```\n\n```text\n)[^]*?(```\n)/g

page('each command prints what stands below it', async () => {
  const text = readFileSync(path, 'utf8')
  const folder = mkdtempSync(join(tmpdir(), 'sabethes-replaying-'))
  const before = process.cwd()
  process.chdir(folder)
  try {
    for (const [, name, content] of text.matchAll(filePattern)) writeFileSync(name!, content!)
    let wanted = ''
    let end = 0
    let count = 0
    for (const found of text.matchAll(runPattern)) {
      const [whole, head, command, middle, tail] = found
      wanted += text.slice(end, found.index) + head + command + middle + await answer(command!) +
        tail
      end = found.index + whole.length
      count += 1
    }
    wanted += text.slice(end)
    assert.is(count, 9)
    if (process.env['UPDATE'] === '1') writeFileSync(path, wanted)
    assert.is(readFileSync(path, 'utf8'), wanted, 'run UPDATE=1 npx tsx props/replaying.test.ts')
  } finally {
    process.chdir(before)
    rmSync(folder, { recursive: true })
  }
})

page.run()
