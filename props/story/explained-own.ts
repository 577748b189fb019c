// Messages of the broker's own, and of wills.

import type { Explained } from './explained-begin.ts'

export const own: ReadonlyArray<Explained> = [
  [
    'a message of the broker itself',
    '--message d/1',
    `
    quiet
    a> connect
    a> subscribe id1 'd/#' qos1
    tick +1s
    publish 'd/1' qos1 id1 "on"
    tick +1s
    a> puback id1
    publish 'd/1' retain "on"
    ----`,
    [
      `'d/1' was published at 1.000s by the broker itself with QoS 1: 2 bytes. It matched` +
      ` 'd/#' of 'a' with QoS 1.`,
      `  'a': delivered at 1.000s with QoS 1 and packet id 1; acknowledged at 2.000s (PUBACK).`,
      `'d/1' was published at 2.000s by the broker itself with QoS 0, to be retained: 2` +
      ` bytes. It matched 'd/#' of 'a' with QoS 1.`,
      `  'a': delivered at 2.000s with QoS 0, which nobody acknowledges.`,
    ],
  ],
  [
    'what the broker says of itself',
    '--message $SYS/broker/clients/connected@20',
    `
    config sysIntervalMs=10000

    quiet
    a> connect
    a> subscribe id1 '$SYS/broker/clients/#'
    tick +5s
    b> connect
    tick +30s
    ----`,
    [
      `The nearest of 2 publications to '$SYS/broker/clients/connected':`,
      `'$SYS/broker/clients/connected' was published at 10.000s by the broker itself with` +
      ` QoS 2, to be retained: 1 byte. It matched '$SYS/broker/clients/#' of 'a' with QoS` +
      ` 0.`,
      `  'a': delivered at 10.000s with QoS 0, which nobody acknowledges.`,
    ],
  ],
  [
    'a will that was put off',
    '--message w',
    `
    quiet
    a> connect session-expiry-interval 60 will [ 'w' "gone" qos1 will-delay-interval 5 ]
    b> connect
    b> subscribe id1 'w' qos1
    tick +1s
    a fail
    tick +10s
    ----`,
    [
      `'w' was published at 6.000s as the will of 'a' with QoS 1: 4 bytes. It matched 'w'` +
      ` of 'b' with QoS 1.`,
      `  'b': delivered at 6.000s with QoS 1 and packet id 1; still waiting for PUBACK when` +
      ` the recording ended, at 10.000s.`,
    ],
  ],
  [
    'a will that its client may not publish',
    '--message w',
    `
    quiet
    a> connect user "u" will [ 'w' "gone" qos1 ]
    b> connect user "b"
    b> subscribe id1 'w' qos1
    tick +1s
    a fail
    ----`,
    [
      `'w' was published at 1.000s as the will of 'a' with QoS 1: 4 bytes. It went to` +
      ` nobody: its publisher may not write it, denied by the line "topic deny w" of user` +
      ` "u" (/etc/mosquitto/acl:4).`,
      `  'b': not delivered: its publisher may not write it, denied by the line "topic deny` +
      ` w" of user "u" (/etc/mosquitto/acl:4).`,
    ],
    ['user b\ntopic read w\nuser u\ntopic deny w\n'],
  ],
  [
    'a will of QoS 0 to its own client, whose place another connection takes',
    '--message d/a',
    `
    quiet
    a> connect session-expiry-interval 60 will [ 'd/a' "gone" ]
    a> subscribe id1 'd/#' qos1
    tick +1s
    b> connect 'a' session-expiry-interval 60
    ----`,
    [
      `'d/a' was published at 1.000s as the will of 'a' with QoS 0: 4 bytes. It matched` +
      ` 'd/#' of 'a' with QoS 1.`,
      `  'a': not delivered: QoS 0 does not wait for who is away (queue_qos0_messages` +
      ` false); its old connection had just ended and the new one had not begun.`,
    ],
  ],
  [
    'an empty will of QoS 0 to its own client, which waits for the one that takes its place',
    '--message t',
    `
    config queueQos0=true

    quiet
    a> connect session-expiry-interval 60 will [ 't' "" ]
    a> subscribe id1 't'
    tick +1s
    b> connect 'a' session-expiry-interval 60
    ----`,
    [
      `'t' was published at 1.000s as the will of 'a' with QoS 0: 0 bytes. It matched ` +
      `'t' of 'a' with QoS 0.`,
      `  'a': delivered at 1.000s with QoS 0, which nobody acknowledges.`,
    ],
  ],
  [
    'a will to its own client, whose queue is full as another connection takes its place',
    '--message d/a',
    `
    config queuedCountMax=1 inflightCountMax=1

    quiet
    a> connect session-expiry-interval 60 will [ 'd/a' "gone" qos1 ]
    a> subscribe id1 'd/#' qos1
    p> connect
    p> publish 'd/1' qos1 id1 "1"
    p> publish 'd/1' qos1 id2 "2"
    tick +1s
    a> puback id1
    p> publish 'd/1' qos1 id3 "3"
    b> connect 'a' session-expiry-interval 60 receive-maximum 10
    ----`,
    [
      `'d/a' was published at 1.000s as the will of 'a' with QoS 1: 4 bytes. It matched` +
      ` 'd/#' of 'a' with QoS 1.`,
      `  'a': not delivered: its queue was full (max_queued_messages 1, max_queued_bytes` +
      ` 16777216); its old connection had just ended and the new one had not begun.`,
    ],
  ],
  [
    'a will to its own client, which lost it for itself and not what was under way to it',
    '--message d/a',
    `
    quiet
    a> connect session-expiry-interval 60 will [ 'd/a' "gone" ]
    a> subscribe id1 'd/#' qos1
    p> connect
    p> publish 'd/a' qos1 id1 "x"*100
    tick +1s
    b> connect 'a' session-expiry-interval 60 maximum-packet-size 60
    ----`,
    [
      `'d/a' was published at 0.000s by 'p' with QoS 1 and packet id 1: 100 bytes. It` +
      ` matched 'd/#' of 'a' with QoS 1.`,
      `  'a': delivered at 0.000s with QoS 1 and packet id 1; given up at 1.000s, it is` +
      ` larger than the Maximum Packet Size of the client, 60 bytes.`,
      `'d/a' was published at 1.000s as the will of 'a' with QoS 0: 4 bytes. It matched` +
      ` 'd/#' of 'a' with QoS 1.`,
      `  'a': not delivered: QoS 0 does not wait for who is away (queue_qos0_messages` +
      ` false); its old connection had just ended and the new one had not begun.`,
    ],
  ],
  [
    'a will to its own client, whose queue fills with it as the session ends',
    '--message d/a',
    `
    config queuedCountMax=1

    quiet
    a> connect session-expiry-interval 5 will [ 'd/a' "gone" qos1 will-delay-interval 3 ]
    a> subscribe id1 'd/#' qos1
    a> subscribe id2 'd/+' qos1
    tick +1s
    a lose
    at 9000
    ticked
    ----`,
    [
      `'d/a' was published at 9.000s as the will of 'a' with QoS 1: 4 bytes. It matched` +
      ` 'd/#' of 'a' with QoS 1, 'd/+' of 'a' with QoS 1.`,
      `  'a': not delivered: its queue was full (max_queued_messages 1, max_queued_bytes` +
      ` 16777216); it was away since 1.000s.`,
    ],
  ],
  [
    'a later will on the topic that is not asked for, and finds the queue full',
    '--message d/1@0 --client a',
    `config queuedCountMax=1

    quiet
    a> connect session-expiry-interval 60
    a> subscribe id1 'd/#' qos1
    p> connect
    p> publish 'd/1' qos1 id1 "kept" retain
    a> puback id1
    q> connect session-expiry-interval 60 will [ 'd/1' "gone" qos1 will-delay-interval 5 ]
    a lose
    p> publish 'd/2' qos1 id2 "waits"
    tick +1s
    p> publish 'd/1' "between"
    q lose
    at 9000
    ticked
    ----`,
    [
      `The nearest of 3 publications to 'd/1':`,
      `'d/1' was published at 0.000s by 'p' with QoS 1 and packet id 1, to be retained: 4 bytes.` +
      ` It matched 'd/#' of 'a' with QoS 1.`,
      `  'a': delivered at 0.000s with QoS 1 and packet id 1; acknowledged at 0.000s (PUBACK).`,
    ],
  ],
  [
    'what was given up as its client came back is no other that it did not get',
    '--message d/1@1',
    `
    quiet
    a> connect session-expiry-interval 60 will [ 'd/1' "gone" ]
    a> subscribe id1 '$share/g/d/1' qos1
    a> subscribe id2 'd/1' no-local
    p> connect
    p> publish 'd/1' qos1 id1 "x"*100
    tick +1s
    b> connect 'a' session-expiry-interval 60 maximum-packet-size 60
    ----`,
    [
      `The nearest of 2 publications to 'd/1':`,
      `'d/1' was published at 1.000s as the will of 'a' with QoS 0: 4 bytes. It matched` +
      ` '$share/g/d/1' of 'a' with QoS 1, 'd/1' of 'a' with QoS 0.`,
      `  'a': not delivered: QoS 0 does not wait for who is away (queue_qos0_messages false);` +
      ` its old connection had just ended and the new one had not begun.`,
    ],
  ],
  [
    'what was in flight is not what is too large when its session ends',
    '--message t --client a',
    `
    quiet
    a> connect maximum-packet-size 20 will [ 't' "12345678901234567890" ]
    a> subscribe id1 't' qos1
    p> connect
    p> publish 't' qos1 id1 "1"
    tick +1s
    stop
    ----`,
    [
      `'t' was published at 0.000s by 'p' with QoS 1 and packet id 1: 1 byte. It matched ` +
      `'t' of 'a' with QoS 1.`,
      `  'a': delivered at 0.000s with QoS 1 and packet id 1; not acknowledged: its ` +
      `session ended at 1.000s with its connection, which it was not to outlive.`,
      `'t' was published at 1.000s as the will of 'a' with QoS 0: 20 bytes. It matched ` +
      `'t' of 'a' with QoS 1.`,
      `  'a': not delivered: it is larger than the Maximum Packet Size of the client, 20 ` +
      `bytes.`,
    ],
  ],
  [
    'of two wills at the end one is queued, and the queue is full for the other',
    '--message t --client c',
    `
    config queuedCountMax=1 inflightCountMax=1

    quiet
    a> connect will [ 't' "1" qos1 ]
    b> connect will [ 't' "12" qos1 ]
    c> connect
    c> subscribe id1 't' qos1 'u' qos1
    b> publish 'u' qos1 id1 "123"
    tick +1s
    stop
    ----`,
    [
      `'t' was published at 1.000s as the will of 'a' with QoS 1: 1 byte. It matched 't' ` +
      `of 'c' with QoS 1.`,
      `  'c': not delivered: its session ended in that moment.`,
      `'t' was published at 1.000s as the will of 'b' with QoS 1: 2 bytes. It matched 't'` +
      ` of 'c' with QoS 1.`,
      `  'c': not delivered: its queue was full (max_queued_messages 1, max_queued_bytes ` +
      `16777216); 1 message had been sent to it and not acknowledged, as many as may be ` +
      `(its Receive Maximum or max_inflight_messages).`,
    ],
  ],
  [
    'of two wills of a moment one was lost to another of its group, and is no echo of the other',
    '--message t --client a',
    `
    quiet
    a> connect session-expiry-interval 60 will [ 't' "1" will-delay-interval 1 ]
    b> connect session-expiry-interval 60 will [ 't' "12" will-delay-interval 1 ]
    c> connect session-expiry-interval 60
    c> subscribe id1 '$share/h/t'
    a> subscribe id1 '$share/h/t'
    a> subscribe id2 't' no-local
    c lose
    a lose
    b lose
    at 2000
    ticked
    ----`,
    [
      `'t' was published at 2.000s as the will of 'a' with QoS 0: 1 byte. It matched ` +
      `'$share/h/t' of 'a' with QoS 0, '$share/h/t' of 'c' with QoS 0, 't' of 'a' with ` +
      `QoS 0.`,
      `  'a': not delivered: its subscription to 't' has No Local, and it published the ` +
      `message itself; the shared group of its '$share/h/t' lost it to 'c' (offline), ` +
      `whose turn it was.`,
      `'t' was published at 2.000s as the will of 'b' with QoS 0: 2 bytes. It matched ` +
      `'$share/h/t' of 'a' with QoS 0, '$share/h/t' of 'c' with QoS 0, 't' of 'a' with ` +
      `QoS 0.`,
      `  'a': not delivered: QoS 0 does not wait for who is away (queue_qos0_messages ` +
      `false), as the client was since 0.000s.`,
    ],
  ],
  [
    'what was handed to another of the group is not what was dropped when its client came back',
    '--message d/1 --client a',
    `
    config sharedOrder="prefer online" acl="topic write d/1; user b; topic #"
    listener "1884" acl=null

    quiet
    a open listener "1884"
    a> connect session-expiry-interval 3600 will [ 'd/1' "gone" qos1 ]
    a> subscribe id1 '$share/g/d/1' qos1
    p open listener "1884"
    p> connect
    p> publish 'd/1' qos1 id1 "on"
    b> connect user "b"
    b> subscribe id1 '$share/g/d/1'
    a> subscribe id2 'd/1' qos1
    tick +1s
    z> connect 'a' session-expiry-interval 3600
    ----`,
    [
      `'d/1' was published at 0.000s by 'p' with QoS 1 and packet id 1: 2 bytes. It ` +
      `matched '$share/g/d/1' of 'a' with QoS 1.`,
      `  'a': delivered at 0.000s with QoS 1 and packet id 1; handed over at 1.000s to ` +
      `'b' of its shared group.`,
      `'d/1' was published at 1.000s as the will of 'a' with QoS 1: 4 bytes. It matched ` +
      `'$share/g/d/1' of 'a' with QoS 1, '$share/g/d/1' of 'b' with QoS 0, 'd/1' of 'a' ` +
      `with QoS 1.`,
      `  'a': not delivered: the client may not read it, denied by the access list of ` +
      `listener "1883", in which no line for clients without a user name and no pattern ` +
      `lets it read the topic.`,
    ],
  ],
  [
    'what was dropped at the end for a client that had not left yet',
    '--message d/1 --client b',
    `
    config queuedCountMax=1

    quiet
    a> connect will [ 'd/1' "gone" qos1 ]
    b> connect session-expiry-interval 60 receive-maximum 1
    b> subscribe id1 'd/#' qos1
    a> publish 'd/2' qos1 id1 "1"
    a> publish 'd/2' qos1 id2 "2"
    tick +1s
    stop
    ----`,
    [
      `'d/1' was published at 1.000s as the will of 'a' with QoS 1: 4 bytes. It matched ` +
      `'d/#' of 'b' with QoS 1.`,
      `  'b': not delivered: its queue was full (max_queued_messages 1, max_queued_bytes ` +
      `16777216); 1 message had been sent to it and not acknowledged, as many as may be ` +
      `(its Receive Maximum or max_inflight_messages).`,
    ],
  ],
  [
    'what was handed to another of the group, and waits there, is not what was dropped either',
    '--message d/1 --client a',
    `
    config sharedOrder="prefer online" acl="topic write d/1; user b; topic #"
    listener "1884" acl=null

    quiet
    a open listener "1884"
    a> connect session-expiry-interval 3600 will [ 'd/1' "gone" qos1 ]
    a> subscribe id1 '$share/g/d/1' qos1
    p open listener "1884"
    p> connect
    p> publish 'd/1' qos1 id1 "on"
    b> connect user "b" receive-maximum 1
    b> subscribe id1 '$share/g/d/1' qos1 'd/2' qos1
    p> publish 'd/2' qos1 id2 "2"
    a> subscribe id2 'd/1' qos1
    tick +1s
    z> connect 'a' session-expiry-interval 3600
    ----`,
    [
      `'d/1' was published at 0.000s by 'p' with QoS 1 and packet id 1: 2 bytes. It ` +
      `matched '$share/g/d/1' of 'a' with QoS 1.`,
      `  'a': delivered at 0.000s with QoS 1 and packet id 1; handed over at 1.000s to ` +
      `'b' of its shared group.`,
      `'d/1' was published at 1.000s as the will of 'a' with QoS 1: 4 bytes. It matched ` +
      `'$share/g/d/1' of 'a' with QoS 1, '$share/g/d/1' of 'b' with QoS 1, 'd/1' of 'a' ` +
      `with QoS 1.`,
      `  'a': not delivered: the client may not read it, denied by the access list of ` +
      `listener "1883", in which no line for clients without a user name and no pattern ` +
      `lets it read the topic.`,
    ],
  ],
  [
    'what was dropped at the end for others of the same moment',
    '--message d/1 --client b',
    `
    config queuedCountMax=1

    quiet
    p> connect will [ 'd/1' "1" qos1 ]
    q> connect will [ 'd/1' "22" qos1 ]
    r> connect will [ 'd/1' "333" qos1 ]
    b> connect session-expiry-interval 60 receive-maximum 1
    b> subscribe id1 'd/#' qos1
    tick +1s
    stop
    ----`,
    [
      `'d/1' was published at 1.000s as the will of 'p' with QoS 1: 1 byte. It matched ` +
      `'d/#' of 'b' with QoS 1.`,
      `  'b': delivered at 1.000s with QoS 1 and packet id 1; still waiting for PUBACK ` +
      `when the recording ended, at 1.000s; its client is away since 1.000s, when the ` +
      `broker was stopped.`,
      `'d/1' was published at 1.000s as the will of 'q' with QoS 1: 2 bytes. It matched ` +
      `'d/#' of 'b' with QoS 1.`,
      `  'b': not delivered: queued at 1.000s; still in its queue when the recording ` +
      `ended, at 1.000s: it was away since 1.000s.`,
      `'d/1' was published at 1.000s as the will of 'r' with QoS 1: 3 bytes. It matched ` +
      `'d/#' of 'b' with QoS 1.`,
      `  'b': not delivered: its queue was full (max_queued_messages 1, max_queued_bytes ` +
      `16777216); what was sent to it in the same moment had taken its room.`,
    ],
  ],
]
