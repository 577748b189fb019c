// The two numbers that everything about a packet depends on.

/** Protocol level as CONNECT carries it: 3 is MQTT 3.1, 4 is 3.1.1, 5 is 5.0. */
export type Level = 3 | 4 | 5

/** At most once, at least once, exactly once. */
export type Qos = 0 | 1 | 2
