// Messages of the broker's own, of wills and of the time before the recording; mount points.

import type { Explained } from './explained-begin.ts'

const mounted = `
    config queuedCountMax=1
    listener "1884" mountPoint="m/"
    listener "1885" mountPoint="m/n/"

    quiet
    a open listener "1884"
    a> connect session-expiry-interval 60
    a> subscribe id1 'd/#' qos1
    b> connect
    b> subscribe id1 '#'
    c open listener "1885"
    c> connect
    c> subscribe id1 '#'
    p open listener "1884"
    p> connect will [ 'w' "gone" ]
`

export const own: ReadonlyArray<Explained> = [
  [
    'behind a mount point, by the name that the client knows',
    '--message d/1',
    `${mounted}
    p> publish 'd/1' qos1 id1 "on"
    ----`,
    [
      `'m/d/1' was published at 0.000s by 'p', for whom it is 'd/1' (mount_point m/), with` +
      ` QoS 1 and packet id 1: 2 bytes. It matched '#' of 'b' with QoS 0, 'm/d/#' of 'a'` +
      ` with QoS 1.`,
      `  'a': delivered at 0.000s as 'd/1' with QoS 1 and packet id 1; still waiting for` +
      ` PUBACK when the recording ended, at 0.000s.`,
      `  'b': delivered at 0.000s with QoS 0, which nobody acknowledges.`,
    ],
  ],
  [
    'behind a mount point, by its whole name',
    '--message m/d/1 --client a',
    `${mounted}
    p> publish 'd/1' qos1 id1 "on"
    ----`,
    [
      `'m/d/1' was published at 0.000s by 'p', for whom it is 'd/1' (mount_point m/), with` +
      ` QoS 1 and packet id 1: 2 bytes. It matched '#' of 'b' with QoS 0, 'm/d/#' of 'a'` +
      ` with QoS 1.`,
      `  'a': delivered at 0.000s as 'd/1' with QoS 1 and packet id 1; still waiting for` +
      ` PUBACK when the recording ended, at 0.000s.`,
    ],
  ],
  [
    'both a name and the same behind a mount point',
    '--message d/1',
    `${mounted}
    p> publish 'd/1' "on"
    b> publish 'd/1' "off"
    ----`,
    [
      `'m/d/1' was published at 0.000s by 'p', for whom it is 'd/1' (mount_point m/), with` +
      ` QoS 0: 2 bytes. It matched '#' of 'b' with QoS 0, 'm/d/#' of 'a' with QoS 1.`,
      `  'a': delivered at 0.000s as 'd/1' with QoS 0, which nobody acknowledges.`,
      `  'b': delivered at 0.000s with QoS 0, which nobody acknowledges.`,
      `'d/1' was published at 0.000s by 'b' with QoS 0: 3 bytes. It matched '#' of 'b' with` +
      ` QoS 0.`,
      `  'b': delivered at 0.000s with QoS 0, which nobody acknowledges.`,
    ],
  ],
  [
    'a mount point that came with a reload',
    '--message d/1',
    `
    quiet
    a> connect
    a> subscribe id1 '#'
    reconfigure listener "1884" mountPoint="z/"
    p open listener "1884"
    p> connect
    p> publish 'd/1' "on"
    ----`,
    [
      `'z/d/1' was published at 0.000s by 'p', for whom it is 'd/1' (mount_point z/), with` +
      ` QoS 0: 2 bytes. It matched '#' of 'a' with QoS 0.`,
      `  'a': delivered at 0.000s with QoS 0, which nobody acknowledges.`,
    ],
  ],
  [
    'a will behind a mount point',
    '--message w',
    `${mounted}
    p lose
    ----`,
    [
      `'m/w' was published at 0.000s as the will of 'p', for whom it is 'w' (mount_point` +
      ` m/), with QoS 0: 4 bytes. It matched '#' of 'b' with QoS 0.`,
      `  'b': delivered at 0.000s with QoS 0, which nobody acknowledges.`,
    ],
  ],
  [
    'not behind the mount point of who comes back by another listener',
    '--message m/d/1 --client a',
    `${mounted}
    a lose
    p> publish 'd/1' qos1 id1 "on"
    tick +1s
    a2 open listener "1885"
    a2> connect 'a' session-expiry-interval 60
    ----`,
    [
      `'m/d/1' was published at 0.000s by 'p', for whom it is 'd/1' (mount_point m/), with` +
      ` QoS 1 and packet id 1: 2 bytes. It matched '#' of 'b' with QoS 0, 'm/d/#' of 'a'` +
      ` with QoS 1.`,
      `  'a': queued at 0.000s; not delivered: dropped at 1.000s, it is not behind the` +
      ` mount point 'm/n/' of the client.`,
    ],
  ],
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
      ` 'p' may not write it any more, denied by the line "topic deny d/1" of user "p"` +
      ` (/etc/mosquitto/acl:2), since the reload at 1.000s (check_retain_source).`,
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
]

/** What is asked of a recording that begins after the stanza that has only `quiet` in it. */
export const earlier: ReadonlyArray<Explained> = [
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
]
