// The words behind `sabethes replay`.

import { E } from '../prelude.ts'
import type { Either } from '../prelude.ts'
import { isTopicFilter } from '../topic/filter.ts'
import type { TopicFilter } from '../topic/filter.ts'
import { optionsOf, unknownOption } from './words.ts'

/** What of a replay is wanted. Times are as they were written, null for the two ends. */
export interface ReplayWish {
  readonly file: string
  readonly from: string | null
  readonly until: string | null
  /** Only what this client says and is told; null for all. */
  readonly client: string | null
  /** Only messages on topics that this filter matches; null for all packets. */
  readonly topic: TopicFilter | null
  /** Whether it waits for a line of standard input after each run. */
  readonly step: boolean
  /** Whether only what it comes to is said. */
  readonly quiet: boolean
  /** A configuration file under which it is played as well, null for none. */
  readonly config: string | null
  /** Whether it is printed as a story instead. */
  readonly toStory: boolean
  /** A file to write it to as a recording instead, null for none. */
  readonly toRecording: string | null
  /** The broker's port in a capture; null where that is to be found out. */
  readonly port: number | null
  /** The file of a capture that a recording is written to; null for none. */
  readonly toPcapng: string | null
}

export const replayHelp = `Usage: sabethes replay FILE [options]

Plays a recording of trace_file or --trace to the broker, prints what happened, and checks that it
is what happened on the day. FILE may be gzipped.

 --from TIME        print from then on: seconds since the recording began, as 12.5,
                    or a time as 2026-11-29T07:00:00Z.
 --until TIME       end then.
 --client ID        only what this client says and is told.
 --topic FILTER     only messages on topics that the filter matches, and those that were
                    dropped or denied.
 --step             after each run that is printed wait for a line: n for the next,
                    b for the one before, 12 or -12 for so many, s for the broker
                    before this run, q for the end.
 -q, --quiet        print only what it comes to.
 --config FILE      play it under this configuration too, and print what clients
                    see otherwise: - as recorded, + under the new one.
                    --client, --topic and --from say of whom and of what.
 --to-pcapng OUT    write all of it, up to --until, to a capture for Wireshark and
                    print only what it comes to.

FILE may also be a story (its first line begins with #): it is played, and what is written below
each ---- is compared with what the broker does. What is told can be cut out and kept:

 --to-story         print it as a story instead: what --client and --topic have to do
                    with, between --from and --until.
 --to-recording OUT write the same to this file, as a recording.

FILE may also be a capture of tcpdump or Wireshark (pcap or pcapng): what clients sent is played to
a new broker, and what the captured broker answered is compared with what this one does, or, with
--to-story and --to-recording, what this one does is kept. There

 --port N           the captured broker's port (else that of most CONNECTs, or 1883).
 --config FILE      the configuration that it is played under.

Status 0: all is as it was; 1: something differs; 2: the recording ends or breaks off before its
last line, or something of the capture could not be read (all else was played).
`

interface Draft {
  file: string | null
  from: string | null
  until: string | null
  client: string | null
  topic: TopicFilter | null
  step: boolean
  quiet: boolean
  config: string | null
  port: number | null
  toPcapng: string | null
  toStory: boolean
  toRecording: string | null
}

const take = (draft: Draft, name: string, value: string | undefined): string | null => {
  switch (name) {
    case '--from':
    case '--until':
      if (!value) return `${name} wants a time: seconds as 12.5, or 2026-11-29T07:00:00Z.`
      if (name === '--from') draft.from = value
      else draft.until = value
      return null
    case '--client':
      if (value === undefined) return `${name} wants a client identifier.`
      draft.client = value
      return null
    case '--topic':
      if (value === undefined || !isTopicFilter(value)) return `${name} wants a topic filter.`
      draft.topic = value
      return null
    case '--config':
      if (!value) return `${name} wants the name of a configuration file.`
      draft.config = value
      return null
    case '--to-pcapng':
      if (!value) return `${name} wants the name of a file to write.`
      draft.toPcapng = value
      return null
    case '--to-recording':
      if (!value) return `${name} wants the name of a file.`
      draft.toRecording = value
      return null
    case '--port':
      if (value === undefined || !/^[0-9]{1,5}$/.test(value) || Number(value) > 65_535) {
        return '--port wants a number up to 65535.'
      }
      draft.port = Number(value)
      return null
  }
  if (name.startsWith('-')) {
    return unknownOption(name, optionsOf(replayHelp), 'sabethes replay --help')
  }
  if (draft.file !== null) return 'replay plays one file.'
  draft.file = name
  return null
}

/** Options of which one would have to be passed over, or that leave nothing. */
const conflictOf = (draft: Draft): string | null => {
  const { toPcapng, toStory, toRecording, from, client, topic, step } = draft
  const told = toStory ? '--to-story' : toRecording !== null ? '--to-recording' : null
  if (told !== null && step) return `--step is for what is printed, and not for ${told}.`
  if (toPcapng === null) return null
  if (told !== null) return `--to-pcapng and ${told} are two commands.`
  return from !== null || client !== null || topic !== null
    ? '--to-pcapng writes all of it, up to --until: cut a part out with --to-recording first.'
    : null
}

/** Null: the page of help was asked for. Left: what makes no sense. */
export const replayWish = (words: ReadonlyArray<string>): Either<string, ReplayWish | null> => {
  const draft: Draft = {
    file: null,
    from: null,
    until: null,
    client: null,
    topic: null,
    step: false,
    quiet: false,
    config: null,
    port: null,
    toPcapng: null,
    toStory: false,
    toRecording: null,
  }
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!
    if (word === '--help' || word === '-h') return E.right(null)
    if (word === '--step') draft.step = true
    else if (word === '--to-story') draft.toStory = true
    else if (word === '-q' || word === '--quiet') draft.quiet = true
    else {
      const isLong = word.startsWith('--')
      const wrong = take(draft, word, isLong ? words[i + 1] : undefined)
      if (wrong !== null) return E.left(wrong)
      if (isLong) i += 1
    }
  }
  const { file } = draft
  if (file === null) return E.left('replay wants the file of a recording: sabethes replay FILE.')
  const conflict = conflictOf(draft)
  return conflict === null ? E.right({ ...draft, file }) : E.left(conflict)
}
