// What the broker refuses because of something that no client has done: little memory, the orders
// of an operator, too many connections from one address, a socket that takes nothing. A shell has
// its own tests for them; these rows are played in memory only.

import type { Exchange } from './exchange.ts'
import { rows } from './exchange.ts'

const stays = '| > 10 [@v 00 003c {(11 0000003c)} "~a"] | < @ok'
const returns = '| a dials | > 10 [@v 00 003c {(11 0000003c)} "~a"]'

const memory = `
[MQTT-3.2.2-7] [v3 MQTT-3.2.2-5]
raw 345 nobody new while memory is short | order memory short | > @connect | rejected 97 03
raw 345 somebody new when memory is short no more | order memory short | order memory free
  | > @connect | < @ok
raw 345 whoever has a session may come back ${stays} | order memory short | lost ${returns}
  | < @present
345 take-over while memory is short | order memory short | b dials
  | b> 10 [@v 02 003c {()} "~a"] | refused 8e | b< @ok
[MQTT-3.8.4-6] [v3 MQTT-3.8.4-4]
345 nothing new is subscribed to | subscribes ~/t 0 | order memory short
  | > 82 [0009 {()} "~/t" 01 "~/u" 01] | < 90 [0009 {()} 01 {97;80}]
345 UNSUBSCRIBE goes on | subscribes ~/t 0 | order memory short | > a2 [0009 {()} "~/t"]
  | < b0 [0009 {() 00}]
[MQTT-3.4.2-1] [MQTT-3.5.2-1] [v3 MQTT-4.8.0-2]
345 what can be sent on at once is sent on | b connects | b subscribes ~/t 1 | order memory short
  | > 30 ["~/t" {()} 'x'] 32 ["~/t" 0009 {()} 'y'] | < 40 [0009]
  | b< 30 ["~/t" {()} 'x'] 32 ["~/t" 0001 {()} 'y'] | b> 40 [0001]
5 QoS 2 is refused | order memory short | > 34 ["~/t" 0009 () 'x'] 62 [0009]
  | < 50 [0009 97] 70 [0009 92]
34 QoS 2 ends the connection | order memory short | > 34 ["~/t" 0009 'x'] | refused 97
345 QoS 2 that was begun is finished | b connects | b subscribes ~/t 0
  | > 34 ["~/t" 0009 {()} 'x'] | < 50 [0009] | order memory short
  | > 3c ["~/t" 0009 {()} 'x'] 62 [0009] | < 50 [0009] 70 [0009] | b< 30 ["~/t" {()} 'x']
5 nothing is queued | subscribes ~/n 0 | b dials | b> 10 [@v 00 003c (11 0000003c) "~b"]
  | b< @ok | b subscribes ~/t 1 | b lost | order memory short | > 32 ["~/t" 0009 () 'x']
  | < 40 [0009 97] | b dials | b> 10 [@v 00 003c (11 0000003c) "~b"] | b< @present
34 what cannot be queued ends the connection | b dials | b> 10 [@v 00 003c "~b"] | b< @ok
  | b subscribes ~/t 1 | b lost | order memory short | > 32 ["~/t" 0009 'x'] | refused 97
34 what nobody wants is acknowledged | order memory short | > 32 ["~/t" 0009 'x'] | < 40 [0009]
345 something is queued again when memory is short no more | b dials
  | b> 10 [@v 00 003c {(11 0000003c)} "~b"] | b< @ok | b subscribes ~/t 1 | b lost
  | order memory short | order memory free | > 32 ["~/t" 0009 {()} 'x'] | < 40 [0009] | b dials
  | b> 10 [@v 00 003c {(11 0000003c)} "~b"] | b< @present 32 ["~/t" 0001 {()} 'x'] | b> 40 [0001]
345 nothing new is retained at QoS 1 | order memory short | > 33 ["~/t" 0009 {()} 'x']
  82 [0008 {()} "~/t" 00] | < 40 [0009 {97}] 90 [0008 {()} {97;80}] | order memory free
  | > 82 [0008 {()} "~/t" 00] | < 90 [0008 {()} 00]
345 what is retained may become smaller | subscribes ~/t 0
  | > 33 ["~/t" 0009 {()} 'xx'] | < 30 ["~/t" {()} 'xx'] 40 [0009] | order memory short
  | > 33 ["~/t" 0009 {()} 'y']
  82 [0008 {()} "~/t" 00] | < 30 ["~/t" {()} 'y'] 40 [0009] 90 [0008 {()} 00] 31 ["~/t" {()} 'y']
345 what is retained may stay as large | subscribes ~/t 0 | > 33 ["~/t" 0009 {()} 'x']
  | < 30 ["~/t" {()} 'x'] 40 [0009] | order memory short | > 33 ["~/t" 0009 {()} 'y']
  82 [0008 {()} "~/t" 00] | < 30 ["~/t" {()} 'y'] 40 [0009] 90 [0008 {()} 00] 31 ["~/t" {()} 'y']
5 what is retained may not become larger | subscribes ~/t 0 | > 33 ["~/t" 0009 () 'x']
  | < 30 ["~/t" () 'x'] 40 [0009] | order memory short | > 33 ["~/t" 0009 () 'yy']
  82 [0008 () "~/t" 00] | < 40 [0009 97] 90 [0008 () 00] 31 ["~/t" () 'x']
34 what was retained goes where the next cannot be [v3 MQTT-3.3.1-7] | subscribes ~/t 0
  | > 33 ["~/t" 0009 'x'] | < 30 ["~/t" 'x'] 40 [0009] | order memory short
  | > 33 ["~/t" 0009 'yy'] 82 [0008 "~/t" 00] | < 30 ["~/t" 'yy'] 40 [0009] 90 [0008 00]
345 what is retained may be removed | subscribes ~/t 0 | > 31 ["~/t" {()} 'x']
  | < 30 ["~/t" {()} 'x'] | order memory short | > 31 ["~/t" {()}] 82 [0008 {()} "~/t" 00]
  | < 30 ["~/t" {()}] 90 [0008 {()} 00]
345 a will that is not retained for want of memory | b dials
  | b> 10 [@v 26 003c {()} "~b" {()} "~/w" "x"] | b< @ok | subscribes ~/w 0 | order memory short
  | b lost | < 30 ["~/w" {()} 'x'] | > 82 [0008 {()} "~/w" 00] | < 90 [0008 {()} 00]
`

