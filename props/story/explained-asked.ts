// Which publication is meant, and names that are misspelt.

import { both } from './explained-begin.ts'
import type { Explained } from './explained-begin.ts'

export const asked: ReadonlyArray<Explained> = [
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
    'many on a topic that a shell would take apart',
    "--message d/it's&",
    `
    quiet
    p> connect
    p> publish 'd/it\\'s&' "0"
    p> publish 'd/it\\'s&' "1"
    p> publish 'd/it\\'s&' "2"
    p> publish 'd/it\\'s&' "3"
    p> publish 'd/it\\'s&' "4"
    tick +1s
    p> publish 'd/it\\'s&' "5"
    ----`,
    [
      String.raw`'d/it\'s&' was published 6 times; the first and the last. For another one:` +
      String.raw` --message 'd/it'\''s&'@SECONDS, or a time as 2026-11-29T07:00:00Z.`,
      String.raw`'d/it\'s&' was published at 0.000s by 'p' with QoS 0: 1 byte. It matched no` +
      ` subscription.`,
      String.raw`'d/it\'s&' was published at 1.000s by 'p' with QoS 0: 1 byte. It matched no` +
      ` subscription.`,
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
    'the one nearest to a time, where all are empty',
    '--message d/1@2 --client a',
    `
    config queueQos0=true

    quiet
    a> connect session-expiry-interval 3600
    a> subscribe id1 'd/1'
    a lose
    p> connect
    tick +1s
    p> publish 'd/1' retain ""
    tick +1s
    p> publish 'd/1' retain ""
    tick +1s
    a> connect session-expiry-interval 3600
    ----`,
    [
      `The nearest of 2 publications to 'd/1':`,
      `'d/1' was published at 2.000s by 'p' with QoS 0, to be retained: 0 bytes. It ` +
      `matched 'd/1' of 'a' with QoS 0.`,
      `  'a': queued at 2.000s; delivered at 3.000s with QoS 0, which nobody ` +
      `acknowledges.`,
    ],
  ],
  [
    'several in the millisecond that is nearest to a time',
    '--message d/1@0.9 --client a',
    `${both}
    quiet
    p> publish 'd/1' "0"
    tick +1s
    p> publish 'd/1' "1"
    a> unsubscribe id9 'd/#'
    p> publish 'd/1' "22"
    tick +1s
    p> publish 'd/1' "3"
    ----`,
    [
      `The nearest of 4 publications to 'd/1', 2 of them in the same millisecond:`,
      `'d/1' was published at 1.000s by 'p' with QoS 0: 1 byte. It matched 'd/#' of 'a'` +
      ` with QoS 1.`,
      `  'a': delivered at 1.000s with QoS 0, which nobody acknowledges.`,
      `'d/1' was published at 1.000s by 'p' with QoS 0: 2 bytes. It matched no subscription.`,
      `  'a': not delivered: it had no subscription; it unsubscribed from 'd/#' at 1.000s.`,
    ],
  ],
  [
    'more in a millisecond than are told, after the time',
    '--message d/1@0.9',
    `${both}
    quiet
    p> publish 'd/1' "0"
    a> unsubscribe id9 'd/#'
    tick +1s
    p> publish 'd/1' "1"
    p> publish 'd/1' "22"
    p> publish 'd/1' "333"
    p> publish 'd/1' "4444"
    p> publish 'd/1' "5"
    p> publish 'd/1' "6"
    p> publish 'd/1' "777"
    tick +1s
    p> publish 'd/1' "8"
    ----`,
    [
      `The nearest of 9 publications to 'd/1', 7 of them in the same millisecond; the first 4` +
      ` and the last:`,
      ...[1, 2, 3, 4, 3].flatMap((bytes) => [
        `'d/1' was published at 1.000s by 'p' with QoS 0: ${bytes} byte${
          bytes === 1 ? '' : 's'
        }. It matched no subscription.`,
        `  'a': not delivered: it had no subscription; it unsubscribed from 'd/#' at 0.000s.`,
      ]),
    ],
  ],
  [
    'a time after the end',
    '--message d/1@60 --client a',
    `${both}
    quiet
    p> publish 'd/1' "0"
    ----`,
    [
      `That time is later than all that was played, which ends at 0.000s.`,
      `'d/1' was published at 0.000s by 'p' with QoS 0: 1 byte. It matched 'd/#' of 'a'` +
      ` with QoS 1.`,
      `  'a': delivered at 0.000s with QoS 0, which nobody acknowledges.`,
    ],
  ],
  [
    'a time before the beginning',
    '--message d/1@1950-01-01T00:00:00Z --client a',
    `${both}
    quiet
    p> publish 'q/1' "0"
    ----`,
    [
      `That time is before the recording began, at 0.000s.`,
      `Nothing was published to 'd/1' in this recording: did you mean 'q/1'?`,
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
    'a moment in which somebody leaves, and another one gets what was on its way',
    '--message d/1@1',
    `
    config retainAvailable=false

    quiet
    a> connect
    a> subscribe id1 '$share/g/d/1' qos1
    b> connect
    a> publish 'd/1' qos1 id2 "old"
    b> subscribe id1 '$share/g/d/1' qos1
    tick +1s
    a> publish 'd/1' retain "new"
    ----`,
    [
      `The nearest of 2 publications to 'd/1':`,
      `'d/1' was published at 1.000s by 'a' with QoS 0, to be retained: 3 bytes. It went ` +
      `to nobody: its publisher's connection was ended for it: protocol error 0x9a, a ` +
      `publish to be retained, which is not available [MQTT-3.2.2-14].`,
      `  'a': not delivered: its publisher's connection was ended for it: protocol error ` +
      `0x9a, a publish to be retained, which is not available [MQTT-3.2.2-14].`,
      `  'b': not delivered: its publisher's connection was ended for it: protocol error ` +
      `0x9a, a publish to be retained, which is not available [MQTT-3.2.2-14].`,
    ],
  ],
]
