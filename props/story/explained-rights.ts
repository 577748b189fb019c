// What access lists have to do with it.

import type { Explained } from './explained-begin.ts'

export const rights: ReadonlyArray<Explained> = [
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
      `  's': not delivered: it had no subscription; it was refused 'x' at 1.000s (0x87),` +
      ` denied by the access list of listener "1883", in which no line of user "s" and no` +
      ` pattern lets it read the topic.`,
    ],
  ],
  [
    'denied by a line of a file',
    '--message d/no --client s',
    `
    quiet
    s> connect user "s"
    s> subscribe id1 '#'
    p> connect user "u"
    p> publish 'd/no' "on"
    ----`,
    [
      `'d/no' was published at 0.000s by 'p' with QoS 0: 2 bytes. It matched '#' of 's'` +
      ` with QoS 0.`,
      `  's': not delivered: the client may not read it, denied by the line "topic deny` +
      ` d/no" of user "s" (/etc/mosquitto/acl:8).`,
    ],
    ['# what s sees\n\nuser u\ntopic write #\n\nuser s\ntopic read #\n  topic deny d/no\n'],
  ],
  [
    'denied by a line of a file, for its publisher, and no line that allows it',
    '--message d/no',
    `
    config reasonStrings=true

    quiet
    p> connect user "u"
    p> publish 'd/no' qos1 id1 "on"
    x> connect user "x"
    x> publish 'd/no' qos1 id1 "on"
    c> connect
    c> publish 'd/no' qos1 id1 "on"
    ----`,
    [
      `'d/no' was published at 0.000s by 'p' with QoS 1 and packet id 1: 2 bytes. It went` +
      ` to nobody: its publisher may not write it, denied by the line "topic deny d/+" of` +
      ` user "u" (/etc/mosquitto/acl:4).`,
      `'d/no' was published at 0.000s by 'x' with QoS 1 and packet id 1: 2 bytes. It went` +
      ` to nobody: its publisher may not write it, denied by the line "pattern deny d/no"` +
      ` (/etc/mosquitto/acl:5).`,
      `'d/no' was published at 0.000s by 'c' with QoS 1 and packet id 1: 2 bytes. It went` +
      ` to nobody: its publisher may not write it, denied by the line "pattern deny d/no"` +
      ` (/etc/mosquitto/acl:5).`,
    ],
    ['topic write a\nuser u\ntopic write #\ntopic deny d/+\npattern deny d/no\n'],
  ],
  [
    'a pattern of a file',
    '--message d/c',
    `
    quiet
    c> connect user "u"
    c> publish 'd/c' qos1 id1 "on"
    ----`,
    [
      `'d/c' was published at 0.000s by 'c' with QoS 1 and packet id 1: 2 bytes. It went to` +
      ` nobody: its publisher may not write it, denied by the line "pattern deny d/%c"` +
      ` (/etc/mosquitto/acl:4).`,
    ],
    ['user u\n\npattern write d/#\npattern deny d/%c\n'],
  ],
  [
    'a subscription that a line of a file denies',
    '--message d/no --client s',
    `
    quiet
    s> connect user "s"
    p> connect user "u"
    p> publish 'd/no' "on"
    s> subscribe id1 'd/no'
    ----`,
    [
      `'d/no' was published at 0.000s by 'p' with QoS 0: 2 bytes. It matched no subscription.`,
      `  's': not delivered: it had no subscription; it was refused 'd/no' at 0.000s` +
      ` (0x87), denied by the line "topic deny d/#" of user "s" (/etc/mosquitto/acl:5).`,
    ],
    ['user u\ntopic write #\nuser s\ntopic read #\ntopic deny d/#\n'],
  ],
  [
    'a subscription with wildcards that a line of a file denies',
    '--message d/no --client s',
    `
    quiet
    s> connect user "s"
    p> connect user "u"
    p> publish 'd/no' "on"
    s> subscribe id1 'd/+'
    ----`,
    [
      `'d/no' was published at 0.000s by 'p' with QoS 0: 2 bytes. It matched no subscription.`,
      `  's': not delivered: it had no subscription; it was refused 'd/+' at 0.000s (0x87),` +
      ` denied by the line "topic deny d/#" of user "s" (/etc/mosquitto/acl:5).`,
    ],
    ['user u\ntopic write #\nuser s\ntopic read #\ntopic deny d/#\n'],
  ],
  [
    'a subscription with wildcards that no line of a file allows',
    '--message d/no --client s',
    `
    quiet
    s> connect user "s"
    p> connect user "u"
    p> publish 'd/no' "on"
    s> subscribe id1 '$share/g/d/+'
    ----`,
    [
      `'d/no' was published at 0.000s by 'p' with QoS 0: 2 bytes. It matched no subscription.`,
      `  's': not delivered: it had no subscription; it was refused '$share/g/d/+' at` +
      ` 0.000s (0x87), denied by the access list of listener "1883" (/etc/mosquitto/acl),` +
      ` in which no line lets it read any such topic.`,
    ],
    ['user u\ntopic write #\nuser s\ntopic read e/#\n'],
  ],
  [
    'a right that a reload has taken',
    '--message d/1@2 --client s',
    `
    quiet
    s> connect user "s"
    s> subscribe id1 'd/#'
    p> connect user "u"
    p> publish 'd/1' "on"
    tick +1s
    reconfigure
    tick +1s
    p> publish 'd/1' "on"
    tick +1s
    reconfigure
    ----`,
    [
      `The nearest of 2 publications to 'd/1':`,
      `'d/1' was published at 2.000s by 'p' with QoS 0: 2 bytes. It matched 'd/#' of 's'` +
      ` with QoS 0.`,
      `  's': not delivered: the client may not read it, denied by the line "topic deny` +
      ` d/1" of user "s" (/etc/mosquitto/acl:5), since the reload at 1.000s (before that it` +
      ` was allowed by the line "topic read #" of user "s" (/etc/mosquitto/acl:4)).`,
    ],
    [
      'user u\ntopic write #\nuser s\ntopic read #\n',
      'user u\ntopic write #\nuser s\ntopic read #\ntopic deny d/1\n',
      'user u\ntopic write #\nuser s\ntopic deny d/1\n',
    ],
  ],
  [
    'a right to publish that a reload has taken',
    '--message d/1',
    `
    quiet
    p> connect user "u"
    reconfigure
    tick +1s
    reconfigure
    tick +1s
    p> publish 'd/1' "on"
    ----`,
    [
      `'d/1' was published at 2.000s by 'p' with QoS 0: 2 bytes. It went to nobody: its` +
      ` publisher may not write it, denied by the access list of listener "1883"` +
      ` (/etc/mosquitto/acl), in which no line of user "u" and no pattern lets it write the` +
      ` topic, since the reload at 1.000s (before that it was allowed by the line "topic` +
      ` write #" of user "u" (/etc/mosquitto/acl:2)).`,
    ],
    ['user u\ntopic write #\n', 'user u\ntopic write #\n', 'user u\ntopic write e\n'],
  ],
  [
    'a will that a line of a file denies',
    '--why-disconnected a',
    `
    quiet
    a> connect user "u" will [ 'w' "gone" ]
    tick +1s
    a lose
    ----`,
    [
      `'a' (127.0.0.1:50001), connected since 0.000s, was disconnected at 1.000s by the` +
      ` other side: the socket was closed without DISCONNECT. Its will on 'w' was denied by` +
      ` the line "topic deny w" of user "u" (/etc/mosquitto/acl:3). Its session ended as` +
      ` well (disconnected).`,
    ],
    ['user u\n\ntopic deny w\n'],
  ],
  [
    'a right by a pattern that a reload has taken',
    '--message d/u --client s',
    `
    quiet
    s> connect user "s"
    s> subscribe id1 'd/#'
    p> connect user "u"
    reconfigure
    tick +1s
    p> publish 'd/u' "on"
    ----`,
    [
      `'d/u' was published at 1.000s by 'p' with QoS 0: 2 bytes. It went to nobody: its` +
      ` publisher may not write it, denied by the access list of listener "1883"` +
      ` (/etc/mosquitto/acl), in which no line of user "u" and no pattern lets it write the` +
      ` topic, since the reload at 0.000s (before that it was allowed by the line "pattern` +
      ` write d/%u" (/etc/mosquitto/acl:1)).`,
      `  's': not delivered: its publisher may not write it, denied by the access list of` +
      ` listener "1883" (/etc/mosquitto/acl), in which no line of user "u" and no pattern` +
      ` lets it write the topic, since the reload at 0.000s (before that it was allowed by` +
      ` the line "pattern write d/%u" (/etc/mosquitto/acl:1)).`,
    ],
    ['pattern write d/%u\nuser s\ntopic read #\n', 'user s\ntopic read #\n'],
  ],
  [
    'QoS 2 that is given up when its client comes back without the right to it',
    '--message d/1 --client a',
    `
    quiet
    a> connect user "u" session-expiry-interval 60
    a> subscribe id1 'd/#' qos2
    p> connect user "p"
    p> publish 'd/1' qos2 id1 "on"
    p> pubrel id1
    p> publish 'd/1' qos2 id1 "off"
    p> pubrel id1
    a> pubrec id1
    a lose
    tick +1s
    reconfigure
    a reopen
    a> pubcomp id1
    a> pubcomp id2
    ----`,
    [
      `'d/1' was published at 0.000s by 'p' with QoS 2 and packet id 1: 2 bytes. It was` +
      ` released at 0.000s (PUBREL). It matched 'd/#' of 'a' with QoS 2.`,
      `  'a': delivered at 0.000s with QoS 2 and packet id 1; received at 0.000s` +
      ` (PUBREC); acknowledged at 1.000s (PUBCOMP).`,
      `'d/1' was published at 0.000s by 'p' with QoS 2 and packet id 1: 3 bytes. It was` +
      ` released at 0.000s (PUBREL). It matched 'd/#' of 'a' with QoS 2.`,
      `  'a': delivered at 0.000s with QoS 2 and packet id 2; given up at 1.000s, the` +
      ` client may not read it, denied by the access list of listener "1883"` +
      ` (/etc/mosquitto/acl), in which no line of user "u" and no pattern lets it read` +
      ` the topic, since the reload at 1.000s (before that it was allowed by the line` +
      ` "topic read #" of user "u" (/etc/mosquitto/acl:2)).`,
    ],
    ['user u\ntopic read #\n\nuser p\ntopic write #\n', 'user p\ntopic write #\n'],
  ],
  [
    'what ends its connection is not denied because the will is',
    '--message d/1',
    `
    config maximumQos=1

    quiet
    p> connect user "p" will [ 'd/1' "gone" ]
    p> publish 'd/1' qos2 id1 "on"
    ----`,
    [
      `'d/1' was published at 0.000s by 'p' with QoS 2 and packet id 1: 2 bytes. It went to` +
      ` nobody: its publisher's connection was ended for it: protocol error 0x9b, a publish` +
      ` above Maximum QoS [MQTT-3.2.2-11].`,
      `'d/1' was published at 0.000s as the will of 'p' with QoS 0: 4 bytes. It went to` +
      ` nobody: its publisher may not write it, denied by the access list of listener` +
      ` "1883" (/etc/mosquitto/acl), in which no line of user "p" and no pattern lets it` +
      ` write the topic.`,
    ],
    ['user p\ntopic read #\n'],
  ],
  [
    'of two wills on a topic in one moment one is denied',
    '--message d/1',
    `
    quiet
    s> connect user "s"
    s> subscribe id1 'd/#'
    a> connect keep-alive 2 user "a" will [ 'd/1' "a" ]
    b> connect keep-alive 2 user "b" will [ 'd/1' "bb" ]
    tick +4s
    ----`,
    [
      `'d/1' was published at 3.000s as the will of 'a' with QoS 0: 1 byte. It went to ` +
      `nobody: its publisher may not write it, denied by the access list of listener ` +
      `"1883" (/etc/mosquitto/acl), in which no line of user "a" and no pattern lets it ` +
      `write the topic.`,
      `  's': not delivered: its publisher may not write it, denied by the access list of` +
      ` listener "1883" (/etc/mosquitto/acl), in which no line of user "a" and no pattern` +
      ` lets it write the topic.`,
      `'d/1' was published at 3.000s as the will of 'b' with QoS 0: 2 bytes. It matched ` +
      `'d/#' of 's' with QoS 0.`,
      `  's': delivered at 3.000s with QoS 0, which nobody acknowledges.`,
    ],
    ['user s\ntopic read #\n\nuser b\ntopic write #\n'],
  ],
]