const words = `
[MQTT-3.4.2-2] [MQTT-3.5.2-2]
wordy 5 why nothing is queued | b dials | b> 10 [@v 00 003c (11 0000003c) "~b"] | b< @ok
  | b subscribes ~/t 1 | b> e000 | b closed | order memory short | > 32 ["~/t" 0009 () 'y']
  | < 40 [0009 97 (1f "memory short")]
wordy 5 why nothing is retained | order memory short | > 33 ["~/t" 0009 () 'y']
  | < 40 [0009 97 (1f "memory short")]
wordy 5 why QoS 2 is refused | order memory short | > 34 ["~/t" 0009 () 'y']
  | < 50 [0009 97 (1f "memory short")]
wordy raw 5 why nobody new comes in [MQTT-3.2.2-19] | order memory short | > @connect
  | < 20 [00 97 (1f "memory short")] | closed
`

const operator = `
[MQTT-3.14.2-1] [MQTT-4.13.1-1] [v3 MQTT-4.8.0-1]
345 the broker stops | order stop | refused 8b
raw 345 the broker stops before CONNECT | order stop | dropped 8b
raw 345 nobody comes in when the broker has stopped | order stop | dropped 8b | b dials | b closed
345 the broker stops and wills are published | h connects | h subscribes ~/w 0 | w dials
  | w> 10 [@v 06 003c {()} "~w" {()} "~/w" "x"] | w< @ok | order stop
  | h< 30 ["~/w" {()} 'x'] {e0 [8b]} | h closed | w refused 8b | refused 8b
345 a client is sent away | order kick ~a | refused 98
345 another client is sent away | b connects | order kick ~b | b refused 98 | open
345 a client is sent away that there is not | order kick ~x | open
raw 345 a client is sent away that is not there ${stays} | lost | order kick ~a ${returns}
  | < @present
345 all clients are sent elsewhere | b connects | order redirect | refused 9c | b refused 9c
raw 345 whoever has not said CONNECT is not sent elsewhere | order redirect | > @connect | < @ok
345 all clients are sent elsewhere, by name | order room elsewhere | order redirect
  | < {e0 [9c (1c "there:1883")]} | closed
345 all clients are sent where the server has moved | order room moved | order redirect
  | refused 9d
`

const crowds = `
[MQTT-3.2.2-7] [v3 MQTT-3.2.2-5]
far 345 as many connections as an address may have | b connects
far 345 a connection more than an address may have | b connects | c dials | c dropped 97
far raw 345 a connection that has gone makes room | b dials | b lost | c dials | > @connect | < @ok
  | c> @connect | c< @ok
far raw 345 connecting more often than an address may | lost | b dials | b lost | c dials | c lost
  | d dials | d dropped 9f
far raw 345 connecting as often as an address may | lost | b dials | b lost | c dials | c lost
  | wait 1000 | d dials | d> @connect | d< @ok
far raw 345 connecting nearly as often as an address may | lost | b dials | b lost | c dials
  | c lost | wait 999 | d dials | d dropped 9f
raw 345 an address of this machine may have any number | b dials | c dials | > @connect | < @ok
  | b> @connect | b< @ok | c> @connect | c< @ok
`

