// An owner token: whoever holds one may edit in place the nodes that are stamped with it, because
// nobody else can have seen them yet. A run makes a fresh token and drops it at its end, which
// seals every node stamped with it for ever. No owner (null) copies always.

/** The token of a run, which nobody outside of it can use; null in a record that is sealed. */
export type Owner = { readonly owner: true }

/** A token that nothing is stamped with yet. */
export const newOwner = (): Owner => ({ owner: true })
