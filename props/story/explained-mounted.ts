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
