// The names of the rows that need no socket: the codec and the machine alone, measured by core.ts.

export const coreRowNames = [
  'decode',
  'encode',
  'core-pairs-qos0',
  'core-pairs-qos1',
  'core-pairs-qos2',
  'core-fan-out',
  'core-fan-in',
]
