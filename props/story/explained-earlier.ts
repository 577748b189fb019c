// Messages that are older than the recording.

import type { Explained } from './explained-begin.ts'

/** A stanza before the recording: six messages wait for a client that is away. */
const sixInQueue = `
    quiet
    a> connect session-expiry-interval 60
    a> subscribe id1 'd/#' qos1
    a lose
    p> connect
    p> publish 'd/1' qos1 id1 "1"
    p> publish 'd/1' qos1 id2 "2"
    p> publish 'd/1' qos1 id3 "3"
    p> publish 'd/1' qos1 id4 "4"
    p> publish 'd/1' qos1 id5 "5"
    p> publish 'd/1' qos1 id6 "6"
    ----
`

/** What is asked of a recording that begins after the first stanza. */
export const earlier: ReadonlyArray<Explained> = [
  [
    'names from before the recording began',
    '--message e/1',
    `${sixInQueue}
    quiet
    tick +1s
    p> publish 'q/2' "0"
    ----`,
    [
      `Nothing was published to 'e/1' in this recording: did you mean 'd/1'?`,
    ],
  ],
  [
    'a retained name from before the recording began',
    '--message e/lapm',
    `
    quiet
    p> connect
    p> publish 'e/lamp' retain "1"
    ----

    quiet
    tick +1s
    ----`,
    [
      `Nothing was published to 'e/lapm' in this recording: did you mean 'e/lamp'?`,
    ],
  ],
  [
    'many in a queue before the recording began',
    '--message d/1',
    `${sixInQueue}
    quiet
    tick +1s
    a reopen
    a> puback id1
    ----`,
    [
      `'d/1' was published 6 times, all of them before the recording began; the first and the` +
      ` last.`,
      `'d/1' was published before the recording began by somebody with QoS 1: 1 byte.`,
      `  'a': in its queue when the recording began; delivered at 1.000s with QoS 1 and` +
      ` packet id 1; acknowledged at 1.000s (PUBACK).`,
      `'d/1' was published before the recording began by somebody with QoS 1: 1 byte.`,
      `  'a': in its queue when the recording began; delivered at 1.000s with QoS 1 and` +
      ` packet id 6; still waiting for PUBACK when the recording ended, at 1.000s.`,
    ],
  ],
  [
    'many in a queue before the recording began, and more since',
    '--message d/1',
    `${sixInQueue}
    quiet
    tick +1s
    a reopen
    a> puback id1
    p> publish 'd/1' qos1 id7 "7"
    p> publish 'd/1' "8"
    ----`,
    [
      `'d/1' was published 8 times, 6 of them before the recording began; the first and the` +
      ` last. For another one: --message d/1@SECONDS, or a time as 2026-11-29T07:00:00Z.`,
      `'d/1' was published before the recording began by somebody with QoS 1: 1 byte.`,
      `  'a': in its queue when the recording began; delivered at 1.000s with QoS 1 and` +
      ` packet id 1; acknowledged at 1.000s (PUBACK).`,
      `'d/1' was published at 1.000s by 'p' with QoS 0: 1 byte. It matched 'd/#' of 'a' with` +
      ` QoS 1.`,
      `  'a': delivered at 1.000s with QoS 0, which nobody acknowledges.`,
    ],
  ],
  [
    'the nearest is older than the recording',
    '--message d/1@0',
    `${sixInQueue}
    quiet
    tick +1s
    a reopen
    a> puback id6
    p> publish 'd/1' "7"
    ----`,
    [
      `The nearest of 7 publications to 'd/1':`,
      `'d/1' was published before the recording began by somebody with QoS 1: 1 byte.`,
      `  'a': in its queue when the recording began; delivered at 1.000s with QoS 1 and` +
      ` packet id 6; acknowledged at 1.000s (PUBACK).`,
    ],
  ],
  [
    'retained before the recording began',
    '--message d/1',
    `
    quiet
    p> connect
    p> publish 'd/1' qos1 id1 retain "on"
    ----

    quiet
    tick +1s
    a> connect
    a> subscribe id1 'd/#' qos1
    a> puback id1
    p> publish 'd/1' retain "off"
    ----`,
    [
      `'d/1' was published before the recording began by 'p' with QoS 1, to be retained: 2` +
      ` bytes. It was retained until 1.000s, when another one took its place.`,
      `  'a': as retained message: delivered at 1.000s with QoS 1 and packet id 1, with` +
      ` RETAIN; acknowledged at 1.000s (PUBACK).`,
      `'d/1' was published at 1.000s by 'p' with QoS 0, to be retained: 3 bytes. It matched` +
      ` 'd/#' of 'a' with QoS 1.`,
      `  'a': delivered at 1.000s with QoS 0, which nobody acknowledges.`,
    ],
  ],
  [
    'in a queue before the recording began',
    '--message d/1',
    `
    quiet
    a> connect session-expiry-interval 60
    a> subscribe id1 'd/#' qos1
    b> connect session-expiry-interval 60
    b> subscribe id1 'd/#' qos1
    a lose
    p> connect
    p> publish 'd/1' qos1 id1 "on"
    ----

    quiet
    tick +1s
    a reopen
    a> puback id1
    ----`,
    [
      `'d/1' was published before the recording began by somebody with QoS 1: 2 bytes.`,
      `  'a': in its queue when the recording began; delivered at 1.000s with QoS 1 and` +
      ` packet id 1; acknowledged at 1.000s (PUBACK).`,
      `  'b': in flight with QoS 1 and packet id 1 when the recording began; still waiting` +
      ` for PUBACK when the recording ended, at 1.000s.`,
    ],
  ],
  [
    'in flight before the recording began',
    '--message d/1 --client a',
    `
    quiet
    a> connect session-expiry-interval 60
    a> subscribe id1 'd/#' qos2
    p> connect
    p> publish 'd/1' qos1 id1 "on"
    p> publish 'd/1' qos2 id2 "off"
    p> pubrel id2
    ----

    quiet
    tick +1s
    a> puback id1
    a> pubrec id2
    a> pubcomp id2
    ----`,
    [
      `'d/1' was published before the recording began by somebody with QoS 1: 2 bytes.`,
      `  'a': in flight with QoS 1 and packet id 1 when the recording began; acknowledged` +
      ` at 1.000s (PUBACK).`,
      `'d/1' was published before the recording began by somebody with QoS 2: 3 bytes.`,
      `  'a': in flight with QoS 2 and packet id 2 when the recording began; received at` +
      ` 1.000s (PUBREC); acknowledged at 1.000s (PUBCOMP).`,
    ],
  ],
  [
    'not released before the recording began',
    '--message d/1',
    `
    quiet
    a> connect session-expiry-interval 60
    a> subscribe id1 'd/#' qos1
    p> connect
    p> publish 'd/1' qos2 id1 "on"
    ----

    quiet
    tick +1s
    p> pubrel id1
    ----`,
    [
      `'d/1' was published before the recording began by 'p' with QoS 2: 2 bytes. It was` +
      ` released at 1.000s (PUBREL). It matched 'd/#' of 'a' with QoS 1.`,
      `  'a': delivered at 1.000s with QoS 1 and packet id 1; still waiting for PUBACK when` +
      ` the recording ended, at 1.000s.`,
    ],
  ],
  [
    'a client that had nothing to do with it',
    '--message d/1 --client b',
    `
    quiet
    b> connect
    p> connect
    p> publish 'd/1' retain "on"
    ----

    quiet
    tick +1s
    b> pingreq
    ----`,
    [
      `'d/1' was published before the recording began by 'p' with QoS 0, to be retained: 2` +
      ` bytes. It was retained all the time.`,
      `  'b': it was not waiting for it when the recording began, and was not sent it since.`,
    ],
  ],
  [
    'retained before the recording began, and who asked for it was refused',
    '--message d/1',
    `
    config acl="user p; topic write #; user b; topic read e/#"

    quiet
    p> connect user "p"
    p> publish 'd/1' retain "on"
    ----

    quiet
    tick +1s
    b> connect user "b"
    b> subscribe id1 'd/1' qos1
    ----`,
    [
      `'d/1' was published before the recording began by 'p' with QoS 0, to be retained: 2` +
      ` bytes. It was retained all the time.`,
      `  'b': it was not waiting for it when the recording began, and was not sent it since;` +
      ` it was refused 'd/1' at 1.000s (0x87), denied by the access list of listener "1883", in` +
      ` which no line of user "b" and no pattern lets it read the topic.`,
    ],
  ],
  [
    'retained before the recording began, and no more when somebody asked for it',
    '--message d/1 --client b',
    `
    quiet
    p> connect
    p> publish 'd/1' retain "on"
    ----

    quiet
    tick +1s
    p> publish 'd/1' retain
    tick +1s
    b> connect
    b> subscribe id1 'd/1' qos1
    ----`,
    [
      `'d/1' was published before the recording began by 'p' with QoS 0, to be retained: 2` +
      ` bytes. It was retained until 1.000s, when it was deleted.`,
      `  'b': it was not waiting for it when the recording began, and was not sent it since;` +
      ` it subscribed to 'd/1' at 2.000s.`,
      `'d/1' was published at 1.000s by 'p' with QoS 0, to be retained: 0 bytes.` +
      ` It matched no subscription.`,
      `  'b': not delivered: it had no session at that time; it subscribed to 'd/1' at 2.000s.`,
    ],
  ],
  [
    'not released before the recording began, and published by who has No Local',
    '--message d/1',
    `
    quiet
    p> connect
    p> subscribe id1 'd/#' qos1 no-local
    p> publish 'd/1' qos2 id1 retain "on"
    ----

    quiet
    tick +1s
    p> pubrel id1
    ----`,
    [
      `'d/1' was published before the recording began by 'p' with QoS 2, to be retained:` +
      ` 2 bytes. It was released at 1.000s (PUBREL). It matched 'd/#' of 'p' with QoS 1.`,
      `  'p': not delivered: its subscription to 'd/#' has No Local, and it published the` +
      ` message itself.`,
    ],
  ],
  [
    'live or retained before the recording began',
    '--message d/1',
    `
    quiet
    a> connect session-expiry-interval 60
    a> subscribe id1 'd/#' qos1 retain-as-published
    g> connect session-expiry-interval 60
    g> subscribe id1 '$share/g/d/#' qos1 retain-as-published
    p> connect
    p> publish 'd/1' qos1 id1 retain "on"
    b> connect session-expiry-interval 60
    b> subscribe id1 'd/#' qos1
    ----

    quiet
    tick +1s
    a> puback id1
    g> puback id1
    b> puback id1
    ----`,
    [
      `'d/1' was published before the recording began by 'p' with QoS 1, to be retained:` +
      ` 2 bytes. It was retained all the time.`,
      `  'a': in flight with QoS 1 and packet id 1 when the recording began; acknowledged` +
      ` at 1.000s (PUBACK).`,
      `  'b': as retained message: in flight with QoS 1 and packet id 1 when the` +
      ` recording began; acknowledged at 1.000s (PUBACK).`,
      `  'g': in flight with QoS 1 and packet id 1 when the recording began; acknowledged` +
      ` at 1.000s (PUBACK).`,
    ],
  ],
  [
    'empty, in a queue before the recording began',
    '--message d/1',
    `
    quiet
    a> connect session-expiry-interval 60
    a> subscribe id1 'd/#' qos1
    a lose
    p> connect
    p> publish 'd/1' qos2 id1 retain
    p> pubrel id1
    tick +1s
    p> publish 'd/1' qos2 id2 retain
    p> pubrel id2
    ----

    quiet
    tick +1s
    a reopen
    a> puback id1
    ----`,
    [
      `'d/1' was published before the recording began by 'p' with QoS 2, to be retained: 0` +
      ` bytes.`,
      `  'a': in its queue when the recording began; delivered at 1.000s with QoS 1 and` +
      ` packet id 1; acknowledged at 1.000s (PUBACK).`,
      `'d/1' was published before the recording began by 'p' with QoS 2, to be retained: 0` +
      ` bytes.`,
      `  'a': in its queue when the recording began; delivered at 1.000s with QoS 1 and` +
      ` packet id 2; still waiting for PUBACK when the recording ended, at 1.000s.`,
    ],
  ],
  [
    'away since before the recording began, and the queue full',
    '--message d/1 --client a',
    `
    config queuedCountMax=1

    quiet
    a> connect session-expiry-interval 60
    a> subscribe id1 'd/#' qos1
    a lose
    p> connect
    p> publish 'd/2' qos1 id1 "2"
    tick +3s
    p> pingreq
    ----

    quiet
    tick +1s
    p> publish 'd/1' qos1 id1 "1"
    ----`,
    [
      `'d/1' was published at 1.000s by 'p' with QoS 1 and packet id 1: 1 byte. It matched` +
      ` 'd/#' of 'a' with QoS 1.`,
      `  'a': not delivered: its queue was full, with 1 message of 11 bytes` +
      ` (max_queued_messages 1, max_queued_bytes 16777216); it was away since 3.000s before` +
      ` the beginning.`,
    ],
  ],
  [
    'a connection that ended before the recording began',
    '--why-disconnected a',
    `
    quiet
    a> connect session-expiry-interval 60
    a lose
    p> connect
    tick +3s
    p> pingreq
    ----

    quiet
    tick +1s
    p> pingreq
    ----`,
    [
      `'a' has no connection in this recording: its session was there, away since 3.000s` +
      ` before the beginning.`,
    ],
  ],
]
