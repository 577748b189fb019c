// What is still in a queue when the recording ends, and why.

import type { Explained } from './explained-begin.ts'
import { both } from './explained-begin.ts'

export const waiting: ReadonlyArray<Explained> = [
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
]
