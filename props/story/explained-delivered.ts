// What was delivered, and what is still under way.

import { both } from './explained-begin.ts'
import type { Explained } from './explained-begin.ts'

/** The broker stops, and the will of one member is for a group whose other one takes this QoS. */
const stopped = (qos: 0 | 1): string => `
    config sharedOffline="drop"

    quiet
    b> connect session-expiry-interval 30 will [ 'd/w' "gone" qos1 ]
    b> subscribe id1 '$share/g/d/+' qos1
    a> connect session-expiry-interval 30
    a> subscribe id1 '$share/g/d/+' qos${qos}
    stop
    ----`

export const delivered: ReadonlyArray<Explained> = [
  [
    'delivered and acknowledged',
    '--message d/1',
    `${both}
    quiet
    tick +1s
    p> publish 'd/1' qos1 id7 "on"
    tick +1s
    a> puback id1
    ----`,
    [
      `'d/1' was published at 1.000s by 'p' with QoS 1 and packet id 7: 2 bytes. It matched` +
      ` 'd/#' of 'a' with QoS 1.`,
      `  'a': delivered at 1.000s with QoS 1 and packet id 1; acknowledged at 2.000s` +
      ` (PUBACK).`,
    ],
  ],
  [
    'QoS 2, step by step',
    '--message d/1',
    `
    quiet
    a> connect
    a> subscribe id1 'd/1' qos2
    p> connect
    p> publish 'd/1' qos2 id7 "on"
    tick +1s
    p> publish 'd/1' qos2 id7 dup "on"
    tick +1s
    p> pubrel id7
    tick +1s
    a> pubrec id1
    tick +1s
    a> pubcomp id1
    ----`,
    [
      `'d/1' was published at 0.000s by 'p' with QoS 2 and packet id 7: 2 bytes. It was` +
      ` released at 2.000s (PUBREL). Before that it came again once. It matched 'd/1' of` +
      ` 'a' with QoS 2.`,
      `  'a': delivered at 2.000s with QoS 2 and packet id 1; received at 3.000s (PUBREC);` +
      ` acknowledged at 4.000s (PUBCOMP).`,
    ],
  ],
  [
    'not released yet',
    '--message d/1',
    `${both}
    quiet
    p> publish 'd/1' qos2 id7 "on"
    tick +1s
    ----`,
    [
      `'d/1' was published at 0.000s by 'p' with QoS 2 and packet id 7: 2 bytes. Its` +
      ` publisher had not released it (PUBREL) when the recording ended.`,
      `  'a': not delivered: its publisher had not released it (PUBREL).`,
    ],
  ],
  [
    'QoS 0 and nobody acknowledges it',
    '--message d/1 --client a',
    `${both}
    quiet
    p> publish 'd/1' "on"
    ----`,
    [
      `'d/1' was published at 0.000s by 'p' with QoS 0: 2 bytes. It matched 'd/#' of 'a'` +
      ` with QoS 1.`,
      `  'a': delivered at 0.000s with QoS 0, which nobody acknowledges.`,
    ],
  ],
  [
    'sent again after a take-over',
    '--message d/1',
    `${both}
    quiet
    p> publish 'd/1' qos1 id1 "on"
    tick +1s
    b> connect 'a' session-expiry-interval 60
    tick +1s
    b> puback id1
    ----`,
    [
      `'d/1' was published at 0.000s by 'p' with QoS 1 and packet id 1: 2 bytes. It matched` +
      ` 'd/#' of 'a' with QoS 1.`,
      `  'a': delivered at 0.000s with QoS 1 and packet id 1; sent again at 1.000s with` +
      ` DUP; acknowledged at 2.000s (PUBACK).`,
    ],
  ],
  [
    'another member of the group has it',
    '--message d/1',
    `
    quiet
    a> connect
    a> subscribe id1 '$share/g/d/+'
    b> connect
    b> subscribe id1 '$share/g/d/+' qos1
    p> connect
    p> publish 'd/1' "on"
    p> publish 'd/1' qos1 id1 "on"
    ----`,
    [
      `'d/1' was published at 0.000s by 'p' with QoS 0: 2 bytes. It matched '$share/g/d/+'` +
      ` of 'a' with QoS 0, '$share/g/d/+' of 'b' with QoS 1.`,
      `  'a': delivered at 0.000s with QoS 0, which nobody acknowledges.`,
      `  'b': not delivered: the shared group of its '$share/g/d/+' gave it to 'a'.`,
      `'d/1' was published at 0.000s by 'p' with QoS 1 and packet id 1: 2 bytes. It matched` +
      ` '$share/g/d/+' of 'a' with QoS 0, '$share/g/d/+' of 'b' with QoS 1.`,
      `  'a': not delivered: the shared group of its '$share/g/d/+' gave it to 'b'.`,
      `  'b': delivered at 0.000s with QoS 1 and packet id 1; still waiting for PUBACK when` +
      ` the recording ended, at 0.000s.`,
    ],
  ],
  [
    'a member of two groups, sent it at once, has it by the group that gave it to nobody else',
    '--message t --client a',
    `
    quiet
    a> connect
    a> subscribe id1 '$share/g/t' qos1
    b> connect
    b> subscribe id1 '$share/g/t'
    c> connect
    c> subscribe id1 '$share/g/t' '$share/h/t'
    p> connect
    p> publish 't' qos1 id1 "1"
    p> publish 't' qos1 id2 "2"
    p> publish 't' qos1 id3 "3"
    ----`,
    [
      `'t' was published at 0.000s by 'p' with QoS 1 and packet id 1: 1 byte. It matched ` +
      `'$share/g/t' of 'a' with QoS 1, '$share/g/t' of 'b' with QoS 0, '$share/g/t' of 'c' ` +
      `with QoS 0, '$share/h/t' of 'c' with QoS 0.`,
      `  'a': delivered at 0.000s with QoS 1 and packet id 1; still waiting for PUBACK when ` +
      `the recording ended, at 0.000s.`,
      `'t' was published at 0.000s by 'p' with QoS 1 and packet id 2: 1 byte. It matched ` +
      `'$share/g/t' of 'a' with QoS 1, '$share/g/t' of 'b' with QoS 0, '$share/g/t' of 'c' ` +
      `with QoS 0, '$share/h/t' of 'c' with QoS 0.`,
      `  'a': not delivered: the shared group of its '$share/g/t' gave it to 'b'.`,
      `'t' was published at 0.000s by 'p' with QoS 1 and packet id 3: 1 byte. It matched ` +
      `'$share/g/t' of 'a' with QoS 1, '$share/g/t' of 'b' with QoS 0, '$share/g/t' of 'c' ` +
      `with QoS 0, '$share/h/t' of 'c' with QoS 0.`,
      `  'a': not delivered: the shared group of its '$share/g/t' gave it to 'c'.`,
    ],
  ],
  [
    'another member has it by the group and beside, and one has lost it beside',
    '--message t --client a',
    `
    quiet
    a> connect
    a> subscribe id1 '$share/g/t'
    b> connect session-expiry-interval 60
    b> subscribe id1 't'
    c> connect
    c> subscribe id1 't' '$share/g/t'
    b> subscribe id2 '$share/g/t'
    b lose
    p> connect
    p> publish 't' "1"
    p> publish 't' "2"
    ----`,
    [
      `'t' was published at 0.000s by 'p' with QoS 0: 1 byte. It matched '$share/g/t' of ` +
      `'a' with QoS 0, '$share/g/t' of 'b' with QoS 0, '$share/g/t' of 'c' with QoS 0, 't' of ` +
      `'b' with QoS 0, 't' of 'c' with QoS 0.`,
      `  'a': delivered at 0.000s with QoS 0, which nobody acknowledges.`,
      `'t' was published at 0.000s by 'p' with QoS 0: 1 byte. It matched '$share/g/t' of ` +
      `'a' with QoS 0, '$share/g/t' of 'b' with QoS 0, '$share/g/t' of 'c' with QoS 0, 't' of ` +
      `'b' with QoS 0, 't' of 'c' with QoS 0.`,
      `  'a': not delivered: the shared group of its '$share/g/t' gave it to 'c'.`,
    ],
  ],
  [
    'what a member is sent as retained later was not given to it by its group',
    '--message t --client a',
    `
    config sharedOffline="drop"

    quiet
    a> connect session-expiry-interval 60
    b> connect session-expiry-interval 60
    b> subscribe id1 '$share/g/t' qos1
    a> subscribe id1 '$share/g/t' qos1
    a lose
    b lose
    p> connect
    p> publish 't' qos1 id1 retain "1"
    tick +1s
    b> connect session-expiry-interval 60
    b> subscribe id1 't' qos1
    ----`,
    [
      `'t' was published at 0.000s by 'p' with QoS 1 and packet id 1, to be retained: 1 ` +
      `byte. It matched '$share/g/t' of 'a' with QoS 1, '$share/g/t' of 'b' with QoS 1.`,
      `  'a': not delivered: the shared group of its '$share/g/t' lost it to 'b' (offline), ` +
      `whose turn it was.`,
    ],
  ],
  [
    'what QoS 2 has begun is handed over to nobody, though the other group does so',
    '--message t --client b',
    `
    quiet
    a> connect
    b> connect
    b> subscribe id1 '$share/h/t' qos2
    b> subscribe id2 '$share/g/t' qos1
    a> publish 't' qos2 id3 "on"
    a> pubrel id3
    a> subscribe id1 '$share/h/t'
    a> subscribe id2 '$share/g/t'
    tick +1s
    b lose
    ----`,
    [
      `'t' was published at 0.000s by 'a' with QoS 2 and packet id 3: 2 bytes. It was ` +
      `released at 0.000s (PUBREL). It matched '$share/g/t' of 'b' with QoS 1, ` +
      `'$share/h/t' of 'b' with QoS 2.`,
      `  'b': delivered at 0.000s with QoS 2 and packet id 1; not acknowledged: its ` +
      `session ended at 1.000s with its connection, which it was not to outlive; and ` +
      `delivered at 0.000s with QoS 1 and packet id 2; handed over at 1.000s to 'a' of ` +
      `its shared group.`,
    ],
  ],
  [
    'handed over when a member leaves',
    '--message d/1',
    `
    quiet
    a> connect
    a> subscribe id1 '$share/g/d/+' qos1
    b> connect
    b> subscribe id1 '$share/g/d/+' qos1
    p> connect
    p> publish 'd/1' qos1 id1 "on"
    tick +1s
    a> disconnect
    ----`,
    [
      `'d/1' was published at 0.000s by 'p' with QoS 1 and packet id 1: 2 bytes. It matched` +
      ` '$share/g/d/+' of 'a' with QoS 1, '$share/g/d/+' of 'b' with QoS 1.`,
      `  'a': delivered at 0.000s with QoS 1 and packet id 1; handed over at 1.000s to 'b'` +
      ` of its shared group.`,
      `  'b': delivered at 1.000s with QoS 1 and packet id 1; still waiting for PUBACK when` +
      ` the recording ended, at 1.000s.`,
    ],
  ],
  [
    'in flight and waiting',
    '--message d/1',
    `${both}
    quiet
    p> publish 'd/1' qos1 id1 "on"
    tick +3s
    ----`,
    [
      `'d/1' was published at 0.000s by 'p' with QoS 1 and packet id 1: 2 bytes. It matched` +
      ` 'd/#' of 'a' with QoS 1.`,
      `  'a': delivered at 0.000s with QoS 1 and packet id 1; still waiting for PUBACK when` +
      ` the recording ended, at 0.000s.`,
    ],
  ],
  [
    'in the queue of who is away',
    '--message d/1',
    `${both}
    quiet
    a lose
    tick +2s
    p> publish 'd/1' qos1 id1 "on"
    ----`,
    [
      `'d/1' was published at 2.000s by 'p' with QoS 1 and packet id 1: 2 bytes. It matched` +
      ` 'd/#' of 'a' with QoS 1.`,
      `  'a': not delivered: queued at 2.000s; still in its queue when the recording ended,` +
      ` at 2.000s: it was away since 0.000s.`,
    ],
  ],
  [
    'in the queue behind a full window',
    '--message d/2',
    `
    quiet
    a> connect receive-maximum 1
    a> subscribe id1 'd/#' qos1
    p> connect
    p> publish 'd/1' qos1 id1 "on"
    p> publish 'd/2' qos1 id2 "on"
    ----`,
    [
      `'d/2' was published at 0.000s by 'p' with QoS 1 and packet id 2: 2 bytes. It matched` +
      ` 'd/#' of 'a' with QoS 1.`,
      `  'a': not delivered: queued at 0.000s; still in its queue when the recording ended,` +
      ` at 0.000s: 1 message had been sent to it and not acknowledged, as many as may be` +
      ` (its Receive Maximum or max_inflight_messages).`,
    ],
  ],
  [
    'retained and sent later',
    '--message d/1',
    `
    quiet
    p> connect
    p> publish 'd/1' qos1 id1 retain "on"
    tick +1s
    a> connect
    a> subscribe id1 'd/#' qos1
    tick +1s
    a> puback id1
    ----`,
    [
      `'d/1' was published at 0.000s by 'p' with QoS 1 and packet id 1, to be retained: 2` +
      ` bytes. It matched no subscription.`,
      `  'a': as retained message: delivered at 1.000s with QoS 1 and packet id 1, with` +
      ` RETAIN; acknowledged at 2.000s (PUBACK).`,
    ],
  ],
  [
    'refused by the receiver',
    '--message d/1',
    `${both}
    quiet
    p> publish 'd/1' qos1 id1 "on"
    a> puback id1 0x83
    ----`,
    [
      `'d/1' was published at 0.000s by 'p' with QoS 1 and packet id 1: 2 bytes. It matched` +
      ` 'd/#' of 'a' with QoS 1.`,
      `  'a': delivered at 0.000s with QoS 1 and packet id 1; refused by the client at` +
      ` 0.000s (PUBACK 0x83).`,
    ],
  ],
  [
    'a will',
    '--message w',
    `
    quiet
    a> connect will [ 'w' "gone" qos1 ]
    b> connect
    b> subscribe id1 'w' qos1
    tick +1s
    a lose
    ----`,
    [
      `'w' was published at 1.000s as the will of 'a' with QoS 1: 4 bytes. It matched 'w'` +
      ` of 'b' with QoS 1.`,
      `  'b': delivered at 1.000s with QoS 1 and packet id 1; still waiting for PUBACK when` +
      ` the recording ended, at 1.000s.`,
    ],
  ],
  [
    'handed over to who takes QoS 0 only, and empty',
    '--message d/1',
    `
    quiet
    a> connect
    a> subscribe id1 '$share/g/d/+' qos1
    b> connect
    b> subscribe id1 '$share/g/d/+' qos0
    p> connect
    p> publish 'd/1' qos1 id1 ""
    tick +1s
    a> disconnect
    ----`,
    [
      `'d/1' was published at 0.000s by 'p' with QoS 1 and packet id 1: 0 bytes. It matched` +
      ` '$share/g/d/+' of 'a' with QoS 1, '$share/g/d/+' of 'b' with QoS 0.`,
      `  'a': delivered at 0.000s with QoS 1 and packet id 1; handed over at 1.000s to 'b'` +
      ` of its shared group.`,
      `  'b': delivered at 1.000s with QoS 0, which nobody acknowledges.`,
    ],
  ],
  [
    'handed over in the step in which it was sent, since the broker stops',
    '--message d/w',
    stopped(0),
    [
      `'d/w' was published at 0.000s as the will of 'b' with QoS 1: 4 bytes. It matched` +
      ` '$share/g/d/+' of 'a' with QoS 0, '$share/g/d/+' of 'b' with QoS 1.`,
      `  'a': delivered at 0.000s with QoS 0, which nobody acknowledges.`,
      `  'b': delivered at 0.000s with QoS 1 and packet id 1; handed over at 0.000s to another` +
      ` of its shared group.`,
    ],
  ],
  [
    'handed over in the step in which it was sent, to who takes QoS 1',
    '--message d/w',
    stopped(1),
    [
      `'d/w' was published at 0.000s as the will of 'b' with QoS 1: 4 bytes. It matched` +
      ` '$share/g/d/+' of 'a' with QoS 1, '$share/g/d/+' of 'b' with QoS 1.`,
      `  'a': delivered at 0.000s with QoS 1 and packet id 1; still waiting for PUBACK when` +
      ` the recording ended, at 0.000s; its client is away since 0.000s, when the broker was` +
      ` stopped.`,
      `  'b': delivered at 0.000s with QoS 1 and packet id 1; handed over at 0.000s to another` +
      ` of its shared group.`,
    ],
  ],
  [
    'handed over to who takes QoS 0 only',
    '--message d/1',
    `
    quiet
    a> connect
    a> subscribe id1 '$share/g/d/+' qos1
    b> connect
    b> subscribe id1 '$share/g/d/+' qos0
    p> connect
    p> publish 'd/1' qos1 id1 "on"
    tick +1s
    a> disconnect
    ----`,
    [
      `'d/1' was published at 0.000s by 'p' with QoS 1 and packet id 1: 2 bytes. It matched` +
      ` '$share/g/d/+' of 'a' with QoS 1, '$share/g/d/+' of 'b' with QoS 0.`,
      `  'a': delivered at 0.000s with QoS 1 and packet id 1; handed over at 1.000s to 'b'` +
      ` of its shared group.`,
      `  'b': delivered at 1.000s with QoS 0, which nobody acknowledges.`,
    ],
  ],
  [
    'an answer that does not fit acknowledges nothing',
    '--message d/1 --client a',
    `
    quiet
    a> connect
    a> subscribe id1 'd/#' qos2
    p> connect
    p> publish 'd/1' qos1 id1 "on"
    tick +1s
    a> pubrec id1
    a> connect
    a> subscribe id1 'd/#' qos2
    p> publish 'd/1' qos2 id1 "off"
    p> pubrel id1
    tick +1s
    a> puback id1
    ----`,
    [
      `'d/1' was published at 0.000s by 'p' with QoS 1 and packet id 1: 2 bytes. It` +
      ` matched 'd/#' of 'a' with QoS 2.`,
      `  'a': delivered at 0.000s with QoS 1 and packet id 1; not acknowledged: its` +
      ` session ended at 1.000s with its connection, which it was not to outlive.`,
      `'d/1' was published at 1.000s by 'p' with QoS 2 and packet id 1: 3 bytes. It was` +
      ` released at 1.000s (PUBREL). It matched 'd/#' of 'a' with QoS 2.`,
      `  'a': delivered at 1.000s with QoS 2 and packet id 1; not acknowledged: its` +
      ` session ended at 2.000s with its connection, which it was not to outlive.`,
    ],
  ],
  [
    'lost with the only member of a group, in the moment in which others got it too',
    '--message d/1',
    `
    quiet
    a> connect
    a> subscribe id1 '$share/g/d/1' qos1
    b> connect
    b> subscribe id1 'd/1' qos1
    c> connect
    c> subscribe id1 'd/1' qos0
    p> connect
    tick +1s
    p> publish 'd/1' qos1 id7 "on"
    a> disconnect
    ----`,
    [
      `'d/1' was published at 1.000s by 'p' with QoS 1 and packet id 7: 2 bytes. It matched` +
      ` '$share/g/d/1' of 'a' with QoS 1, 'd/1' of 'b' with QoS 1, 'd/1' of 'c' with QoS 0.`,
      `  'a': delivered at 1.000s with QoS 1 and packet id 1; not acknowledged: its session` +
      ` ended at 1.000s with its connection, which it was not to outlive.`,
      `  'b': delivered at 1.000s with QoS 1 and packet id 1; still waiting for PUBACK when` +
      ` the recording ended, at 1.000s.`,
      `  'c': delivered at 1.000s with QoS 0, which nobody acknowledges.`,
    ],
  ],
  [
    'not taken by its socket, which was closed in the same moment',
    '--message d/2',
    `
    quiet
    a> connect session-expiry-interval 60 will [ 'd/2' "gone" ]
    a> subscribe id1 'd/#'
    p> connect
    p> publish 'd/1' "x"*70000
    tick +1s
    stop
    tick +1s
    ----`,
    [
      `'d/2' was published at 1.000s as the will of 'a' with QoS 0: 4 bytes. It matched` +
      ` 'd/#' of 'a' with QoS 0.`,
      `  'a': delivered at 1.000s with QoS 0, which nobody acknowledges; its socket had not` +
      ` taken it when the connection ended at 1.000s.`,
    ],
  ],
  [
    'what was sent is not over when what waits behind it is',
    '--message t --client a',
    `
    config queuedCountMax=1 inflightCountMax=1

    quiet
    a> connect session-expiry-interval 3 will [ 't' "w" qos1 will-delay-interval 1 ]
    a> subscribe id1 '#' qos2
    a> subscribe id2 '$share/g/t' qos2
    p> connect
    p> publish 't' qos1 id1 "1" message-expiry-interval 2
    a lose
    at 9000
    ticked
    ----`,
    [
      `'t' was published at 0.000s by 'p' with QoS 1 and packet id 1: 1 byte. It matched ` +
      `'#' of 'a' with QoS 2, '$share/g/t' of 'a' with QoS 2.`,
      `  'a': delivered at 0.000s with QoS 1 and packet id 1; not acknowledged: its ` +
      `session ended at 9.000s because its Session Expiry Interval was over; and queued ` +
      `at 0.000s; not delivered: dropped at 9.000s, its Message Expiry Interval was over ` +
      `before it could be sent.`,
      `'t' was published at 9.000s as the will of 'a' with QoS 1: 1 byte. It matched '#' ` +
      `of 'a' with QoS 2, '$share/g/t' of 'a' with QoS 2.`,
      `  'a': not delivered: its queue was full (max_queued_messages 1, max_queued_bytes ` +
      `16777216); it was away since 0.000s.`,
    ],
  ],
  [
    'only who is of the group is handed what was its',
    '--message t --client a',
    `
    quiet
    a> connect
    a> subscribe id1 '$share/h/t' qos1
    a> subscribe id2 '$share/g/t' qos1
    b> connect
    b> subscribe id1 '$share/h/t'
    p> connect
    p> publish 't' qos1 id1 "1"
    a lose
    ----`,
    [
      `'t' was published at 0.000s by 'p' with QoS 1 and packet id 1: 1 byte. It matched ` +
      `'$share/g/t' of 'a' with QoS 1, '$share/h/t' of 'a' with QoS 1, '$share/h/t' of ` +
      `'b' with QoS 0.`,
      `  'a': delivered at 0.000s with QoS 1 and packet id 1; handed over at 0.000s to ` +
      `'b' of its shared group; and delivered at 0.000s with QoS 1 and packet id 2; not ` +
      `acknowledged: its session ended at 0.000s with its connection, which it was not to` +
      ` outlive.`,
    ],
  ],
  [
    'what waited and is over is not what is too large after it',
    '--message t --client a',
    `
    config queuedCountMax=1 inflightCountMax=1

    quiet
    a> connect maximum-packet-size 40
    a> subscribe id1 '#' 't' qos1
    p> connect
    p> publish 't' qos1 id1 "1"
    p> publish 't' qos1 id2 "2" message-expiry-interval 1
    tick +1s
    p> publish 't' qos1 id3 "3"*40
    ----`,
    [
      `'t' was published at 0.000s by 'p' with QoS 1 and packet id 1: 1 byte. It matched ` +
      `'#' of 'a' with QoS 0, 't' of 'a' with QoS 1.`,
      `  'a': delivered at 0.000s with QoS 1 and packet id 1; still waiting for PUBACK ` +
      `when the recording ended, at 1.000s; and delivered at 0.000s with QoS 0, which ` +
      `nobody acknowledges.`,
      `'t' was published at 0.000s by 'p' with QoS 1 and packet id 2: 1 byte. It matched ` +
      `'#' of 'a' with QoS 0, 't' of 'a' with QoS 1.`,
      `  'a': queued at 0.000s; not delivered: dropped at 1.000s, its Message Expiry ` +
      `Interval was over before it could be sent; and delivered at 0.000s with QoS 0, ` +
      `which nobody acknowledges.`,
      `'t' was published at 1.000s by 'p' with QoS 1 and packet id 3: 40 bytes. It ` +
      `matched '#' of 'a' with QoS 0, 't' of 'a' with QoS 1.`,
      `  'a': not delivered: queued at 1.000s; still in its queue when the recording ` +
      `ended, at 1.000s: 1 message had been sent to it and not acknowledged, as many as ` +
      `may be (its Receive Maximum or max_inflight_messages); and a copy was lost at ` +
      `1.000s: it is larger than the Maximum Packet Size of the client, 40 bytes.`,
    ],
  ],
  [
    'who is handed it may end in the same moment',
    '--message t --client a',
    `
    config sharedOffline="drop"

    quiet
    a> connect session-expiry-interval 60
    a> subscribe id1 '$share/h/t' qos1
    p> connect
    p> publish 't' qos1 id1 "1"
    b> connect
    b> subscribe id1 '$share/h/t'
    redirect
    ----`,
    [
      `'t' was published at 0.000s by 'p' with QoS 1 and packet id 1: 1 byte. It matched ` +
      `'$share/h/t' of 'a' with QoS 1.`,
      `  'a': delivered at 0.000s with QoS 1 and packet id 1; handed over at 0.000s to ` +
      `'b' of its shared group.`,
    ],
  ],
]
