// Why connections ended.

import type { Explained } from './explained-begin.ts'

export const ends: ReadonlyArray<Explained> = [
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
    'a keep alive that the broker has made shorter',
    '--why-disconnected a',
    `
    config keepAliveMaxS=10

    quiet
    a> connect keep-alive 600
    tick +30s
    ----`,
    [
      `'a' (127.0.0.1:50001), connected since 0.000s, was disconnected at 15.000s by the` +
      ` broker, because nothing whole was heard from it since 0.000s, 15 s before, with a` +
      ` Keep Alive of 10 s, which is max_keepalive (half as long again is allowed). It had no` +
      ` will. Its session ended as well (disconnected).`,
    ],
  ],
  [
    'keep alive, while a large packet came',
    '--why-disconnected a',
    `
    quiet
    a> connect keep-alive 10
    tick +2s
    a continued
    tick +14s
    a continued
    tick +30s
    ----`,
    [
      `'a' (127.0.0.1:50001), connected since 0.000s, was disconnected at 31.000s by the` +
      ` broker, because no more of its large packet came since 16.000s, 15 s before, with a` +
      ` Keep Alive of 10 s (half as long again is allowed). It had no will. Its session ended` +
      ` as well (disconnected).`,
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
      ` 6.000s. Its session was kept for 60 s. The will was published at 6.000s.`,
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
    'back before the will was due, in the millisecond in which it was put off',
    '--why-disconnected a',
    `
    quiet
    a> connect session-expiry-interval 60 will [ 't' "x" qos1 will-delay-interval 5 ]
    tick +1s
    a lose
    z> connect 'a' session-expiry-interval 60
    tick +9s
    ----`,
    [
      `'a' (127.0.0.1:50001), connected since 0.000s, was disconnected at 1.000s by the other ` +
      `side: the socket was closed without DISCONNECT. Its will on 't' was put off until ` +
      `6.000s. Its session was kept for 60 s. The client came back at 1.000s, before its will ` +
      `was due.`,
      `'a' is connected since 1.000s, and was so still when the recording ended at 10.000s.`,
    ],
  ],
  [
    'a will that was put off and may not be published any more',
    '--why-disconnected a',
    `
    quiet
    a> connect user "u" session-expiry-interval 60 will [ 'w' "gone" will-delay-interval 5 ]
    tick +1s
    a lose
    reconfigure
    tick +9s
    ----`,
    [
      `'a' (127.0.0.1:50001), connected since 0.000s, was disconnected at 1.000s by the` +
      ` other side: the socket was closed without DISCONNECT. Its will on 'w' was put off` +
      ` until 6.000s. Its session was kept for 60 s. The will was denied at 6.000s by the line` +
      ` "topic deny w" of user "u" (/etc/mosquitto/acl:2).`,
    ],
    ['user u\ntopic w\n', 'user u\ntopic deny w\n'],
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
    'a listener where names have to be proved',
    '--why-disconnected a',
    `
    config maximumQos=1
    listener "1883" maximumQos=1

    quiet
    a> connect user "u"
    tick +1s
    shut "1883"
    ----`,
    [
      `'a' (127.0.0.1:50001), connected since 0.000s, was disconnected at 1.000s by the` +
      ` broker, because since a reload its user name has to be proved. It had no will. Its` +
      ` session ended as well (disconnected).`,
    ],
  ],
  [
    'never seen, while others have not said their names',
    '--why-disconnected a',
    `
    a open from "192.0.2.7" 40001
    tick +1s
    a lose
    a open from "192.0.2.8" 40002
    tick +1s
    a lose
    ----`,
    [
      `No client 'a' was ever seen in this recording.`,
      `2 connections ended before their clients had said a name, the last from 192.0.2.8:40002` +
      ` at 2.000s: --why-disconnected 192.0.2.8 says why.`,
    ],
  ],
  [
    'never seen, while another has not said its name',
    '--why-disconnected a',
    `
    a open from "192.0.2.7" 40001
    tick +1s
    a lose
    ----`,
    [
      `No client 'a' was ever seen in this recording.`,
      `1 connection ended before its client had said a name, from 192.0.2.7:40001 at 1.000s:` +
      ` --why-disconnected 192.0.2.7 says why.`,
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
  [
    'not let in before its will was due',
    '--why-disconnected a',
    `
    quiet
    a> connect session-expiry-interval 60 will [ 'w' "gone" will-delay-interval 5 ]
    tick +1s
    a fail
    reconfigure allowAnonymous=false
    tick +1s
    a reopen
    tick +9s
    ----`,
    [
      `'a' (127.0.0.1:50001), connected since 0.000s, was disconnected at 1.000s by the` +
      ` network: the socket failed, without DISCONNECT. Its will on 'w' was put off until` +
      ` 6.000s. Its session was kept for 60 s. The will was published at 6.000s.`,
      `'a' (127.0.0.1:50002) was not let in at 2.000s by the broker, because it may not be` +
      ` there: no user name, which every client here needs [MQTT-3.1.4-2].`,
    ],
  ],
  [
    'not let in, and then let in before its will was due',
    '--why-disconnected a',
    `
    quiet
    a> connect session-expiry-interval 60 will [ 'w' "gone" will-delay-interval 5 ]
    tick +1s
    a fail
    reconfigure allowAnonymous=false
    tick +1s
    a reopen
    reconfigure allowAnonymous=true
    tick +1s
    a reopen
    ----`,
    [
      `'a' (127.0.0.1:50001), connected since 0.000s, was disconnected at 1.000s by the` +
      ` network: the socket failed, without DISCONNECT. Its will on 'w' was put off until` +
      ` 6.000s. Its session was kept for 60 s. The client came back at 3.000s, before its` +
      ` will was due.`,
      `'a' (127.0.0.1:50002) was not let in at 2.000s by the broker, because it may not be` +
      ` there: no user name, which every client here needs [MQTT-3.1.4-2].`,
      `'a' is connected since 3.000s, and was so still when the recording ended at 3.000s.`,
    ],
  ],
  [
    'a will that came before it was due, with the end of its session',
    '--why-disconnected a',
    `
    quiet
    a> connect session-expiry-interval 60 will [ 'w' "gone" will-delay-interval 5 ]
    tick +1s
    a fail
    tick +1s
    b> connect 'a' clean-start
    ----`,
    [
      `'a' (127.0.0.1:50001), connected since 0.000s, was disconnected at 1.000s by the` +
      ` network: the socket failed, without DISCONNECT. Its will on 'w' was put off until` +
      ` 6.000s. Its session was kept for 60 s. The will was published at 2.000s, when its session` +
      ` ended (clean start).`,
      `'a' is connected since 2.000s, and was so still when the recording ended at 2.000s.`,
    ],
  ],
]
