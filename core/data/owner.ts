// An owner token: whoever holds one may edit in place the nodes that are stamped with it, because
// nobody else can have seen them yet. A run makes a fresh token and drops it at its end, which
// seals every node stamped with it for ever. No owner (null) copies always.

export type Owner = { readonly owner: true }

export const newOwner = (): Owner => ({ owner: true })
