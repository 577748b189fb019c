// What a topic had retained, and whom it was not sent to.

import type { Explained } from './explained-begin.ts'

export const retained: ReadonlyArray<Explained> = [
  [
    'retained, and whom it was not sent to',
    '--message d/1',
    `
    quiet
    p> connect user "p"
    p> publish 'd/1' retain "on"
    tick +1s
    a> connect user "a"
    a> subscribe id1 'd/#'
    b> connect user "b"
    b> subscribe id1 '$share/g/d/#'
    c> connect user "b"
    c> subscribe id1 'd/#' retain-handling 2
    d> connect user "b"
    d> subscribe id1 'd/#' retain-handling 1
    d> subscribe id2 'd/#' retain-handling 1
    tick +1s
    e> connect user "b" maximum-packet-size 10
    e> subscribe id1 'd/1'
    p> publish 'd/1' retain "off"
    ----`,
    [
      `'d/1' was published at 0.000s by 'p' with QoS 0, to be retained: 2 bytes. It matched` +
      ` no subscription. It was retained until 2.000s, when another one took its place.`,
      `  'a': as retained message: not sent at 1.000s, when it subscribed: the client may` +
      ` not read it, denied by the access list of listener "1883" (/etc/mosquitto/acl), in` +
      ` which no line of user "a" and no pattern lets it read the topic.`,
      `  'b': as retained message: not sent at 1.000s, when it subscribed: a shared` +
      ` subscription is sent nothing that is retained.`,
      `  'c': as retained message: not sent at 1.000s, when it subscribed: its subscription` +
      ` did not ask for what is retained (Retain Handling).`,
      `  'd': as retained message: delivered at 1.000s with QoS 0, with RETAIN, which` +
      ` nobody acknowledges; and as retained message: not sent at 1.000s, when it` +
      ` subscribed: its subscription did not ask for what is retained (Retain Handling).`,
      `'d/1' was published at 2.000s by 'p' with QoS 0, to be retained: 3 bytes. It matched` +
      ` '$share/g/d/#' of 'b' with QoS 0, 'd/#' of 'a' with QoS 0, 'd/#' of 'c' with QoS 0,` +
      ` 'd/#' of 'd' with QoS 0.`,
      `  'a': not delivered: the client may not read it, denied by the access list of` +
      ` listener "1883" (/etc/mosquitto/acl), in which no line of user "a" and no pattern` +
      ` lets it read the topic.`,
      `  'b': delivered at 2.000s with QoS 0, which nobody acknowledges.`,
      `  'c': delivered at 2.000s with QoS 0, which nobody acknowledges.`,
      `  'd': delivered at 2.000s with QoS 0, which nobody acknowledges.`,
    ],
    ['user p\ntopic write #\nuser a\ntopic read d/2\nuser b\ntopic read #\n'],
  ],
  [
    'retained, and still to come when the subscription was replaced',
    '--message d/9',
    `
    config queuedCountMax=2 inflightCountMax=1

    quiet
    p> connect
    p> publish 'd/1' qos1 id1 retain "on"
    p> publish 'd/2' qos1 id1 retain "on"
    p> publish 'd/3' qos1 id1 retain "on"
    p> publish 'd/9' qos1 id1 retain "on"
    a> connect
    a> subscribe id1 'd/#' qos1
    a> subscribe id2 'd/#' qos1 retain-handling 2
    tick +1s
    a> puback id1
    a> puback id2
    tick +1s
    ----`,
    [
      `'d/9' was published at 0.000s by 'p' with QoS 1 and packet id 1, to be retained: 2` +
      ` bytes. It matched no subscription.`,
      `  'a': as retained message: not delivered: queued at 1.000s; still in its queue when` +
      ` the recording ended, at 1.000s: 1 message had been sent to it and not` +
      ` acknowledged, as many as may be (its Receive Maximum or max_inflight_messages).`,
    ],
  ],
  [
    'retained, and its publisher has lost the right to it',
    '--message d/1',
    `
    quiet
    p> connect user "p"
    p> publish 'd/1' retain "on"
    tick +1s
    reconfigure
    a> connect user "a"
    a> subscribe id1 'd/#'
    ----`,
    [
      `'d/1' was published at 0.000s by 'p' with QoS 0, to be retained: 2 bytes. It matched` +
      ` no subscription.`,
      `  'a': as retained message: not sent at 1.000s, when it subscribed: its publisher` +
      ` 'p' may not write it any more (check_retain_source), denied by the line "topic deny` +
      ` d/1" of user "p" (/etc/mosquitto/acl:2), since the reload at 1.000s (before that it` +
      ` was allowed by the line "topic write #" of user "p" (/etc/mosquitto/acl:2)).`,
    ],
    ['user p\ntopic write #\n', 'user p\ntopic deny d/1\nuser a\ntopic read #\n'],
  ],
  [
    'retained until its time is over, or until it is deleted',
    '--message d/1',
    `
    quiet
    p> connect
    p> publish 'd/1' retain "on" message-expiry-interval 5
    tick +10s
    p> publish 'd/1' retain "on"
    tick +1s
    p> publish 'd/1' retain ""
    ----`,
    [
      `'d/1' was published at 0.000s by 'p' with QoS 0, to be retained: 2 bytes. It matched` +
      ` no subscription. It was retained until 5.000s, when its time was over.`,
      `'d/1' was published at 10.000s by 'p' with QoS 0, to be retained: 2 bytes. It` +
      ` matched no subscription. It was retained until 11.000s, when it was deleted.`,
      `'d/1' was published at 11.000s by 'p' with QoS 0, to be retained: 0 bytes. It` +
      ` matched no subscription.`,
    ],
  ],
  [
    'retained until a will deletes it, though another one takes its place in that moment',
    '--message t@0',
    `
    quiet
    p> connect
    p> publish 't' qos1 id1 retain "old"
    a> connect will [ 't' "" retain ]
    b> connect will [ 't' "new" retain ]
    tick +1s
    stop
    ----`,
    [
      `The nearest of 3 publications to 't':`,
      `'t' was published at 0.000s by 'p' with QoS 1 and packet id 1, to be retained: 3 ` +
      `bytes. It matched no subscription. It was retained until 1.000s, when it was ` +
      `deleted.`,
    ],
  ],
  [
    'retained until a will takes its place, though another one deletes that in the moment',
    '--message t@0',
    `
    quiet
    p> connect
    p> publish 't' qos1 id1 retain "old"
    b> connect will [ 't' "new" retain ]
    a> connect will [ 't' "" retain ]
    tick +1s
    stop
    ----`,
    [
      `The nearest of 3 publications to 't':`,
      `'t' was published at 0.000s by 'p' with QoS 1 and packet id 1, to be retained: 3 ` +
      `bytes. It matched no subscription. It was retained until 1.000s, when another one ` +
      `took its place.`,
    ],
  ],
  [
    'retained and live are told apart in one moment too',
    '--message d/1',
    `
    quiet
    l> connect
    l> subscribe id1 'd/#' qos1 retain-as-published
    p> connect
    p> publish 'd/1' retain "on"
    a> connect
    a> subscribe id1 'd/#' qos1
    l> unsubscribe id2 'd/#'
    a> unsubscribe id2 'd/#'
    l> subscribe id3 'd/1' qos1 retain-as-published retain-handling 2
    p> publish 'd/1' qos2 id1 retain "off"
    p> pubrel id1
    a> subscribe id3 'd/1' qos1
    tick +1s
    b> connect
    b> subscribe id1 'd/1'
    ----`,
    [
      `'d/1' was published at 0.000s by 'p' with QoS 0, to be retained: 2 bytes. It matched` +
      ` 'd/#' of 'l' with QoS 1. It was retained until 0.000s, when another one took its` +
      ` place.`,
      `  'a': as retained message: delivered at 0.000s with QoS 0, with RETAIN, which nobody` +
      ` acknowledges.`,
      `  'b': not delivered: it had no session at that time; it subscribed to 'd/1' at` +
      ` 1.000s.`,
      `  'l': delivered at 0.000s with QoS 0, with RETAIN, which nobody acknowledges; and as` +
      ` retained message: not sent at 0.000s, when it subscribed: its subscription did not` +
      ` ask for what is retained (Retain Handling).`,
      `'d/1' was published at 0.000s by 'p' with QoS 2 and packet id 1, to be retained: 3` +
      ` bytes. It was released at 0.000s (PUBREL). It matched 'd/1' of 'l' with QoS 1.`,
      `  'a': as retained message: delivered at 0.000s with QoS 1 and packet id 1, with` +
      ` RETAIN; still waiting for PUBACK when the recording ended, at 1.000s.`,
      `  'b': as retained message: delivered at 1.000s with QoS 0, with RETAIN, which nobody` +
      ` acknowledges.`,
      `  'l': delivered at 0.000s with QoS 1 and packet id 1, with RETAIN; still waiting for` +
      ` PUBACK when the recording ended, at 1.000s.`,
    ],
  ],
  [
    'retained until its time was over, though a will came in the same moment',
    '--message d/1',
    `
    quiet
    w> connect session-expiry-interval 60 will [ 'd/1' "gone" will-delay-interval 5 ]
    p> connect
    w lose
    p> publish 'd/1' retain "on" message-expiry-interval 5
    tick +10s
    ----`,
    [
      `'d/1' was published at 0.000s by 'p' with QoS 0, to be retained: 2 bytes. It matched` +
      ` no subscription. It was retained until 5.000s, when its time was over.`,
      `'d/1' was published at 5.000s as the will of 'w' with QoS 0: 4 bytes. It matched no` +
      ` subscription.`,
    ],
  ],
  [
    'what is retained is over before a will takes its place',
    '--message t/u',
    `
    config retainedExpiryMs=3000

    quiet
    a> connect
    a> publish 't/u' retain "1"
    b> connect keep-alive 2 will [ 't/u' "2" retain ]
    tick +10s
    ----`,
    [
      `'t/u' was published at 0.000s by 'a' with QoS 0, to be retained: 1 byte. It ` +
      `matched no subscription. It was retained until 3.000s, when its time was over.`,
      `'t/u' was published at 3.000s as the will of 'b' with QoS 0, to be retained: 1 ` +
      `byte. It matched no subscription. It was retained until 6.000s, when its time was ` +
      `over.`,
    ],
  ],
  [
    'what is retained is too large where it was sent live',
    '--message t/u --client a',
    `
    quiet
    a> connect maximum-packet-size 17
    a> subscribe id1 't/u' qos1
    a> publish 't/u' qos1 id2 retain "123"
    a> subscribe id3 't/u' qos2 subscription-identifier 268435455
    ----`,
    [
      `'t/u' was published at 0.000s by 'a' with QoS 1 and packet id 2, to be retained: 3` +
      ` bytes. It matched 't/u' of 'a' with QoS 1.`,
      `  'a': delivered at 0.000s with QoS 1 and packet id 1; still waiting for PUBACK ` +
      `when the recording ended, at 0.000s; and as retained message: not sent at 0.000s, ` +
      `when it subscribed: it is larger than the Maximum Packet Size of the client, 17 ` +
      `bytes.`,
    ],
  ],
  [
    'a copy of it waits in the queue where the retained one is dropped',
    '--message t --client a',
    `
    config inflightCountMax=1

    quiet
    a> connect maximum-packet-size 40
    a> subscribe id1 't' qos1
    b> connect
    b> publish 't' qos1 id1 "1"
    b> publish 't' qos1 id2 retain "0123456789012345678901234567890123456789"
    tick +1s
    a> subscribe id2 't'
    ----`,
    [
      `'t' was published at 0.000s by 'b' with QoS 1 and packet id 1: 1 byte. It matched ` +
      `'t' of 'a' with QoS 1.`,
      `  'a': delivered at 0.000s with QoS 1 and packet id 1; still waiting for PUBACK ` +
      `when the recording ended, at 1.000s.`,
      `'t' was published at 0.000s by 'b' with QoS 1 and packet id 2, to be retained: 40 ` +
      `bytes. It matched 't' of 'a' with QoS 1.`,
      `  'a': not delivered: queued at 0.000s; still in its queue when the recording ` +
      `ended, at 1.000s: 1 message had been sent to it and not acknowledged, as many as ` +
      `may be (its Receive Maximum or max_inflight_messages); and as retained message: ` +
      `not sent at 1.000s, when it subscribed: it is larger than the Maximum Packet Size ` +
      `of the client, 40 bytes.`,
    ],
  ],
]
