// The words behind `sabethes explain`.

import { E } from '../prelude.ts'
import type { Either } from '../prelude.ts'
import { isTopicName, whyNoName } from '../topic/name.ts'
import type { TopicName } from '../topic/name.ts'
import { optionsOf, quoted, unknownOption } from './words.ts'

/** What is to be explained. `time` is as it was written: seconds, or a date. */
export interface ExplainWish {
  readonly file: string
  readonly question:
    | {
      readonly _tag: 'Message'
      readonly topic: TopicName
      readonly time: string | null
      readonly client: string | null
    }
    | { readonly _tag: 'Connection'; readonly client: string }
  /** Of a capture, the configuration file that it is played under, null for the defaults. */
  readonly config: string | null
  /** Of a capture, the broker's port; null where that is to be found out. */
  readonly port: number | null
}

export const explainHelp = `Usage: sabethes explain FILE --message TOPIC[@TIME] [--client ID]
       sabethes explain FILE --why-disconnected ID

Answers in sentences from a recording of trace_file or --trace. FILE may be gzipped, a story, or a
capture of tcpdump or Wireshark (pcap or pcapng): then what clients sent is played to a new broker.

 --message TOPIC[@TIME]  what became of the message that was published to the topic:
                         for each client whether it was delivered and when, or why
                         not. TIME is seconds since the recording began, as in
                         12.5, or a time as 2026-11-29T07:00:00Z; the publication
                         nearest to it is told. Without it all are, up to five. A
                         topic that ends like that has an @ behind it: n@5@.
 --client ID             only for this client.
 --why-disconnected ID   who ended the connections of this client, when and why. Of
                         who has not said its name the address, or address:port.

Of a capture:

 --port N                the captured broker's port (else that of most CONNECTs).
 --config FILE           the configuration that it is played under.

Status 0: there is an answer; 1: there was no such message or client, or this version
comes to something else than was recorded; 2: the recording breaks off before its last
line, or not all of the capture can be read (the answer is of what came before).
`

interface Draft {
  file: string | null
  message: string | null
  client: string | null
  disconnected: string | null
  config: string | null
  port: number | null
}

const take = (draft: Draft, name: string, value: string | undefined): string | null => {
  switch (name) {
    case '--message':
      if (!value) return `${name} wants a topic, as in home/door or home/door@12.5.`
      draft.message = value
      return null
    case '--client':
    case '--why-disconnected':
      if (value === undefined) return `${name} wants a client identifier.`
      if (name === '--client') draft.client = value
      else draft.disconnected = value
      return null
    case '--config':
      if (!value) return `${name} wants the name of a configuration file.`
      draft.config = value
      return null
    case '--port': {
      const port = /^[0-9]{1,5}$/.test(value ?? '') ? Number(value) : 0
      if (port < 1 || port > 65_535) return `${name} wants a port from 1 to 65535.`
      draft.port = port
      return null
    }
  }
  if (name.startsWith('-')) {
    return unknownOption(name, optionsOf(explainHelp), 'sabethes explain --help')
  }
  if (draft.file !== null) return 'explain answers about one file.'
  draft.file = name
  return null
}

// What stands behind the last @ is a time if it begins as one.
const timeText = '(?:[0-9][0-9.]*s?|[0-9]{4}-[0-9]{2}[^@]*|[0-9]{1,2}:[0-9]{2}[0-9:.]*Z?)'
const withTime = new RegExp(`^(.*)@(${timeText})$`, 's')
// Of a topic that ends like that itself: one more @ says that it does.
const withoutTime = new RegExp(`^(.*@${timeText}@*)@$`, 's')

/** The topic as `--message` wants it where no time is meant. */
export const askedAs = (topic: TopicName): string =>
  withTime.test(topic) || withoutTime.test(topic) ? `${topic}@` : topic

const whyNone = (topic: string): string =>
  topic === ''
    ? ' before the @, as in home/door@12.5: it is empty.'
    : `: '${quoted(topic)}' ${whyNoName(topic).fault}.`

const questionOf = (draft: Draft): Either<string, ExplainWish['question']> => {
  const { message, client, disconnected } = draft
  if ((message === null) === (disconnected === null)) {
    return E.left('explain wants one question: --message TOPIC or --why-disconnected ID.')
  }
  if (disconnected !== null) {
    return client === null
      ? E.right({ _tag: 'Connection', client: disconnected })
      : E.left('--client goes with --message; --why-disconnected names its client itself.')
  }
  const found = withoutTime.exec(message ?? '') ?? withTime.exec(message ?? '')
  const [, before = message ?? '', time = null] = found ?? []
  return isTopicName(before)
    ? E.right({ _tag: 'Message', topic: before, time, client })
    : E.left(`--message wants the topic of a message${whyNone(before)}`)
}

/** Null: the page of help was asked for. Left: what makes no sense. */
export const explainWish = (words: ReadonlyArray<string>): Either<string, ExplainWish | null> => {
  const draft: Draft = {
    file: null,
    message: null,
    client: null,
    disconnected: null,
    config: null,
    port: null,
  }
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!
    if (word === '--help' || word === '-h') return E.right(null)
    const isLong = word.startsWith('--')
    const wrong = take(draft, word, isLong ? words[i + 1] : undefined)
    if (wrong !== null) return E.left(wrong)
    if (isLong) i += 1
  }
  const { file, config, port } = draft
  if (file === null) {
    return E.left('explain wants the file of a recording: sabethes explain FILE --message TOPIC.')
  }
  const question = questionOf(draft)
  return E.isLeft(question) ? question : E.right({ file, question: question.right, config, port })
}
