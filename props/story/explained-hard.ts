// Short of memory or room, stalled, moved and stopped: days on which much goes wrong at once.

import { both } from './explained-begin.ts'
import type { Explained } from './explained-begin.ts'

export const hard: ReadonlyArray<Explained> = [
  [
    'short of memory: QoS 1 that would have to wait',
    '--message d/1',
    `${both}
    quiet
    a lose
    memory short
    p> publish 'd/1' qos1 id7 "on"
    ----`,
    [
      `'d/1' was published at 0.000s by 'p' with QoS 1 and packet id 7: 2 bytes. It matched` +
      ` 'd/#' of 'a' with QoS 1.`,
      `  'a': not delivered: the broker was short of memory and it would have had to wait:` +
      ` it was away since 0.000s.`,
    ],
  ],
  [
    'short of memory: QoS 2',
    '--message d/1',
    `${both}
    quiet
    q> connect v4
    memory short
    p> publish 'd/1' qos2 id7 "on"
    q> publish 'd/1' qos2 id7 "on"
    ----`,
    [
      `'d/1' was published at 0.000s by 'p' with QoS 2 and packet id 7: 2 bytes. It went to` +
      ` nobody: the broker was short of memory.`,
      `  'a': not delivered: the broker was short of memory.`,
      `'d/1' was published at 0.000s by 'q' with QoS 2 and packet id 7: 2 bytes. It went to` +
      ` nobody: its publisher's connection was ended for it: the broker was short of` +
      ` memory.`,
      `  'a': not delivered: its publisher's connection was ended for it: the broker was` +
      ` short of memory.`,
    ],
  ],
  [
    'short of memory: to be retained',
    '--message d/1',
    `${both}
    quiet
    memory short
    p> publish 'd/1' qos0 retain "on"
    p> publish 'd/1' qos1 id1 retain "on"
    ----`,
    [
      `'d/1' was published at 0.000s by 'p' with QoS 0, to be retained: 2 bytes. It matched` +
      ` 'd/#' of 'a' with QoS 1. It was not retained: the broker was short of memory.`,
      `  'a': delivered at 0.000s with QoS 0, which nobody acknowledges.`,
      `'d/1' was published at 0.000s by 'p' with QoS 1 and packet id 1, to be retained: 2` +
      ` bytes. It went to nobody: the broker was short of memory.`,
      `  'a': not delivered: the broker was short of memory.`,
    ],
  ],
  [
    'short of memory and free again',
    '--message d/1',
    `${both}
    quiet
    memory short
    tick +1s
    memory free
    a lose
    p> publish 'd/1' qos1 id7 "on"
    ----`,
    [
      `'d/1' was published at 1.000s by 'p' with QoS 1 and packet id 7: 2 bytes. It matched` +
      ` 'd/#' of 'a' with QoS 1.`,
      `  'a': not delivered: queued at 1.000s; still in its queue when the recording ended,` +
      ` at 1.000s: it was away since 1.000s.`,
    ],
  ],
  [
    'the store was full: QoS 1',
    '--message d/1',
    `${both}
    quiet
    q> connect v4
    store full
    p> publish 'd/1' qos1 id7 "on"
    q> publish 'd/1' qos1 id7 "on"
    ----`,
    [
      `'d/1' was published at 0.000s by 'p' with QoS 1 and packet id 7: 2 bytes. It went to` +
      ` nobody: the store was full.`,
      `  'a': not delivered: the store was full.`,
      `'d/1' was published at 0.000s by 'q' with QoS 1 and packet id 7: 2 bytes. It went to` +
      ` nobody: its publisher's connection was ended for it: the store was full.`,
      `  'a': not delivered: its publisher's connection was ended for it: the store was full.`,
    ],
  ],
  [
    'the store was full: QoS 0 goes on, and waits for nobody',
    '--message d/1',
    `
    config persistence=true queueQos0=true

    quiet
    a> connect session-expiry-interval 60
    a> subscribe id1 'd/#' qos1
    b> connect session-expiry-interval 60
    b> subscribe id1 'd/#' qos1
    p> connect
    a lose
    store full
    tick +1s
    p> publish 'd/1' "on"
    ----`,
    [
      `'d/1' was published at 1.000s by 'p' with QoS 0: 2 bytes. It matched 'd/#' of 'a'` +
      ` with QoS 1, 'd/#' of 'b' with QoS 1.`,
      `  'a': not delivered: it would have had to be stored and the store was full.`,
      `  'b': delivered at 1.000s with QoS 0, which nobody acknowledges.`,
    ],
  ],
  [
    'the store was full: a will to be retained',
    '--message w',
    `
    quiet
    a> connect session-expiry-interval 60
    a> subscribe id1 '#' qos1
    p> connect v4 will [ 'w' "gone" qos1 retain ]
    store full
    p lose
    ----`,
    [
      `'w' was published at 0.000s as the will of 'p' with QoS 1, to be retained: 4 bytes.` +
      ` It matched '#' of 'a' with QoS 1. It was not retained: the store was full.`,
      `  'a': delivered at 0.000s with QoS 1 and packet id 1; still waiting for PUBACK when` +
      ` the recording ended, at 0.000s.`,
    ],
  ],
  [
    'as many retained messages as may be',
    '--message d/2',
    `
    config retainedCountMax=1

    quiet
    a> connect
    a> subscribe id1 'd/#'
    p> connect
    p> publish 'd/1' retain "on"
    p> publish 'd/2' retain "on"
    p> publish 'd/2' qos1 id1 retain "on"
    ----`,
    [
      `'d/2' was published at 0.000s by 'p' with QoS 0, to be retained: 2 bytes. It matched` +
      ` 'd/#' of 'a' with QoS 0. It was not retained: there are as many retained messages` +
      ` as may be.`,
      `  'a': delivered at 0.000s with QoS 0, which nobody acknowledges.`,
      `'d/2' was published at 0.000s by 'p' with QoS 1 and packet id 1, to be retained: 2` +
      ` bytes. It went to nobody: there are as many retained messages as may be.`,
      `  'a': not delivered: there are as many retained messages as may be.`,
    ],
  ],
  [
    'a socket that takes nothing any more',
    '--message d/2',
    `
    config stalledMs=30000

    quiet
    a> connect session-expiry-interval 60
    a> subscribe id1 'd/#' qos1
    p> connect
    p> publish 'd/1' "x"*200000
    tick +1s
    p> publish 'd/2' "on"
    p> publish 'd/2' qos1 id1 "on"
    tick +60s
    ----`,
    [
      `'d/2' was published at 1.000s by 'p' with QoS 0: 2 bytes. It matched 'd/#' of 'a'` +
      ` with QoS 1.`,
      `  'a': delivered at 1.000s with QoS 0, which nobody acknowledges; its socket had not` +
      ` taken it when the connection ended at 30.000s.`,
      `'d/2' was published at 1.000s by 'p' with QoS 1 and packet id 1: 2 bytes. It matched` +
      ` 'd/#' of 'a' with QoS 1.`,
      `  'a': delivered at 1.000s with QoS 1 and packet id 1; its socket had not taken it` +
      ` when the connection ended at 30.000s; still waiting for PUBACK when the recording` +
      ` ended, at 30.000s; its client is away since 30.000s.`,
    ],
  ],
  [
    'a socket that is slow, and one that has not taken it yet',
    '--message d/2',
    `
    quiet
    a> connect
    a> subscribe id1 'd/#'
    b> connect
    b> subscribe id1 'd/#'
    p> connect
    p> publish 'd/1' "x"*200000
    tick +1s
    p> publish 'd/2' "on"
    tick +1s
    a written all
    ----`,
    [
      `'d/2' was published at 1.000s by 'p' with QoS 0: 2 bytes. It matched 'd/#' of 'a'` +
      ` with QoS 0, 'd/#' of 'b' with QoS 0.`,
      `  'a': delivered at 1.000s with QoS 0, which nobody acknowledges; its socket took it` +
      ` at 2.000s.`,
      `  'b': delivered at 1.000s with QoS 0, which nobody acknowledges; its socket had not` +
      ` taken it yet when the recording ended.`,
    ],
  ],
  [
    'a socket that is hardly slow, and one whose client has answered before that was told',
    '--message d/2',
    `
    quiet
    a> connect
    a> subscribe id1 'd/#'
    b> connect
    b> subscribe id1 'd/#' qos1
    p> connect
    p> publish 'd/1' "x"*200000
    tick +1s
    p> publish 'd/2' qos1 id1 "on"
    at 1099
    a written all
    at 1100
    b> puback id1
    b written all
    ----`,
    [
      `'d/2' was published at 1.000s by 'p' with QoS 1 and packet id 1: 2 bytes. It matched` +
      ` 'd/#' of 'a' with QoS 0, 'd/#' of 'b' with QoS 1.`,
      `  'a': delivered at 1.000s with QoS 0, which nobody acknowledges.`,
      `  'b': delivered at 1.000s with QoS 1 and packet id 1; acknowledged at 1.100s (PUBACK).`,
    ],
  ],
  [
    'behind a congested socket QoS 1 waits',
    '--message d/2',
    `
    config unwrittenBytesMax=100000

    quiet
    a> connect session-expiry-interval 60
    a> subscribe id1 'd/#' qos1
    p> connect
    p> publish 'd/1' "x"*200000
    p> publish 'd/2' qos1 id1 "on"
    tick +1s
    a written all
    a> puback id1
    ----`,
    [
      `'d/2' was published at 0.000s by 'p' with QoS 1 and packet id 1: 2 bytes. It matched` +
      ` 'd/#' of 'a' with QoS 1.`,
      `  'a': queued at 0.000s; delivered at 1.000s with QoS 1 and packet id 1;` +
      ` acknowledged at 1.000s (PUBACK).`,
    ],
  ],
  [
    'the broker is stopped',
    '--message d/1',
    `${both}
    quiet
    p> publish 'd/1' qos1 id7 "on"
    tick +1s
    stop
    ----`,
    [
      `'d/1' was published at 0.000s by 'p' with QoS 1 and packet id 7: 2 bytes. It matched` +
      ` 'd/#' of 'a' with QoS 1.`,
      `  'a': delivered at 0.000s with QoS 1 and packet id 1; still waiting for PUBACK when` +
      ` the recording ended, at 1.000s; its client is away since 1.000s, when the broker` +
      ` was stopped.`,
    ],
  ],
  [
    'a will at the end of the broker',
    '--message w',
    `
    quiet
    a> connect session-expiry-interval 60
    a> subscribe id1 'w' qos1
    p> connect will [ 'w' "gone" qos1 ]
    q> connect will [ 'w' "" qos1 ]
    tick +1s
    stop
    ----`,
    [
      `'w' was published at 1.000s as the will of 'p' with QoS 1: 4 bytes. It matched 'w'` +
      ` of 'a' with QoS 1.`,
      `  'a': delivered at 1.000s with QoS 1 and packet id 1; still waiting for PUBACK when` +
      ` the recording ended, at 1.000s; its client is away since 1.000s, when the broker` +
      ` was stopped.`,
      `'w' was published at 1.000s as the will of 'q' with QoS 1: 0 bytes. It matched 'w'` +
      ` of 'a' with QoS 1.`,
      `  'a': delivered at 1.000s with QoS 1 and packet id 2; still waiting for PUBACK when` +
      ` the recording ended, at 1.000s; its client is away since 1.000s, when the broker` +
      ` was stopped.`,
    ],
  ],
  [
    'an empty will that is handed over at the end of the broker is not another one',
    '--message t --client n',
    `
    quiet
    m> connect
    n> connect session-expiry-interval 60
    n> subscribe id1 '$share/g/t' qos1
    m> subscribe id1 '$share/g/t' qos1
    a> connect will [ 't' "" qos1 ]
    b> connect will [ 't' "" qos1 ]
    tick +1s
    stop
    ----`,
    [
      `'t' was published at 1.000s as the will of 'a' with QoS 1: 0 bytes. It matched ` +
      `'$share/g/t' of 'm' with QoS 1, '$share/g/t' of 'n' with QoS 1.`,
      `  'n': delivered at 1.000s with QoS 1 and packet id 1; still waiting for PUBACK ` +
      `when the recording ended, at 1.000s; its client is away since 1.000s, when the ` +
      `broker was stopped.`,
      `'t' was published at 1.000s as the will of 'b' with QoS 1: 0 bytes. It matched ` +
      `'$share/g/t' of 'm' with QoS 1, '$share/g/t' of 'n' with QoS 1.`,
      `  'n': delivered at 1.000s with QoS 1 and packet id 2; still waiting for PUBACK ` +
      `when the recording ended, at 1.000s; its client is away since 1.000s, when the ` +
      `broker was stopped.`,
    ],
  ],
  [
    'wills that are empty at the end of the broker, one of which is denied',
    '--message t',
    `
    config allowDuplicateMessages=true

    quiet
    c> connect user "c" session-expiry-interval 60
    c> subscribe id1 't' '#'
    d> connect user "c" session-expiry-interval 60
    d> subscribe id1 't' qos1
    d lose
    a> connect user "a" will [ 't' "" ]
    b> connect user "b" will [ 't' "" qos1 ]
    p> connect user "b" will [ 't' "" qos1 ]
    tick +1s
    stop
    ----`,
    [
      `'t' was published at 1.000s as the will of 'a' with QoS 0: 0 bytes. It went to ` +
      `nobody: its publisher may not write it, denied by the access list of listener ` +
      `"1883" (/etc/mosquitto/acl), in which no line of user "a" and no pattern lets it ` +
      `write the topic.`,
      `  'c': not delivered: its publisher may not write it, denied by the access list ` +
      `of listener "1883" (/etc/mosquitto/acl), in which no line of user "a" and no ` +
      `pattern lets it write the topic.`,
      `  'd': not delivered: its publisher may not write it, denied by the access list ` +
      `of listener "1883" (/etc/mosquitto/acl), in which no line of user "a" and no ` +
      `pattern lets it write the topic.`,
      `'t' was published at 1.000s as the will of 'b' with QoS 1: 0 bytes. It matched ` +
      `'#' of 'c' with QoS 0, 't' of 'c' with QoS 0, 't' of 'd' with QoS 1.`,
      `  'c': delivered at 1.000s with QoS 0, which nobody acknowledges; and delivered ` +
      `at 1.000s with QoS 0, which nobody acknowledges.`,
      `  'd': not delivered: queued at 1.000s; still in its queue when the recording ` +
      `ended, at 1.000s: it was away since 0.000s.`,
      `'t' was published at 1.000s as the will of 'p' with QoS 1: 0 bytes. It matched ` +
      `'#' of 'c' with QoS 0, 't' of 'c' with QoS 0, 't' of 'd' with QoS 1.`,
      `  'c': delivered at 1.000s with QoS 0, which nobody acknowledges; and delivered ` +
      `at 1.000s with QoS 0, which nobody acknowledges.`,
      `  'd': not delivered: queued at 1.000s; still in its queue when the recording ` +
      `ended, at 1.000s: it was away since 0.000s.`,
    ],
    ['user b\ntopic t\nuser a\ntopic read t\nuser c\ntopic read #\n'],
  ],
  [
    'two wills that look the same',
    '--message w',
    `
    quiet
    a> connect session-expiry-interval 60
    a> subscribe id1 'w' qos1
    p> connect will [ 'w' "" qos1 ]
    q> connect will [ 'w' "" qos1 ]
    stop
    ----`,
    [
      `'w' was published at 0.000s as the will of 'p' with QoS 1: 0 bytes. It matched 'w'` +
      ` of 'a' with QoS 1.`,
      `  'a': delivered at 0.000s with QoS 1 and packet id 1; still waiting for PUBACK when` +
      ` the recording ended, at 0.000s; its client is away since 0.000s, when the broker` +
      ` was stopped.`,
      `'w' was published at 0.000s as the will of 'q' with QoS 1: 0 bytes. It matched 'w'` +
      ` of 'a' with QoS 1.`,
      `  'a': delivered at 0.000s with QoS 1 and packet id 2; still waiting for PUBACK when` +
      ` the recording ended, at 0.000s; its client is away since 0.000s, when the broker` +
      ` was stopped.`,
    ],
  ],
]
