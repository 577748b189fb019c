// A recording, a story or a capture, read as a whole: the broker that it begins with, and all that
// it was told.

import { rmSync, writeFileSync } from 'node:fs'
import type { Config } from '../../core/broker/config.ts'
import { defaults } from '../../core/broker/config.ts'
import type { Input } from '../../core/broker/input.ts'
import type { State } from '../../core/broker/state.ts'
import { initial } from '../../core/broker/state.ts'
import { run } from '../../core/broker/step.ts'
import { E } from '../../core/prelude.ts'
import type { Either } from '../../core/prelude.ts'
import { CaptureFile } from '../../core/trace/capture/file.ts'
import { doorOf } from '../../core/trace/capture/listener.ts'
import { kept, Reenactment } from '../../core/trace/capture/reenact.ts'
import { Tap } from '../../core/trace/capture/tap.ts'
import type { Event } from '../../core/trace/capture/tap.ts'
import { nobodyText, troublesOf } from '../../core/trace/capture/trouble.ts'
import { tellStory } from '../../core/trace/golden.ts'
import type { Told } from '../../core/trace/golden.ts'
import { remember } from '../../core/trace/rebuild-owed.ts'
import { brokenText, Replay } from '../../core/trace/replay.ts'
import type { Batch, Found } from '../../core/trace/replay.ts'
import { recordingOf } from '../../core/trace/transcript.ts'
import { parseStory, usualOrigin } from '../../core/trace/story.ts'
import { Span } from '../../core/trace/span.ts'
import type { SpanWish } from '../../core/trace/span.ts'
import { messageOf } from '../common/message.ts'
import { noTapeText } from '../common/tape.ts'
import { version } from '../common/version.ts'
import { portsOf } from './capture.ts'
import type { Given } from './given.ts'
import { lastOf, linesOf, unreadableText } from './lines.ts'
import { create } from '../trace/tapes.ts'

export interface Material {
  readonly title: string
  readonly from: State
  readonly batches: ReadonlyArray<Batch>
  /** What the broker threw at, at the end; else none. */
  readonly fatal: ReadonlyArray<Input>
  /** Why there is no more of it, where that is a sentence; null at its end. */
  readonly broken: string | null
}

// More than this would not fit into anybody's head either.
const inputsMax = 1_000_000
const usualPort = 1883
const storyBytesMax = 64 * 1024 * 1024

export interface ToldStory extends Told {
  readonly title: string
  readonly from: State
}

/** Left: why it cannot be read, or played. */
export const readStory = async (given: Given): Promise<Either<string, ToldStory>> => {
  const { path } = given
  let text: string
  try {
    const parts: Array<Uint8Array> = []
    let size = 0
    for await (const chunk of given.chunks()) {
      size += chunk.length
      if (size > storyBytesMax) return E.left(`${path} is too large for a story.`)
      parts.push(chunk)
    }
    text = Buffer.concat(parts).toString('utf8')
  } catch (error) {
    return E.left(`${path} cannot be read: ${messageOf(error)}`)
  }
  const story = parseStory(text, path)
  if (E.isLeft(story)) return story
  const told = tellStory(story.right, path)
  if (E.isLeft(told)) return told
  const from = initial(story.right.config, story.right.origin ?? usualOrigin)
  return E.right({ ...told.right, title: story.right.title[0] ?? '', from })
}

/** The lines of the recording that a story would have led to. */
export const linesOfStory = ({ from, inputs }: ToldStory): ReadonlyArray<string> =>
  new TextDecoder('latin1').decode(recordingOf(from, inputs, version, run)).split('\n').slice(0, -1)

/** Null, or why it cannot be written. */
export const writeRecording = (
  path: string,
  from: State,
  inputs: ReadonlyArray<Input>,
): string | null => {
  const tape = create(path)
  if (E.isLeft(tape)) return `${path} cannot be written: ${noTapeText(tape.left)}`
  const failed = tape.right.write(recordingOf(from, inputs, version, run))
  tape.right.close()
  return failed === null ? null : `${path} cannot be written: ${failed}`
}

export const writeStory = (path: string, text: string): string | null => {
  try {
    rmSync(path, { force: true })
    writeFileSync(path, text, { mode: 0o600, flag: 'wx' })
    return null
  } catch (error) {
    return `${path} cannot be written: ${messageOf(error)}`
  }
}

class Gathering {
  title = ''
  from: State | null = null
  batches: Array<Batch> = []
  fatal: ReadonlyArray<Input> = []
  broken: string | null = null
  isOver = false
  private inputs = 0
  private readonly span: Span

  constructor(wish: SpanWish) {
    this.span = new Span(wish)
  }

