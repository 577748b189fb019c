// Stories, a question about each, and the whole answer. Dates are left out of the answers.

export type Explained = readonly [
  name: string,
  words: string,
  story: string,
  answer: ReadonlyArray<string>,
]

const both = `
    quiet
    a> connect session-expiry-interval 60
    a> subscribe id1 'd/#' qos1
    p> connect
    ----
`

const pageConfig = 'queuedCountMax=1 acl="user phone; topic read home/#; topic deny home/safe; ' +
  'user s; topic write #"'

/** What the recording of the page is made of. */
export const pageStory = `
    config ${pageConfig}

    quiet
    phone> connect user "phone" session-expiry-interval 3600 keep-alive 60
    phone> subscribe id1 'home/#' qos1
    door> connect user "s"
    tick +10s
    door> publish 'home/door' qos1 id1 "open"
    phone> puback id1
    tick +2s
    door> publish 'home/safe' qos1 id2 "open"
    tick +120s
    door> publish 'home/door' qos1 id3 "shut"
    door> publish 'home/lamp' qos1 id4 "on"
    tick +60s
    phone> connect user "phone" session-expiry-interval 3600 keep-alive 60
    phone> puback id2
    ----
`

export const stories: ReadonlyArray<Explained> = [
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
    'denied by a line of the access list',
    '--message d/no',
    `
    config acl="user u; topic write d/#; topic deny d/no; user all; topic readwrite #"

    quiet
    s> connect user "all"
    s> subscribe id1 '#'
    p> connect user "u"
    p> publish 'd/no' qos1 id1 "on"
    ----`,
    [
      `'d/no' was published at 0.000s by 'p' with QoS 1 and packet id 1: 2 bytes. It went` +
      ` to nobody: its publisher may not write it, denied by the line "topic deny d/no" of` +
      ` user "u".`,
      `  's': not delivered: its publisher may not write it, denied by the line "topic deny` +
      ` d/no" of user "u".`,
    ],
  ],
  [
    'may not read it',
    '--message d/no --client s',
    `
    config acl="user u; topic write d/#; user s; topic read d/#; topic deny d/no"

    quiet
    s> connect user "s"
    s> subscribe id1 '#'
    p> connect user "u"
    p> publish 'd/no' qos1 id1 "on"
    ----`,
    [
      `'d/no' was published at 0.000s by 'p' with QoS 1 and packet id 1: 2 bytes. It` +
      ` matched '#' of 's' with QoS 0.`,
      `  's': not delivered: the client may not read it, denied by the line "topic deny` +
      ` d/no" of user "s".`,
    ],
  ],
  [
    'no line allows it',
    '--message x --client s',
    `
    config acl="user s; topic read d/#"

    quiet
    s> connect user "s"
    s> subscribe id1 '#'
    p> connect user "u"
    p> publish 'x' qos1 id1 "on"
    ----`,
    [
      `'x' was published at 0.000s by 'p' with QoS 1 and packet id 1: 2 bytes. It went to` +
      ` nobody: its publisher may not write it, denied by the access list of listener` +
      ` "1883", in which no line of user "u" and no pattern lets it write the topic.`,
      `  's': not delivered: its publisher may not write it, denied by the access list of` +
      ` listener "1883", in which no line of user "u" and no pattern lets it write the` +
      ` topic.`,
    ],
  ],
  [
    'a subscription that was refused',
    '--message x --client s',
    `
    config acl="user s; topic read d/#; user u; topic write #"

    quiet
    s> connect user "s"
    p> connect user "u"
    p> publish 'x' "on"
    tick +1s
    s> subscribe id1 'x'
    ----`,
    [
      `'x' was published at 0.000s by 'p' with QoS 0: 2 bytes. It matched no subscription.`,
      `  's': not delivered: it had no subscription; it was refused 'x' at 1.000s (0x87).`,
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
    'QoS 0 while congested',
    '--message d/1@2',
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
      `  'a': not delivered: it was of QoS 0 and 70032 bytes waited already for its socket` +
      ` (at most 100000).`,
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
    'many, and how to narrow',
    '--message d/1 --client a',
    `${both}
    quiet
    p> publish 'd/1' "0"
    tick +1s
    p> publish 'd/1' "1"
    p> publish 'd/1' "2"
    p> publish 'd/1' "3"
    p> publish 'd/1' "4"
    tick +1s
    p> publish 'd/1' "5"
    ----`,
    [
      `'d/1' was published 6 times; the first and the last. For another one: --message` +
      ` d/1@SECONDS, or a time as 2026-11-29T07:00:00Z.`,
      `'d/1' was published at 0.000s by 'p' with QoS 0: 1 byte. It matched 'd/#' of 'a'` +
      ` with QoS 1.`,
      `  'a': delivered at 0.000s with QoS 0, which nobody acknowledges.`,
      `'d/1' was published at 2.000s by 'p' with QoS 0: 1 byte. It matched 'd/#' of 'a'` +
      ` with QoS 1.`,
      `  'a': delivered at 2.000s with QoS 0, which nobody acknowledges.`,
    ],
  ],
  [
    'the one nearest to a time',
    '--message d/1@1.4 --client a',
    `${both}
    quiet
    p> publish 'd/1' "0"
    tick +1s
    p> publish 'd/1' "1"
    tick +1s
    p> publish 'd/1' "2"
    ----`,
    [
      `The nearest of 3 publications to 'd/1':`,
      `'d/1' was published at 1.000s by 'p' with QoS 0: 1 byte. It matched 'd/#' of 'a'` +
      ` with QoS 1.`,
      `  'a': delivered at 1.000s with QoS 0, which nobody acknowledges.`,
    ],
  ],
  [
    'never published',
    '--message D/2',
    `${both}
    quiet
    p> publish 'd/1' "0"
    p> publish 'q/d/2' "0"
    ----`,
    [
      `Nothing was published to 'D/2' in this recording: did you mean 'd/1' or 'q/d/2'?`,
    ],
  ],
  [
    'a client that was never there',
    '--message d/1 --client sensor2',
    `${both}
    quiet
    sensor1> connect
    p> publish 'd/1' "0"
    ----`,
    [
      `'d/1' was published at 0.000s by 'p' with QoS 0: 1 byte. It matched 'd/#' of 'a'` +
      ` with QoS 1.`,
      `  'sensor2': not delivered: it had no session at that time.`,
      `No client 'sensor2' was ever seen in this recording: did you mean 'sensor1'?`,
    ],
  ],
  [
    'its own DISCONNECT',
    '--why-disconnected a',
    `
    quiet
    a> connect session-expiry-interval 60 will [ 'w' "gone" ]
    tick +1s
    a> disconnect
    ----`,
    [
      `'a' (127.0.0.1:50001), connected since 0.000s, was disconnected at 1.000s by the` +
      ` client itself, with DISCONNECT 0x00. Its will on 'w' was not published. Its session` +
      ` was kept for 60 s.`,
    ],
  ],
  [
    'keep alive',
    '--why-disconnected a',
    `
    quiet
    a> connect keep-alive 10 will [ 'w' "gone" ]
    tick +2s
    a> pingreq
    tick +30s
    ----`,
    [
      `'a' (127.0.0.1:50001), connected since 0.000s, was disconnected at 17.000s by the` +
      ` broker, because nothing whole was heard from it since 2.000s, 15 s before, with a` +
      ` Keep Alive of 10 s (half as long again is allowed). Its will on 'w' was published.` +
      ` Its session ended as well (disconnected).`,
    ],
  ],
  [
    'taken over',
    '--why-disconnected a',
    `
    quiet
    a> connect session-expiry-interval 60
    tick +1s
    b> connect 'a' session-expiry-interval 60
    ----`,
    [
      `'a' (127.0.0.1:50001), connected since 0.000s, was disconnected at 1.000s by another` +
      ` client with its identifier, which connected from 127.0.0.1:50002. It had no will.` +
      ` Its session went on with the new connection.`,
      `'a' is connected since 1.000s, and was so still when the recording ended at 1.000s.`,
    ],
  ],
  [
    'a protocol error',
    '--why-disconnected a',
    `
    quiet
    a> connect
    tick +1s
    a> connect
    ----`,
    [
      `'a' (127.0.0.1:50001), connected since 0.000s, was disconnected at 1.000s by the` +
      ` broker, for a protocol error: a second CONNECT on one connection [MQTT-3.1.0-2]. It` +
      ` had no will. Its session ended as well (disconnected).`,
    ],
  ],
  [
    'the network, and a will that was put off',
    '--why-disconnected a',
    `
    quiet
    a> connect session-expiry-interval 60 will [ 'w' "gone" will-delay-interval 5 ]
    tick +1s
    a fail
    tick +10s
    a reopen
    ----`,
    [
      `'a' (127.0.0.1:50001), connected since 0.000s, was disconnected at 1.000s by the` +
      ` network: the socket failed, without DISCONNECT. Its will on 'w' was put off until` +
      ` 6.000s. Its session was kept for 60 s. It was published at 6.000s.`,
      `'a' is connected since 11.000s, and was so still when the recording ended at` +
      ` 11.000s.`,
    ],
  ],
  [
    'back before the will was due',
    '--why-disconnected a',
    `
    quiet
    a> connect session-expiry-interval 60 will [ 'w' "gone" will-delay-interval 5 ]
    tick +1s
    a lose
    tick +1s
    a reopen
    ----`,
    [
      `'a' (127.0.0.1:50001), connected since 0.000s, was disconnected at 1.000s by the` +
      ` other side: the socket was closed without DISCONNECT. Its will on 'w' was put off` +
      ` until 6.000s. Its session was kept for 60 s. The client came back at 2.000s, before` +
      ` its will was due.`,
      `'a' is connected since 2.000s, and was so still when the recording ended at 2.000s.`,
    ],
  ],
  [
    'kicked',
    '--why-disconnected a',
    `
    quiet
    a> connect
    tick +1s
    kick 'a'
    ----`,
    [
      `'a' (127.0.0.1:50001), connected since 0.000s, was disconnected at 1.000s by the` +
      ` operator, who ended this connection. It had no will. Its session ended as well` +
      ` (disconnected).`,
    ],
  ],
  [
    'not let in',
    '--why-disconnected a',
    `
    config allowAnonymous=false

    quiet
    a> connect
    ----`,
    [
      `'a' (127.0.0.1:50001) was not let in at 0.000s by the broker, because it may not be` +
      ` there: no user name, which every client here needs [MQTT-3.1.4-2].`,
    ],
  ],
  [
    'a listener that is no more',
    '--why-disconnected a',
    `
    quiet
    a> connect
    tick +1s
    shut "1883"
    ----`,
    [
      `'a' (127.0.0.1:50001), connected since 0.000s, was disconnected at 1.000s by a` +
      ` reload, after which there is no listener "1883" any more. It had no will. Its` +
      ` session ended as well (disconnected).`,
    ],
  ],
  [
    'never seen, with near names',
    '--why-disconnected sensro',
    `
    quiet
    sensor> connect
    ----`,
    [
      `No client 'sensro' was ever seen in this recording: did you mean 'sensor'?`,
    ],
  ],
]
