// A dozen ways to break the machine, each by one line: what stands there, what is put in its place,
// and what is wrong with it then. Every one of them has to be found by the search, or the search
// proves less than it says.

export interface Mutant {
  readonly file: string
  /** Stands in the file exactly once. */
  readonly search: string
  readonly replacement: string
  readonly what: string
}

export const mutants: ReadonlyArray<Mutant> = [
  {
    file: 'core/broker/deliver.ts',
    search: 'publishFor(draft, session, delivery, packetId, true))',
    replacement: 'publishFor(draft, session, delivery, packetId, false))',
    what: 'a message is sent again without DUP',
  },
  {
    file: 'core/broker/deliver.ts',
    search: "if (outgoing.stage === 'released') {",
    replacement: "if (outgoing.stage === 'released') { continue",
    what: 'PUBREL is not sent again after a reconnection',
  },
  {
    file: 'core/broker/deliver.ts',
    search: 'if (Window.size(session.window) - session.waitingCount >= session.inflightCountMax)',
    replacement: 'if (false)',
    what: 'what waits to be sent again is sent beyond the Receive Maximum',
  },
  {
    file: 'core/broker/deliver.ts',
    search: '...Window.entries(session.window)]) {\n    if (outgoing.stage === ',
    replacement: '...Window.entries(session.window)].reverse()) {\n    if (outgoing.stage === ',
    what: 'what is sent again is sent in the wrong order',
  },
  {
    file: 'core/broker/deliver.ts',
    search: 'while (Window.get(session.window, id) !== undefined) id = incremented(id, max)',
    replacement: '',
    what: 'an identifier is given out while it is in use',
  },
  {
    file: 'core/broker/deliver.ts',
    search: 'session.window = Window.replace(session.window, draft.owner, packetId, released)',
    replacement: '',
    what: 'PUBREC leaves no trace, and the message is sent again after a reconnection',
  },
  {
    file: 'core/broker/ack.ts',
    search: '  drain(draft, editable)',
    replacement: '',
    what: 'the end of an exchange makes no room for the next message',
  },
  {
    file: 'core/broker/publish.ts',
    search: '  if (incoming.opening === link.opening) editable.receivingCount--',
    replacement: '  editable.receivingCount--',
    what: 'a release gives back quota that another connection has taken',
  },
  {
    file: 'core/broker/publish.ts',
    search: "publishIfAllowed(draft, incoming.message, session, 'publish')",
    replacement: 'incoming',
    what: 'a released message is not routed',
  },
  {
    file: 'core/broker/publish.ts',
    search: '  editable.incoming = Window.remove(editable.incoming, draft.owner, packetId)',
    replacement: '',
    what: 'a released message can be released again',
  },
  {
    file: 'core/broker/accept.ts',
    search: 'session.receivingCount = 0 // the quota begins anew with the connection',
    replacement: '',
    what: 'the quota of the connection before is taken over',
  },
  {
    file: 'core/broker/accept.ts',
    search: 'const sessionPresent = old !== undefined',
    replacement: 'const sessionPresent = old !== undefined && old.conn !== null',
    what: 'a session that is resumed is called new',
  },
]
