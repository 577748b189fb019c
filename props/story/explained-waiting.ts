// What is still in a queue when the recording ends, and why.

import type { Explained } from './explained-begin.ts'
import { both } from './explained-begin.ts'

/** More is retained than a subscriber has room for that acknowledges nothing. */
const behind = `
    config queuedCountMax=2

    quiet
    p> connect
${[1, 2, 3, 4, 5, 6].map((id) => `    p> publish 'd/${id}' qos1 id${id} retain "on"`).join('\n')}
    tick +1s
    a> connect receive-maximum 1 session-expiry-interval 60
    a> subscribe id1 'd/#' qos1
    ----
`

export const waiting: ReadonlyArray<Explained> = [
  [
    'sent on an earlier connection, and not again on one that takes fewer at a time',
    '--message d/2',
    `
    quiet
    a> connect session-expiry-interval 60
    a> subscribe id1 'd/#' qos1
    publish 'd/1' qos1 id1 "on"
    publish 'd/2' qos1 id1 "on"
    a lose
    a-2> connect 'a' receive-maximum 1 session-expiry-interval 60
    ----`,
    [
      `'d/2' was published at 0.000s by the broker itself with QoS 1: 2 bytes. It` +
      ` matched 'd/#' of 'a' with QoS 1.`,
      `  'a': delivered at 0.000s with QoS 1 and packet id 2; still to be sent again,` +
      ` behind others, when the recording ended, at 0.000s.`,
    ],
  ],
  [
    'in the queue behind as many bytes as may be under way',
    '--message d/2',
    `
    config inflightBytesMax=100

    quiet
    a> connect
    a> subscribe id1 'd/#' qos1
    p> connect
    p> publish 'd/1' qos1 id1 "x"*200
    p> publish 'd/2' qos1 id2 "on"
    p> publish 'd/3' qos1 id3 "on"
    ----`,
    [
      `'d/2' was published at 0.000s by 'p' with QoS 1 and packet id 2: 2 bytes. It matched` +
      ` 'd/#' of 'a' with QoS 1.`,
      `  'a': not delivered: queued at 0.000s; still in its queue when the recording ended,` +
      ` at 0.000s: 1 message had been sent to it and not acknowledged, 211 bytes, which is` +
      ` as much as may be (max_inflight_bytes 100).`,
    ],
  ],
  [
    'in the queue behind a congested socket, the first and the second',
    '--message d/2',
    `
    config unwrittenBytesMax=100000

    quiet
    a> connect
    a> subscribe id1 'd/#' qos1
    p> connect
    p> publish 'd/1' "x"*200000
    p> publish 'd/2' qos1 id1 "on"
    p> publish 'd/2' qos1 id2 "off"
    p> publish 'd/3' qos1 id3 "on"
    ----`,
    [
      `'d/2' was published at 0.000s by 'p' with QoS 1 and packet id 1: 2 bytes. It matched` +
      ` 'd/#' of 'a' with QoS 1.`,
      `  'a': not delivered: queued at 0.000s; still in its queue when the recording ended,` +
      ` at 0.000s: 200032 bytes waited for its socket.`,
      `'d/2' was published at 0.000s by 'p' with QoS 1 and packet id 2: 3 bytes. It matched` +
      ` 'd/#' of 'a' with QoS 1.`,
      `  'a': not delivered: queued at 0.000s; still in its queue when the recording ended,` +
      ` at 0.000s: 1 message stood before it and 200032 bytes waited for its socket.`,
    ],
  ],
  [
    'in the queue until it is too late',
    '--message d/1',
    `${both}
    quiet
    a lose
    p> publish 'd/1' qos1 id1 "on" message-expiry-interval 5
    p> publish 'd/1' qos1 id2 "off" message-expiry-interval 50
    tick +10s
    p> publish 'd/2' "on"
    ----`,
    [
      `'d/1' was published at 0.000s by 'p' with QoS 1 and packet id 1: 2 bytes. It matched` +
      ` 'd/#' of 'a' with QoS 1.`,
      `  'a': not delivered: queued at 0.000s; still in its queue when the recording ended,` +
      ` at 10.000s: it was away since 0.000s; its Message Expiry Interval was over at` +
      ` 5.000s, so that it will not be sent.`,
      `'d/1' was published at 0.000s by 'p' with QoS 1 and packet id 2: 3 bytes. It matched` +
      ` 'd/#' of 'a' with QoS 1.`,
      `  'a': not delivered: queued at 0.000s; still in its queue when the recording ended,` +
      ` at 10.000s: it was away since 0.000s.`,
    ],
  ],
  [
    'retained, and still to be sent to who acknowledges nothing',
    '--message d/6',
    `${behind}
    quiet
    tick +1s
    ----`,
    [
      `'d/6' was published at 0.000s by 'p' with QoS 1 and packet id 6, to be retained: 2` +
      ` bytes. It matched no subscription.`,
      `  'a': as retained message: still to be sent when the recording ended, at 1.000s: 1` +
      ` message had been sent to it and not acknowledged, as many as may be (its Receive` +
      ` Maximum or max_inflight_messages).`,
    ],
  ],
  [
    'retained, and still to be sent to whose socket takes nothing',
    '--message d/1',
    `
    config unwrittenBytesMax=100000

    quiet
    p> connect
    p> publish 'd/1' retain "on"
    a> connect
    a> subscribe id1 'd/2'
    p> publish 'd/2' "on"+0x00*69998
    a> subscribe id2 'd/1'
    ----`,
    [
      `'d/1' was published at 0.000s by 'p' with QoS 0, to be retained: 2 bytes. It ` +
      `matched no subscription.`,
      `  'a': as retained message: still to be sent when the recording ended, at 0.000s: ` +
      `70038 bytes waited for its socket.`,
    ],
  ],
  [
    'retained, and still to be sent in a later portion',
    '--message d/77',
    `
    quiet
    p> connect
${Array.from({ length: 150 }, (_, at) => `    p> publish 'd/${at}' retain "on"`).join('\n')}
    a> connect
    a> subscribe id1 'd/#'
    ----`,
    [
      `'d/77' was published at 0.000s by 'p' with QoS 0, to be retained: 2 bytes. It ` +
      `matched no subscription.`,
      `  'a': as retained message: still to be sent when the recording ended, at 0.000s: ` +
      `it comes in portions, and the next one had not begun.`,
    ],
  ],
  [
    'retained, and sent before its portion came because of a newer message',
    '--message d/77',
    `
    quiet
    p> connect
${Array.from({ length: 150 }, (_, at) => `    p> publish 'd/${at}' retain "on"`).join('\n')}
    a> connect
    a> subscribe id1 'd/#'
    p> publish 'd/77' "new"
    tick +1s
    ----`,
    [
      `'d/77' was published at 0.000s by 'p' with QoS 0, to be retained: 2 bytes. It ` +
      `matched no subscription.`,
      `  'a': as retained message: delivered at 0.000s with QoS 0, with RETAIN, which ` +
      `nobody acknowledges.`,
      `'d/77' was published at 0.000s by 'p' with QoS 0: 3 bytes. It matched 'd/#' of 'a'` +
      ` with QoS 0.`,
      `  'a': delivered at 0.000s with QoS 0, which nobody acknowledges.`,
    ],
  ],
  [
    'retained, and still to be sent to who is away',
    '--message d/6',
    `${behind}
    quiet
    tick +1s
    a fail
    ----`,
    [
      `'d/6' was published at 0.000s by 'p' with QoS 1 and packet id 6, to be retained: 2` +
      ` bytes. It matched no subscription.`,
      `  'a': as retained message: still to be sent when the recording ended, at 2.000s: it` +
      ` was away since 2.000s.`,
    ],
  ],
  [
    'retained, and not sent before the session ended',
    '--message d/6',
    `${behind}
    quiet
    tick +1s
    a> disconnect session-expiry-interval 0
    ----`,
    [
      `'d/6' was published at 0.000s by 'p' with QoS 1 and packet id 6, to be retained: 2` +
      ` bytes. It matched no subscription.`,
      `  'a': as retained message: not sent yet when its session ended at 2.000s with its` +
      ` connection, which it was not to outlive.`,
    ],
  ],
  [
    'retained, and sent to who catches up',
    '--message d/6',
    `${behind}
    quiet
    a> puback id1
    tick +1s
    a> puback id2
    tick +1s
    a> puback id3
    tick +1s
    a> puback id4
    tick +1s
    a> puback id5
    tick +1s
    a> puback id6
    tick +1s
    ----`,
    [
      `'d/6' was published at 0.000s by 'p' with QoS 1 and packet id 6, to be retained: 2` +
      ` bytes. It matched no subscription.`,
      `  'a': as retained message: queued at 4.000s; delivered at 5.000s with QoS 1 and` +
      ` packet id 6, with RETAIN; acknowledged at 6.000s (PUBACK).`,
    ],
  ],
  [
    'in the queue though a reload allows more',
    '--message d/2',
    `
    config inflightBytesMax=100

    quiet
    a> connect
    a> subscribe id1 'd/#' qos1
    p> connect
    p> publish 'd/1' qos1 id1 "x"*200
    p> publish 'd/2' qos1 id2 "on"
    reconfigure inflightBytesMax=0
    tick +1s
    ----`,
    [
      `'d/2' was published at 0.000s by 'p' with QoS 1 and packet id 2: 2 bytes. It matched` +
      ` 'd/#' of 'a' with QoS 1.`,
      `  'a': not delivered: queued at 0.000s; still in its queue when the recording ended,` +
      ` at 0.000s: a reload has allowed more to be under way to it, which counts from its` +
      ` next answer on.`,
    ],
  ],
  [
    'in the queue though what went before it was received',
    '--message d/2',
    `
    config inflightBytesMax=100

    quiet
    a> connect
    a> subscribe id1 'd/#' qos2
    p> connect
    p> publish 'd/1' qos2 id1 "x"*200
    p> pubrel id1
    p> publish 'd/2' qos1 id2 "on"
    a> pubrec id1
    tick +1s
    ----`,
    [
      `'d/2' was published at 0.000s by 'p' with QoS 1 and packet id 2: 2 bytes. It matched` +
      ` 'd/#' of 'a' with QoS 2.`,
      `  'a': not delivered: queued at 0.000s; still in its queue when the recording ended,` +
      ` at 0.000s: what it has received (PUBREC) has made room, which counts from its next` +
      ` answer on (max_inflight_bytes 100).`,
    ],
  ],
]
