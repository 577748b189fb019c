// Mount points: the topic as a client knows it, and as the broker does.

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

export const mountPoints: ReadonlyArray<Explained> = [
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
    'retained behind a mount point before a reload brought it',
    '--message d/1',
    `
    quiet
    p> connect
    p> publish 'z/d/1' retain "on"
    tick +1s
    reconfigure listener "1884" mountPoint="z/"
    a open listener "1884"
    a> connect
    a> subscribe id1 'd/#'
    tick +1s
    p> publish 'z/d/1' retain "off"
    ----`,
    [
      `'z/d/1' was published before a reload put it behind a mount point at 1.000s by 'p'` +
      ` with QoS 0, to be retained: 2 bytes. --message z/d/1 has all of it. It was ` +
      `retained until 2.000s, when another one took its place.`,
      `  'a': as retained message: delivered at 1.000s as 'd/1' with QoS 0, with RETAIN, ` +
      `which nobody acknowledges.`,
      `'z/d/1' was published at 2.000s by 'p' with QoS 0, to be retained: 3 bytes. It ` +
      `matched 'z/d/#' of 'a' with QoS 0.`,
      `  'a': delivered at 2.000s as 'd/1' with QoS 0, which nobody acknowledges.`,
    ],
  ],
  [
    'waiting behind a mount point before a reload brought it',
    '--message d/1',
    `
    quiet
    a> connect session-expiry-interval 60
    a> subscribe id1 'z/#' qos2
    p> connect
    p> publish 'z/d/1' qos1 id1 "one"
    p> publish 'z/d/1' qos2 id2 "two"
    a lose
    p> publish 'z/d/1' qos2 id3 "three"
    p> pubrel id3
    tick +1s
    reconfigure listener "1884" mountPoint="z/"
    tick +1s
    p> pubrel id2
    a2> connect 'a' session-expiry-interval 60
    a2> puback id1
    ----`,
    [
      `'z/d/1' was published before a reload put it behind a mount point at 1.000s by ` +
      `somebody with QoS 1: 3 bytes. --message z/d/1 has all of it.`,
      `  'a': in flight with QoS 1 and packet id 1 at the reload at 1.000s; sent again at` +
      ` 2.000s with DUP; acknowledged at 2.000s (PUBACK).`,
      `'z/d/1' was published before a reload put it behind a mount point at 1.000s by ` +
      `somebody with QoS 2: 5 bytes. --message z/d/1 has all of it.`,
      `  'a': in its queue at the reload at 1.000s; delivered at 2.000s with QoS 2 and ` +
      `packet id 2; still waiting for PUBREC when the recording ended, at 2.000s.`,
      `'z/d/1' was published before a reload put it behind a mount point at 1.000s by 'p'` +
      ` with QoS 2: 3 bytes. --message z/d/1 has all of it. It was released at 2.000s ` +
      `(PUBREL). It matched 'z/#' of 'a' with QoS 2.`,
      `  'a': queued at 2.000s; delivered at 2.000s with QoS 2 and packet id 3; still ` +
      `waiting for PUBREC when the recording ended, at 2.000s.`,
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
]
