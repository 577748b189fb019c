// What did not arrive, and why.

import { both } from './explained-begin.ts'
import type { Explained } from './explained-begin.ts'

export const missed: ReadonlyArray<Explained> = [
  [
    'no subscription, with the nearest miss',
    '--message d/1 --client a',
    `
    quiet
    a> connect
    a> subscribe id1 'd/1' 'e'
    p> connect
    tick +1s
    a> unsubscribe id2 'd/1'
    tick +1s
    p> publish 'd/1' "on"
    tick +1s
    a> subscribe id3 'd/+'
    ----`,
    [
      `'d/1' was published at 2.000s by 'p' with QoS 0: 2 bytes. It matched no` +
      ` subscription.`,
      `  'a': not delivered: it was subscribed to 'e', which does not match; it` +
      ` unsubscribed from 'd/1' at 1.000s and subscribed to 'd/+' at 3.000s.`,
    ],
  ],
  [
    'nobody has read what was sent',
    '--message d/1 --client a',
    `
    quiet
    a> connect
    a> subscribe id1 'd/1'
    p> connect
    tick +1s
    p> raw 36 [ 0003 "d/1" 0001 00 "on" ]
    ----`,
    [
      `Nothing was published to 'd/1' in this recording.`,
      `The connection of 'p' ended at 1.000s for what it had sent, which may have been ` +
      `that: --why-disconnected p tells.`,
    ],
  ],
  [
    'no session at all then',
    '--message d/1 --client a',
    `
    quiet
    p> connect
    p> publish 'd/1' "on"
    tick +1s
    a> connect
    a> subscribe id3 'd/+'
    ----`,
    [
      `'d/1' was published at 0.000s by 'p' with QoS 0: 2 bytes. It matched no` +
      ` subscription.`,
      `  'a': not delivered: it had no session at that time; it subscribed to 'd/+' at` +
      ` 1.000s.`,
    ],
  ],
  [
    'the session had ended with its connection',
    '--message d/1 --client a',
    `
    quiet
    a> connect
    a> subscribe id3 'd/+'
    p> connect
    tick +1s
    a> disconnect
    tick +1s
    p> publish 'd/1' "on"
    ----`,
    [
      `'d/1' was published at 2.000s by 'p' with QoS 0: 2 bytes. It matched no` +
      ` subscription.`,
      `  'a': not delivered: it had no session at that time; it lost 'd/+' with its session` +
      ` at 1.000s.`,
    ],
  ],
  [
    'the queue was full',
    '--message d/3',
    `
    config queuedCountMax=1

    quiet
    a> connect session-expiry-interval 60
    a> subscribe id1 'd/#' qos1
    p> connect
    a lose
    tick +1s
    p> publish 'd/2' qos1 id1 "on"
    p> publish 'd/3' qos1 id2 "on"
    ----`,
    [
      `'d/3' was published at 1.000s by 'p' with QoS 1 and packet id 2: 2 bytes. It matched` +
      ` 'd/#' of 'a' with QoS 1.`,
      `  'a': not delivered: its queue was full, with 1 message of 12 bytes` +
      ` (max_queued_messages 1, max_queued_bytes 16777216); it was away since 0.000s.`,
    ],
  ],
  [
    'the queue was full of what counts for it',
    '--message d/4',
    `
    config queueQos0=true queuedCountMax=2 queuedBytesMax=50

    quiet
    a> connect session-expiry-interval 60
    a> subscribe id1 'd/#' qos1
    p> connect
    a lose
    p> publish 'd/1' "on"
    p> publish 'd/2' qos1 id1 "on"
    p> publish 'd/4' qos1 id2 "x"*30
    p> publish 'd/3' qos1 id3 "on"
    p> publish 'd/4' qos1 id4 "on"
    ----`,
    [
      `'d/4' was published at 0.000s by 'p' with QoS 1 and packet id 2: 30 bytes. It matched` +
      ` 'd/#' of 'a' with QoS 1.`,
      `  'a': not delivered: its queue was full, with 2 messages of 22 bytes, 1 of them of` +
      ` QoS 0, and would have had too many with this one (max_queued_messages 2,` +
      ` max_queued_bytes 50); it was away since 0.000s.`,
      `'d/4' was published at 0.000s by 'p' with QoS 1 and packet id 4: 2 bytes. It matched` +
      ` 'd/#' of 'a' with QoS 1.`,
      `  'a': not delivered: its queue was full, with 3 messages of 34 bytes, 1 of them of` +
      ` QoS 0 (max_queued_messages 2, max_queued_bytes 50); it was away since 0.000s.`,
    ],
  ],
  [
    'the queue was full for what would have become QoS 0',
    '--message d/2',
    `
    config queueQos0=true queuedCountMax=1 queuedBytesMax=50

    quiet
    a> connect session-expiry-interval 60
    a> subscribe id1 'd/#'
    p> connect
    a lose
    p> publish 'd/1' "on"
    p> publish 'd/2' qos1 id1 "on"
    ----`,
    [
      `'d/2' was published at 0.000s by 'p' with QoS 1 and packet id 1: 2 bytes. It matched` +
      ` 'd/#' of 'a' with QoS 0.`,
      `  'a': not delivered: its queue was full, with 1 message of 10 bytes, 1 of them of` +
      ` QoS 0 (max_queued_messages 1, max_queued_bytes 50); it was away since 0.000s.`,
    ],
  ],
  [
    'another message on the topic of what is retained was over',
    '--message d/1@0',
    `
    config queuedCountMax=1

    quiet
    w> connect session-expiry-interval 60 will [ 'd/9' "gone" qos1 will-delay-interval 3 ]
    a> connect receive-maximum 1
    a> subscribe id1 'd/#' qos1
    p> connect
    w lose
    p> publish 'd/1' retain "on"
    tick +1s
    p> publish 'd/1' qos1 id1 "off"
    tick +1s
    p> publish 'd/1' qos1 id2 "on" message-expiry-interval 1
    tick +3s
    ----`,
    [
      `The nearest of 3 publications to 'd/1':`,
      `'d/1' was published at 0.000s by 'p' with QoS 0, to be retained: 2 bytes. It matched` +
      ` 'd/#' of 'a' with QoS 1.`,
      `  'a': delivered at 0.000s with QoS 0, which nobody acknowledges.`,
    ],
  ],
  [
    'expired while it waited',
    '--message d/1',
    `${both}
    quiet
    a lose
    tick +1s
    p> publish 'd/1' qos1 id1 "on" message-expiry-interval 2
    tick +5s
    a reopen
    ----`,
    [
      `'d/1' was published at 1.000s by 'p' with QoS 1 and packet id 1: 2 bytes. It matched` +
      ` 'd/#' of 'a' with QoS 1.`,
      `  'a': queued at 1.000s; not delivered: dropped at 6.000s, its Message Expiry` +
      ` Interval was over before it could be sent.`,
    ],
  ],
  [
    'too large for the client',
    '--message d/1',
    `
    quiet
    a> connect maximum-packet-size 30
    a> subscribe id1 'd/#' qos1
    p> connect
    p> publish 'd/1' qos1 id1 "x"*100
    p> publish 'd/1' qos0 "x"*100
    ----`,
    [
      `'d/1' was published at 0.000s by 'p' with QoS 1 and packet id 1: 100 bytes. It` +
      ` matched 'd/#' of 'a' with QoS 1.`,
      `  'a': not delivered: it is larger than the Maximum Packet Size of the client, 30` +
      ` bytes.`,
      `'d/1' was published at 0.000s by 'p' with QoS 0: 100 bytes. It matched 'd/#' of 'a'` +
      ` with QoS 1.`,
      `  'a': not delivered: it is larger than the Maximum Packet Size of the client, 30` +
      ` bytes.`,
    ],
  ],
  [
    'QoS 0 while away',
    '--message d/1',
    `${both}
    quiet
    a lose
    tick +1s
    p> publish 'd/1' "on"
    ----`,
    [
      `'d/1' was published at 1.000s by 'p' with QoS 0: 2 bytes. It matched 'd/#' of 'a'` +
      ` with QoS 1.`,
      `  'a': not delivered: QoS 0 does not wait for who is away (queue_qos0_messages false),` +
      ` as the client was since 0.000s.`,
    ],
  ],
  [
    'queue full by its bytes',
    '--message d/2',
    `
    config queuedBytesMax=120

    quiet
    a> connect session-expiry-interval 60
    a> subscribe id1 'd/#' qos1
    a lose
    p> connect
    p> publish 'd/1' qos1 id1 "x"*70
    p> publish 'd/2' qos1 id2 "x"*70
    ----`,
    [
      `'d/2' was published at 0.000s by 'p' with QoS 1 and packet id 2: 70 bytes. It matched` +
      ` 'd/#' of 'a' with QoS 1.`,
      `  'a': not delivered: its queue was full, with 1 message of 80 bytes, and would have` +
      ` had too many with this one (max_queued_messages 1000, max_queued_bytes 120); it was` +
      ` away since 0.000s.`,
    ],
  ],
  [
    'QoS 0 while congested',
    '--message d/1@1',
    `
    config unwrittenBytesMax=100000

    quiet
    a> connect
    a> subscribe id1 'd/#'
    p> connect
    p> publish 'd/1' "x"*70000
    p> publish 'd/1' "x"*70000
    tick +1s
    p> publish 'd/1' "x"*70000
    ----`,
    [
      `The nearest of 3 publications to 'd/1':`,
      `'d/1' was published at 1.000s by 'p' with QoS 0: 70000 bytes. It matched 'd/#' of` +
      ` 'a' with QoS 0.`,
      `  'a': not delivered: it was of QoS 0 and 70032 bytes waited already for its socket:` +
      ` with it they would be more than 100000.`,
    ],
  ],
  [
    'begun anew with Clean Start',
    '--message d/1',
    `${both}
    quiet
    a lose
    tick +1s
    p> publish 'd/1' qos1 id1 "on"
    tick +1s
    b> connect 'a' clean-start
    ----`,
    [
      `'d/1' was published at 1.000s by 'p' with QoS 1 and packet id 1: 2 bytes. It matched` +
      ` 'd/#' of 'a' with QoS 1.`,
      `  'a': queued at 1.000s; not delivered: its session ended at 2.000s because its` +
      ` client began anew with Clean Start.`,
    ],
  ],
  [
    'the session expired',
    '--message d/1',
    `${both}
    quiet
    a lose
    p> publish 'd/1' qos1 id1 "on"
    tick +61s
    ----`,
    [
      `'d/1' was published at 0.000s by 'p' with QoS 1 and packet id 1: 2 bytes. It matched` +
      ` 'd/#' of 'a' with QoS 1.`,
      `  'a': queued at 0.000s; not delivered: its session ended at 60.000s because its` +
      ` Session Expiry Interval was over.`,
    ],
  ],
  [
    'no local',
    '--message d/1',
    `
    quiet
    a> connect
    a> subscribe id1 'd/1' no-local
    a> publish 'd/1' "on"
    ----`,
    [
      `'d/1' was published at 0.000s by 'a' with QoS 0: 2 bytes. It matched 'd/1' of 'a'` +
      ` with QoS 0.`,
      `  'a': not delivered: its subscription to 'd/1' has No Local, and it published the` +
      ` message itself.`,
    ],
  ],
  [
    'a publish that is a protocol error',
    '--message d/1',
    `
    config maximumQos=1

    quiet
    p> connect
    p> publish 'd/1' qos2 id1 "on"
    ----`,
    [
      `'d/1' was published at 0.000s by 'p' with QoS 2 and packet id 1: 2 bytes. It went to` +
      ` nobody: its publisher's connection was ended for it: protocol error 0x9b, a publish` +
      ` above Maximum QoS [MQTT-3.2.2-11].`,
    ],
  ],
  [
    'one copy of two lost, by another subscription or before it was retained',
    '--message d/1',
    `
    config queuedCountMax=1

    quiet
    a> connect session-expiry-interval 60
    a> subscribe id1 'd/#' qos1
    a> subscribe id2 '$share/g/#' qos1
    b> connect session-expiry-interval 60
    b> subscribe id1 'd/#' qos1
    a lose
    b lose
    p> connect
    p> publish 'd/0' qos1 id1 "on"
    tick +1s
    a reopen
    a> puback id1
    a lose
    p> publish 'd/1' qos1 id1 retain "on"
    b reopen
    b> puback id1
    b> unsubscribe id2 'd/#'
    b> subscribe id3 '#' qos1
    b> puback id2
    ----`,
    [
      `'d/1' was published at 1.000s by 'p' with QoS 1 and packet id 1, to be retained: 2` +
      ` bytes. It matched '$share/g/#' of 'a' with QoS 1, 'd/#' of 'a' with QoS 1, 'd/#'` +
      ` of 'b' with QoS 1.`,
      `  'a': not delivered: queued at 1.000s; still in its queue when the recording` +
      ` ended, at 1.000s: it was away since 1.000s; and a copy was lost at 1.000s: its` +
      ` queue was full, with 1 message of 12 bytes (max_queued_messages 1,` +
      ` max_queued_bytes 16777216); it was away since 1.000s.`,
      `  'b': as retained message: delivered at 1.000s with QoS 1 and packet id 2, with` +
      ` RETAIN; acknowledged at 1.000s (PUBACK); and a copy was lost at 1.000s: its queue` +
      ` was full, with 1 message of 12 bytes (max_queued_messages 1, max_queued_bytes` +
      ` 16777216); it was away since 0.000s.`,
    ],
  ],
  [
    'what is lost of a will that comes as a retained message later',
    '--message d/1',
    `
    config queuedCountMax=1

    quiet
    c> connect session-expiry-interval 60 receive-maximum 1
    c> subscribe id1 'd/#' qos1
    w> connect will [ 'd/1' "gone" qos1 retain ]
    p> connect
    p> publish 'd/2' qos1 id1 "1"
    p> publish 'd/2' qos1 id2 "2"
    tick +1s
    w lose
    tick +1s
    c> puback id1
    c> puback id2
    c> subscribe id4 'd/1' qos1
    c> puback id3
    ----`,
    [
      `'d/1' was published at 1.000s as the will of 'w' with QoS 1, to be retained: 4 bytes.` +
      ` It matched 'd/#' of 'c' with QoS 1.`,
      `  'c': as retained message: delivered at 2.000s with QoS 1 and packet id 3, with` +
      ` RETAIN; acknowledged at 2.000s (PUBACK); and a copy was lost at 1.000s: its queue was` +
      ` full, with 1 message of 11 bytes (max_queued_messages 1, max_queued_bytes 16777216);` +
      ` 1 message had been sent to it and not acknowledged, as many as may be (its Receive` +
      ` Maximum or max_inflight_messages).`,
    ],
  ],
]