const deafness = `
[MQTT-4.13.1-1] [v3 MQTT-4.8.0-1]
tight 345 QoS 0 for a client that takes nothing is dropped | subscribes ~/t 0 | deaf | b connects
  | b> 30 ["~/t" {()} 78*65000] 30 ["~/t" {()} 78*2000] 30 ["~/t" {()} 78*65000] 30 ["~/t" {()} 79]
  | b open
  | < 30 ["~/t" {()} 78*65000] 30 ["~/t" {()} 78*2000] 30 ["~/t" {()} 79]
tight 345 QoS 0 for a client that takes it is not dropped | subscribes ~/t 0 | b connects
  | b> 30 ["~/t" {()} 78*65000] | < 30 ["~/t" {()} 78*65000]
  | b> 30 ["~/t" {()} 78*65000] | < 30 ["~/t" {()} 78*65000]
tight 345 a client that takes nothing is closed in the end | subscribes ~/t 0 | deaf | b connects
  | b> 30 ["~/t" {()} 78*66000] | < 30 ["~/t" {()} 78*66000] | wait 999 | open | wait 1 | refused 97
tight 345 a client to whom little was sent may be slow | subscribes ~/t 0 | deaf | b connects
  | b> 30 ["~/t" {()} 78*65000] | < 30 ["~/t" {()} 78*65000] | wait 2000 | open
tight raw 345 a client that takes and says nothing [MQTT-3.1.2-22] [v3 MQTT-3.1.2-24]
  | > 10 [@v 02 0001 {()} "~a"] | < @ok | subscribes ~/t 0 | b connects | deaf
  | b> 30 ["~/t" {()} 78*66000] | < 30 ["~/t" {()} 78*66000] | wait 500 | > 30 ["~/u" {()}]
  | wait 1000 | refused 97
tight raw 345 a client that is as silent as it is deaf [MQTT-3.1.2-22] [v3 MQTT-3.1.2-24]
  | > 10 [@v 02 0001 {()} "~a"] | < @ok | deaf | b connects | > 82 [0001 {()} "~/t" 00]
  | < 90 [0001 {()} 00] | wait 500 | b> 30 ["~/t" {()} 78*66000] | < 30 ["~/t" {()} 78*66000]
  | wait 1000 | refused 8d
`

const keeps = '> 10 [@v 00 003c {(11 0000003c)} "~b"]'

const store = `
[MQTT-3.2.2-7] [v3 MQTT-3.2.2-5]
kept raw 345 a session that is to be kept, while the store is full | order store full
  | ${keeps.replace('~b', '~a')} | rejected 97 03
kept raw 345 a session that is not to be kept, while the store is full | order store full
  | > 10 [@v 02 003c {()} "~a"] | < @ok
kept raw 345 a will while the store is full | order store full
  | > 10 [@v 06 003c {()} "~a" {()} "~/w" "x"] | rejected 97 03
kept raw 345 a session begun anew while the store is full ${stays} | lost | order store full
  | a dials | > 10 [@v 02 003c {()} "~a"] | < @ok
kept raw 345 a session that is kept comes back while the store is full ${stays} | lost
  | order store full ${returns} | < @present
kept raw 345 a session to be kept when there is room again | order store full | order store free
  | ${keeps.replace('~b', '~a')} | < @ok
[MQTT-3.4.2-1] [MQTT-3.5.2-1] [v3 MQTT-4.8.0-2]
kept 5 QoS 1 and 2 while the store is full | order store full
  | > 32 ["~/t" 0009 () 'x'] 34 ["~/t" 000a () 'x'] 62 [000a]
  | < 40 [0009 97] 50 [000a 97] 70 [000a 92]
kept 34 QoS 1 while the store is full | order store full | > 32 ["~/t" 0009 'x'] | refused 97
kept 34 QoS 2 while the store is full | order store full | > 34 ["~/t" 0009 'x'] | refused 97
kept 345 QoS 1 when there is room again | order store full | order store free
  | > 32 ["~/t" 0009 {()} 'x'] | < 40 [0009 {10}]
kept 345 QoS 0 while the store is full | subscribes ~/t 0 | order store full
  | > 30 ["~/t" {()} 'x'] | < 30 ["~/t" {()} 'x']
kept 345 QoS 2 that was begun before the store was full | b connects | b subscribes ~/t 0
  | > 34 ["~/t" 0009 {()} 'x'] | < 50 [0009] | order store full
  | > 3c ["~/t" 0009 {()} 'x'] 62 [0009] | < 50 [0009] 70 [0009] | b< 30 ["~/t" {()} 'x']
kept 345 nothing is retained while the store is full | order store full
  | > 31 ["~/t" {()} 'x'] 82 [0009 {()} "~/t" 00] | < 90 [0009 {()} 00]
[MQTT-3.8.4-6] [v3 MQTT-3.8.4-4]
kept raw 345 a subscription to be kept while the store is full ${stays} | subscribes ~/t 0
  | order store full | > 82 [0009 {()} "~/t" 01 "~/u" 01] | < 90 [0009 {()} 01 {97;80}]
kept 345 a subscription that is not to be kept while the store is full | order store full
  | > 82 [0009 {()} "~/u" 01] | < 90 [0009 {()} 01]
`

export const orderRows: ReadonlyArray<Exchange> = [
  memory,
  words,
  operator,
  crowds,
  deafness,
  store,
]
  .flatMap(rows)