  take(found: Found): void {
    switch (found._tag) {
      case 'Began': {
        const { head, state } = found
        this.from = state
        this.span.begin(head.at, head.wall)
        this.title = `Recorded by sabethes ${head.version.replace(/[^ -~]/g, '?')}, payloads: ` +
          `${head.payload}.`
        return
      }
      case 'Ran': {
        const { batch } = found
        this.span.hear(batch.inputs)
        if (this.span.isAfter(batch.after.now)) this.isOver = true
        else if (this.span.isBefore(batch.after.now)) {
          this.from = batch.after
          remember(batch.after, batch.effects)
        } else this.add(batch)
        return
      }
      case 'Threw':
        this.fatal = found.inputs
        return
      case 'Broken':
        this.broken = brokenText(found)
        return
      case 'Ended':
        return
    }
  }

  private add(batch: Batch): void {
    this.inputs += batch.inputs.length
    if (this.inputs <= inputsMax) return void this.batches.push(batch)
    this.isOver = true
    this.broken = `Only its first ${inputsMax} inputs were taken: use --from and --until.`
  }
}

/** What a capture is played to: its broker's port, null for that of most CONNECTs. */
export interface Stage {
  readonly port: number | null
  readonly config: Config
}

const gatherCapture = async (
  given: Given,
  gathering: Gathering,
  { port: asked, config }: Stage,
): Promise<Either<string, Material>> => {
  const port = asked ?? (await portsOf(given))[0]?.[0] ?? usualPort
  const file = new CaptureFile()
  const tap = new Tap(port)
  let reenactment: Reenactment | null = null
  let beganMs = 0
  let unreadable: string | null = null
  const take = (by: Reenactment | null, events: ReadonlyArray<Event>): void => {
    for (const event of events) {
      for (const found of by?.take(event) ?? []) gathering.take(kept(found))
    }
  }
  try {
    reading: for await (const chunk of given.chunks()) {
      for (const packet of file.push(chunk)) {
        if (reenactment === null) {
          beganMs = packet.atMs
          reenactment = new Reenactment(config, beganMs, port)
          gathering.take(reenactment.begin(version))
        }
        take(reenactment, tap.packet(packet))
        if (gathering.isOver) break reading
      }
      if (file.breach !== null) break
    }
    if (!gathering.isOver) file.finish()
  } catch (error) {
    unreadable = unreadableText(given.path, messageOf(error), true)
  }
  if (!gathering.isOver) {
    take(reenactment, tap.finish())
    reenactment?.finish(tap.conversations)
  }
  const troubles = [...troublesOf(tap, file, reenactment, beganMs)]
  if (unreadable !== null) troubles.push(unreadable)
  const { from, batches, fatal, broken } = gathering
  if (broken !== null) troubles.push(broken)
  if (from === null || tap.conversations.length === 0) {
    return E.left([...troubles, nobodyText(port, tap)].join('\n'))
  }
  const { why } = doorOf(config, port)
  return E.right({
    title: `A capture (${file.form}), what its clients sent played to sabethes ${version}.` +
      (why === null ? '' : ` ${why}`),
    from,
    batches,
    fatal,
    broken: troubles.length === 0 ? null : troubles.join('\n'),
  })
}

/** `stage` is for captures. Left: it is nothing of the kind. */
export const gather = async (
  given: Given,
  wish: SpanWish,
  stage: Stage = { port: null, config: defaults },
): Promise<Either<string, Material>> => {
  const { path, kind } = given
  const gathering = new Gathering(wish)
  if (kind === 'capture') return gatherCapture(given, gathering, stage)
  const replay = new Replay()
  let unreadable: string | null = null
  let title = ''
  const take = (line: string): void => {
    const found = replay.line(line)
    if (found !== null) gathering.take(found)
  }
  if (kind === 'story') {
    const story = await readStory(given)
    if (E.isLeft(story)) return story
    title = story.right.title
    for (const line of linesOfStory(story.right)) if (!gathering.isOver) take(line)
  } else {
    try {
      reading: for await (const lines of linesOf(given)) {
        for (const line of lines) {
          take(line)
          if (gathering.isOver) break reading
        }
      }
    } catch (error) {
      unreadable = messageOf(error)
    }
  }
  if (!gathering.isOver) {
    for (const found of lastOf(replay, unreadable !== null)) gathering.take(found)
  }
  const { from, batches, fatal, broken } = gathering
  if (from === null) {
    const why = unreadable === null ? broken : unreadableText(path, unreadable, false)
    return E.left(why ?? `${path} is empty.`)
  }
  return E.right({
    title: title === '' ? gathering.title : title,
    from,
    batches,
    fatal,
    broken: unreadable === null ? broken : unreadableText(path, unreadable, true),
  })
}
