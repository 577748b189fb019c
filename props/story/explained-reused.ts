// Packet identifiers that come again before what was published under them was released.

import type { Explained } from './explained-begin.ts'
import { both } from './explained-begin.ts'

export const reused: ReadonlyArray<Explained> = [
  [
    'an identifier that was never released, for another message on the topic',
    '--message d/1',
    `${both}
    quiet
    p> publish 'd/1' qos2 id7 "on"
    tick +1s
    p> publish 'd/1' qos2 id7 "off"
    tick +1s
    p> publish 'd/1' qos2 id7 dup "off"
    p> pubrel id7
    ----`,
    [
      `'d/1' was published at 0.000s by 'p' with QoS 2 and packet id 7: 2 bytes. Its` +
      ` publisher never released it (PUBREL): at 1.000s it published something else with` +
      ` packet id 7.`,
      `  'a': not delivered: its publisher had not released it (PUBREL).`,
      `'d/1' was published at 1.000s by 'p' with QoS 2 and packet id 7: 3 bytes. It was` +
      ` released at 2.000s (PUBREL). Before that it came again once. It matched 'd/#' of` +
      ` 'a' with QoS 1.`,
      `  'a': delivered at 2.000s with QoS 1 and packet id 1; still waiting for PUBACK when` +
      ` the recording ended, at 2.000s.`,
    ],
  ],
  [
    'an identifier that was never released, for a message on another topic',
    '--message d/2',
    `${both}
    quiet
    p> publish 'd/1' qos2 id7 "on"
    tick +1s
    p> publish 'd/2' qos2 id7 "on"
    p> pubrel id7
    ----`,
    [
      `'d/2' was published at 1.000s by 'p' with QoS 2 and packet id 7: 2 bytes. It was` +
      ` released at 1.000s (PUBREL). It matched 'd/#' of 'a' with QoS 1.`,
      `  'a': delivered at 1.000s with QoS 1 and packet id 1; still waiting for PUBACK when` +
      ` the recording ended, at 1.000s.`,
    ],
  ],
  [
    'what was to be released under an identifier that another message has now',
    '--message d/1',
    `${both}
    quiet
    p> publish 'd/1' qos2 id7 "on"
    tick +1s
    p> publish 'd/2' qos2 id7 "on"
    ----`,
    [
      `'d/1' was published at 0.000s by 'p' with QoS 2 and packet id 7: 2 bytes. Its` +
      ` publisher never released it (PUBREL): at 1.000s it published something else with` +
      ` packet id 7.`,
      `  'a': not delivered: its publisher had not released it (PUBREL).`,
    ],
  ],
  [
    'an identifier that was never released, with QoS 1 and for nobody but itself',
    '--message d/1',
    `
    quiet
    p> connect
    p> subscribe id1 'd/#' qos1 no-local
    p> publish 'd/1' qos2 id7 "on"
    tick +1s
    p> publish 'd/1' qos1 id7 "off"
    ----`,
    [
      `'d/1' was published at 0.000s by 'p' with QoS 2 and packet id 7: 2 bytes. Its` +
      ` publisher never released it (PUBREL): at 1.000s it published something else with` +
      ` packet id 7.`,
      `  'p': not delivered: its publisher had not released it (PUBREL).`,
      `'d/1' was published at 1.000s by 'p' with QoS 1 and packet id 7: 3 bytes. It matched` +
      ` 'd/#' of 'p' with QoS 1.`,
      `  'p': not delivered: its subscription to 'd/#' has No Local, and it published the` +
      ` message itself.`,
    ],
  ],
  [
    'an identifier that was never released, for what ended the connection',
    '--message d/1',
    `
    config retainAvailable=false

    quiet
    a> connect
    a> subscribe id1 'd/#'
    p> connect v4
    p> publish 'd/1' qos2 id7 "on"
    tick +1s
    p> publish 'd/1' qos2 id7 retain "off"
    ----`,
    [
      `'d/1' was published at 0.000s by 'p' with QoS 2 and packet id 7: 2 bytes. Its ` +
      `publisher had not released it (PUBREL) when the recording ended.`,
      `  'a': not delivered: its publisher had not released it (PUBREL).`,
      `'d/1' was published at 1.000s by 'p' with QoS 2 and packet id 7, to be retained: 3` +
      ` bytes. It went to nobody: its publisher's connection was ended for it: protocol ` +
      `error 0x9a, a publish to be retained, which is not available [v3 MQTT-4.8.0-1].`,
      `  'a': not delivered: its publisher's connection was ended for it: protocol error ` +
      `0x9a, a publish to be retained, which is not available [v3 MQTT-4.8.0-1].`,
    ],
  ],
  [
    'an identifier that was never released, for what ended the connection and threw it out',
    '--message d/1',
    `
    config receiveMaximum=1

    quiet
    p> connect session-expiry-interval 60
    p> publish 'd/1' qos2 id2 "1"
    p lose
    tick +1s
    q> connect 'p' session-expiry-interval 60
    q> publish 'd/1' qos2 id1 "12"
    q> publish 'd/1' qos1 id2 "123"
    ----`,
    [
      `'d/1' was published at 0.000s by 'p' with QoS 2 and packet id 2: 1 byte. Its ` +
      `publisher never released it (PUBREL): at 1.000s it published something else with ` +
      `packet id 2.`,
      `'d/1' was published at 1.000s by 'p' with QoS 2 and packet id 1: 2 bytes. Its ` +
      `publisher had not released it (PUBREL) when the recording ended.`,
      `'d/1' was published at 1.000s by 'p' with QoS 1 and packet id 2: 3 bytes. It went ` +
      `to nobody: its publisher's connection was ended for it: protocol error 0x93, more ` +
      `unacknowledged publishes than Receive Maximum [MQTT-3.3.4-7].`,
    ],
  ],
]
